package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"overnight/coordinator"
	"overnight/results"
)

func (a *app) watchCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "watch STUDY",
		Short: "Follow a study that another process runs, until it ends",
		Long: `Watch follows a study until it ends. Where nobody is at work on it, it says so and
waits on; a store that does not answer is asked again for a minute. Ctrl-C ends
it.`,
		Example: "  overnight watch delay-volatility",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s results.Store) error { return a.watch(cmd.Context(), s, args[0]) })
		},
	}
}

const (
	lookEvery = 250 * time.Millisecond // at the study
	absence   = time.Minute            // of the store, before watch gives up
)

// watched is a study as watch has seen it.
type watched struct {
	a     *app
	s     results.Store
	study string

	began  time.Time
	before uint64 // records when it began
	plan   results.Plan
	tally  results.Tally
	seen   bool
	lost   uint64 // records that the store has lost
	absent time.Time
	idle   bool
}

func (a *app) watch(ctx context.Context, s results.Store, word string) error {
	p, err := a.findPlan(ctx, s, word)
	if err != nil {
		return err
	}
	show := newProgress(a, 0)
	defer show.end()
	w := &watched{a: a, s: s, study: p.Study, began: time.Now()}
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := w.look(ctx, show); err != nil {
			return err
		}
		switch w.plan.State {
		case results.Finished, results.Cancelled, results.Stopped:
			show.end()
			fmt.Fprintf(a.out, "%s: %s, %s trials committed", w.study, w.plan.State, committedOf(w.plan, w.tally.Total()))
			if bad := w.tally.Total() - w.tally.Done; bad > 0 {
				fmt.Fprintf(a.out, ", %s of them did not end well: overnight status %s", thousands(bad), w.study)
			}
			fmt.Fprintln(a.out)
			if w.plan.State != results.Finished || w.tally.Done < w.tally.Total() {
				return &codeError{exitFailures, nil}
			}
			return nil
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look reads where the study stands and shows it. A store that does not answer
// is an error only after a while.
func (w *watched) look(ctx context.Context, show *progress) error {
	plan, err := w.s.Plan(ctx, w.study)
	var tally results.Tally
	var f fleet
	if err == nil {
		tally, err = w.s.Tally(ctx, w.study)
	}
	if err == nil {
		f, err = atWork(ctx, w.s)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && w.seen && !errors.Is(err, results.ErrNotFound):
		if w.absent.IsZero() {
			w.absent = time.Now()
			show.say("%s: the store does not answer: %s", w.study, firstLine(err.Error()))
		}
		if time.Since(w.absent) > absence {
			return engine(err)
		}
		return nil
	case err != nil:
		return engine(err)
	}
	if !w.absent.IsZero() {
		w.absent = time.Time{}
		show.say("%s: the store answers again", w.study)
	}
	if !w.seen {
		w.before = tally.Total()
	}
	// In a retry or a repair the generation would have risen.
	if w.seen && tally.Total() < w.tally.Total() && plan.Generation == w.plan.Generation {
		w.lost += w.tally.Total() - tally.Total()
	}
	w.plan, w.tally, w.seen = plan, tally, true

	p := coordinator.Progress{Study: w.study, Total: plan.Expected(), Most: plan.Trials, Done: min(tally.Total(), plan.Expected()), Tally: tally, State: plan.State, LostByStore: w.lost}
	if d := time.Since(w.began); d > time.Second && tally.Total() > w.before {
		p.Rate = float64(tally.Total()-w.before) / d.Seconds()
		p.Left = time.Duration(float64(plan.Expected()-min(plan.Expected(), tally.Total())) / p.Rate * float64(time.Second))
	}
	if st := waitsFor(plan, tally, f); st != "interrupted" {
		p.Waits = st
	}
	show.update(p)

	was := w.idle
	// A run may be about to start its workers.
	w.idle = plan.State == results.Running && min(f.silent, time.Since(w.began)) >= silence
	if w.idle && !was {
		if plan.Submitted {
			show.say("%s: nobody is at work on it; start workers: overnight worker", w.study)
		} else {
			show.say("%s: nobody is at work on it; overnight run STUDY.yaml goes on", w.study)
		}
	}
	return nil
}
