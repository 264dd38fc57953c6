package worker_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"overnight/coordinator"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/storetest"
	"overnight/worker"
)

// slowly has trials of a second.
const slowly = `
study: slowly
env: {name: poison, act: slow, horizon: 100}
agents: [{name: random}]
evaluate: {final: 1}
replications: 100
`

// desk is a worker alone with a store and a queue, in a bubble with virtual time.
type desk struct {
	*testing.T
	store *storetest.Memory
	queue *queuetest.Memory
	plan  results.Plan
	jobs  int
}

// atDesk plans text, lets prepare change what it finds, and runs fn beside a
// worker with two slots.
func atDesk(t *testing.T, text string, prepare, fn func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, store: storetest.NewMemory(time.Now), queue: queuetest.NewMemory(15 * time.Second)}
		study, err := jobs.Parse("test.yaml", []byte(text), catalog(), jobs.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := coordinator.Submit(t.Context(), study, []byte(text), coordinator.Options{Store: d.store, Catalog: catalog()})
		if err != nil {
			t.Fatal(err)
		}
		d.plan = d.update(func(p *results.Plan) { p.Epoch = 5 })
		d.plan.Study = p.Name
		if prepare != nil {
			prepare(d)
		}
		drain := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- worker.Run(context.Background(), worker.Options{Queue: d.queue, Store: d.store, Catalog: catalog(), Slots: 2, ID: "w", Drain: drain})
		}()
		time.Sleep(1500 * time.Millisecond)
		fn(d)
		close(drain)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := d.queue.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (d *desk) update(change func(*results.Plan)) results.Plan {
	d.Helper()
	p, err := d.store.Update(context.Background(), "slowly", func(p *results.Plan) error { change(p); return nil })
	if err != nil {
		d.Fatal(err)
	}
	return p
}

// publish issues trials from <= i < to as one job.
func (d *desk) publish(epoch uint32, engine int, from, to uint64) {
	d.Helper()
	d.jobs++
	j := jobs.Job{ID: fmt.Sprint(d.jobs), Engine: engine, Study: d.plan.Study, Generation: d.plan.Generation, Epoch: epoch, Trials: []jobs.Range{{From: from, To: to}}}
	if err := d.queue.Publish(context.Background(), []jobs.Job{j}); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) done() results.Tally {
	d.Helper()
	t, err := d.store.Tally(context.Background(), d.plan.Study)
	if err != nil {
		d.Fatal(err)
	}
	return t
}

func (d *desk) self() results.Worker {
	d.Helper()
	ws, err := d.store.Workers(context.Background())
	if err != nil || len(ws) != 1 {
		d.Fatalf("%d workers, %v", len(ws), err)
	}
	return ws[0]
}

// expect compares the records and the jobs that are left in the queue.
func (d *desk) expect(when string, done uint64, left int) {
	d.Helper()
	waiting, held := d.queue.Pending()
	if got := d.done().Total(); got != done || waiting+held != left {
		d.Errorf("%s: %d records and %d jobs left, want %d and %d", when, got, waiting+held, done, left)
	}
}

// TestHeld holds that a beat tells which trials are not committed yet, and the
// rate.
func TestHeld(t *testing.T) {
	atDesk(t, slowly, nil, func(d *desk) {
		d.publish(5, jobs.EngineVersion, 10, 20)
		time.Sleep(5500 * time.Millisecond)
		w := d.self()
		if len(w.Held) != 1 || w.Held[0].Study != "slowly" || w.Held[0].Generation != 1 || w.Free != 1 {
			d.Fatalf("the beat says %+v", w)
		}
		if s := w.Held[0].Trials; len(s) != 1 || s[0].From < 13 || s[0].From > 16 || s[0].To != 20 {
			d.Errorf("after five of ten seconds it holds %v, want about [15, 20)", s)
		}
		time.Sleep(10 * time.Second)
		if w := d.self(); len(w.Held) > 0 || w.Done != 10 || w.Rate <= 0.2 || w.Rate > 2 || w.Engine != jobs.EngineVersion {
			d.Errorf("afterwards the beat says %+v", w)
		}
	})
}

// TestOldEpoch holds that a job that an earlier coordinator left is dropped, and
// that one that runs when another takes over goes on.
func TestOldEpoch(t *testing.T) {
	atDesk(t, slowly, nil, func(d *desk) {
		d.publish(4, jobs.EngineVersion, 0, 3)
		time.Sleep(10 * time.Second)
		d.expect("a job of epoch 4 under epoch 5", 0, 0)
		d.publish(5, jobs.EngineVersion, 0, 3)
		time.Sleep(500 * time.Millisecond)
		d.update(func(p *results.Plan) { p.Epoch = 6 })
		time.Sleep(10 * time.Second)
		d.expect("a job that ran when the epoch rose", 3, 0)
		d.publish(5, jobs.EngineVersion, 3, 6)
		d.publish(6, jobs.EngineVersion, 6, 9)
		time.Sleep(10 * time.Second)
		d.expect("a job of the old and one of the new epoch", 6, 0)
	})
}

// TestPausedByPlan holds that the plan says what is paused, with or without an
// order: within 2 s the trial in hand is the last, and the rest waits.
func TestPausedByPlan(t *testing.T) {
	for _, order := range []bool{true, false} {
		t.Run(fmt.Sprint("order ", order), func(t *testing.T) {
			give := func(d *desk, kind results.OrderKind) {
				if !order {
					return
				}
				if err := d.store.Give(context.Background(), results.Order{Kind: kind, Study: "slowly"}); err != nil {
					d.Fatal(err)
				}
			}
			atDesk(t, slowly, nil, func(d *desk) {
				d.publish(5, jobs.EngineVersion, 0, 20)
				time.Sleep(3 * time.Second)
				d.update(func(p *results.Plan) { p.State = results.Paused })
				give(d, results.Pause)
				time.Sleep(2 * time.Second)
				n := d.done().Total()
				time.Sleep(20 * time.Second)
				if got := d.done().Total(); got > n+1 || got > 7 {
					d.Errorf("%d records 20 s after the pause, %d 2 s after it", got, n)
				}
				d.expect("paused", d.done().Total(), 1)
				d.update(func(p *results.Plan) { p.State = results.Running })
				give(d, results.Resume)
				time.Sleep(25 * time.Second)
				d.expect("resumed", 20, 0)
				if got := d.done(); got.Duplicates != 0 {
					d.Errorf("%d trials were run again after the pause", got.Duplicates)
				}
			})
		})
	}
}

// TestOldOrders holds that orders from before a worker's first beat are not for
// it, whatever its clock says, and later ones are.
func TestOldOrders(t *testing.T) {
	prepare := func(d *desk) {
		for _, o := range []results.Order{{Kind: results.Drain, Made: time.Now().Add(time.Hour)}, {Kind: results.Pause, Study: "slowly"}} {
			if err := d.store.Give(context.Background(), o); err != nil {
				d.Fatal(err)
			}
		}
	}
	atDesk(t, slowly, prepare, func(d *desk) {
		d.publish(5, jobs.EngineVersion, 0, 3)
		time.Sleep(10 * time.Second)
		d.expect("after old orders", 3, 0)
		if err := d.store.Give(context.Background(), results.Order{Kind: results.Drain, Made: time.Now().Add(-time.Hour)}); err != nil {
			d.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if w := d.self(); w.Slots != 0 {
			d.Errorf("after the order to drain the worker says %+v", w)
		}
	})
}

// TestEngineOfJob holds that a job of another engine version is handed back.
func TestEngineOfJob(t *testing.T) {
	atDesk(t, slowly, nil, func(d *desk) {
		d.publish(5, jobs.EngineVersion+1, 0, 3)
		time.Sleep(10 * time.Second)
		d.expect("a job of another engine", 0, 1)
	})
}

// TestRecorded holds that a long trial that has a record is not run again.
func TestRecorded(t *testing.T) {
	atDesk(t, slowly, nil, func(d *desk) {
		d.publish(5, jobs.EngineVersion, 7, 8)
		time.Sleep(5 * time.Second)
		d.publish(5, jobs.EngineVersion, 7, 8)
		time.Sleep(5 * time.Second)
		d.expect("the same trial twice", 1, 0)
		if got := d.done(); got.Duplicates != 0 {
			d.Errorf("it was run %d times more", got.Duplicates)
		}
	})
}

// TestStoppedStudy holds that the jobs of a study that was stopped or cancelled
// are dropped, and that those in hand end after the trial.
func TestStoppedStudy(t *testing.T) {
	atDesk(t, slowly, nil, func(d *desk) {
		d.publish(5, jobs.EngineVersion, 0, 20)
		time.Sleep(3 * time.Second)
		d.update(func(p *results.Plan) { p.State = results.Stopped })
		time.Sleep(10 * time.Second)
		if n := d.done().Total(); n < 2 || n > 6 {
			d.Errorf("%d records after a stop at three seconds", n)
		}
		d.expect("stopped", d.done().Total(), 0)
	})
}
