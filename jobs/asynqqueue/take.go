package asynqqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"go.uber.org/zap"

	"overnight/jobs"
)

// gather is how long a Take that has a job waits for others that were fetched
// with it.
const gather = 100 * time.Millisecond

// Take returns at most n jobs of the queue's engine version. Errors of Redis that
// last for 3 s are returned.
func (q *Queue) Take(ctx context.Context, n int) ([]jobs.Delivery, error) {
	if n < 1 {
		return nil, fmt.Errorf("take %d jobs: at least 1 is possible", n)
	}
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := q.serve(); err != nil {
		return nil, err
	}
	t := q.join(n)
	select {
	case <-t.ready:
	case <-ctx.Done():
	}
	q.leave(t)
	if errors.Is(ended(ctx), jobs.ErrClosed) { // what t got is handed back by Close
		return nil, jobs.ErrClosed
	}
	taken := make([]jobs.Delivery, len(t.got))
	for i, d := range t.got {
		taken[i] = d
	}
	switch {
	case len(taken) > 0:
		return taken, nil
	case t.err != nil:
		return nil, fmt.Errorf("take jobs: %w", t.err)
	default:
		return nil, ended(ctx)
	}
}

// handle is what asynq's Server does with a task: it lasts until the delivery
// has ended, and its error tells asynq how.
func (q *Queue) handle(ctx context.Context, task *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	job, err := q.read(id, task)
	if err != nil {
		q.arrived(nil)
		q.log.Warn("message in the queue is no job", zap.String("task", id), zap.Error(err))
		q.bury(ctx, DeadLetter{ID: id, Reason: err.Error(), Payload: task.Payload()})
		return asynq.RevokeTask
	}
	d := &delivery{q: q, job: job, lease: time.NewTimer(q.o.Lease), end: make(chan error, 1)}
	defer d.lease.Stop()
	if !q.arrived(d) {
		return back{}
	}
	select {
	case err := <-d.end:
		return err
	case <-d.lease.C:
		err = back{}
	case <-q.closing:
		err = back{}
	case <-ctx.Done(): // asynq's own lease is over: it was cut off from Redis
		err = ctx.Err()
	}
	d.finish(err) // what the holder says from now on has no effect
	return <-d.end
}

// read opens a task's payload.
func (q *Queue) read(id string, task *asynq.Task) (jobs.Job, error) {
	j, err := q.o.Codec.Open(task.Payload())
	switch {
	case err != nil:
		return jobs.Job{}, err
	case j.ID != id:
		return jobs.Job{}, fmt.Errorf("task %q holds job %q", id, j.ID)
	case j.Engine != q.o.Engine:
		return jobs.Job{}, fmt.Errorf("job of engine %d in the queue of engine %d", j.Engine, q.o.Engine)
	}
	return j, nil
}

// back is why a task goes back: to be delivered again after a while. It is no
// failure.
type back struct{ after time.Duration }

func (back) Error() string { return "returned" }
