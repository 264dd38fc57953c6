package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/export"
)

type exportFlags struct {
	what, format, out string
	shape, metric     string
	trials            []uint
	arms              []string
	replications      uint64
	episodes          uint64
	surplus           bool
}

func (a *app) exportCmd() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export STUDY",
		Short: "Write trials, curves, steps or decisions as CSV, JSON lines or Parquet",
		Long: `Export writes one row per committed record in trial order, also in mid-study.
Steps and decisions are not stored: they are made again by running the trials, so
name those you want with --trials, or with --arm and --replications.

Decisions are the log of a policy that chooses among several actions: context,
which actions were allowed, action, propensities, and the outcome of the action,
whenever it was known. overnight offpolicy estimates from such logs.

pandas reads all formats. --shape writes one metric as JSON for other tools:
rliable takes a matrix of runs by tasks for each arm, and SALib a problem with X
and Y in the order of the design.`,
		Example: `  overnight export delay-volatility > trials.csv
  overnight export delay-volatility --what curves --format jsonl
  overnight export delay-volatility --format parquet -o trials.parquet
  overnight export delay-volatility --what steps --trials 0,17 --episodes 2
  overnight export email-ab --what decisions --arm epsilon_greedy --format parquet -o decisions.parquet
  overnight export delay-volatility --shape rliable -o scores.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := f.check(cmd.Flags().Changed, terminal(a.out) > 0); err != nil {
				return err
			}
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
	fl.StringVar(&f.what, "what", "trials", "trials, curves, steps or decisions")
	fl.StringVar(&f.format, "format", "csv", "csv, jsonl or parquet")
	fl.StringVarP(&f.out, "output", "o", "", "write to a `file` instead of stdout")
	fl.StringVar(&f.shape, "shape", "", "one metric for another tool: rliable or salib")
	fl.StringVar(&f.metric, "metric", "", "of --shape: the `metric`; default: the study's objective")
	fl.UintSliceVar(&f.trials, "trials", nil, "of steps and decisions: the `trials`, such as 0,17")
	fl.StringSliceVar(&f.arms, "arm", nil, "of steps and decisions: all points of this `arm`, instead of --trials")
	fl.Uint64Var(&f.replications, "replications", 1, "with --arm: the first so many replications")
	fl.BoolVar(&f.surplus, "surplus", false, "also records that the study does not want, such as those that ran before its points were told to stop")
	fl.Uint64Var(&f.episodes, "episodes", 1, "of steps and decisions: evaluation episodes a trial")
	return c
}

// check refuses what does not go together; given tells of a flag whether it is
// written.
func (f *exportFlags) check(given func(flag string) bool, terminal bool) error {
	switch f.format {
	case "csv", "jsonl", "parquet":
	default:
		return usage("--format %s: write csv, jsonl or parquet", f.format)
	}
	switch f.what {
	case "trials", "curves", "steps", "decisions":
	default:
		return usage("--what %s: write trials, curves, steps or decisions", f.what)
	}
	switch {
	case f.shape != "" && f.shape != "rliable" && f.shape != "salib":
		return usage("--shape %s: write rliable or salib; pandas reads --format csv and --format parquet as they are", f.shape)
	case f.shape != "" && (given("format") || f.what != "trials"):
		return usage("--shape %s is JSON made of trials: leave --format and --what out", f.shape)
	case f.shape == "" && f.metric != "":
		return usage("--metric chooses what --shape writes; without a shape all metrics are written")
	case given("replications") && len(f.arms) == 0:
		return usage("--replications goes with --arm; write for example --arm LABEL --replications %d", max(1, f.replications))
	case f.episodes < 1:
		return usage("--episodes 0: write 1 or more")
	case f.format == "parquet" && f.out == "" && terminal:
		return usage("--format parquet is nothing for a terminal; write it to a file with -o trials.parquet")
	}
	for _, flag := range []string{"trials", "arm", "episodes"} {
		if f.what != "steps" && f.what != "decisions" && given(flag) {
			return usage("--%s is for --what steps and --what decisions; --what %s writes those of all trials: leave it out", flag, f.what)
		}
	}
	return nil
}

// meta is what a Parquet file says of itself.
func meta(p *results.Plan, study *jobs.Study, what string) []export.Meta {
	m := []export.Meta{
		{Key: "overnight.study", Value: p.Study},
		{Key: "overnight.table", Value: what},
		{Key: "overnight.seed", Value: strconv.FormatUint(study.Seed, 10)},
		{Key: "overnight.engine", Value: strconv.Itoa(p.Engine)},
		{Key: "overnight.identity", Value: p.Identity},
	}
	if p.Digest != "" {
		m = append(m, export.Meta{Key: "overnight.digest", Value: p.Digest})
	}
	return m
}

func (a *app) export(ctx context.Context, s results.Store, word string, f exportFlags) error {
	p, study, err := a.find(ctx, s, word)
	if err != nil {
		return err
	}
	wanted, err := wantedOf(study, &p)
	if err != nil {
		return engine(err)
	}
	if f.surplus {
		wanted = func(rs records) records { return rs }
	}
	if f.shape != "" {
		return a.exportShape(ctx, s, p, study, f)
	}
	switch f.what {
	case "trials":
		err = export.Trials(a.out, study, wanted(results.Skim(ctx, s, p.Study, 0, p.Trials)), export.Format(f.format), meta(&p, study, f.what)...)
	case "curves":
		err = export.Curves(a.out, study, wanted(s.Scan(ctx, p.Study, 0, p.Trials)), export.Format(f.format), meta(&p, study, f.what)...)
	case "steps", "decisions":
		study.Name = p.Study
		var list []uint64
		if list, err = f.again(study); err != nil {
			return err
		}
		if f.what == "steps" {
			err = a.exportSteps(ctx, a.runner(study), list, f.episodes, f.format, meta(&p, study, f.what)...)
		} else {
			err = a.exportDecisions(ctx, study, list, f.episodes, f.format, meta(&p, study, f.what)...)
		}
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return nil // the reader has gone, as `| head` does
	}
	var coded *codeError
	if errors.As(err, &coded) {
		return err
	}
	if err != nil {
		return engine(fmt.Errorf("export %s: %w", p.Study, err))
	}
	return nil
}

// exportShape writes one metric for another tool and says what it had to leave
// out.
func (a *app) exportShape(ctx context.Context, s results.Store, p results.Plan, study *jobs.Study, f exportFlags) error {
	metric := f.metric
	switch {
	case metric == "":
		metric = study.Objective.Metric
	case !slices.Contains(study.Metrics, metric):
		return usage("--metric %s: study %s has %s", metric, p.Study, strings.Join(study.Metrics, ", "))
	}
	study.Name = p.Study
	wanted, err := wantedOf(study, &p)
	if err != nil {
		return engine(err)
	}
	records := compared(study, wanted(results.Skim(ctx, s, p.Study, 0, p.Trials)))
	if f.shape == "rliable" {
		shape, err := export.ToRliable(study, metric, records)
		if err != nil {
			return engine(err)
		}
		for _, arm := range slices.Sorted(maps.Keys(shape.Dropped)) {
			fmt.Fprintf(a.err, "%s: %d of %d runs are left out, since a task has no score in them\n", printable(arm), shape.Dropped[arm], study.Replications)
		}
		for _, arm := range shape.Partial {
			fmt.Fprintf(a.err, "%s is left out: it does not run on all tasks\n", printable(arm))
		}
		return export.WriteJSON(a.out, shape)
	}
	shape, err := export.ToSALib(study, metric, records)
	if err != nil {
		return engine(err)
	}
	for i := range shape.Samples {
		if x := &shape.Samples[i]; x.Holes > 0 {
			fmt.Fprintf(a.err, "%s on %s: %d rows have no score and a null, which SALib can't use\n", printable(x.Arm), printable(x.Task), x.Holes)
		}
	}
	return export.WriteJSON(a.out, shape)
}
