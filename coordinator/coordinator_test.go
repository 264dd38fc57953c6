package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/worker"
)

const noop = `
study: noop
env: {name: function, function: noop, x1: {grid: [1, 2, 3]}}
agents: [{name: random}]
replications: %d
`

func open(t *testing.T) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(context.Background(), t.TempDir(), sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, text string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("test.yaml", []byte(text), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func submit(t *testing.T, text string, o coordinator.Options) coordinator.Planned {
	t.Helper()
	p, err := coordinator.Submit(context.Background(), parse(t, text), []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// work starts a worker, which ends once drain is closed.
func work(t *testing.T, o coordinator.Options) (drain chan struct{}, worked chan error) {
	t.Helper()
	drain, worked = make(chan struct{}), make(chan error, 1)
	go func() {
		worked <- worker.Run(context.Background(), worker.Options{Queue: o.Queue, Store: o.Store.(worker.Store), Catalog: o.Catalog, Slots: o.Slots, Drain: drain})
	}()
	return drain, worked
}

// finish runs a study with a worker of o.Slots to its end and returns its digest.
func finish(t *testing.T, name string, o coordinator.Options) string {
	t.Helper()
	drain, worked := work(t, o)
	if err := coordinator.Run(context.Background(), name, o); err != nil {
		t.Fatal(err)
	}
	close(drain)
	if err := <-worked; err != nil {
		t.Fatal(err)
	}
	p, err := o.Store.Plan(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	if p.State != results.Finished || p.Digest == "" {
		t.Fatalf("study ended %s with digest %q", p.State, p.Digest)
	}
	return p.Digest
}

// TestLostWorker holds G3: a worker takes jobs and falls silent; its trials are
// issued again within 15 s, and a queue that loses everything costs no more.
func TestLostWorker(t *testing.T) {
	for _, how := range []string{"worker silent", "queue emptied"} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				store, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{})
				if err != nil {
					t.Fatal(err)
				}
				q := queuetest.NewMemory(time.Hour) // its own redelivery does not help
				o := coordinator.Options{Store: store, Queue: q, Catalog: catalog.New(), Slots: 1}
				p := submit(t, fmt.Sprintf(noop, 5), o)
				var reissued atomic.Uint64
				o.Progress = func(p coordinator.Progress) { reissued.Store(p.Reissued) }
				done := make(chan error, 1)
				go func() { done <- coordinator.Run(ctx, p.Name, o) }()

				w := results.Worker{ID: "w", Slots: 1, Engine: jobs.EngineVersion}
				taken, err := q.Take(ctx, 100)
				if err != nil {
					t.Fatal(err)
				}
				if how == "worker silent" {
					for _, d := range taken {
						w.Held = append(w.Held, results.Held{Job: d.Job().ID})
					}
					if _, err := store.Beat(ctx, w, 0); err != nil {
						t.Fatal(err)
					}
				} else {
					// They are gone, and a worker stands idle beside.
					w.Free = 1
					go func() {
						for ctx.Err() == nil {
							if _, err := store.Beat(ctx, w, 0); err != nil && ctx.Err() == nil {
								t.Error(err)
							}
							time.Sleep(time.Second)
						}
					}()
				}
				start := time.Now()
				again, err := q.Take(ctx, 100)
				if err != nil {
					t.Fatal(err)
				}
				took := time.Since(start)
				t.Logf("issued again after %v", took)
				if took > 15*time.Second {
					t.Errorf("that is more than 15 s")
				}
				if len(again) == 0 || again[0].Job().ID == taken[0].Job().ID {
					t.Errorf("got %d jobs, with the old name", len(again))
				}
				time.Sleep(time.Second)
				if reissued.Load() == 0 {
					t.Error("no reissue was counted")
				}
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want canceled", err)
				}
				time.Sleep(2 * time.Second) // the idle worker's last beat
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestEditExtend holds G5: what is equal is reused, more replications extend,
// and a changed study stands beside the old one.
func TestEditExtend(t *testing.T) {
	t.Parallel()
	store := open(t)
	defer store.Close()
	o := coordinator.Options{Store: store, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2}
	const text = `
study: edit
seed: 3
env: {name: marketing, budget: {grid: [%s]}}
agents: [{name: random}, {name: equal}]
evaluate: {final: 5}
replications: %d
`
	first := submit(t, fmt.Sprintf(text, "300, 600", 4), o)
	small := finish(t, first.Name, o)

	p := submit(t, fmt.Sprintf(text, "300, 600", 6), o)
	if p.New || !p.Extended || p.Name != "edit" || p.Committed != 16 || p.Plan.Trials != 24 {
		t.Errorf("more replications: %+v, want an extension of 16 to 24 trials", p)
	}
	extended := finish(t, p.Name, o)
	if extended == small {
		t.Error("the digest did not change with more replications")
	}

	p = submit(t, fmt.Sprintf(text, "300, 600", 2), o)
	if p.New || p.Extended || p.Plan.Trials != 24 || p.Plan.State != results.Finished {
		t.Errorf("fewer replications: %+v, want the study as it is", p)
	}

	p = submit(t, fmt.Sprintf(text, "300, 900, 600", 6), o)
	if !p.New || p.Name != "edit@2" || p.Reused != 24 || p.Plan.Trials != 36 {
		t.Errorf("another level: name %s, %d reused of %d, want edit@2 with 24 of 36", p.Name, p.Reused, p.Plan.Trials)
	}
	edited := finish(t, p.Name, o)

	// The same study in an empty store has the same digest: what was reused is what
	// would have been computed.
	fresh := open(t)
	defer fresh.Close()
	o.Store = fresh
	p = submit(t, fmt.Sprintf(text, "300, 900, 600", 6), o)
	if got := finish(t, p.Name, o); got != edited {
		t.Errorf("digest %s with reuse, %s without", edited, got)
	}
}

// TestReuseSampled holds G2 for the most common edit: an arm that samples is
// added, which brings a metric that the reused records have not.
func TestReuseSampled(t *testing.T) {
	t.Parallel()
	const before = `
study: sampled
env: {name: marketing}
agents: [{name: random}, {name: equal}]
evaluate: {final: 5}
replications: 3
`
	after := strings.Replace(before, "{name: equal}", "{name: equal}, {name: reinforce, train: {episodes: 16}}", 1)
	o := coordinator.Options{Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2}
	edited, fresh := open(t), open(t)
	defer edited.Close()
	defer fresh.Close()
	o.Store = edited
	finish(t, submit(t, before, o).Name, o)
	p := submit(t, after, o)
	if p.Reused != 6 {
		t.Errorf("reused %d records, want 6", p.Reused)
	}
	got := finish(t, p.Name, o)
	o.Store = fresh
	if want := finish(t, submit(t, after, o).Name, o); got != want {
		t.Errorf("digest %s with reuse, %s without", got, want)
	}
}

// TestPausedAndEnded holds that a study that was paused when its run ended goes
// on with the next run.
func TestPausedAndEnded(t *testing.T) {
	t.Parallel()
	store := open(t)
	defer store.Close()
	o := coordinator.Options{Store: store, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 1}
	p := submit(t, fmt.Sprintf(noop, 10), o)
	if _, err := store.Update(t.Context(), p.Name, func(p *results.Plan) error { p.State = results.Paused; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := store.Give(t.Context(), results.Order{Kind: results.Pause, Study: p.Name, Made: time.Now()}); err != nil {
		t.Fatal(err)
	}
	p = submit(t, fmt.Sprintf(noop, 10), o)
	finish(t, p.Name, o)
}

func TestFind(t *testing.T) {
	t.Parallel()
	all := []results.Plan{{Study: "a", Identity: "11112222"}, {Study: "a@2", Identity: "33334444"}, {Study: "b", Identity: "55556666", Digest: "77778888"}}
	for word, want := range map[string]string{"a@1": "a", "a@2": "a@2", "b": "b", "7777": "b", "3333": "a@2"} {
		if p, err := coordinator.Find(all, word); err != nil || p.Study != want {
			t.Errorf("%s: got %q, %v, want %q", word, p.Study, err, want)
		}
	}
	if _, err := coordinator.Find(all, "a"); !errors.Is(err, coordinator.ErrAmbiguous) {
		t.Errorf("a: got %v, want ambiguous", err)
	}
	for _, word := range []string{"c", "777", ""} {
		if _, err := coordinator.Find(all, word); !errors.Is(err, results.ErrNotFound) {
			t.Errorf("%q: got %v, want not found", word, err)
		}
	}
}
