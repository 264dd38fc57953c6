package asynqqueue

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"go.uber.org/zap"

	"overnight/jobs"
)

// delivery is a job that was taken. What it says is done in the background and
// not waited for; Close waits. What comes after its end or after its lease has no
// effect.
type delivery struct {
	q     *Queue
	job   jobs.Job
	lease *time.Timer
	end   chan error // takes one: what asynq is told
	over  atomic.Bool
}

var _ jobs.Delivery = (*delivery)(nil)

var errOver = errors.New("the lease is over or the job has ended")

func (d *delivery) Job() jobs.Job { return d.job }

// Extend begins the lease anew.
func (d *delivery) Extend(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.over.Load() {
		return errOver
	}
	d.lease.Reset(d.q.o.Lease)
	return nil
}

func (d *delivery) Done(ctx context.Context) error { return d.say(ctx, nil) }

func (d *delivery) Return(ctx context.Context, after time.Duration) error {
	return d.say(ctx, back{after})
}

// Reject drops the job and keeps it as a dead letter.
func (d *delivery) Reject(ctx context.Context, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.finish(asynq.RevokeTask) {
		d.q.log.Debug("job rejected", zap.String("job", d.job.ID), zap.String("reason", reason))
		d.q.bury(ctx, d.letter(reason))
	}
	return nil
}

func (d *delivery) say(ctx context.Context, end error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.finish(end)
	return nil
}

// finish ends the delivery, unless it has ended.
func (d *delivery) finish(end error) bool {
	if d.over.Swap(true) {
		return false
	}
	d.end <- end
	return true
}
