// Package natsqueue carries jobs over NATS JetStream. New makes a Queue of a
// connection to any server or cluster; Open starts a server of its own inside the
// process.
//
// Jobs are kept in one work-queue stream, on a subject for each engine version,
// which has a durable pull consumer of its own: workers never see jobs of other
// versions. A job is delivered again when its lease ends. Each has its ID as
// Nats-Msg-Id: one that is published again within Window is not added again.
// Streams and consumers may be deleted, and servers be lost, at any time: whoever
// notices makes them anew, and the jobs that were in them are lost to the queue.
//
// Messages that the codec refuses, and jobs that were delivered too often, are
// kept as dead letters, the last 1000 of them, and are not delivered again.
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

// Queue is a jobs.Queue on a NATS connection.
type Queue struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	o     Options
	names names
	log   *zap.Logger
	stop  func() error // ends what Open started

	making chan struct{}   // holds a token while streams and consumers are made
	open   context.Context // ends with Close
	end    context.CancelFunc
	calls  sync.WaitGroup
	keeper sync.WaitGroup

	lingering sync.WaitGroup // for requests that are still at the server

	mu      sync.Mutex
	closed  bool
	renewed chan struct{} // closed when pull requests may have been lost
	engines map[int]bool  // that have a consumer, as far as known; false: it may be gone
	had     bool          // the streams
	trouble bool          // that has been logged
}

var _ jobs.Queue = (*Queue)(nil)

// New returns a Queue on a connection, which stays the caller's: Close leaves it
// open. It makes what is missing on the server, unless o.TakeOnly is set.
func New(ctx context.Context, nc *nats.Conn, o Options) (*Queue, error) {
	o = o.withDefaults()
	n, err := namesOf(o.Namespace)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1<<20), jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		return nil, err
	}
	q := &Queue{
		nc: nc, js: js, o: o, names: n, log: o.Log,
		stop:    func() error { return nil },
		making:  make(chan struct{}, 1),
		renewed: make(chan struct{}),
		engines: map[int]bool{o.Engine: false},
	}
	q.open, q.end = context.WithCancel(context.Background())
	status := nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	if err := q.prepare(ctx); err != nil {
		q.end()
		nc.RemoveStatusListener(status)
		return nil, err
	}
	q.keeper.Go(func() { q.keep(status) })
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

// Pending returns how many jobs of the queue's engine version wait, and how many
// are taken or come back later.
func (q *Queue) Pending(ctx context.Context) (waiting, held int, err error) {
	stream, err := q.js.Stream(ctx, q.names.jobs())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, 0, nil
	}
	subject := q.names.subject(q.o.Engine)
	var info *jetstream.StreamInfo
	if err == nil {
		info, err = stream.Info(ctx, jetstream.WithSubjectFilter(subject))
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look at stream %s: %w", q.names.jobs(), err)
	}
	all := int(info.State.Subjects[subject])
	c, err := stream.Consumer(ctx, consumer(q.o.Engine))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return all, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look at consumer %s of %s: %w", consumer(q.o.Engine), q.names.jobs(), err)
	}
	held = c.CachedInfo().NumAckPending
	return max(0, all-held), held, nil
}

// DeleteStream deletes all jobs that the queue stores, as an operator or a broken
// server might; tests and failpoints use it.
func (q *Queue) DeleteStream(ctx context.Context) error {
	err := q.js.DeleteStream(ctx, q.names.jobs())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return err
}

// Close ends every Take and Publish with jobs.ErrClosed, waits for them, and
// closes what Open started.
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
	q.keeper.Wait()
	q.lingering.Wait()
	q.js.CleanupPublisher()
	// Acknowledgements may still stand in the buffer.
	_ = q.nc.FlushTimeout(time.Second)
	return q.stop()
}
