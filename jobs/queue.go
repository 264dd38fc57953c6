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
	ID         string // 1 to 100 visible ASCII characters; equal IDs are equal jobs, see Queue.Publish
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

// ErrClosed is returned by a Queue, and by its deliveries, after Close.
var ErrClosed = errors.New("queue is closed")

// Queue carries jobs. It is disposable: the plan and the results are the truth,
// so a queue may lose everything and deliver twice, but it must not make up or
// alter jobs.
type Queue interface {
	// Publish adds jobs, or none if one of them can't be encoded. One whose ID was
	// added within the last two minutes and has not ended is not added again; one
	// that has ended may be kept out too, so that a job that is issued again needs
	// a new ID (with its epoch in it). After any other error some of the jobs may
	// have been added, and publishing all of them again is right.
	Publish(ctx context.Context, jobs []Job) error
	// Take waits until there is at least one job and returns at most n. It returns
	// ctx's error when ctx ends first; then no job is held for this call. A message
	// that is no job is dropped, logged and skipped. Jobs come in no particular
	// order.
	Take(ctx context.Context, n int) ([]Delivery, error)
	// Close ends calls that wait with ErrClosed. Closing again does nothing.
	Close() error
}

// Delivery is a job that was taken. Exactly one of Done, Return and Reject ends
// it; a job that is neither ended nor extended within the queue's lease is
// delivered again. An error means that this may happen to it, and nothing worse:
// it is for the log. Queues don't fence: Done or Reject by a holder whose lease is
// over may end the job under its next holder, which does no harm, since what was
// done is committed and what is missing is issued again.
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
