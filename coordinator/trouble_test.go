package coordinator_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"overnight/coordinator"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/storetest"
	"overnight/worker"
)

// TestStoreTrouble holds that a store that fails for minutes ends nothing: the
// trouble is shown, no jobs are issued, and the study goes on.
func TestStoreTrouble(t *testing.T) {
	inBubble(t, 2000, func(b *bench) {
		var broken atomic.Bool
		broken.Store(true)
		b.o.Store = b.store.With(storetest.Hooks{Before: func(context.Context, string, string) error {
			if broken.Load() {
				return errors.New("OOM command not allowed when used memory > 'maxmemory'")
			}
			return nil
		}})
		_, wait := b.start(b.o) // the store is down from the start
		time.Sleep(3 * time.Minute)
		if p := b.progress(); p.Trouble == "" {
			b.Error("no trouble is shown at the start")
		}
		broken.Store(false)
		time.Sleep(6 * time.Second)
		if p := b.progress(); p.Trouble != "" || p.Jobs == 0 {
			b.Errorf("trouble %q and %d jobs after it is over", p.Trouble, p.Jobs)
		}
		broken.Store(true)
		time.Sleep(2 * time.Second)
		n := len(b.trials())
		if time.Sleep(time.Minute); n == 0 || len(b.trials()) > 0 {
			b.Error("jobs were issued while the store failed, or none before")
		}
		broken.Store(false)
		stop := b.work(worker.Options{})
		if err := wait(); err != nil {
			b.Errorf("the study ended with %v", err)
		}
		stop()
		if p := b.plan(); p.State != results.Finished || p.Digest == "" || p.Ended.IsZero() {
			b.Errorf("the plan is %s with digest %q, ended %v", p.State, p.Digest, p.Ended)
		}
	})
}

// flaky is a queue that fails while told to; half of what it is given it takes
// all the same, without saying so.
type flaky struct {
	jobs.Queue
	broken atomic.Bool
	asked  atomic.Int64
}

func (q *flaky) Publish(ctx context.Context, js []jobs.Job) error {
	q.asked.Add(1)
	if q.broken.Load() {
		if err := q.Queue.Publish(ctx, js[:len(js)/2]); err != nil {
			return err
		}
		return errors.New("READONLY You can't write against a read only replica")
	}
	return q.Queue.Publish(ctx, js)
}

// TestQueueTrouble holds that a queue that fails is offered the same jobs again,
// ever more seldom, and that none of them is doubled.
func TestQueueTrouble(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		q := &flaky{Queue: b.queue}
		q.broken.Store(true)
		b.o.Queue = q
		stop, wait := b.start(b.o)
		time.Sleep(time.Minute)
		if p := b.progress(); p.Trouble == "" || p.Jobs != 15 {
			b.Errorf("trouble %q and %d jobs, want some trouble and 15", p.Trouble, p.Jobs)
		}
		if n := q.asked.Load(); n < 10 || n > 40 {
			b.Errorf("the queue was asked %d times in a minute", n)
		}
		q.broken.Store(false)
		time.Sleep(6 * time.Second)
		if p := b.progress(); p.Trouble != "" {
			b.Errorf("trouble %q after it is over", p.Trouble)
		}
		if n, _ := b.queue.Pending(); n != 15 {
			b.Errorf("%d jobs in the queue, want 15", n)
		}
		b.trials()
		stop()
		_ = wait()
	})
}

// TestCountsWentBack holds that records that the store acknowledged and lost are
// noticed, in mid-study and at its end, that they run again, and that watchers
// are told.
func TestCountsWentBack(t *testing.T) {
	for name, all := range map[string]bool{"in mid-study": false, "at the end": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 20, func(b *bench) {
				_, wait := b.start(b.o)
				time.Sleep(time.Second)
				before := b.store.Snapshot()
				commit := func(j jobs.Job) {
					var rs []results.Record
					for _, r := range j.Trials {
						for n := r.From; n < r.To; n++ {
							rs = append(rs, results.Record{Trial: n, Point: n % 3, Replication: n / 3, Status: results.Done, Metrics: make([]float64, len(b.plan().Metrics)), Attempts: 1, Elapsed: time.Second})
						}
					}
					if _, err := b.store.Commit(b.Context(), b.name, 1, rs); err != nil {
						b.Fatal(err)
					}
				}
				lost := uint64(0)
				for lost < 30 || all && lost < 60 {
					for _, j := range b.take(1) {
						commit(j)
						lost += j.Len()
					}
					if all && lost == 60 {
						b.store.Rewind(before) // before the coordinator has seen that it is through
					}
				}
				if !all {
					time.Sleep(time.Second)
					b.store.Rewind(before)
				}
				for {
					if p := b.progress(); p.LostByStore >= lost {
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				stop := b.work(worker.Options{})
				if err := wait(); err != nil {
					b.Errorf("the study ended with %v", err)
				}
				stop()
				if p := b.progress(); p.LostByStore != lost || p.Done != 60 {
					b.Errorf("%d lost and %d done, want %d and 60", p.LostByStore, p.Done, lost)
				}
				if e, n := b.saw(coordinator.CountsWentBack); n != 1 || e.Trials != lost {
					b.Errorf("observed %d times, %+v, want once %d", n, e, lost)
				}
				if p := b.plan(); p.State != results.Finished {
					b.Errorf("the study is %s", p.State)
				}
			})
		})
	}
}

// TestRecovery holds G3 as metrics see it: a job whose holder falls silent is
// observed as lost, and as recovered when others have committed its trials.
func TestRecovery(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		_, wait := b.start(b.o)
		held := b.take(2) // so that it has no free slot
		b.beats(5*time.Second, held)
		stop := b.work(worker.Options{})
		if err := wait(); err != nil {
			b.Fatal(err)
		}
		stop()
		lost, n := b.saw(coordinator.JobLost)
		if n != 2 || lost.Took < 10*time.Second || lost.Took > 12*time.Second {
			b.Errorf("%d jobs lost, the last after %v, want 2 after 10 to 12 s", n, lost.Took)
		}
		again, n := b.saw(coordinator.Recovered)
		if n != 2 || again.Trials != held[0].Len() || again.Took < lost.Took || again.Took > 15*time.Second {
			b.Errorf("%d jobs recovered, %+v, want 2 of %d trials within 15 s", n, again, held[0].Len())
		}
	})
}

// TestMaxSlotsOfStudy holds that a study never has more jobs out than it may run
// at once.
func TestMaxSlotsOfStudy(t *testing.T) {
	inBubble(t, 20, func(b *bench) {
		_, err := b.store.Update(b.Context(), b.name, func(p *results.Plan) error { p.MaxSlots = 3; return nil })
		if err != nil {
			b.Fatal(err)
		}
		stop, wait := b.start(b.o)
		time.Sleep(time.Second)
		if n, _ := b.queue.Pending(); n != 3 {
			b.Errorf("%d jobs out, want 3", n)
		}
		_, err = b.store.Update(b.Context(), b.name, func(p *results.Plan) error { p.MaxSlots = 5; return nil })
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Second)
		if n, _ := b.queue.Pending(); n != 5 {
			b.Errorf("%d jobs out, want 5 after the limit was raised", n)
		}
		stop()
		_ = wait()
	})
}

// TestExtendedInMidRun holds that more replications reach a study that runs.
func TestExtendedInMidRun(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		_, wait := b.start(b.o)
		time.Sleep(time.Second)
		p := submit(b.T, "study: noop\nenv: {name: function, function: noop, x1: {grid: [1, 2, 3]}}\nagents: [{name: random}]\nreplications: 50\n", b.o)
		if !p.Extended {
			b.Fatal("not an extension")
		}
		time.Sleep(time.Second)
		stop := b.work(worker.Options{})
		if err := wait(); err != nil {
			b.Fatal(err)
		}
		stop()
		if got := b.progress(); got.Done != 150 || got.Total != 150 {
			b.Errorf("%d of %d trials, want 150", got.Done, got.Total)
		}
	})
}
