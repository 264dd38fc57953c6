// Package natsqueue carries jobs over NATS JetStream. Open starts a server of its
// own inside the process; the Queue it returns knows only its connection.
//
// Jobs are kept in memory, in one work-queue stream with one durable pull
// consumer, and are delivered again when their lease ends. Each has its ID as
// Nats-Msg-Id: one that is published again within Window is not added again.
// Stream and consumer may be deleted at any time: whoever notices makes them
// anew, and the jobs that were in them are lost to the queue.
package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"overnight/jobs"
)

// Window is how long a job's ID keeps an equal one out, counted from when it was
// added.
const Window = 2 * time.Minute

// Names that stream, subject and consumer have on every server.
const (
	streamName   = "OVERNIGHT_JOBS"
	subject      = "overnight.jobs"
	consumerName = "workers"
)

// maxStored bounds the stream, in bytes: beyond it Publish fails, where a server
// out of memory would turn JetStream off.
const maxStored = 512 << 20

// Options configure a Queue.
type Options struct {
	// Lease is how long a delivery is held without Extend before the job is
	// delivered again. Defaults to 30 s.
	Lease time.Duration
	// Log receives what the queue skips, rejects and repairs, and at debug level
	// what the server logs. Defaults to dropping it.
	Log *zap.Logger
	// Dir is a folder for the server's housekeeping, made if missing; no job is
	// written there. Defaults to a new temporary folder that Close removes.
	Dir string
}

func (o Options) withDefaults() Options {
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}

// Queue is a jobs.Queue on a NATS connection.
type Queue struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	lease time.Duration
	log   *zap.Logger
	stop  func() error // ends what stands behind the connection

	making chan struct{}   // holds a token while stream and consumer are made
	open   context.Context // ends with Close
	end    context.CancelFunc
	calls  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	renewed chan struct{} // closed when pull requests may have been lost
}

var _ jobs.Queue = (*Queue)(nil)

// newQueue returns a Queue on nc, whose stream and consumer it makes if they are
// missing. The Queue closes nc, and then calls stop.
func newQueue(ctx context.Context, nc *nats.Conn, o Options, stop func() error) (*Queue, error) {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1<<20), jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		return nil, err
	}
	q := &Queue{
		nc: nc, js: js, lease: o.Lease, log: o.Log, stop: stop,
		making:  make(chan struct{}, 1),
		renewed: make(chan struct{}),
	}
	q.open, q.end = context.WithCancel(context.Background())
	nc.SetReconnectHandler(func(*nats.Conn) { q.renew() })
	if err := q.ensure(ctx); err != nil {
		q.end()
		return nil, err
	}
	return q, nil
}

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

// begin opens a call that Close waits for, until the caller calls end. The
// context it returns also ends when the queue closes.
func (q *Queue) begin(ctx context.Context) (_ context.Context, end func(), _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, jobs.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	q.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(q.open, func() { cancel(jobs.ErrClosed) })
	return ctx, func() {
		release()
		cancel(nil)
		q.calls.Done()
	}, nil
}

// ended returns why a context from begin has ended.
func ended(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), jobs.ErrClosed) {
		return jobs.ErrClosed
	}
	return ctx.Err()
}

// Pending returns how many jobs wait, and how many are taken or come back later.
func (q *Queue) Pending(ctx context.Context) (waiting, held int, err error) {
	stream, err := q.js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look at stream %s: %w", streamName, err)
	}
	all := int(stream.CachedInfo().State.Msgs)
	consumer, err := stream.Consumer(ctx, consumerName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return all, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look at consumer %s: %w", consumerName, err)
	}
	held = consumer.CachedInfo().NumAckPending
	return max(0, all-held), held, nil
}

// DeleteStream deletes all that the queue stores, as an operator or a broken
// server might; tests and failpoints use it.
func (q *Queue) DeleteStream(ctx context.Context) error {
	err := q.js.DeleteStream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return err
}

// Close ends every Take and Publish with jobs.ErrClosed, waits for them, and
// closes the connection and what Open started.
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	q.mu.Unlock()

	q.end()
	q.calls.Wait()
	q.js.CleanupPublisher()
	// Acknowledgements may still stand in the buffer.
	_ = q.nc.FlushTimeout(time.Second)
	q.nc.Close()
	return q.stop()
}
