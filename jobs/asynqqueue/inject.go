package asynqqueue

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
)

// Inject puts a message into the queue as it is, for tests and chaos.
func (q *Queue) Inject(ctx context.Context, msg []byte) error {
	_, err := q.client.EnqueueContext(ctx, asynq.NewTask(taskType, msg), asynq.Queue(q.name), asynq.MaxRetry(retries), asynq.Timeout(longest))
	if err != nil {
		return fmt.Errorf("inject %d bytes: %w", len(msg), err)
	}
	return nil
}
