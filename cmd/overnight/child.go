package main

import (
	"os"

	"github.com/spf13/cobra"

	"overnight/worker"
)

// childCmd is the other side of `run --isolate`; nobody types it.
func (a *app) childCmd() *cobra.Command {
	return &cobra.Command{
		Use: "child", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
