package main

import (
	"context"

	"github.com/spf13/cobra"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
)

type sensitivityFlags struct {
	method, metric, format string
	second, all            bool
}

func (a *app) sensitivityCmd() *cobra.Command {
	var f sensitivityFlags
	c := &cobra.Command{
		Use:   "sensitivity STUDY",
		Short: "Which factors matter, and how much is luck, with intervals",
		Long: `Sensitivity says what share of the objective's variance each factor explains, arm by
arm, with luck (the seed) as a factor of its own, and whether a factor can be told
from luck. The design decides the method: Sobol indices of a saltelli design,
elementary effects of a morris design, main effects and interactions of a grid, oat
or ccd, rank correlation and a random forest's importance of a sample. --method
asks for another one; fanova fits any finished study.`,
		Example: `  overnight sensitivity delay-volatility
  overnight sensitivity delay-volatility --second
  overnight sensitivity delay-volatility --method fanova
  overnight sensitivity ishigami --format json | jq '.arms[].factors[] | {factor, first, total}'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				p, study, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				return a.sensitivity(ctx, s, p, study, f)
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.method, "method", "", "sobol, morris, effects, prcc or fanova; default: what the design is for")
	fl.StringVar(&f.metric, "metric", "", "a metric other than the study's objective")
	fl.StringVar(&f.format, "format", "text", "text, json or csv")
	fl.BoolVar(&f.second, "second", false, "interactions of two factors too")
	fl.BoolVar(&f.all, "all", false, "more than 20 rows")
	return c
}

func (a *app) sensitivity(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, f sensitivityFlags) error {
	switch f.format {
	case "text", "json", "csv":
	default:
		return usage("--format %s: write text, json or csv", f.format)
	}
	m, err := a.modelOf(ctx, s, p, study, f.metric, "")
	if err != nil {
		return err
	}
	t, err := m.Sensitivity(report.SensitivityOptions{Method: f.method, Second: f.second})
	if err != nil {
		return usage("%v", err)
	}
	return report.Write(a.out, t, report.Style{Format: report.Format(f.format), Width: a.width(), All: f.all})
}
