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
	// Acknowledgements may still stand in the buffer.
	_ = q.nc.FlushTimeout(time.Second)
	q.nc.Close()
	return q.stop()
}
