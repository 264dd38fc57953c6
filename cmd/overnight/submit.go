package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"overnight/coordinator"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/sqlitestore"
)

type submitFlags struct {
	set      []string
	priority int
	maxSlots int
	keep     time.Duration
	maxBytes string
}

func (a *app) submitCmd() *cobra.Command {
	var f submitFlags
	c := &cobra.Command{
		Use:   "submit STUDY.yaml",
		Short: "Hand a study to the coordinator service (overnight serve) and return",
		Long: `Submit checks the study file, prints its trials, core-hours and bytes, and stores
the plan; a coordinator service (overnight serve) on the same store runs it. A
study that was submitted before goes on, with more replications where the file
asks for more; an edited one takes over the trials that are equal.`,
		Example: `  overnight submit examples/delay-volatility.yaml --cluster redis://127.0.0.1:6379
  overnight submit study.yaml --priority 5 --max-slots 8 --keep 720h`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.submit(cmd.Context(), args[0], f) },
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.set, "set", nil, "override `key=value` of the study file; may be repeated")
	fl.IntVar(&f.priority, "priority", 1, "share of the fleet beside other studies, 1 to 100: 2 gets twice the core time of 1")
	fl.IntVar(&f.maxSlots, "max-slots", 0, "how many of its trials may run at once; 0: no limit")
	fl.DurationVar(&f.keep, "keep", 0, "remove the study this long after its end, such as 720h; 0: keep it")
	fl.StringVar(&f.maxBytes, "max-bytes", "64GB", "refuse a study whose results are estimated to need more")
	return c
}

func (a *app) submit(ctx context.Context, file string, f submitFlags) error {
	switch {
	case f.priority < 1 || f.priority > results.MaxPriority:
		return usage("--priority %d: write a number from 1 to %d", f.priority, results.MaxPriority)
	case f.maxSlots < 0:
		return usage("--max-slots %d: write 1 or more, or 0 for no limit", f.maxSlots)
	case f.keep < 0:
		return usage("--keep %v: write a time such as 720h, or 0 to keep the study", f.keep)
	}
	study, source, err := a.parse(file, f.set)
	if err != nil {
		return err
	}
	if err := a.checkBytes(ctx, study, f.maxBytes); err != nil {
		return err
	}
	if err := a.describeStudy(ctx, study); err != nil {
		return err
	}
	return a.joining(ctx, func(s results.Store) error { return a.submitTo(ctx, s, study, source, f) })
}

func (a *app) submitTo(ctx context.Context, s results.Store, study *jobs.Study, source []byte, f submitFlags) error {
	follower, ok := s.(coordinator.Store)
	if !ok {
		return engine(fmt.Errorf("%s can't be followed", a.where()))
	}
	p, err := coordinator.Submit(ctx, study, source, coordinator.Options{
		Store: follower, Catalog: a.cat, Log: a.log,
		Submit: coordinator.SubmitOptions{Submitted: true, Priority: f.priority, MaxSlots: f.maxSlots, Keep: f.keep},
	})
	if err != nil {
		return engine(err)
	}
	a.audit("submit", p.Name)
	what := "is submitted"
	switch {
	case p.Extended:
		what = "is submitted with more replications"
	case !p.New && p.Plan.State == results.Finished:
		what = "was finished already"
	case !p.New:
		what = "was submitted already and goes on"
	}
	fmt.Fprintf(a.out, "%s %s: %s trials, %s committed", p.Name, what, ofTrials(p.Plan), thousands(p.Committed))
	if p.Reused > 0 {
		fmt.Fprintf(a.out, ", of which %s were taken over", thousands(p.Reused))
	}
	fmt.Fprintf(a.out, "\nnext: overnight watch %s\n", p.Name)
	return nil
}

// joining opens the store for a command that adds to it beside a service: a
// folder is made where there is none, and not locked.
func (a *app) joining(ctx context.Context, fn func(s results.Store) error) error {
	at, folder, err := a.storeURL()
	if err != nil {
		return err
	}
	if folder {
		s, err := sqlitestore.Open(ctx, at, sqlitestore.Options{})
		if err != nil {
			return engine(err)
		}
		if err := s.Close(); err != nil {
			return engine(err)
		}
	}
	return a.with(ctx, fn)
}
