package main

import (
	"context"

	"github.com/spf13/cobra"

	"overnight/results"
	"overnight/results/report"
)

type compareFlags struct {
	report.CompareOptions
	by, test, format string
	all              bool
}

func (a *app) compareCmd() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare STUDY",
		Short: "Which arms are better, and how sure that is",
		Long: `Compare prints, for each arm beside the baseline on the same task and levels, the
difference with a 95 % interval, the probability that a run is better, the share
of paired wins, and a verdict: from a permutation test, adjusted after Holm for
all decisions of the table. Tasks stay apart, except for optimality, whose unit is
the same everywhere.

--select chooses the best of each arm's own settings on the replications of even
number and compares the chosen ones on those of odd number, so that the luck of
the best of many settings is not taken for skill.`,
		Example: `  overnight compare delay-volatility
  overnight compare delay-volatility --by point --all
  overnight compare delay-volatility --baseline equal --select
  overnight compare delay-volatility --all-pairs --format json | jq '.rows[] | {arm, against, verdict}'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error { return a.compare(ctx, s, args[0], f) })
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Against, "baseline", "", "the `arm` to compare with; default: the study's baseline")
	fl.BoolVar(&f.AllPairs, "all-pairs", false, "every two arms instead")
	fl.StringVar(&f.by, "by", "arm", "arm (over all points) or point")
	fl.BoolVar(&f.Select, "select", false, "choose settings on half of the replications, compare on the other half")
	fl.StringVar(&f.test, "test", "permutation", "permutation or t")
	fl.StringVar(&f.format, "format", "text", "text, json or csv")
	fl.BoolVar(&f.all, "all", false, "more than 20 rows")
	return c
}

func (a *app) compare(ctx context.Context, s results.Store, word string, f compareFlags) error {
	switch f.by {
	case "arm":
	case "point":
		f.ByPoint = true
	default:
		return usage("--by %s: write arm or point", f.by)
	}
	switch f.format {
	case "text", "json", "csv":
	default:
		return usage("--format %s: write text, json or csv", f.format)
	}
	f.Test = report.CompareTest(f.test)
	p, study, err := a.find(ctx, s, word)
	if err != nil {
		return err
	}
	m, err := a.model(ctx, s, p, study)
	if err != nil {
		return err
	}
	t, err := m.Compare(f.CompareOptions)
	if err != nil {
		return usage("%w", err)
	}
	return report.Write(a.out, t, report.Style{Format: report.Format(f.format), Width: a.width(), All: f.all})
}
