package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"overnight/worker"
)

// childCmd is the other side of `run --isolate`; nobody types it.
func (a *app) childCmd() *cobra.Command {
	return &cobra.Command{
		Use: "child", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// The terminal's Ctrl-C reaches children too; theirs is the end of the input.
			signal.Ignore(os.Interrupt, syscall.SIGTERM)
			return worker.Child(cmd.Context(), a.cat, a.in, a.out)
		},
	}
}

// self is the command line of a child of this binary.
func self() ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return []string{exe, "child"}, nil
}
