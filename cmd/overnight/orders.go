package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/results"
)

// order changes a study's state and tells those at work on it.
func order(ctx context.Context, s results.Store, kind results.OrderKind, study string, change func(*results.Plan) error) error {
	var refused *codeError // by change
	if _, err := s.Update(ctx, study, change); errors.As(err, &refused) {
		return refused
	} else if err != nil {
		return engine(err)
	}
	if err := s.Give(ctx, results.Order{Kind: kind, Study: study, Made: time.Now()}); err != nil {
		return engine(err)
	}
	return nil
}

// cancelling is what cancel does to a plan.
func cancelling(p *results.Plan) error {
	switch p.State {
	case results.Finished:
		return usage("%s is finished already", p.Study)
	case results.Cancelled:
		return nil
	}
	p.State, p.Ended = results.Cancelled, time.Now()
	p.Generation++ // what is still under way is refused
	return nil
}

func pausing(p *results.Plan) error {
	if p.State != results.Running {
		return usage("%s is %s: only a study that is running can be paused", p.Study, p.State)
	}
	p.State = results.Paused
	return nil
}

func resuming(p *results.Plan) error {
	if p.State != results.Paused {
		return usage("%s is %s, not paused", p.Study, p.State)
	}
	p.State = results.Running
	return nil
}

// said is what an order tells: where workers are there and where not, of a study
// of run and of one that was submitted.
type said struct{ run, runIdle, submitted, submittedIdle string }

func (s said) of(p results.Plan, workers int) string {
	switch {
	case p.Submitted && workers > 0:
		return s.submitted
	case p.Submitted:
		return s.submittedIdle
	case workers > 0:
		return s.run
	}
	return s.runIdle
}

// orderCmd makes a command that gives an order.
func (a *app) orderCmd(kind results.OrderKind, short, long string, change func(*results.Plan) error, says said) *cobra.Command {
	return &cobra.Command{
		Use:     string(kind) + " STUDY",
		Short:   short,
		Long:    long,
		Example: "  overnight " + string(kind) + " delay-volatility",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(s results.Store) error {
				p, err := a.findPlan(ctx, s, args[0])
				if err != nil {
					return err
				}
				if err := order(ctx, s, kind, p.Study, change); err != nil {
					return err
				}
				a.audit(string(kind), p.Study)
				f, err := atWork(ctx, s)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s %s\n", p.Study, says.of(p, f.workers))
				return nil
			})
		},
	}
}

func (a *app) cancelCmd() *cobra.Command {
	const again, anew = "is cancelled; run it again to go on after all", "is cancelled; submit it again to go on after all"
	return a.orderCmd(results.Cancel, "Stop a study for good; its records stay",
		"Cancel ends a study within seconds, also while another process runs it. What is\ncommitted stays; running the study again goes on from there.",
		cancelling, said{again, again, anew, anew})
}

func (a *app) pauseCmd() *cobra.Command {
	return a.orderCmd(results.Pause, "Let a running study rest after the trials in hand", "",
		pausing, said{"pauses", "is paused; nobody was at work on it", "pauses", "is paused; nobody was at work on it"})
}

func (a *app) resumeCmd() *cobra.Command {
	return a.orderCmd(results.Resume, "Let a paused study go on", "",
		resuming, said{
			"goes on", "is no longer paused; nobody is at work on it, and it will go on when it is run again: overnight run STUDY.yaml",
			"goes on", "is no longer paused; nobody is at work on it, and it will go on when workers are there: overnight worker",
		})
}

func (a *app) retryCmd() *cobra.Command {
	var failed bool
	c := &cobra.Command{
		Use:   "retry STUDY --failed",
		Short: "Forget the records of failed, dead and overrun trials, so that they run again",
		Long: `Retry discards the records of trials that did not end well and raises the study's
generation, so that late records of the old one are refused. Run the study again
to run them; a study that is running picks them up by itself. A failure is
deterministic: it comes back unless the limits or the program have changed.`,
		Example: "  overnight retry delay-volatility --failed && overnight run study.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !failed {
				return usage("retry needs --failed: it says what is run again")
			}
			return a.with(cmd.Context(), func(s results.Store) error { return a.retry(cmd.Context(), s, args[0]) })
		},
	}
	c.Flags().BoolVar(&failed, "failed", false, "the trials that failed, died or overran")
	return c
}

func (a *app) retry(ctx context.Context, s results.Store, word string) error {
	p, err := a.findPlan(ctx, s, word)
	if err != nil {
		return err
	}
	n, err := retry(ctx, s, p)
	if err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintf(a.out, "%s has no failed trials\n", p.Study)
		return nil
	}
	a.audit("retry", p.Study, zap.Uint64("trials", n))
	next := "run the study to do it"
	if p.Submitted {
		next = "the service (overnight serve) sees to it"
	}
	fmt.Fprintf(a.out, "%s: %d trials will run again; %s\n", p.Study, n, next)
	return nil
}

// retry discards the records of trials that did not end well and returns how many
// there were.
func retry(ctx context.Context, s results.Store, p results.Plan) (uint64, error) {
	t, err := s.Tally(ctx, p.Study)
	if err != nil {
		return 0, engine(err)
	}
	if t.Total() == t.Done {
		return 0, nil
	}
	var trials []uint64
	for r, err := range results.Skim(ctx, s, p.Study, 0, p.Trials) {
		if err == nil && r.Status != results.Done {
			trials = append(trials, r.Trial)
		}
	}
	if len(trials) == 0 {
		return 0, nil
	}
	return uint64(len(trials)), discard(ctx, s, p.Study, trials)
}

// discard removes the records of trials and opens the study again.
func discard(ctx context.Context, s results.Store, study string, trials []uint64) error {
	if _, err := s.Discard(ctx, study, trials); err != nil {
		return engine(err)
	}
	_, err := s.Update(ctx, study, func(p *results.Plan) error {
		if p.State == results.Finished || p.State == results.Stopped {
			p.State, p.Digest, p.Ended = results.Running, "", time.Time{}
		}
		return nil
	})
	if err != nil {
		return engine(err)
	}
	return nil
}

func (a *app) rmCmd() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     "rm STUDY",
		Short:   "Remove a study with all its records",
		Example: "  overnight rm delay-volatility@2 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.locked(ctx, func(s results.Store) error {
				p, err := a.findHead(ctx, s, args[0])
				if err != nil {
					return err
				}
				if p.State == results.Damaged { // its records can't be counted
					return a.rmDamaged(ctx, s, p.Study, yes)
				}
				t, err := s.Tally(ctx, p.Study)
				if err != nil {
					return engine(err)
				}
				if !yes && t.Total() > 0 {
					return usage("%s has %s records, which would be gone; add --yes, or keep them first: overnight archive %s -o %s.overnight", p.Study, thousands(t.Total()), p.Study, p.Study)
				}
				err = a.alone(ctx, s, p.Study, func() error { return s.Delete(ctx, p.Study) })
				if err != nil {
					return engine(err)
				}
				a.audit("rm", p.Study)
				fmt.Fprintf(a.out, "%s is removed with %s records\n", p.Study, thousands(t.Total()))
				return nil
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "also where there are records")
	return c
}

func (a *app) rmDamaged(ctx context.Context, s results.Store, study string, yes bool) error {
	if !yes {
		return usage("the plan of %s is damaged, so its records can't be counted; they would be gone: add --yes, or restore the folder from a backup", study)
	}
	if err := s.Delete(ctx, study); err != nil {
		return engine(err)
	}
	fmt.Fprintf(a.out, "%s, whose plan was damaged, is removed with all its records\n", study)
	return nil
}
