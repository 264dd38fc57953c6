package queuetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"overnight/jobs"
)

// Options say what Run can do to the queues that it opens.
type Options struct {
	// Lease is the lease that the queues are opened with. Required; in real time
	// the suite takes about five of them.
	Lease time.Duration
	// Bubble runs each test in a testing/synctest bubble: for queues whose
	// goroutines all belong to them.
	Bubble bool
	// Inject puts a message into the queue as it is. Defaults to leaving out the
	// tests of garbage, and saying so.
	Inject func(t *testing.T, q jobs.Queue, msg []byte)
	// Wreck deletes what the queue stores, behind its back. Defaults to leaving
	// out the tests of that, and saying so.
	Wreck func(t *testing.T, q jobs.Queue)
}

// Run runs the suite: open returns an empty queue for one test, which closes it.
func Run(t *testing.T, open func(t *testing.T) jobs.Queue, o Options) {
	tests := []struct {
		name string
		run  func(s *suite)
		need string // why it can't run, or ""
	}{
		{name: "PublishTakeDone", run: publishTakeDone},
		{name: "EqualIDsOnce", run: equalIDsOnce},
		{name: "RefusesBadJobs", run: refusesBadJobs},
		{name: "TakesAtMostN", run: takesAtMostN},
		{name: "TakeWaits", run: takeWaits},
		{name: "TakeHonoursContext", run: takeHonoursContext},
		{name: "CancelledTakeKeepsNothing", run: cancelledTakeKeepsNothing},
		{name: "Return", run: returnComesBack},
		{name: "LeaseExpires", run: leaseExpires},
		{name: "ExtendKeepsLease", run: extendKeepsLease},
		{name: "RejectDrops", run: rejectDrops},
		{name: "ConcurrentTakers", run: concurrentTakers},
		{name: "BigBatch", run: bigBatch},
		{name: "CloseUnblocks", run: closeUnblocks},
		{name: "GarbageIsSkipped", run: garbageIsSkipped, need: missing(o.Inject == nil, "Options.Inject")},
		{name: "WreckedStorage", run: wreckedStorage, need: missing(o.Wreck == nil, "Options.Wreck")},
		{name: "WreckedWhileTaking", run: wreckedWhileTaking, need: missing(o.Wreck == nil, "Options.Wreck")},
		{name: "OldAcksSpareNewJobs", run: oldAcksSpareNewJobs, need: missing(o.Wreck == nil, "Options.Wreck")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.need != "" {
				t.Skip(tt.need)
			}
			body := func(t *testing.T) {
				q := open(t)
				defer func() {
					if err := q.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				}()
				tt.run(&suite{T: t, q: q, o: o})
			}
			if o.Bubble {
				synctest.Test(t, body)
				return
			}
			t.Parallel()
			body(t)
		})
	}
}

func missing(yes bool, what string) string {
	if yes {
		return what + " is not given"
	}
	return ""
}

// suite is one test's queue and what tests do with it.
type suite struct {
	*testing.T
	q jobs.Queue
	o Options
}

// patience is how long a test waits for what must come.
func (s *suite) patience() time.Duration { return 20*time.Second + 5*s.o.Lease }

// job returns the i-th job of a test.
func job(i int) jobs.Job {
	return jobs.Job{
		ID: fmt.Sprintf("job%d", i), Engine: 1, Study: "queuetest", Generation: 2, Epoch: 3,
		Trials: []jobs.Range{{From: uint64(i) * 10, To: uint64(i)*10 + 5}},
	}
}

func batch(from, to int) []jobs.Job {
	var all []jobs.Job
	for i := from; i < to; i++ {
		all = append(all, job(i))
	}
	return all
}

func (s *suite) publish(add ...jobs.Job) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), s.patience())
	defer cancel()
	if err := s.q.Publish(ctx, add); err != nil {
		s.Fatalf("Publish: %v", err)
	}
}

// take returns 1 to n deliveries, which must come within patience.
func (s *suite) take(n int) []jobs.Delivery {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), s.patience())
	defer cancel()
	taken, err := s.q.Take(ctx, n)
	if err != nil {
		s.Fatalf("Take: %v", err)
	}
	if len(taken) < 1 || len(taken) > n {
		s.Fatalf("Take returned %d jobs, want 1 to %d", len(taken), n)
	}
	return taken
}

// empty checks that nothing can be taken for the time of d.
func (s *suite) empty(d time.Duration) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), d)
	defer cancel()
	taken, err := s.q.Take(ctx, 10)
	if len(taken) > 0 {
		s.Fatalf("took %s, want nothing", taken[0].Job().ID)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		s.Fatalf("Take of nothing: %v, want %v", err, context.DeadlineExceeded)
	}
}

func (s *suite) ok(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// blink is short against the lease and long against a round trip.
func (s *suite) blink() time.Duration { return s.o.Lease / 10 }
