// Package asynqqueue carries jobs over Redis with asynq. Start with New; Queue is
// a jobs.Queue, and keys.go tells what it stores.
//
// Jobs are asynq's tasks, with the job's ID as the task's: one that is published
// again while it waits or is held is not added again, after its end it may be.
// Each engine version has an asynq queue of its own, so that a worker never meets
// jobs of another. asynq's Server runs from the first Take on, and takes a task
// from Redis only when a Take waits for it (gate.go); its handler lasts until the
// delivery is ended.
//
// A delivery that is neither ended nor extended within Options.Lease goes back
// while its process lives. The jobs of a process that died come back when asynq's
// own lease has ended and one of the other workers looks for such: after 60 to
// 120 s, a backstop. asynq compares the clocks of machines for it. Nothing waits
// for that: whoever issues jobs sees from the workers' beats what was lost, and
// issues it again under new IDs.
package asynqqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"overnight/jobs"
)

// Options configure a Queue.
type Options struct {
	// Codec seals and opens jobs. Defaults to jobs.Plain.
	Codec jobs.Codec
	// Engine is the engine version whose jobs Take takes; Publish goes by the jobs'
	// own. Defaults to jobs.EngineVersion.
	Engine int
	// Namespace tells apart several queues on one server: letters, digits, '-' and
	// '_'. Defaults to "overnight".
	Namespace string
	// Lease is how long a delivery is held without Extend before the job is
	// delivered again. Defaults to 30 s.
	Lease time.Duration
	// CheckInterval is how long at most a waiting Take leaves an empty queue
	// unasked: each process asks so often, while it has a Take that waits. Defaults
	// to 50 ms.
	CheckInterval time.Duration
	// Log receives what the queue skips, rejects and repairs, and at debug level
	// what asynq logs. Defaults to dropping it.
	Log *zap.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Codec == nil {
		o.Codec = jobs.Plain{}
	}
	if o.Engine == 0 {
		o.Engine = jobs.EngineVersion
	}
	if o.Namespace == "" {
		o.Namespace = "overnight"
	}
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.CheckInterval <= 0 {
		o.CheckInterval = 50 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if strings.Trim(o.Namespace, letters) != "" || len(o.Namespace) > 100 {
		return o, fmt.Errorf("queue namespace %q: write at most 100 letters, digits, '-' and '_'", o.Namespace)
	}
	if o.Engine < 1 {
		return o, fmt.Errorf("queue of engine version %d: versions begin with 1", o.Engine)
	}
	return o, nil
}

// Queue is a jobs.Queue on a Redis client.
type Queue struct {
	o      Options
	rdb    redis.UniversalClient
	pipe   *pipe
	client *asynq.Client
	name   string // of the asynq queue that Take takes from
	log    *zap.Logger

	open  context.Context // ends with Close
	end   context.CancelFunc
	calls sync.WaitGroup // of Publish and Take, and the sweeper

	mu     sync.Mutex
	closed bool
	server *asynq.Server // nil before the first Take
	*hall
}

var _ jobs.Queue = (*Queue)(nil)

// New returns a Queue on rdb, which must answer. The caller closes rdb, after the
// Queue.
func New(ctx context.Context, rdb redis.UniversalClient, o Options) (*Queue, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := rdb.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("open the queue: reach Redis: %w", err)
	}
	q := &Queue{o: o, rdb: rdb, name: queueName(o.Namespace, o.Engine), log: o.Log, hall: newHall()}
	q.open, q.end = context.WithCancel(context.Background())
	q.pipe = newPipe(rdb)
	q.client = asynq.NewClientFromRedisClient(q.pipe)
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

// shutFor is how long Close lets asynq hand back what it holds, before it cuts
// it off from Redis.
const shutFor = 5 * time.Second

// Close ends calls that wait with jobs.ErrClosed, and hands back what is held.
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	server := q.server
	q.mu.Unlock()
	cut := time.AfterFunc(shutFor, q.pipe.cut)
	defer cut.Stop()
	q.shut()
	q.end()
	if server != nil {
		q.drained(shutFor)
		server.Shutdown()
	}
	q.calls.Wait()
	q.pipe.cut()
	return nil
}
