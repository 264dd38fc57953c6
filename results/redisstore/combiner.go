package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Bounds of what is sent together.
const (
	maxFlights    = 4 // at once for one study: they overlap the way to the server and back
	flightRecords = 2 * scriptRecords
	flightTime    = time.Minute
	closeTime     = 5 * time.Second // how long Close waits for those under way
)

// combiner gathers concurrent commits: while some are on their way, others of
// the same study and generation wait to go together.
type combiner struct {
	s *Store

	mu     sync.Mutex
	queues map[queueKey]*queue
	closed bool
	wg     sync.WaitGroup
	gone   chan struct{} // closed when Close waits no longer
}

type queueKey struct {
	study      string
	generation uint32
}

type queue struct {
	tasks   []*task
	flights int
}

func (c *combiner) init(s *Store) {
	c.s, c.queues, c.gone = s, make(map[queueKey]*queue), make(chan struct{})
}

// close waits for what is under way, and refuses what comes later. A server that
// says nothing is not waited for longer than closeTime: then calls of do return
// ErrClosed, and what is under way ends with the client.
func (c *combiner) close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	landed := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(landed)
	}()
	most := time.NewTimer(closeTime)
	defer most.Stop()
	select {
	case <-landed:
		return nil
	case <-c.gone:
	case <-most.C:
	}
	if !again {
		close(c.gone)
	}
	return fmt.Errorf("close the store: commits have had no answer for %v; what was not answered is not counted as done", closeTime)
}

// do commits a task. Where ctx ends meanwhile, it may be committed all the same.
func (c *combiner) do(ctx context.Context, t *task) error {
	key := queueKey{t.study, t.generation}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	q := c.queues[key]
	if q == nil {
		q = &queue{}
		c.queues[key] = q
	}
	q.tasks = append(q.tasks, t)
	if q.flights < maxFlights {
		q.flights++
		c.wg.Go(func() { c.fly(context.WithoutCancel(ctx), key, q) })
	}
	c.mu.Unlock()
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone:
		return ErrClosed
	}
}

// fly commits what waits, until nothing does.
func (c *combiner) fly(ctx context.Context, key queueKey, q *queue) {
	for {
		tasks := c.take(key, q)
		if len(tasks) == 0 {
			return
		}
		if c.left() {
			for _, t := range tasks {
				t.err = ErrClosed
				close(t.done)
			}
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, flightTime)
		c.s.commitTogether(ctx, tasks)
		cancel()
		for _, t := range tasks {
			close(t.done)
		}
	}
}

// left tells that Close has ceased to wait.
func (c *combiner) left() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// take returns tasks that go together; none ends the flight.
func (c *combiner) take(key queueKey, q *queue) []*task {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, records := 0, 0
	for n < len(q.tasks) && (n == 0 || records+len(q.tasks[n].records) <= flightRecords) {
		records += len(q.tasks[n].records)
		n++
	}
	tasks := q.tasks[:n:n]
	q.tasks = q.tasks[n:]
	if n == 0 {
		if q.flights--; q.flights == 0 && c.queues[key] == q {
			delete(c.queues, key)
		}
	}
	return tasks
}
