package asynqqueue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"overnight/jobs"
)

// window is how many jobs are on their way at once: asynq adds one a call, and
// pipe sends the calls of several goroutines together.
const window = 256

// Publish adds jobs that are neither waiting nor held, each to the queue of its
// engine version, and returns when Redis has all of them. An error that lasts for
// 3 s is returned, and at once that Redis is full or takes no writes
// (redis.IsOOMError, redis.IsReadOnlyError).
func (q *Queue) Publish(ctx context.Context, add []jobs.Job) error {
	sealed := make([][]byte, len(add))
	for i, j := range add {
		var err error
		if sealed[i], err = q.o.Codec.Seal(j); err != nil {
			return err
		}
	}
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	var next atomic.Int64
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range min(window, len(add)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(add) {
					return
				}
				if err := q.publish(ctx, &add[i], sealed[i]); err != nil {
					cancel(fmt.Errorf("publish %d jobs: %w", len(add), err))
				}
			}
		})
	}
	wg.Wait()
	if len(add) > 0 {
		q.nudge()
	}
	return context.Cause(ctx)
}

// publish adds a job, and tries again after errors that may pass.
func (q *Queue) publish(ctx context.Context, j *jobs.Job, sealed []byte) error {
	start, pause := time.Now(), 5*time.Millisecond
	for {
		err := q.enqueue(ctx, j, sealed)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx)
		}
		if redis.IsOOMError(err) || redis.IsReadOnlyError(err) || redis.IsPermissionError(err) || time.Since(start) >= patience {
			return err
		}
		q.log.Debug("job is published again", zap.String("job", j.ID), zap.Error(err))
		t := time.NewTimer(jitter(pause))
		select {
		case <-t.C:
			pause = min(2*pause, 500*time.Millisecond)
		case <-ctx.Done():
			t.Stop()
			return ended(ctx)
		}
	}
}

// enqueue makes one attempt. That the ID is there already is as good.
func (q *Queue) enqueue(ctx context.Context, j *jobs.Job, sealed []byte) error {
	var cause error
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, causeKey{}, &cause), 2*answer)
	defer cancel()
	_, err := q.client.EnqueueContext(ctx, asynq.NewTask(taskType, sealed),
		asynq.Queue(queueName(q.o.Namespace, j.Engine)), asynq.TaskID(j.ID), asynq.MaxRetry(retries), asynq.Timeout(longest))
	if err == nil || errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	if cause != nil {
		return cause
	}
	return err
}
