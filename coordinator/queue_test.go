package coordinator_test

import (
	"context"
	"testing"
	"time"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs/natsqueue"
	"overnight/jobs/queuetest"
)

// TestQueueDeleted deletes the queue's stream in mid-study, again and again: all
// trials end up with one record, and the digest is that of an undisturbed run.
func TestQueueDeleted(t *testing.T) {
	t.Parallel()
	const text = `
study: deleted
env: {name: function, function: sphere, x1: {grid: [1, 2, 3]}, noise: 1, busy: 5}
agents: [{name: random}]
replications: 200
`
	calm := open(t)
	defer calm.Close()
	o := coordinator.Options{Store: calm, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2}
	want := finish(t, submit(t, text, o).Name, o)

	for _, slots := range []int{1, 2} { // one slot stands idle with a call of Take under way
		store := open(t)
		defer store.Close()
		q, err := natsqueue.Open(context.Background(), natsqueue.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		deleted := 0
		at := uint64(30)
		o = coordinator.Options{Store: store, Queue: q, Catalog: catalog.New(), Slots: slots, Target: 40 * time.Millisecond}
		o.Progress = func(p coordinator.Progress) {
			if p.Done < at || p.Done == p.Total {
				return
			}
			at += 300
			if err := q.DeleteStream(context.Background()); err != nil {
				t.Error(err)
			}
			deleted++
		}
		p := submit(t, text, o)
		if got := finish(t, p.Name, o); got != want {
			t.Errorf("digest %s after %d deletions, want %s", got, deleted, want)
		}
		if deleted == 0 {
			t.Error("nothing was deleted")
		}
		tally, err := store.Tally(context.Background(), p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if tally.Done != p.Plan.Trials || tally.Differs != 0 {
			t.Errorf("got %+v, want %d done", tally, p.Plan.Trials)
		}
	}
}

// TestRetryInMidRun raises the generation while jobs of the old one are out: they
// are refused, not run again and again, and all trials are done in time.
func TestRetryInMidRun(t *testing.T) {
	t.Parallel()
	store := open(t)
	defer store.Close()
	q, err := natsqueue.Open(context.Background(), natsqueue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	o := coordinator.Options{Store: store, Queue: q, Catalog: catalog.New(), Slots: 2}
	discarded := 0
	o.Progress = func(p coordinator.Progress) {
		if p.Done < 100 || discarded > 0 {
			return
		}
		if _, err := store.Discard(context.Background(), "retry", []uint64{0, 1}); err != nil {
			t.Error(err)
		}
		discarded++
	}
	p := submit(t, `
study: retry
env: {name: function, busy: 5}
agents: [{name: random}]
replications: 600
`, o)
	finish(t, p.Name, o)
	tally, err := store.Tally(context.Background(), p.Name)
	if err != nil {
		t.Fatal(err)
	}
	if discarded == 0 || tally.Done != 600 || tally.Stale > 600 {
		t.Errorf("%d discards, %+v: want 600 done and few stale records", discarded, tally)
	}
}
