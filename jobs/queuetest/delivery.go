package queuetest

import (
	"context"
	"time"

	"overnight/jobs"
)

// delivery is a job taken from a Memory. What comes after its end or after its
// lease has no effect.
type delivery struct {
	m   *Memory
	e   *entry // guarded by m.mu
	job jobs.Job
}

var _ jobs.Delivery = (*delivery)(nil)

func (d *delivery) Job() jobs.Job { return d.job }

// Extend begins the lease anew.
func (d *delivery) Extend(ctx context.Context) error {
	return d.end(ctx, func() { d.e = d.m.hold(d.e.msg, d.m.lease) })
}

func (d *delivery) Done(ctx context.Context) error {
	return d.end(ctx, func() {})
}

func (d *delivery) Return(ctx context.Context, after time.Duration) error {
	return d.end(ctx, func() { d.m.hold(d.e.msg, after) })
}

func (d *delivery) Reject(ctx context.Context, _ string) error {
	return d.end(ctx, func() {})
}

// end gives up the hold on the message, if there still is one, and then does
// what comes instead.
func (d *delivery) end(ctx context.Context, instead func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.m.closed {
		return jobs.ErrClosed
	}
	if _, ok := d.m.held[d.e]; !ok {
		return nil
	}
	d.e.timer.Stop()
	delete(d.m.held, d.e)
	instead()
	return nil
}
