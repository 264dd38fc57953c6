package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/internal/failpoint"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/worker"
)

type runFlags struct {
	set          []string
	dryRun       bool
	slots        int
	isolate      bool
	drainTimeout time.Duration
	maxBytes     string
	uiFlags
	engineFlags
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run STUDY.yaml",
		Short: "Run a study to its end, here or with workers elsewhere; resumes",
		Long: `Run plans the study, works through its trials and prints what came out. Whatever
interrupts it, the same command goes on from what is committed. An edited study
takes over the trials that are equal; more replications extend it.

It works its own slots on every engine (--slots 0: it only coordinates). Workers
of other machines help over Redis or NATS (--cluster, or --queue and --store), or,
with nothing installed, with --listen: then they read the join file.

The first Ctrl-C (or SIGTERM) lets the trials in hand finish, a second one stops
at once; nothing that is committed is lost either way.`,
		Example: `  overnight run examples/quickstart.yaml
  overnight run study.yaml --set env.budget=600 --set replications=40
  overnight run study.yaml --dry-run
  overnight run study.yaml --ui
  overnight run study.yaml --listen :4222
  overnight run study.yaml --cluster redis://127.0.0.1:6379`,
		Args: cobra.RangeArgs(1, 2), // two are refused with better words
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneStudyFile(cmd, args); err != nil {
				return err
			}
			return a.run(cmd.Context(), args[0], f)
		},
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.set, "set", nil, "override `key=value` of the study file, such as env.budget=600; may be repeated")
	fl.BoolVar(&f.dryRun, "dry-run", false, "check, estimate and print; run nothing")
	fl.IntVar(&f.slots, "slots", runtime.NumCPU(), "how many trials run at once in this process; 0: leave them all to workers elsewhere")
	fl.BoolVar(&f.isolate, "isolate", false, "run trials in processes of their own; enforces limits while a trial runs")
	fl.DurationVar(&f.drainTimeout, "drain-timeout", 10*time.Second, "how long trials in hand may take once interrupted; with 0 they stop after their episode")
	fl.StringVar(&f.maxBytes, "max-bytes", "64GB", "refuse a study whose results are estimated to need more")
	f.ui(fl)
	f.listening(c)
	return c
}

func (a *app) run(ctx context.Context, file string, f runFlags) error {
	queueURL, err := a.queueURL()
	if err != nil {
		return err
	}
	switch {
	case f.slots < 0:
		return usage("--slots %d: write 1 or more, or 0 to leave the trials to workers elsewhere", f.slots)
	case f.slots == 0 && queueURL == "" && f.listen == "":
		return usage("--slots 0: nobody else can take this run's jobs; write 1 or more, or let workers join with --listen :4222")
	case f.drainTimeout < 0:
		return usage("--drain-timeout %v: write a time such as 30s, or 0 to stop after the episodes in hand", f.drainTimeout)
	case f.drainTimeout == 0:
		f.drainTimeout = 1 // worker.Options takes 0 for its default
	}
	if err := f.checkListen(queueURL); err != nil {
		return err
	}
	study, source, err := a.parse(file, f.set)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.describeStudy(ctx, study)
	}
	ui, err := f.open(a)
	if err != nil {
		return err
	}
	defer ui.close()
	if err := a.checkBytes(ctx, study, f.maxBytes); err != nil {
		return err
	}
	return a.creating(ctx, func(s results.Store) error { return a.runIn(ctx, s, file, study, source, f, ui) })
}

// runIn runs the study on an open store.
func (a *app) runIn(ctx context.Context, s results.Store, file string, study *jobs.Study, source []byte, f runFlags, ui *dashboard) error {
	store, ok := s.(coordinator.Store)
	if !ok {
		return engine(fmt.Errorf("%s can't be followed", a.where()))
	}
	began := time.Now()
	show := newProgress(a, f.slots)
	i := interruptible(ctx, show, finishing)
	defer i.stop()

	o := coordinator.Options{
		Store: store, Catalog: a.cat, Slots: f.slots, Progress: ui.noting(show.update),
		Failpoint: failpoint.FromEnv(), Log: a.log,
	}
	if _, folder, err := a.storeURL(); err == nil && folder {
		o.Alone = f.listen == "" // its lock keeps others away, and all workers are in this process
	} else {
		o.Holder = holder()
	}
	a.log.Debug("planning", zap.String("study", study.Name), zap.Uint64("trials", study.Trials()))
	planned, err := coordinator.Submit(i.work, study, source, o)
	switch {
	case i.work.Err() != nil:
		return errEarly
	case err != nil:
		return engine(err)
	}
	show.planned(planned)
	defer ui.serve(ctx, a, s, planned.Name)()

	queue, end, err := a.coordinatorQueue(i.work, s, f.engineFlags)
	var coded *codeError
	switch {
	case err != nil && i.work.Err() != nil:
		return errEarly
	case errors.As(err, &coded):
		return err
	case err != nil:
		return engine(err)
	}
	defer end()
	defer queue.Close()
	i.begun()
	if i.work.Err() != nil {
		return errEarly
	}
	a.log.Debug("working", zap.String("study", planned.Name), zap.Int("slots", f.slots))
	o.Queue = queue

	wait, err := a.workBeside(i, s, queue, f)
	if err != nil {
		return engine(err)
	}
	for {
		err = a.coordinate(i, planned.Name, o, show)
		if !errors.Is(err, coordinator.ErrPlanLost) {
			break
		}
		// The store came back from a time before the plan: what was lost is made again.
		show.say("%s: the store has lost its plan; it is submitted again", planned.Name)
		if planned, err = coordinator.Submit(i.coordinate, study, source, o); err != nil {
			break
		}
	}
	ui.ended()
	if errors.Is(err, coordinator.ErrStopped) {
		i.stop() // what is in hand would be refused
	}
	if werr := wait(); err == nil {
		err = werr
	}
	show.end()
	err = a.afterRun(context.WithoutCancel(ctx), s, file, planned, time.Since(began), err)
	i.stop()
	ui.stay(ctx, a, err)
	return err
}

// coordinate is coordinator.Run, which waits until the lease of another one that
// was killed has run out.
func (a *app) coordinate(i *interrupts, study string, o coordinator.Options, show *progress) error {
	var leased *coordinator.LeasedError
	end := time.Now().Add(leaseWait)
	for told := false; ; told = true {
		err := coordinator.Run(i.coordinate, study, o)
		if !errors.As(err, &leased) || time.Now().After(end) {
			return err
		}
		if !told {
			show.say("%s: %s coordinates it, or did a moment ago; waiting for its lease to run out", study, leased.Holder)
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-i.coordinate.Done():
			return i.coordinate.Err()
		}
	}
}

// leaseWait is a little more than a lease lasts.
const leaseWait = 12 * time.Second

// errEarly ends a run that was interrupted before it worked.
var errEarly = &codeError{exitInterrupted, errors.New("interrupted before the first trial; run the same command to go on")}

// workBeside starts a worker in this process. wait makes it end after the trials
// in hand, and returns its error.
func (a *app) workBeside(i *interrupts, s results.Store, queue jobs.Queue, f runFlags) (wait func() error, err error) {
	if f.slots == 0 {
		return func() error { return nil }, nil
	}
	wo := worker.Options{
		Queue: queue, Store: s, Catalog: a.cat, Slots: f.slots, Drain: i.drain(),
		DrainTimeout: f.drainTimeout, Version: version(), Log: a.log,
	}
	if f.isolate {
		command, err := self()
		if err != nil {
			return nil, err
		}
		wo.Isolate = &worker.Isolation{Command: command}
	}
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(i.work, wo) }()
	return func() error {
		i.finish()
		return <-ended
	}, nil
}

// afterRun prints the summary and chooses the exit code.
func (a *app) afterRun(ctx context.Context, store results.Store, file string, planned coordinator.Planned, took time.Duration, err error) error {
	plan, perr := store.Plan(ctx, planned.Name)
	if perr != nil {
		return engine(perr)
	}
	tally, terr := store.Tally(ctx, planned.Name)
	if terr != nil {
		return engine(terr)
	}
	var leased *coordinator.LeasedError
	switch {
	case errors.As(err, &leased):
		return engine(fmt.Errorf("%s is coordinated by %s; follow it with: overnight watch %s", plan.Study, leased.Holder, plan.Study))
	case errors.Is(err, coordinator.ErrSuperseded):
		return engine(fmt.Errorf("%s is coordinated by somebody else now; follow it with: overnight watch %s", plan.Study, plan.Study))
	case errors.Is(err, context.Canceled):
		return &codeError{exitInterrupted, fmt.Errorf("interrupted: %d of %d trials are committed; run the same command to go on", tally.Total(), plan.Expected())}
	case errors.Is(err, coordinator.ErrStopped):
		why := fmt.Sprintf("%s was cancelled", plan.Study)
		if plan.State == results.Stopped {
			why = fmt.Sprintf("%s stopped: %d trials did not end well (stop_after_failures: %d)", plan.Study, tally.Total()-tally.Done, planned.Study.StopAfterFailures)
			if msg := a.firstFailure(ctx, store, plan); msg != "" {
				why += "\nthe first: " + msg
			}
		}
		return &codeError{exitFailures, fmt.Errorf("%s; %d of %d trials are committed", why, tally.Total(), plan.Expected())}
	case err != nil:
		return engine(err)
	}
	ending := report.Ending{Elapsed: took, Reused: planned.Committed, File: file}
	wanted, err := a.summary(ctx, store, plan, planned.Study, ending)
	if err != nil {
		return err
	}
	if wanted.Failed+wanted.Dead+wanted.Overrun > 0 { // surplus records don't count
		return &codeError{exitFailures, nil}
	}
	return nil
}
