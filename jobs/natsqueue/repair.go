package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"overnight/jobs"
)

// maxStored bounds the stream, in bytes: beyond it Publish fails, where a server
// out of memory would turn JetStream off.
const maxStored = 512 << 20

// ensure makes the stream and the consumer unless they are there.
func (q *Queue) ensure(ctx context.Context) error {
	select {
	case q.making <- struct{}{}:
		defer func() { <-q.making }()
	case <-ctx.Done():
		return ctx.Err()
	}
	made := false
	stream, err := q.js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		made = true
		stream, err = q.js.CreateStream(ctx, q.streamConfig())
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster
			stream, err = q.js.Stream(ctx, streamName)
		}
	}
	if err != nil {
		return fmt.Errorf("make stream %s: %w", streamName, err)
	}
	_, err = stream.Consumer(ctx, consumerName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		made = true
		_, err = stream.CreateConsumer(ctx, q.consumerConfig())
		if errors.Is(err, jetstream.ErrConsumerExists) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("make consumer %s of %s: %w", consumerName, streamName, err)
	}
	if made {
		q.log.Debug("stream or consumer made", zap.String("stream", streamName))
		q.renew()
	}
	return nil
}

func (q *Queue) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:       streamName,
		Subjects:   []string{subject},
		Retention:  jetstream.WorkQueuePolicy,
		Storage:    jetstream.MemoryStorage,
		Discard:    jetstream.DiscardNew,
		MaxBytes:   maxStored,
		MaxMsgSize: 4 * jobs.MaxJobBytes,
		Duplicates: Window,
		// An acknowledgement names a message by its sequence and nothing else. If a
		// new stream counted from 1 again, one that belongs to a deleted stream would
		// end a job of the new one.
		FirstSeq: 1 + rand.Uint64N(1<<52),
	}
}

func (q *Queue) consumerConfig() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       consumerName,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.lease,
		MaxDeliver:    -1, // deaths are counted by supervisors, not by deliveries
		MaxAckPending: -1,
		MaxWaiting:    4096, // pull requests
		MemoryStorage: true,
	}
}

// renew makes every Take ask again.
func (q *Queue) renew() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.renewed)
	q.renewed = make(chan struct{})
}

func (q *Queue) renewal() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.renewed
}

// attempts is how often a call tries in vain, in about 3 s, before it returns the
// cause.
const attempts = 10

// tries counts a call's vain attempts.
type tries struct {
	n    int
	seen <-chan struct{} // Queue.renewed at the last attempt
}

// repair makes what is missing after an attempt failed for cause, and waits for
// longer from one attempt to the next. It returns cause when there were enough:
// those after which something was made anew don't count.
func (q *Queue) repair(ctx context.Context, t *tries, cause error) error {
	q.log.Debug("queue is being repaired", zap.Int("attempt", t.n), zap.Error(cause))
	err := q.ensure(ctx)
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if now := q.renewal(); err == nil && now != t.seen {
		*t = tries{seen: now}
		return nil
	}
	if t.n++; t.n >= attempts {
		return errors.Join(cause, err)
	}
	wait := time.NewTimer(min(time.Second, 5*time.Millisecond<<t.n))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
