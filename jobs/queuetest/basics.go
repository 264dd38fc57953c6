package queuetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/jobs"
)

func publishTakeDone(s *suite) {
	want := map[string]jobs.Job{}
	for _, j := range batch(0, 5) {
		want[j.ID] = j
	}
	s.publish(batch(0, 5)...)
	got := map[string]jobs.Job{}
	for len(got) < len(want) {
		for _, d := range s.take(10) {
			if _, twice := got[d.Job().ID]; twice {
				s.Fatalf("%s was delivered twice", d.Job().ID)
			}
			got[d.Job().ID] = d.Job()
			s.ok("Done", d.Done(s.Context()))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		s.Fatalf("jobs differ (-published +taken):\n%s", d)
	}
	s.empty(s.o.Lease + s.blink()) // done jobs do not come back when the lease would have ended
}

// A job is not added again while it waits, nor while it is taken.
func equalIDsOnce(s *suite) {
	s.publish(job(0), job(0))
	s.publish(job(0))
	d := s.take(10)
	if len(d) != 1 {
		s.Fatalf("took %d jobs, want 1", len(d))
	}
	s.publish(job(0), job(1))
	next := s.take(10)
	if len(next) != 1 || next[0].Job().ID != job(1).ID {
		s.Fatalf("took %d jobs, the first %s, want only %s", len(next), next[0].Job().ID, job(1).ID)
	}
	s.ok("Done", next[0].Done(s.Context()))
	s.ok("Done", d[0].Done(s.Context()))
}

// A batch with a bad job is refused as a whole.
func refusesBadJobs(s *suite) {
	bad := job(1)
	bad.Trials = nil
	if err := s.q.Publish(s.Context(), []jobs.Job{job(0), bad}); err == nil {
		s.Error("Publish of a job without trials: no error")
	}
	s.ok("Publish of nothing", s.q.Publish(s.Context(), nil))
	s.empty(s.blink())
	if _, err := s.q.Take(s.Context(), 0); err == nil {
		s.Error("Take of 0 jobs: no error")
	}
}

func takesAtMostN(s *suite) {
	s.publish(batch(0, 7)...)
	seen := map[string]bool{}
	for len(seen) < 7 {
		for _, d := range s.take(3) { // checks that there are at most 3
			seen[d.Job().ID] = true
			s.ok("Done", d.Done(s.Context()))
		}
	}
}

// A Take that waits gets the job that is published afterwards.
func takeWaits(s *suite) {
	for i := range 3 {
		taken := s.takeLater(s.Context(), 4)
		s.publish(job(i))
		r := <-taken
		s.ok("Take", r.err)
		if len(r.taken) != 1 || r.taken[0].Job().ID != job(i).ID {
			s.Fatalf("took %d jobs, want only %s", len(r.taken), job(i).ID)
		}
		s.ok("Done", r.taken[0].Done(s.Context()))
	}
}

type result struct {
	taken []jobs.Delivery
	err   error
}

// takeLater runs Take in a goroutine of its own.
func (s *suite) takeLater(ctx context.Context, n int) <-chan result {
	c := make(chan result, 1)
	started := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(ctx, s.patience())
		defer cancel()
		close(started)
		taken, err := s.q.Take(ctx, n)
		c <- result{taken, err}
	}()
	<-started
	return c
}

func takeHonoursContext(s *suite) {
	s.empty(s.blink()) // a deadline
	ctx, cancel := context.WithCancel(s.Context())
	taken := s.takeLater(ctx, 1)
	cancel()
	if r := <-taken; !errors.Is(r.err, context.Canceled) {
		s.Errorf("Take with a cancelled context: %v, want %v", r.err, context.Canceled)
	}
	if err := s.q.Publish(ctx, batch(0, 1)); !errors.Is(err, context.Canceled) {
		s.Errorf("Publish with a cancelled context: %v, want %v", err, context.Canceled)
	}
}

// A job that meets a Take at its end goes to the next Take within less than the
// lease: nobody holds it.
func cancelledTakeKeepsNothing(s *suite) {
	for i := range 20 {
		start := time.Now()
		ctx, cancel := context.WithCancel(s.Context())
		taken := s.takeLater(ctx, 5)
		published := make(chan error, 1)
		go func() { published <- s.q.Publish(s.Context(), batch(i, i+1)) }()
		cancel()
		s.ok("Publish", <-published)
		r := <-taken
		if r.err != nil {
			r.taken = s.take(1)
		}
		if got := r.taken[0].Job().ID; got != job(i).ID {
			s.Fatalf("took %s, want %s", got, job(i).ID)
		}
		s.ok("Done", r.taken[0].Done(s.Context()))
		if d := time.Since(start); d >= s.o.Lease {
			s.Fatalf("round %d: the job came after %v, when a lease of %v had ended", i, d, s.o.Lease)
		}
	}
}

func concurrentTakers(s *suite) {
	const all, takers = 400, 8
	ctx, cancel := context.WithTimeout(s.Context(), s.patience())
	defer cancel()
	var mu sync.Mutex
	times := map[string]int{}
	var done atomic.Int64
	errs := make(chan error, takers+1)
	for i := range takers {
		go func() {
			for {
				taken, err := s.q.Take(ctx, 1+i)
				for _, d := range taken {
					mu.Lock()
					times[d.Job().ID]++
					mu.Unlock()
					if err := d.Done(context.WithoutCancel(ctx)); err != nil {
						errs <- fmt.Errorf("done: %w", err)
						return
					}
					if done.Add(1) == all {
						cancel()
					}
				}
				if err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	go func() { errs <- s.q.Publish(s.Context(), batch(0, all)) }()
	for range takers + 1 {
		if err := <-errs; err != nil && !errors.Is(err, context.Canceled) {
			s.Error(err)
		}
	}
	if len(times) != all || done.Load() != all {
		s.Errorf("%d different jobs were taken %d times, want %d each once", len(times), done.Load(), all)
	}
}

func bigBatch(s *suite) {
	const all = 5000
	s.publish(batch(0, all)...)
	seen := map[string]bool{}
	for len(seen) < all {
		for _, d := range s.take(500) {
			seen[d.Job().ID] = true
			s.ok("Done", d.Done(s.Context()))
		}
	}
	s.empty(s.blink())
}

func closeUnblocks(s *suite) {
	takes := []<-chan result{s.takeLater(s.Context(), 1), s.takeLater(s.Context(), 3)}
	s.ok("Close", s.q.Close())
	for _, taken := range takes {
		if r := <-taken; !errors.Is(r.err, jobs.ErrClosed) {
			s.Errorf("Take during Close: %v, want %v", r.err, jobs.ErrClosed)
		}
	}
	if _, err := s.q.Take(s.Context(), 1); !errors.Is(err, jobs.ErrClosed) {
		s.Errorf("Take after Close: %v, want %v", err, jobs.ErrClosed)
	}
	if err := s.q.Publish(s.Context(), batch(0, 1)); !errors.Is(err, jobs.ErrClosed) {
		s.Errorf("Publish after Close: %v, want %v", err, jobs.ErrClosed)
	}
	s.ok("Close again", s.q.Close())
}
