package coordinator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/storetest"
	"overnight/worker"
)

// bench is a store and a queue in memory with a planned study, in a bubble with
// virtual time.
type bench struct {
	*testing.T
	store *storetest.Memory
	queue *queuetest.Memory
	o     coordinator.Options
	name  string

	mu     sync.Mutex
	state  coordinator.Progress
	events []coordinator.Event
}

// inBubble runs fn with a study of 3 points and the given number of
// replications.
func inBubble(t *testing.T, replications int, fn func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, store: storetest.NewMemory(time.Now), queue: queuetest.NewMemory(time.Hour)}
		b.o = coordinator.Options{Store: b.store, Queue: b.queue, Catalog: catalog.New()}
		b.o.Progress = func(p coordinator.Progress) { b.mu.Lock(); b.state = p; b.mu.Unlock() }
		b.o.Observe = func(e coordinator.Event) { b.mu.Lock(); b.events = append(b.events, e); b.mu.Unlock() }
		b.name = submit(t, fmt.Sprintf(noop, replications), b.o).Name
		fn(b)
		if err := b.queue.Close(); err != nil { // stops its timers
			t.Error(err)
		}
	})
}

func (b *bench) progress() coordinator.Progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

func (b *bench) saw(k coordinator.EventKind) (last coordinator.Event, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if e.Kind == k {
			last = e
			n++
		}
	}
	return last, n
}

// start runs a coordinator; stop ends it, and wait returns how it ended.
func (b *bench) start(o coordinator.Options) (stop context.CancelFunc, wait func() error) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- coordinator.Run(ctx, b.name, o) }()
	return cancel, func() error { defer cancel(); return <-done }
}

// work lets a worker work until stop is called.
func (b *bench) work(o worker.Options) (stop func()) {
	drain := make(chan struct{})
	o.Queue, o.Store, o.Catalog, o.Drain = b.queue, b.store, catalog.New(), drain
	if o.Slots == 0 {
		o.Slots = 2
	}
	done := make(chan error, 1)
	go func() { done <- worker.Run(context.Background(), o) }()
	return func() {
		close(drain)
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

// take takes n jobs as a worker does that computes for a long time.
func (b *bench) take(n int) (taken []jobs.Job) {
	b.Helper()
	for len(taken) < n {
		ds, err := b.queue.Take(b.Context(), n-len(taken))
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range ds {
			taken = append(taken, d.Job())
		}
	}
	return taken
}

// beat says that a worker with two slots holds jobs.
func (b *bench) beat(store *storetest.Memory, held []jobs.Job) {
	b.Helper()
	w := results.Worker{ID: "w", Slots: 2, Free: max(0, 2-len(held)), Engine: jobs.EngineVersion}
	for _, j := range held {
		h := results.Held{Job: j.ID, Study: j.Study, Generation: j.Generation}
		for _, r := range j.Trials {
			h.Trials = append(h.Trials, results.Span(r))
		}
		w.Held = append(w.Held, h)
	}
	if _, err := store.Beat(b.Context(), w, 0); err != nil {
		b.Error(err)
	}
}

// beats beats once a second for a time.
func (b *bench) beats(d time.Duration, held []jobs.Job) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		b.beat(b.store, held)
	}
}

// trials lists the trials of jobs that wait in the queue.
func (b *bench) trials() map[uint64]jobs.Job {
	b.Helper()
	out := map[uint64]jobs.Job{}
	for {
		n, _ := b.queue.Pending()
		if n == 0 {
			return out
		}
		for _, j := range b.take(n) {
			for _, r := range j.Trials {
				for i := r.From; i < r.To; i++ {
					out[i] = j
				}
			}
		}
	}
}

func (b *bench) plan() results.Plan {
	b.Helper()
	p, err := b.store.Plan(context.Background(), b.name)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// TestEpoch holds that a coordinator that starts takes the study over: it raises
// the epoch, its jobs carry it, and the one before it ends.
func TestEpoch(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		_, first := b.start(b.o)
		for i, j := range b.take(3) {
			if j.Epoch != 1 {
				b.Errorf("job %d has epoch %d, want 1", i, j.Epoch)
			}
		}
		stop, second := b.start(b.o)
		if err := first(); !errors.Is(err, coordinator.ErrSuperseded) {
			b.Errorf("the first ended with %v, want %v", err, coordinator.ErrSuperseded)
		}
		if got := b.plan().Epoch; got != 2 {
			b.Errorf("the plan has epoch %d, want 2", got)
		}
		b.trials() // those of the first
		stop()
		if err := second(); !errors.Is(err, context.Canceled) {
			b.Errorf("the second ended with %v, want canceled", err)
		}
	})
}

// TestLeaseHeld holds that of two coordinators with leases the later one is told
// at once who is at work, and that a lease is given up at the end.
func TestLeaseHeld(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		a, c := b.o, b.o
		a.Holder, c.Holder = "a", "c"
		stop, first := b.start(a)
		time.Sleep(time.Minute) // many times the lease
		began := time.Now()
		err := coordinator.Run(b.Context(), b.name, c)
		var leased *coordinator.LeasedError
		if !errors.As(err, &leased) || leased.Holder != "a" || time.Since(began) > 0 {
			b.Errorf("got %v after %v, want to be told of a at once", err, time.Since(began))
		}
		stop()
		if err := first(); !errors.Is(err, context.Canceled) {
			b.Errorf("the first ended with %v", err)
		}
		stop, second := b.start(c)
		time.Sleep(time.Second)
		if got := b.plan().Epoch; got != 2 {
			b.Errorf("epoch %d, want 2: the lease was not given up", got)
		}
		stop()
		_ = second()
	})
}

// TestLeaseLost holds that a coordinator that was cut off and finds its lease
// with another one ends.
func TestLeaseLost(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		var cut sync.Mutex
		isCut := false
		a := b.o
		a.Holder = "a"
		a.Store = b.store.With(storetest.Hooks{Before: func(context.Context, string, string) error {
			cut.Lock()
			defer cut.Unlock()
			if isCut {
				return errors.New("no route")
			}
			return nil
		}})
		_, first := b.start(a)
		time.Sleep(time.Second)
		cut.Lock()
		isCut = true
		cut.Unlock()
		time.Sleep(15 * time.Second)
		if b.progress().Trouble == "" {
			b.Error("no trouble is shown")
		}
		// Another has the lease; it has not come to raise the epoch yet.
		by, err := b.store.Lease(b.Context(), coordinator.LeaseName(b.name), "c", time.Hour)
		if err != nil || by != "c" {
			b.Fatalf("the lease is held by %q, %v", by, err)
		}
		cut.Lock()
		isCut = false
		cut.Unlock()
		if err := first(); !errors.Is(err, coordinator.ErrSuperseded) || !strings.Contains(err.Error(), "c") {
			b.Errorf("the one that was cut off ended with %v, want %v", err, coordinator.ErrSuperseded)
		}
	})
}

// TestAdopt holds that a coordinator that takes over does not issue what a
// living worker holds, however long that takes, and issues it once the worker is
// silent. The jobs that nobody took are issued at once.
func TestAdopt(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		stop, first := b.start(b.o)
		held := b.take(2)
		b.beats(3*time.Second, held)
		stop()
		_ = first()
		b.trials()
		b.queue.Wreck()

		stop, second := b.start(b.o)
		b.beats(time.Minute, held)
		issued := b.trials()
		for _, j := range held {
			if again, ok := issued[j.Trials[0].From]; ok {
				b.Errorf("trial %d is held, and was issued again as job %s", j.Trials[0].From, again.ID)
			}
		}
		if len(issued) != 13 {
			b.Errorf("%d trials were issued, want the 13 that nobody holds", len(issued))
		}
		if got := b.progress().Jobs; got != 15 {
			b.Errorf("%d jobs are out, want 15 with those held", got)
		}
		time.Sleep(15 * time.Second) // the worker is silent
		issued = b.trials()
		for _, j := range held {
			if _, ok := issued[j.Trials[0].From]; !ok {
				b.Errorf("trial %d was not issued within 15 s of silence", j.Trials[0].From)
			}
		}
		stop()
		_ = second()
	})
}

// TestSettle holds that a new coordinator waits, where workers hold jobs of the
// study, for the beats that tell what they took last: it does not issue that.
func TestSettle(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		stop, first := b.start(b.o)
		held := b.take(1)
		b.beat(b.store, held)
		stop()
		_ = first()
		held = append(held, b.take(1)...) // taken after the last beat
		b.trials()
		b.queue.Wreck()
		stop, second := b.start(b.o)
		time.Sleep(900 * time.Millisecond)
		b.beats(20*time.Second, held)
		issued := b.trials()
		if _, ok := issued[held[1].Trials[0].From]; ok || len(issued) != 13 {
			b.Errorf("%d trials were issued, one taken after the last beat: %v; want the other 13", len(issued), ok)
		}
		stop()
		_ = second()
	})
}

// TestAlone holds that a coordinator with a queue of its own waits for no worker
// of before.
func TestAlone(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		stop, first := b.start(b.o)
		held := b.take(2)
		b.beat(b.store, held)
		stop()
		_ = first()
		b.trials()
		b.queue.Wreck()
		o := b.o
		o.Alone = true
		stop, second := b.start(o)
		time.Sleep(time.Second)
		if got := len(b.trials()); got != 15 {
			b.Errorf("%d trials were issued within a second, want all 15", got)
		}
		stop()
		_ = second()
	})
}

// TestClockJumps holds that liveness is told from changes of the beat: a store
// whose clock jumps by hours, or stands an hour off, loses no worker, and a
// worker that is silent is lost all the same.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		off := -3 * time.Hour
		clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(off) }
		b := &bench{T: t, store: storetest.NewMemory(clock), queue: queuetest.NewMemory(time.Hour)}
		b.o = coordinator.Options{Store: b.store, Queue: b.queue, Catalog: catalog.New()}
		b.o.Progress = func(p coordinator.Progress) { b.mu.Lock(); b.state = p; b.mu.Unlock() }
		b.name = submit(t, fmt.Sprintf(noop, 5), b.o).Name
		stop, wait := b.start(b.o)
		held := b.take(2)
		b.trials()
		for _, jump := range []time.Duration{0, time.Hour, -5 * time.Hour, 30 * time.Second} {
			mu.Lock()
			off += jump
			mu.Unlock()
			b.beats(20*time.Second, held)
			if got := b.progress(); got.Workers != 1 {
				t.Errorf("after a jump of %v: %d workers, want 1", jump, got.Workers)
			}
			for n, j := range b.trials() {
				for _, h := range held {
					if n == h.Trials[0].From {
						t.Errorf("after a jump of %v: trial %d was issued again as %s", jump, n, j.ID)
					}
				}
			}
		}
		began := time.Now()
		mu.Lock()
		off += time.Hour
		mu.Unlock()
		for again := b.trials(); len(again) == 0; again = b.trials() {
			if time.Sleep(time.Second); time.Since(began) > 15*time.Second {
				t.Fatal("a silent worker was not lost within 15 s")
			}
		}
		stop()
		_ = wait()
		if err := b.queue.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestOtherEngine holds that a study of another engine version is coordinated:
// its jobs ask for that version, and it waits for such a worker.
func TestOtherEngine(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		engine := jobs.EngineVersion + 2
		_, err := b.store.Update(b.Context(), b.name, func(p *results.Plan) error { p.Engine = engine; return nil })
		if err != nil {
			b.Fatal(err)
		}
		stop, wait := b.start(b.o)
		if j := b.take(1)[0]; j.Engine != engine {
			b.Errorf("job for engine %d, want %d", j.Engine, engine)
		}
		b.beats(5*time.Second, nil)
		if p := b.progress(); p.Waits != fmt.Sprintf("waits for engine %d", engine) || p.Slots != 0 || p.Workers != 0 {
			b.Errorf("%q with %d workers, want to wait for engine %d", p.Waits, p.Workers, engine)
		}
		if _, err := b.store.Beat(b.Context(), results.Worker{ID: "new", Slots: 7, Engine: engine}, 0); err != nil {
			b.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if p := b.progress(); p.Waits != "" || p.Slots != 7 {
			b.Errorf("%q with %d slots, want 7 and no waiting", p.Waits, p.Slots)
		}
		stop()
		_ = wait()
	})
}

// TestPlanLost holds that a removed plan ends the run with an error of its own.
func TestPlanLost(t *testing.T) {
	inBubble(t, 5, func(b *bench) {
		_, wait := b.start(b.o)
		time.Sleep(time.Second)
		if err := b.store.Delete(b.Context(), b.name); err != nil {
			b.Fatal(err)
		}
		if err := wait(); !errors.Is(err, coordinator.ErrPlanLost) || !strings.Contains(err.Error(), b.name) {
			b.Errorf("got %v, want %v", err, coordinator.ErrPlanLost)
		}
	})
}
