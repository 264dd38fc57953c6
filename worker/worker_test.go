package worker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"overnight/agents/baseline"
	"overnight/coordinator"
	"overnight/envs"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/worker"
	"overnight/worker/internal/poison"
)

// childEnv makes this test binary a child.
const childEnv = "OVERNIGHT_TEST_CHILD"

func catalog() *jobs.Catalog {
	return &jobs.Catalog{Envs: []envs.Factory{poison.Factory{}}, Agents: append(baseline.Factories(), poison.Learner{})}
}

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := worker.Child(context.Background(), catalog(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Setenv(childEnv, "1") // for the children that tests start
	os.Exit(m.Run())
}

// lab is a store, a queue and a planned study.
type lab struct {
	store *sqlitestore.Store
	queue *queuetest.Memory
	o     coordinator.Options
	name  string
	plan  results.Plan
}

func newLab(t *testing.T, text string) *lab {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), t.TempDir(), sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &lab{store: store, queue: queuetest.NewMemory(30 * time.Second)}
	l.o = coordinator.Options{Store: store, Queue: l.queue, Catalog: catalog(), Slots: 2, Target: 50 * time.Millisecond}
	study, err := jobs.Parse("test.yaml", []byte(text), catalog(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := coordinator.Submit(t.Context(), study, []byte(text), l.o)
	if err != nil {
		t.Fatal(err)
	}
	l.name, l.plan = p.Name, p.Plan
	return l
}

// run runs the study with one worker to its end.
func (l *lab) run(t *testing.T, o worker.Options) error {
	t.Helper()
	drain := make(chan struct{})
	o.Queue, o.Store, o.Catalog, o.Drain = l.queue, l.store, catalog(), drain
	if o.Slots == 0 {
		o.Slots = 2
	}
	worked := make(chan error, 1)
	go func() { worked <- worker.Run(t.Context(), o) }()
	err := coordinator.Run(t.Context(), l.name, l.o)
	close(drain)
	if werr := <-worked; werr != nil {
		t.Errorf("worker: %v", werr)
	}
	return err
}

func (l *lab) records(t *testing.T) []results.Record {
	t.Helper()
	var out []results.Record
	for r, err := range l.store.Scan(t.Context(), l.name, 0, l.plan.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func isolation() *worker.Isolation { return &worker.Isolation{Command: []string{os.Args[0]}} }

// TestFailures holds that what goes wrong inside a trial is its record and
// nobody else's.
func TestFailures(t *testing.T) {
	t.Parallel()
	const text = `
study: failures
env: {name: poison, act: {grid: [fine, nan, panic]}}
agents: [{name: random}]
replications: 4
`
	for name, iso := range map[string]*worker.Isolation{"in process": nil, "isolated": isolation()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, text)
			if err := l.run(t, worker.Options{Isolate: iso}); err != nil {
				t.Fatal(err)
			}
			want := []struct {
				status results.Status
				text   string
			}{{results.Done, ""}, {results.Failed, "the return is NaN"}, {results.Failed, "panic: planted panic"}}
			got := l.records(t)
			if len(got) != 12 {
				t.Fatalf("got %d records, want 12", len(got))
			}
			for _, r := range got {
				w := want[r.Point]
				if r.Status != w.status || !strings.Contains(r.Error, w.text) {
					t.Errorf("trial %d: got %v %q, want %v %q", r.Trial, r.Status, r.Error, w.status, w.text)
				}
			}
		})
	}
}

// TestIsolate plants trials that kill their process, never end or eat memory:
// exactly these are dead or overrun, and all others are done.
func TestIsolate(t *testing.T) {
	t.Parallel()
	l := newLab(t, `
study: poison
env: {name: poison, act: {grid: [fine, exit, loop, memory]}}
agents: [{name: random}]
replications: 3
limits: {time: 700ms, memory: 400MB}
`)
	if err := l.run(t, worker.Options{Isolate: isolation()}); err != nil {
		t.Fatal(err)
	}
	want := []struct {
		status results.Status
		text   string
	}{{results.Done, ""}, {results.Dead, "planted exit"}, {results.Overrun, "time limit of 700ms"}, {results.Overrun, "limit"}}
	got := l.records(t)
	if len(got) != 12 {
		t.Fatalf("got %d records, want 12", len(got))
	}
	for _, r := range got {
		w := want[r.Point]
		if r.Status != w.status || !strings.Contains(r.Error, w.text) {
			t.Errorf("trial %d: got %v %q, want %v %q", r.Trial, r.Status, r.Error, w.status, w.text)
		}
		if r.Status != results.Done && r.Elapsed <= 0 {
			t.Errorf("trial %d, %v: it took no core time", r.Trial, r.Status)
		}
		if r.Status == results.Dead && (r.Attempts != 3 || !strings.Contains(r.Error, "exit status 7")) {
			t.Errorf("trial %d: got %d attempts and %q, want 3 and the exit status", r.Trial, r.Attempts, r.Error)
		}
	}
	digest, missing, err := results.Digest(t.Context(), l.store, l.plan)
	if err != nil || missing > 0 || digest == "" {
		t.Errorf("digest %q, %d missing, %v: dead and overrun trials are outside it, not missing", digest, missing, err)
	}
}

// TestInnocent holds that one death condemns nobody: a trial whose process died
// once is done in the end.
func TestInnocent(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(t.TempDir(), "flag")
	l := newLab(t, `
study: innocent
env: {name: poison, act: once, file: '`+flag+`'}
agents: [{name: random}]
replications: 5
`)
	if err := l.run(t, worker.Options{Isolate: isolation(), Slots: 1}); err != nil {
		t.Fatal(err)
	}
	for _, r := range l.records(t) {
		if r.Status != results.Done {
			t.Errorf("trial %d: got %v %q, want done", r.Trial, r.Status, r.Error)
		}
	}
	if _, err := os.Stat(flag); err != nil {
		t.Errorf("no process died: %v", err)
	}
}

// TestDrain holds that a drained worker loses nothing and counts against nobody:
// what it did not finish is done by the next one.
func TestDrain(t *testing.T) {
	t.Parallel()
	for name, iso := range map[string]*worker.Isolation{"in process": nil, "isolated": isolation()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, `
study: drain
env: {name: poison, act: slow, horizon: 4}
agents: [{name: random}]
evaluate: {final: 1}
replications: 60
`)
			drain := make(chan struct{})
			first := make(chan error, 1)
			go func() {
				first <- worker.Run(t.Context(), worker.Options{Queue: l.queue, Store: l.store, Catalog: catalog(), Slots: 2, Drain: drain, Isolate: iso})
			}()
			ctx, stop := context.WithCancel(t.Context())
			coordinated := make(chan error, 1)
			o := l.o
			o.Progress = func(p coordinator.Progress) {
				if p.Done >= 5 {
					select {
					case <-drain:
					default:
						close(drain)
					}
				}
			}
			go func() { coordinated <- coordinator.Run(ctx, l.name, o) }()
			if err := <-first; err != nil {
				t.Fatal(err)
			}
			stop()
			<-coordinated
			tally, err := l.store.Tally(t.Context(), l.name)
			if err != nil {
				t.Fatal(err)
			}
			if n := tally.Total(); n < 5 || n == 60 {
				t.Errorf("drained with %d of 60 trials committed: it was to stop in the middle", n)
			}
			l.queue = queuetest.NewMemory(30 * time.Second)
			l.o.Queue = l.queue
			if err := l.run(t, worker.Options{}); err != nil {
				t.Fatal(err)
			}
			got := l.records(t)
			if len(got) != 60 {
				t.Fatalf("got %d records, want 60", len(got))
			}
			for _, r := range got {
				if r.Status != results.Done || r.Attempts != 1 {
					t.Errorf("trial %d: %v after %d attempts, want done after 1", r.Trial, r.Status, r.Attempts)
				}
			}
		})
	}
}

// TestCheapFailures holds that failures, which take no time, don't make the
// coordinator pack all trials of their kind into one job.
func TestCheapFailures(t *testing.T) {
	t.Parallel()
	l := newLab(t, `
study: cheap
env: {name: poison, act: {grid: [panic, slow]}, horizon: 1}
agents: [{name: random}]
evaluate: {final: 1}
replications: 100
`)
	l.o.Target = 20 * time.Millisecond
	longest := uint64(0)
	q := &spy{Queue: l.queue, longest: &longest}
	l.o.Queue = q
	if err := l.run(t, worker.Options{}); err != nil {
		t.Fatal(err)
	}
	if longest > 40 {
		t.Errorf("a job of %d trials at 5 ms and less each, where jobs hold 20 ms", longest)
	}
}

// spy notes the longest job.
type spy struct {
	jobs.Queue
	longest *uint64
}

func (s *spy) Publish(ctx context.Context, js []jobs.Job) error {
	for _, j := range js {
		*s.longest = max(*s.longest, j.Len())
	}
	return s.Queue.Publish(ctx, js)
}

// TestCancel holds that a cancelled study takes no more records.
func TestCancel(t *testing.T) {
	t.Parallel()
	l := newLab(t, `
study: cancel
env: {name: poison, act: slow}
agents: [{name: random}]
evaluate: {final: 1}
replications: 2000
`)
	l.o.Progress = func(p coordinator.Progress) {
		if p.Done < 5 || p.State != results.Running {
			return
		}
		_, err := l.store.Update(context.Background(), l.name, func(p *results.Plan) error {
			p.State = results.Cancelled
			p.Generation++
			return nil
		})
		if err == nil {
			err = l.store.Give(context.Background(), results.Order{Kind: results.Cancel, Study: l.name, Made: time.Now()})
		}
		if err != nil {
			t.Error(err)
		}
	}
	err := l.run(t, worker.Options{})
	if err == nil || !strings.Contains(err.Error(), coordinator.ErrStopped.Error()) {
		t.Fatalf("got %v, want %v", err, coordinator.ErrStopped)
	}
	tally, err := l.store.Tally(t.Context(), l.name)
	if err != nil {
		t.Fatal(err)
	}
	if tally.Total() > 1000 {
		t.Errorf("%d records of 2000 after cancelling at 5", tally.Total())
	}
}
