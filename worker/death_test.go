package worker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"overnight/coordinator"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/worker"
)

// TestKilledChild holds that a child that was killed from outside - by the
// kernel's OOM killer, by kill -9 - counts as a death and nothing else: the trial
// that it happens to three times is dead with the signal, the others of its job
// are done at their first attempt.
func TestKilledChild(t *testing.T) {
	t.Parallel()
	l := newLab(t, `
study: killed
env: {name: poison, act: {grid: [fine, killed]}}
agents: [{name: random}]
replications: 4
`)
	if err := l.run(t, worker.Options{Isolate: isolation()}); err != nil {
		t.Fatal(err)
	}
	for _, r := range l.records(t) {
		switch {
		case r.Point == 0 && (r.Status != results.Done || r.Attempts != 1):
			t.Errorf("trial %d: %v after %d attempts, want done after 1", r.Trial, r.Status, r.Attempts)
		case r.Point == 1 && (r.Status != results.Dead || r.Attempts != 3 || !strings.Contains(r.Error, "signal: killed")):
			t.Errorf("trial %d: %v after %d attempts, %q, want dead after 3 by a signal", r.Trial, r.Status, r.Attempts, r.Error)
		}
	}
}

// cutOff is a store that a worker can't reach any more once it is cut.
type cutOff struct {
	worker.Store
	cut   atomic.Bool
	saved atomic.Int64
}

var errCut = errors.New("cut off")

func (s *cutOff) Commit(ctx context.Context, study string, g uint32, rs []results.Record) ([]results.Verdict, error) {
	if s.cut.Load() {
		return nil, errCut
	}
	return s.Store.Commit(ctx, study, g, rs)
}

func (s *cutOff) Beat(ctx context.Context, w results.Worker, after int64) ([]results.Order, error) {
	if s.cut.Load() {
		return nil, errCut
	}
	return s.Store.Beat(ctx, w, after)
}

func (s *cutOff) SaveCheckpoint(ctx context.Context, study string, g uint32, trial uint64, state []byte) error {
	if s.cut.Load() {
		return errCut
	}
	s.saved.Add(1)
	return s.Store.SaveCheckpoint(ctx, study, g, trial, state)
}

// TestCheckpointTravels holds that another worker goes on with a long trial from
// its checkpoint in the store: the first one vanishes in mid-trial, and the
// second does not train the episodes again that were saved.
func TestCheckpointTravels(t *testing.T) {
	t.Parallel()
	for name, iso := range map[string]*worker.Isolation{"in process": nil, "isolated": isolation()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const episodes = 600
			file := filepath.Join(t.TempDir(), "episodes")
			size := func() int64 {
				i, err := os.Stat(file)
				if err != nil {
					return 0
				}
				return i.Size()
			}
			l := newLab(t, `
study: travels
env: {name: poison, act: count, horizon: 1, file: '`+file+`'}
agents: [{name: learner}]
train: {episodes: 600}
evaluate: {final: 1}
`)
			l.o.Lost = time.Second
			s := &cutOff{Store: l.store}
			first, vanish := context.WithCancel(t.Context())
			gone := make(chan error, 1)
			go func() {
				gone <- worker.Run(first, worker.Options{Queue: l.queue, Store: s, Catalog: catalog(), Slots: 1, Isolate: iso, CheckpointAfter: 50 * time.Millisecond})
			}()
			ctx, stop := context.WithCancel(t.Context())
			coordinated := make(chan error, 1)
			go func() { coordinated <- coordinator.Run(ctx, l.name, l.o) }()
			for s.saved.Load() < 4 {
				select {
				case err := <-coordinated:
					t.Fatalf("the study ended before a checkpoint was made: %v", err)
				case <-time.After(time.Millisecond):
				}
			}
			s.cut.Store(true)
			vanish()
			if err := <-gone; err != nil {
				t.Errorf("first worker: %v", err)
			}
			before := size()
			if before >= episodes {
				t.Fatalf("%d episodes before the worker vanished: it was to vanish in the middle", before)
			}
			second := make(chan error, 1)
			drain := make(chan struct{})
			go func() {
				second <- worker.Run(t.Context(), worker.Options{Queue: l.queue, Store: l.store, Catalog: catalog(), Slots: 1, Isolate: iso, Drain: drain})
			}()
			if err := <-coordinated; err != nil {
				t.Errorf("coordinator: %v", err)
			}
			stop()
			close(drain)
			if err := <-second; err != nil {
				t.Errorf("second worker: %v", err)
			}
			if after := size() - before; after >= episodes-16 {
				t.Errorf("the second worker played %d episodes after %d of the first: it began anew", after, before)
			}
			if got := l.records(t); len(got) != 1 || got[0].Status != results.Done || got[0].Attempts != 1 {
				t.Errorf("records %+v, want one that is done after 1 attempt", got)
			}
		})
	}
}

// TestHandedBack holds G6: a worker that drains hands back the job in hand, and
// the queue has it again at once.
func TestHandedBack(t *testing.T) {
	t.Parallel()
	for name, iso := range map[string]*worker.Isolation{"in process": nil, "isolated": isolation()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, `
study: back
env: {name: poison, act: slow, horizon: 4}
agents: [{name: random}]
evaluate: {final: 400}
replications: 2
`)
			l.queue = queuetest.NewMemory(time.Hour)
			l.o.Queue = l.queue
			ctx, stop := context.WithCancel(t.Context())
			coordinated := make(chan error, 1)
			go func() { coordinated <- coordinator.Run(ctx, l.name, l.o) }()
			drain := make(chan struct{})
			done := make(chan error, 1)
			go func() {
				done <- worker.Run(t.Context(), worker.Options{Queue: l.queue, Store: l.store, Catalog: catalog(), Slots: 2, Isolate: iso, Drain: drain, DrainTimeout: time.Millisecond})
			}()
			for {
				if waiting, held := l.queue.Pending(); waiting == 0 && held == 2 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			close(drain)
			if err := <-done; err != nil {
				t.Error(err)
			}
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				waiting, held := l.queue.Pending()
				if waiting == 2 && held == 0 {
					break
				}
				if time.Now().After(end) { // the queue's lease is an hour
					t.Errorf("%d jobs wait and %d are held, want both back", waiting, held)
					break
				}
			}
			stop()
			<-coordinated
		})
	}
}
