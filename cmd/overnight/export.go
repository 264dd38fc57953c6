package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"

	"overnight/results"
	"overnight/results/export"
)

type exportFlags struct {
	what, format, out string
	trials            []uint
	episodes          uint64
}

func (a *app) exportCmd() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export STUDY",
		Short: "Write trials, curves or steps as CSV or JSON lines",
		Long: `Export writes one row per committed record in trial order, also in mid-study.
Steps are not stored: they are made again by running the trials, so name the
trials you want with --trials.`,
		Example: `  overnight export delay-volatility > trials.csv
  overnight export delay-volatility --what curves --format jsonl
  overnight export delay-volatility --what steps --trials 0,17 --episodes 2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				if f.out == "" {
					return a.export(ctx, s, args[0], f)
				}
				return writeFile(f.out, func(w *bufio.Writer) error {
					b := *a
					b.out = w
					return b.export(ctx, s, args[0], f)
				})
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.what, "what", "trials", "trials, curves or steps")
	fl.StringVar(&f.format, "format", "csv", "csv or jsonl")
	fl.StringVarP(&f.out, "output", "o", "", "write to a `file` instead of stdout")
	fl.UintSliceVar(&f.trials, "trials", nil, "of steps: the `trials`, such as 0,17")
	fl.Uint64Var(&f.episodes, "episodes", 1, "of steps: evaluation episodes a trial")
	return c
}

func (a *app) export(ctx context.Context, s results.Store, word string, f exportFlags) error {
	if f.format != "csv" && f.format != "jsonl" {
		return usage("--format %s: write csv or jsonl", f.format)
	}
	p, study, err := a.find(ctx, s, word)
	if err != nil {
		return err
	}
	switch f.what {
	case "trials":
		err = export.Trials(a.out, study, results.Skim(ctx, s, p.Study, 0, p.Trials), export.Format(f.format))
	case "curves":
		err = export.Curves(a.out, study, s.Scan(ctx, p.Study, 0, p.Trials), export.Format(f.format))
	case "steps":
		if len(f.trials) == 0 {
			return usage("--what steps needs --trials: steps are made by running the trials again; write for example --trials 0")
		}
		var list []uint64
		for _, n := range f.trials {
			if uint64(n) >= p.Trials {
				return usage("--trials %d: %s has trials 0 to %d", n, p.Study, p.Trials-1)
			}
			list = append(list, uint64(n))
		}
		err = a.exportSteps(ctx, a.runner(study), list, f.episodes, f.format)
	default:
		return usage("--what %s: write trials, curves or steps", f.what)
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return nil // the reader has gone, as `| head` does
	}
	if err != nil {
		return engine(fmt.Errorf("export %s: %w", p.Study, err))
	}
	return nil
}
