// Package worker takes jobs, runs their trials and commits the records. Start
// with Options and Run.
//
// A worker acknowledges a job only after all its records are committed. What it
// holds it tells the store once a second, and there it finds the orders for it.
// A trial that fails is a record; a trial that kills its process is run again
// alone, in a process of its own, three times before it is given up (Isolate).
package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

// Store is what a worker needs of a results.Store.
type Store interface {
	Plan(ctx context.Context, study string) (results.Plan, error)
	Blob(ctx context.Context, sha256 string) ([]byte, error)
	Commit(ctx context.Context, study string, generation uint32, rs []results.Record) ([]results.Verdict, error)
	Beat(ctx context.Context, w results.Worker, after int64) ([]results.Order, error)
	results.Checkpoints
}

// Options configure a worker.
type Options struct {
	Queue   jobs.Queue
	Store   Store
	Catalog *jobs.Catalog
	// ID names the worker in the fleet. Defaults to host, process and a counter.
	ID string
	// Slots is how many trials run at once. Defaults to the number of cores.
	Slots int
	// Isolate runs trials in child processes, one a slot; see Isolation. Nil: in
	// this process.
	Isolate *Isolation
	// Drain is closed to make the worker finish the trials in hand and stop. Ending
	// ctx instead stops it at the next episode's end.
	Drain <-chan struct{}
	// DrainTimeout is how long trials in hand may take once draining. Defaults to
	// 10 s; then they are stopped like at the end of ctx, with a checkpoint.
	DrainTimeout time.Duration
	// CheckpointAfter is how long a trial runs between saves. Defaults to 30 s.
	CheckpointAfter time.Duration
	// Engine is the engine version that the worker has. Defaults to
	// jobs.EngineVersion; only tests of upgrades say another.
	Engine  int
	Version string
	Log     *zap.Logger // Defaults to none.
}

type worker struct {
	Options
	started  time.Time
	plans    *plans
	oracle   *trial.OracleCache
	records  results.Records // the store, where it can be asked for records
	done     atomic.Uint64
	draining atomic.Bool
	drainNow func()
	tokens   chan struct{} // one for each slot without work
	commits  chan struct{} // a token a commit under way

	orderID int64 // of the latest order; beat's
	rate    meter // beat's

	mu   sync.Mutex
	held map[string]*held
}

// errOver refuses a job whose study went on without it.
var errOver = errors.New("its generation is over")

// lastCommits is how long commits may take once the worker was stopped.
const lastCommits = 5 * time.Second

var errCancelled = errors.New("cancelled")

var counter atomic.Uint64

// Run works until Drain is closed or ctx ends, and returns when the last record
// is committed. It returns an error only where nothing could be done at all.
func Run(ctx context.Context, o Options) error {
	if o.Slots <= 0 {
		o.Slots = runtime.NumCPU()
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 10 * time.Second
	}
	if o.Engine == 0 {
		o.Engine = jobs.EngineVersion
	}
	host, _ := os.Hostname()
	if o.ID == "" {
		o.ID = fmt.Sprintf("%s-%d-%d", host, os.Getpid(), counter.Add(1))
	}
	w := &worker{
		Options: o, started: time.Now(),
		plans:   newPlans(o.Store, o.Catalog, o.Engine),
		oracle:  trial.NewOracleCache(1024),
		held:    map[string]*held{},
		commits: make(chan struct{}, 4+2*o.Slots),
		tokens:  make(chan struct{}, o.Slots),
	}
	w.records, _ = o.Store.(results.Records)
	for range o.Slots {
		w.tokens <- struct{}{}
	}
	ordered := make(chan struct{})
	w.drainNow = sync.OnceFunc(func() { close(ordered) })
	// The last commits and the last beat outlive ctx: what was computed is kept.
	keep, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	run, stop := context.WithCancel(ctx)
	defer stop()
	take, stopTaking := context.WithCancel(run)
	defer stopTaking()

	var side errgroup.Group
	side.Go(func() error {
		// A store that takes no records any more must not keep a stopped worker.
		select {
		case <-run.Done():
		case <-keep.Done():
			return nil
		}
		if sleep(keep, lastCommits) {
			w.Log.Warn("stopped with records that the store did not take; their trials run again")
			release()
		}
		return nil
	})
	side.Go(func() error { return w.beat(keep, host) })
	side.Go(func() error { return w.extend(keep) })
	side.Go(func() error {
		select {
		case <-o.Drain:
		case <-ordered:
		case <-run.Done():
			return nil
		}
		w.draining.Store(true)
		stopTaking()
		t := time.NewTimer(o.DrainTimeout)
		defer t.Stop()
		select {
		case <-t.C:
			stop()
		case <-keep.Done():
		}
		return nil
	})

	slots, err := w.slots(keep)
	if err != nil {
		stop()
		release()
		return errors.Join(err, side.Wait())
	}
	ready := make(chan *held)
	var main errgroup.Group
	main.Go(func() error { defer close(ready); return w.take(take, run, ready) })
	for _, s := range slots {
		main.Go(func() error {
			defer s.close()
			for h := range ready {
				w.work(keep, s, h)
				w.tokens <- struct{}{}
			}
			return nil
		})
	}
	err = main.Wait()
	w.settle(keep)
	stop()
	release()
	return errors.Join(err, side.Wait())
}

// take pulls as many jobs as there are free slots and hands them on. It never
// takes one that would have to wait: another worker may be idle.
func (w *worker) take(ctx, run context.Context, ready chan<- *held) error {
	for {
		n := 1
		select {
		case <-w.tokens:
		case <-ctx.Done():
			return nil
		}
		for more := true; more; {
			select {
			case <-w.tokens:
				n++
			default:
				more = false
			}
		}
		ds, err := w.Queue.Take(ctx, n)
		if ctx.Err() != nil {
			w.giveBack(ds)
			return nil
		}
		if errors.Is(err, jobs.ErrClosed) {
			return nil
		}
		if err != nil {
			w.Log.Warn("take jobs", zap.Error(err))
			if !sleep(ctx, 200*time.Millisecond) {
				return nil
			}
		}
		for range n - len(ds) {
			w.tokens <- struct{}{}
		}
		for _, d := range ds {
			if h := w.hold(d, run, ctx); h != nil {
				ready <- h // a slot is free, so this does not wait
			} else {
				w.tokens <- struct{}{}
			}
		}
	}
}

// hold makes a delivery the worker's. It returns nil where the same job is in
// hand already: its lease ran out while the worker slept.
func (w *worker) hold(d jobs.Delivery, run, take context.Context) *held {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.held[d.Job().ID]; h != nil {
		h.replace(d)
		return nil
	}
	h := newHeld(d, run, take)
	w.held[h.job.ID] = h
	return h
}

// giveBack returns deliveries that will not be worked on.
func (w *worker) giveBack(ds []jobs.Delivery) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, d := range ds {
		if err := d.Return(ctx, 0); err != nil {
			w.Log.Debug("return job", zap.Error(err)) // its lease runs out, or it is reissued
		}
	}
}

func (w *worker) drop(h *held) {
	h.cancel(nil)
	h.halt()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[h.job.ID] == h {
		delete(w.held, h.job.ID)
	}
}

// settle waits until no commit is under way.
func (w *worker) settle(keep context.Context) {
	for range cap(w.commits) {
		select {
		case w.commits <- struct{}{}:
		case <-keep.Done():
			return
		}
	}
}

// sleep waits for d and tells whether ctx is still good.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
