package main

import (
	"flag"
	"io"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/spf13/cobra"
)

// natsServerCmd is the NATS server that is in this binary, as a process of its
// own with that server's own flags: for chaos and tests where the program
// nats-server is not installed.
func (a *app) natsServerCmd() *cobra.Command {
	return &cobra.Command{
		Use: "nats-server", Hidden: true, DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			fs := flag.NewFlagSet("nats-server", flag.ContinueOnError)
			fs.SetOutput(io.Discard)
			nothing := func() {}
			o, err := server.ConfigureOptions(fs, args, nothing, nothing, nothing)
			if err != nil {
				return usage("%v", err)
			}
			s, err := server.NewServer(o)
			if err != nil {
				return engine(err)
			}
			s.ConfigureLogger()
			if err := server.Run(s); err != nil {
				return engine(err)
			}
			s.WaitForShutdown()
			return nil
		},
	}
}
