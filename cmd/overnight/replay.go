package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"overnight/envs"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/export"
	"overnight/worker/trial"
)

func trialArg(s string, p results.Plan) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n >= p.Trials {
		return 0, usage("trial %q: %s has trials 0 to %d", s, p.Study, p.Trials-1)
	}
	return n, nil
}

// stored returns a trial's record, and whether there is one.
func stored(ctx context.Context, s results.Store, study string, n uint64) (results.Record, bool, error) {
	for r, err := range s.Scan(ctx, study, n, n+1) {
		if err != nil {
			return r, false, engine(fmt.Errorf("trial %d: %w; overnight fsck %s tells more", n, err, study))
		}
		return r, true, nil
	}
	return results.Record{}, false, nil
}

func (a *app) replayCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "replay STUDY TRIAL",
		Short: "Run one trial again here and compare it with its record, bit for bit",
		Long: `Replay runs a trial again and compares status, metrics and curves with the stored
record. Exit code 1 where they differ.`,
		Example: "  overnight replay delay-volatility 17",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s results.Store) error { return a.replay(cmd.Context(), s, args[0], args[1]) })
		},
	}
}

func (a *app) replay(ctx context.Context, s results.Store, word, number string) error {
	p, study, err := a.find(ctx, s, word)
	if err != nil {
		return err
	}
	n, err := trialArg(number, p)
	if err != nil {
		return err
	}
	old, ok, err := stored(ctx, s, p.Study, n)
	if err != nil {
		return err
	}
	point, err := study.Point(n % study.Points())
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "trial %d: %s\n", n, describePoint(study, point, n/study.Points()))
	runner := a.runner(study)
	rec, err := runner.Run(ctx, n)
	if err != nil {
		return err
	}
	for i, m := range p.Metrics {
		if i < len(rec.Metrics) && !math.IsNaN(rec.Metrics[i]) {
			fmt.Fprintf(a.out, "  %-22s %v\n", m, rec.Metrics[i])
		}
	}
	if rec.Error != "" {
		fmt.Fprintf(a.out, "  %v: %s\n", rec.Status, indent(rec.Error))
	}
	switch {
	case !ok:
		fmt.Fprintln(a.out, "no record of it is stored yet")
	case results.Equal(&rec, &old):
		fmt.Fprintf(a.out, "equal to the record, bit for bit (%v)\n", rec.Elapsed.Round(1000))
	case old.Status == results.Dead || old.Status == results.Overrun:
		fmt.Fprintf(a.out, "the record says %v: %s\n", old.Status, firstLine(old.Error))
	default:
		for i, m := range p.Metrics {
			if i < len(old.Metrics) && i < len(rec.Metrics) && math.Float64bits(old.Metrics[i]) != math.Float64bits(rec.Metrics[i]) {
				fmt.Fprintf(a.out, "  %s differs: the record has %v\n", m, old.Metrics[i])
			}
		}
		return &codeError{exitFailures, fmt.Errorf("trial %d of %s DIFFERS from its record (%v, by worker %s)", n, p.Study, old.Status, old.Worker)}
	}
	return nil
}

// runner runs trials without the study's limits: they are about the machine that
// ran it, and this one may be slower.
func (a *app) runner(s *jobs.Study) *trial.Runner {
	free := *s
	free.Limits = jobs.Limits{}
	return trial.New(&free, a.cat, trial.Options{})
}

// indent makes an error's lines printable and sets all but the first in.
func indent(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return strings.Join(lines, "\n    ")
}

// describePoint says what a point is in one line.
func describePoint(s *jobs.Study, p *jobs.Point, replication uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "arm %s", s.Arms[p.Arm].Label)
	if len(s.Tasks) > 1 {
		fmt.Fprintf(&b, " on %s", s.Tasks[p.Task].Label)
	}
	for _, l := range p.Levels {
		fmt.Fprintf(&b, ", %s=%s", s.Factors[l.Factor].Name, l.Name)
	}
	fmt.Fprintf(&b, ", replication %d", replication)
	return b.String()
}

func (a *app) rolloutCmd() *cobra.Command {
	var format string
	var episodes uint64
	c := &cobra.Command{
		Use:   "rollout STUDY TRIAL",
		Short: "Show a trial's trained policy at work, day by day",
		Long: `Rollout trains the trial's agent again and plays the first episodes of its final
evaluation, greedily, one row a step.`,
		Example: "  overnight rollout quickstart 3\n  overnight rollout quickstart 3 --format csv > days.csv",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				p, study, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				n, err := trialArg(args[1], p)
				if err != nil {
					return err
				}
				return a.rollout(ctx, study, n, episodes, format)
			})
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table, csv or jsonl")
	c.Flags().Uint64Var(&episodes, "episodes", 1, "how many episodes")
	return c
}

func (a *app) rollout(ctx context.Context, study *jobs.Study, n, episodes uint64, format string) error {
	runner := a.runner(study)
	if format == "csv" || format == "jsonl" {
		return a.exportSteps(ctx, runner, []uint64{n}, episodes, format)
	}
	if format != "table" {
		return usage("--format %s: write table, csv or jsonl", format)
	}
	var total float64
	err := runner.Rollout(ctx, n, trial.RolloutOptions{Episodes: episodes}, func(spec *envs.Spec) error {
		point, err := study.Point(n % study.Points())
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "trial %d: %s\n", n, describePoint(study, point, n/study.Points()))
		fmt.Fprintf(a.out, "%7s %5s", "episode", "step")
		for _, c := range trial.Columns(spec) {
			fmt.Fprintf(a.out, " %*s", max(9, len(c)), c)
		}
		fmt.Fprintln(a.out)
		return nil
	}, func(s trial.RolloutStep) error {
		fmt.Fprintf(a.out, "%7d %5d", s.Episode, s.Step)
		cols := s.Action
		for _, v := range cols {
			fmt.Fprintf(a.out, " %9.4g", v)
		}
		fmt.Fprintf(a.out, " %9.4g", s.Reward)
		for _, v := range s.Trace {
			fmt.Fprintf(a.out, " %9.4g", v)
		}
		fmt.Fprintln(a.out)
		total += s.Reward
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "total reward %.6g\n", total)
	return nil
}

// exportSteps writes the steps of trials in the long form of export.
func (a *app) exportSteps(ctx context.Context, runner *trial.Runner, trials []uint64, episodes uint64, format string, meta ...export.Meta) error {
	var t *export.Table
	var columns []string
	row := []any{}
	for _, n := range trials {
		err := runner.Rollout(ctx, n, trial.RolloutOptions{Episodes: episodes}, func(spec *envs.Spec) error {
			cols := append([]string{"trial", "episode", "step"}, trial.Columns(spec)...)
			if t == nil {
				columns = cols
				var err error
				t, err = export.NewColumns(a.out, export.Format(format), export.StepColumns(cols), meta...)
				return err
			}
			if strings.Join(cols, ",") != strings.Join(columns, ",") {
				return errors.New("its steps have other columns than those before; export one environment at a time with --trials")
			}
			return nil
		}, func(s trial.RolloutStep) error {
			row = append(row[:0], n, s.Episode, s.Step)
			for _, v := range s.Action {
				row = append(row, v)
			}
			row = append(row, s.Reward)
			for _, v := range s.Trace {
				row = append(row, v)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return t.Row(row...)
		})
		if err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
	}
	if t == nil {
		return nil
	}
	return t.Close()
}
