package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"overnight/coordinator"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/storetest"
)

// slowNews is a store that tells of commits when the test does.
type slowNews struct {
	*storetest.Memory
	news chan []results.Record
}

func (s slowNews) Follow(ctx context.Context, _ string, fn func([]results.Record)) error {
	for {
		select {
		case rs := <-s.news:
			fn(rs)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// commit stores records of the first trial of jobs.
func (b *bench) commit(js ...jobs.Job) (rs []results.Record) {
	b.Helper()
	p := b.plan()
	for _, j := range js {
		n := j.Trials[0].From
		rs = append(rs, results.Record{Trial: n, Point: n % p.Points, Replication: n / p.Points, Generation: p.Generation, Status: results.Done, Metrics: make([]float64, len(p.Metrics)), Attempts: 1})
	}
	if _, err := b.store.Commit(b.Context(), b.name, p.Generation, rs); err != nil {
		b.Fatal(err)
	}
	return rs
}

// fail stores records of the first trials of a study of one point.
func (b *bench) fail(n uint64) {
	b.Helper()
	var rs []results.Record
	for i := range n {
		rs = append(rs, results.Record{Trial: i, Replication: i, Status: results.Failed})
	}
	if _, err := b.store.Commit(b.Context(), b.name, 1, rs); err != nil {
		b.Fatal(err)
	}
}

// discard removes a record as a retry does.
func (b *bench) discard(trial uint64) {
	if _, err := b.store.Discard(b.Context(), b.name, []uint64{trial}); err != nil {
		b.Error(err)
	}
}

// TestOldNews holds that a record that was discarded is not taken for there when
// the news of it comes late, nor for lost by the store.
func TestOldNews(t *testing.T) {
	inBubble(t, 20, func(b *bench) {
		s := slowNews{b.store, make(chan []results.Record)}
		b.o.Store = s
		stop, wait := b.start(b.o)
		rs := b.commit(b.take(1)[0])
		b.discard(rs[0].Trial)
		time.Sleep(2 * time.Second)
		s.news <- rs
		time.Sleep(2 * time.Second)
		if _, n := b.saw(coordinator.CountsWentBack); n != 0 {
			b.Error("a record that was discarded is taken for lost by the store")
		}
		stop()
		_ = wait()
	})
}

// TestDiscardedMeanwhile holds that a retry between two reads of the store is
// not taken for a loss of the store.
func TestDiscardedMeanwhile(t *testing.T) {
	inBubble(t, 20, func(b *bench) {
		var discards atomic.Int64
		b.o.Store = slowNews{b.store.With(storetest.Hooks{Before: func(_ context.Context, op, _ string) error {
			if op == "Ledger" && discards.CompareAndSwap(1, 0) {
				b.discard(0)
			}
			return nil
		}}), make(chan []results.Record)}
		stop, wait := b.start(b.o)
		time.Sleep(time.Second)
		js := b.take(2)
		b.commit(js...)
		time.Sleep(2 * time.Second) // the ledger tells
		discards.Store(1)
		b.commit(b.take(1)...)
		time.Sleep(2 * time.Second)
		if discards.Load() != 0 {
			b.Fatal("the ledger was not read")
		}
		if _, n := b.saw(coordinator.CountsWentBack); n != 0 {
			b.Error("a record that was discarded is taken for lost by the store")
		}
		if _, ok := b.trials()[0]; !ok {
			b.Error("the trial that was discarded is not issued again")
		}
		stop()
		_ = wait()
	})
}

// TestFailuresWithoutNews holds that a study that fails too often is stopped by
// what the store counts, where it tells of no commits.
func TestFailuresWithoutNews(t *testing.T) {
	inBubble(t, 100, func(b *bench) {
		b.o.Store = slowNews{b.store, make(chan []results.Record)}
		b.name = submit(b.T, broken, b.o).Name
		stop, wait := b.start(b.o)
		time.Sleep(time.Second)
		b.fail(5)
		time.Sleep(2 * time.Second)
		stop()
		if err := wait(); !errors.Is(err, coordinator.ErrStopped) {
			b.Errorf("the run ended with %v, want ErrStopped", err)
		}
	})
}

// TestRetryBeforeStop holds that a study whose failures were discarded in the
// moment in which it was to be stopped for them goes on.
func TestRetryBeforeStop(t *testing.T) {
	inBubble(t, 100, func(b *bench) {
		var armed atomic.Bool
		b.o.Store = b.store.With(storetest.Hooks{Before: func(_ context.Context, op, _ string) error {
			if op == "Update" && armed.CompareAndSwap(true, false) {
				for n := range uint64(40) {
					b.discard(n)
				}
			}
			return nil
		}})
		b.name = submit(b.T, broken, b.o).Name
		stop, wait := b.start(b.o)
		time.Sleep(time.Second)
		armed.Store(true)
		b.fail(5)
		time.Sleep(2 * time.Second)
		if p := b.plan(); p.State != results.Running || armed.Load() {
			b.Errorf("the study is %s after its failures were discarded", p.State)
		}
		stop()
		_ = wait()
	})
}

// broken is a study that five failures stop.
const broken = `
study: broken
env: {name: function, function: sphere, x1: 1}
agents: [{name: random}]
replications: 40
stop_after_failures: 5
`

// TestCancelledWhilePlanned holds that a study that is cancelled while Submit
// takes records over stays so.
func TestCancelledWhilePlanned(t *testing.T) {
	store := storetest.NewMemory(nil)
	o := coordinator.Options{Store: store}
	o.Failpoint = func(step string) {
		if step != "plan.reused" {
			return
		}
		if _, err := store.Update(t.Context(), "broken", func(p *results.Plan) error { p.State = results.Cancelled; return nil }); err != nil {
			t.Error(err)
		}
	}
	if p := submit(t, broken, o); p.Plan.State != results.Cancelled {
		t.Errorf("the study is %s", p.Plan.State)
	}
}

// TestOutageLosesNobody holds that after minutes without the store no worker is
// lost, nor what it holds or waits in the queue issued again, before the worker
// could have beaten.
func TestOutageLosesNobody(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		var down atomic.Bool
		b.o.Store = b.store.With(storetest.Hooks{Before: func(context.Context, string, string) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return nil
		}})
		stop, wait := b.start(b.o)
		held := b.take(2)
		b.beats(3*time.Second, held)
		down.Store(true)
		time.Sleep(2 * time.Minute)
		down.Store(false)
		time.Sleep(6 * time.Second) // the coordinator is back before the worker
		b.beats(20*time.Second, held)
		if e, n := b.saw(coordinator.JobLost); n != 0 {
			b.Errorf("%d jobs were issued again, one after a silence of %v", n, e.Took)
		}
		time.Sleep(12 * time.Second)
		if _, n := b.saw(coordinator.JobLost); n == 0 {
			b.Error("a worker that fell silent afterwards is not lost")
		}
		stop()
		_ = wait()
	})
}

// TestResumedAdopted holds that a job that was adopted, and handed back while the
// study was paused, is issued again though no slot is ever free: of the older
// epoch that it has, no worker takes it.
func TestResumedAdopted(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		stop, first := b.start(b.o)
		held := b.take(2)
		b.beats(3*time.Second, held)
		stop()
		_ = first()
		b.trials()
		b.queue.Wreck()

		stop, second := b.start(b.o)
		b.beats(5*time.Second, held)
		b.trials()
		others := []jobs.Job{{ID: "x", Study: "x", Trials: held[0].Trials}, {ID: "y", Study: "y", Trials: held[0].Trials}}
		set := func(s results.State) {
			if _, err := b.store.Update(b.Context(), b.name, func(p *results.Plan) error { p.State = s; return nil }); err != nil {
				b.Error(err)
			}
		}
		set(results.Paused)
		b.beats(time.Minute, others)
		set(results.Running)
		b.beats(time.Minute, others)
		if _, n := b.saw(coordinator.JobLost); n != 2 {
			b.Errorf("%d jobs were issued again within a minute, want the two adopted ones", n)
		}
		stop()
		_ = second()
	})
}

// TestDeadWorkersGetNoJobs holds that a coordinator that starts does not issue
// jobs for the workers that others have left in the store: hundreds of them
// would fill the queue with what nobody takes, to be issued again and again.
func TestDeadWorkersGetNoJobs(t *testing.T) {
	inBubble(t, 1000, func(b *bench) {
		for i := range 200 {
			if _, err := b.store.Beat(b.Context(), results.Worker{ID: fmt.Sprintf("dead-%d", i), Slots: 4, Free: 4, Engine: jobs.EngineVersion}, 0); err != nil {
				b.Fatal(err)
			}
		}
		stop, wait := b.start(b.o)
		time.Sleep(5 * time.Second)
		if p := b.progress(); p.Slots != 0 || p.Jobs > 32 {
			b.Errorf("%d slots and %d jobs out with 200 workers that never beat, want 0 and a small window", p.Slots, p.Jobs)
		}
		stop()
		_ = wait()
	})
}
