package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/internal/failpoint"
	"overnight/jobs"
	"overnight/jobs/natsqueue"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/sqlitestore"
	"overnight/worker"
)

type runFlags struct {
	set          []string
	dryRun       bool
	slots        int
	isolate      bool
	drainTimeout time.Duration
	maxBytes     string
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run STUDY.yaml",
		Short: "Run a study to its end on this machine; resumes",
		Long: `Run plans the study, works through its trials and prints what came out. Whatever
interrupts it, the same command goes on from what is committed. An edited study
takes over the trials that are equal; more replications extend it.

The first Ctrl-C (or SIGTERM) lets the trials in hand finish, a second one stops
at once; nothing that is committed is lost either way.`,
		Example: `  overnight run examples/quickstart.yaml
  overnight run study.yaml --set env.budget=600 --set replications=40
  overnight run study.yaml --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args[0], f) },
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.set, "set", nil, "override `key=value` of the study file, such as env.budget=600; may be repeated")
	fl.BoolVar(&f.dryRun, "dry-run", false, "check, estimate and print; run nothing")
	fl.IntVar(&f.slots, "slots", runtime.NumCPU(), "how many trials run at once")
	fl.BoolVar(&f.isolate, "isolate", false, "run trials in processes of their own; enforces limits while a trial runs")
	fl.DurationVar(&f.drainTimeout, "drain-timeout", 10*time.Second, "how long trials in hand may take once interrupted; with 0 they stop after their episode")
	fl.StringVar(&f.maxBytes, "max-bytes", "64GB", "refuse a study whose results are estimated to need more")
	return c
}

func (a *app) run(ctx context.Context, file string, f runFlags) error {
	if f.slots < 1 {
		return usage("--slots %d: write 1 or more; workers of other processes can't take this run's jobs", f.slots)
	}
	switch {
	case f.drainTimeout < 0:
		return usage("--drain-timeout %v: write a time such as 30s, or 0 to stop after the episodes in hand", f.drainTimeout)
	case f.drainTimeout == 0:
		f.drainTimeout = 1 // worker.Options takes 0 for its default
	}
	study, source, err := a.parse(file, f.set)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.describeStudy(ctx, study)
	}
	if err := a.checkBytes(ctx, study, f.maxBytes); err != nil {
		return err
	}
	return a.creating(ctx, func(s *sqlitestore.Store) error { return a.runIn(ctx, s, file, study, source, f) })
}

// runIn runs the study on an open store.
func (a *app) runIn(ctx context.Context, store *sqlitestore.Store, file string, study *jobs.Study, source []byte, f runFlags) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	drain := make(chan struct{})
	var interrupted sync.Once
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	done := make(chan struct{})
	defer close(done)

	show := newProgress(a, f.slots)
	coordinate, stopCoordinating := context.WithCancel(ctx)
	defer stopCoordinating()
	ready := make(chan struct{}) // closed once there is something to drain
	go func() {
		for {
			select {
			case s := <-signals:
				first := false
				interrupted.Do(func() {
					first = true
					close(drain)
					stopCoordinating()
					select {
					case <-ready:
						show.say("%v: the trials in hand finish; once more stops at once", s)
					default:
						show.say("%v: planning stops", s)
						stop()
					}
				})
				if !first {
					stop()
				}
			case <-done:
				return
			}
		}
	}()

	o := coordinator.Options{
		Store: store, Catalog: a.cat, Slots: f.slots, Progress: show.update,
		Failpoint: failpoint.FromEnv(), Log: a.log,
	}
	a.log.Debug("planning", zap.String("study", study.Name), zap.Uint64("trials", study.Trials()))
	early := &codeError{exitInterrupted, errors.New("interrupted before the first trial; run the same command to go on")}
	planned, err := coordinator.Submit(ctx, study, source, o)
	switch {
	case ctx.Err() != nil:
		return early
	case err != nil:
		return engine(err)
	}
	show.planned(planned)

	queue, err := natsqueue.Open(ctx, natsqueue.Options{Log: a.log, Dir: filepath.Join(a.store, "queue")})
	switch {
	case err != nil && ctx.Err() != nil:
		return early
	case err != nil:
		return engine(fmt.Errorf("start the queue: %w", err))
	}
	defer queue.Close()
	close(ready)
	if ctx.Err() != nil {
		return early
	}
	a.log.Debug("working", zap.String("study", planned.Name), zap.Int("slots", f.slots))
	o.Queue = queue

	endWork := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		select {
		case <-drain:
		case <-finished:
		}
		close(endWork)
	}()
	wo := worker.Options{
		Queue: queue, Store: store, Catalog: a.cat, Slots: f.slots, Drain: endWork,
		DrainTimeout: f.drainTimeout, Version: version(), Log: a.log,
	}
	if f.isolate {
		command, err := self()
		if err != nil {
			return engine(err)
		}
		wo.Isolate = &worker.Isolation{Command: command}
	}
	var wg sync.WaitGroup
	var workErr error
	wg.Go(func() { workErr = worker.Run(ctx, wo) })
	err = coordinator.Run(coordinate, planned.Name, o)
	if errors.Is(err, coordinator.ErrStopped) {
		stop() // what is in hand would be refused
	}
	close(finished)
	wg.Wait()
	show.end()
	if err == nil {
		err = workErr
	}
	return a.afterRun(context.WithoutCancel(ctx), store, file, planned, time.Since(began), err)
}

// afterRun prints the summary and chooses the exit code.
func (a *app) afterRun(ctx context.Context, store *sqlitestore.Store, file string, planned coordinator.Planned, took time.Duration, err error) error {
	plan, perr := store.Plan(ctx, planned.Name)
	if perr != nil {
		return engine(perr)
	}
	tally, terr := store.Tally(ctx, planned.Name)
	if terr != nil {
		return engine(terr)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &codeError{exitInterrupted, fmt.Errorf("interrupted: %d of %d trials are committed; run the same command to go on", tally.Total(), plan.Trials)}
	case errors.Is(err, coordinator.ErrStopped):
		why := fmt.Sprintf("%s was cancelled", plan.Study)
		if plan.State == results.Stopped {
			why = fmt.Sprintf("%s stopped: %d trials did not end well (stop_after_failures: %d)", plan.Study, tally.Total()-tally.Done, planned.Study.StopAfterFailures)
			if msg := a.firstFailure(ctx, store, plan); msg != "" {
				why += "\nthe first: " + msg
			}
		}
		return &codeError{exitFailures, fmt.Errorf("%s; %d of %d trials are committed", why, tally.Total(), plan.Trials)}
	case err != nil:
		return engine(err)
	}
	ending := report.Ending{Elapsed: took, Reused: planned.Committed, File: file}
	if err := a.summary(ctx, store, plan, planned.Study, ending); err != nil {
		return err
	}
	if tally.Done < tally.Total() {
		return &codeError{exitFailures, nil}
	}
	return nil
}
