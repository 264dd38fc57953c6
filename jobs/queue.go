// Package jobs holds the nouns of an experiment - Study, Factor, Point, Job -
// and the Queue interface that carries jobs to workers. Start with Parse and
// Study.Point.
//
// A study is never a list in memory: Study.Point computes point i from i, and
// trial i is point i mod Points, replication i / Points.
package jobs

import (
	"context"
	"errors"
	"time"
)

// Range is the trials From <= i < To.
type Range struct {
	From, To uint64
}

// Job is the trials that travel together. It names what to do and never how:
// nothing in it is executed.
type Job struct {
	ID         string // unique within a coordinator's run: equal IDs are equal jobs
	Engine     int
	Study      string
	Generation uint32
	Trials     []Range // ascending, disjoint
	Epoch      uint32  // names a delivery; has no say in a commit
}

// Len returns the number of trials.
func (j *Job) Len() uint64 {
	var n uint64
	for _, r := range j.Trials {
		n += r.To - r.From
	}
	return n
}

// ErrClosed is returned by a Queue after Close.
var ErrClosed = errors.New("queue is closed")

// Queue carries jobs. It is disposable: the plan and the results are the truth,
// so a queue may lose everything and deliver twice, but it must not make up or
// alter jobs.
type Queue interface {
	// Publish adds jobs; one whose ID is already waiting or was added lately is
	// not added again.
	Publish(ctx context.Context, jobs []Job) error
	// Take waits until there is at least one job and returns at most n. It returns
	// ctx's error when ctx ends first. A message that is no job is rejected and
	// skipped.
	Take(ctx context.Context, n int) ([]Delivery, error)
	Close() error
}

// Delivery is a job that was taken. Exactly one of Done, Return and Reject ends
// it; a delivery that is neither ended nor extended within the queue's lease is
// delivered again.
type Delivery interface {
	Job() Job
	// Extend renews the lease.
	Extend(ctx context.Context) error
	// Done says that all its records are committed.
	Done(ctx context.Context) error
	// Return hands it back, to be delivered again after a while.
	Return(ctx context.Context, after time.Duration) error
	// Reject drops it for good; reason is for the log.
	Reject(ctx context.Context, reason string) error
}
