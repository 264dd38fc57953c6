package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
)

type resultsFlags struct {
	by, format   string
	metric, goal string
	all          bool
	top          int
}

func (a *app) resultsCmd() *cobra.Command {
	var f resultsFlags
	c := &cobra.Command{
		Use:   "results STUDY",
		Short: "Tables of a study: per point and per arm, with intervals",
		Long: `Results prints, for each point, the number of runs, mean, IQM, a 95 % interval, the
worst run and the trials that failed; --by arm prints a line per arm with its
difference from the baseline, --by factor what matters beside luck. Of a study whose
points stop by themselves, --by stopping prints how far each one went; of one with
confirm, --by confirmation prints the scores that chose its best points beside those
of fresh runs. It works in mid-study as well.`,
		Example: `  overnight results delay-volatility
  overnight results delay-volatility --by arm
  overnight results email-ab --by arm --metric regret
  overnight results delay-volatility --format json | jq .rows`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				p, study, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				if f.top > 0 {
					if f.metric != "" || f.goal != "" {
						return usage("--top is by the study's objective; leave --metric and --goal out, or --top")
					}
					return a.leaders(ctx, s, p, study, f)
				}
				return a.tables(ctx, s, p, study, f)
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.by, "by", "point", "point, arm, factor, stopping or confirmation")
	fl.StringVar(&f.format, "format", "text", "text, json or csv")
	fl.StringVar(&f.metric, "metric", "", "a metric other than the study's objective")
	fl.StringVar(&f.goal, "goal", "", "of --metric: maximize or minimize (default: the study's for its objective; else minimize for regret, violations, gaps and times)")
	fl.BoolVar(&f.all, "all", false, "more than 20 rows")
	fl.IntVar(&f.top, "top", 0, "only the best points so far, this `many`, by the mean alone: at once, however large the study")
	return c
}

// model reads a study's records for tables.
func (a *app) model(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study) (*report.Model, error) {
	return a.modelOf(ctx, s, p, study, "", "")
}

// modelOf is model for a metric, with its goal; empty: the study's for its
// objective, for others the one that the name says.
func (a *app) modelOf(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, metric, goal string) (*report.Model, error) {
	minimize := jobs.LowerIsBetter(metric)
	if metric == study.Objective.Metric {
		minimize = study.Objective.Minimize
	}
	switch {
	case metric != "" && !slices.Contains(study.Metrics, metric):
		return nil, usage("--metric %s: study %s has %s", metric, p.Study, strings.Join(study.Metrics, ", "))
	case goal != "" && metric == "":
		return nil, usage("--goal %s is for --metric; name one of %s", goal, strings.Join(study.Metrics, ", "))
	case goal == "maximize", goal == "minimize":
		minimize = goal == "minimize"
	case goal != "":
		return nil, usage("--goal %s: write maximize or minimize", goal)
	}
	study.Name = p.Study // "name@2", as commands want it
	// Build leaves out what the study does not want.
	m, err := report.Build(study, results.Skim(ctx, s, p.Study, 0, p.Trials), report.Options{
		Learns:   func(pt *jobs.Point) bool { return a.cat.Agent(study.Arms[pt.Arm].Agent).Traits(pt.Agent).Learns },
		Metric:   metric,
		Minimize: minimize,
	})
	if err != nil {
		return nil, engine(err)
	}
	return m, nil
}

func (a *app) tables(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, f resultsFlags) error {
	if f.metric != "" && (f.by == "stopping" || f.by == "confirmation") {
		return usage("--by %s is of the objective, %s, by which points stop and are confirmed; leave --metric out", f.by, study.Objective.Metric)
	}
	m, err := a.modelOf(ctx, s, p, study, f.metric, f.goal)
	if err != nil {
		return err
	}
	var t report.Table
	switch f.by {
	case "point":
		if t, err = m.PointTable(); err != nil {
			return engine(err)
		}
	case "arm":
		t = m.ArmTable()
	case "factor":
		t = m.WhatMatters()
	case "stopping":
		t = m.Precision()
	case "confirmation":
		t = m.Confirmation()
	default:
		return usage("--by %s: write point, arm, factor, stopping or confirmation", f.by)
	}
	switch f.format {
	case "text", "json", "csv":
	default:
		return usage("--format %s: write text, json or csv", f.format)
	}
	return report.Write(a.out, t, report.Style{Format: report.Format(f.format), Width: a.width(), All: f.all})
}

// summary prints what a run ends with.
func (a *app) summary(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, e report.Ending) (report.Tally, error) {
	m, err := a.model(ctx, s, p, study)
	if err != nil {
		return report.Tally{}, err
	}
	e.State, e.Digest, e.Width = p.State, p.Digest, a.width()
	if err := report.Summary(a.out, m, e); err != nil {
		return report.Tally{}, fmt.Errorf("print the summary: %w", err)
	}
	return m.Tally, nil
}
