package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"overnight/jobs"
)

const (
	keepEvery    = 5 * time.Second // looks after streams and consumers
	prepareFor   = 5 * time.Second // a server that has just started may not be ready
	longestPause = time.Second     // between two attempts
	worthLogging = 4               // attempts in vain
)

// prepare makes what is missing when the queue begins.
func (q *Queue) prepare(ctx context.Context) error {
	start := time.Now()
	for n := 0; ; n++ {
		err := q.ensure(ctx)
		silent := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
		if err == nil || !(silent || passing(err)) || time.Since(start) > prepareFor {
			return err
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// keep makes what is missing when a connection comes back, and now and then: who
// has no right to make it waits for that. It returns when the queue closes.
func (q *Queue) keep(status chan nats.Status) {
	defer q.nc.RemoveStatusListener(status)
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-q.open.Done():
			return
		case <-status:
			q.renew()
		case <-tick.C:
		}
		if q.o.TakeOnly || !q.nc.IsConnected() {
			continue
		}
		ctx, cancel := context.WithTimeout(q.open, keepEvery)
		err := q.ensure(ctx)
		cancel()
		if q.open.Err() == nil {
			q.note(err)
		}
	}
}

// note logs the beginning and the end of trouble, and nothing in between.
func (q *Queue) note(err error) {
	q.mu.Lock()
	was := q.trouble
	q.trouble = err != nil
	q.mu.Unlock()
	switch {
	case err != nil && !was:
		q.log.Warn("queue is missing or out of reach: waiting for it", zap.String("stream", q.names.jobs()), zap.Error(err))
	case err == nil && was:
		q.log.Info("queue is there again", zap.String("stream", q.names.jobs()))
	}
}

// renew makes every Take ask again, and every Publish look for its consumers.
func (q *Queue) renew() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.renewed)
	q.renewed = make(chan struct{})
	for engine := range q.engines {
		q.engines[engine] = false
	}
}

func (q *Queue) renewal() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.renewed
}

// tries are a call's attempts in vain.
type tries struct {
	n     int
	since time.Time       // the first
	seen  <-chan struct{} // Queue.renewed at the last
}

// repair makes what is missing after an attempt failed for cause, and waits for
// longer from one attempt to the next. It returns cause when patience is at an
// end: attempts before something was made anew don't count.
func (q *Queue) repair(ctx context.Context, t *tries, cause error) error {
	q.log.Debug("queue is being repaired", zap.Int("attempt", t.n), zap.Error(cause))
	err := q.ensure(ctx)
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if q.nc.IsClosed() {
		return jobs.ErrClosed
	}
	if q.o.TakeOnly && t.n >= worthLogging {
		q.note(cause)
	}
	if now := q.renewal(); err == nil && !q.o.TakeOnly && now != t.seen {
		*t = tries{seen: now}
		return nil
	}
	if t.n == 0 {
		t.since = time.Now()
	}
	t.n++
	if tried := time.Since(t.since); tried > q.o.Patience && !q.o.TakeOnly {
		return fmt.Errorf("tried for %v: %w", tried.Round(time.Millisecond), errors.Join(cause, err))
	}
	if pause(ctx, t.n) != nil {
		return ended(ctx)
	}
	return nil
}

// pause waits for longer the more attempts were in vain.
func pause(ctx context.Context, n int) error {
	wait := time.NewTimer(min(longestPause, 5*time.Millisecond<<min(n, 10)))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
