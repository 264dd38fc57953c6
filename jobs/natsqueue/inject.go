package natsqueue

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
)

// Inject puts a message into the queue as it is, for tests and chaos.
func (q *Queue) Inject(ctx context.Context, msg []byte) error {
	if _, err := q.js.PublishMsg(ctx, &nats.Msg{Subject: q.names.subject(q.o.Engine), Data: msg}); err != nil {
		return fmt.Errorf("inject %d bytes: %w", len(msg), err)
	}
	return nil
}

// DeleteAll is DeleteStream.
func (q *Queue) DeleteAll(ctx context.Context) error { return q.DeleteStream(ctx) }
