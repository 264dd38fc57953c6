package redisstore

import (
	"context"
	"sync"
	"time"
)

// Bounds of what is sent together.
const (
	maxFlights    = 4 // at once for one study: they overlap the way to the server and back
	flightRecords = 2 * scriptRecords
	flightTime    = time.Minute
)

// combiner gathers concurrent commits: while some are on their way, others of
// the same study and generation wait to go together.
type combiner struct {
	s *Store

	mu     sync.Mutex
	queues map[queueKey]*queue
	closed bool
	wg     sync.WaitGroup
}

type queueKey struct {
	study      string
	generation uint32
}

type queue struct {
	tasks   []*task
	flights int
}

func (c *combiner) init(s *Store) { c.s, c.queues = s, make(map[queueKey]*queue) }

// close waits for what is under way, and refuses what comes later.
func (c *combiner) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wg.Wait()
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
	}
}

// fly commits what waits, until nothing does.
func (c *combiner) fly(ctx context.Context, key queueKey, q *queue) {
	for {
		tasks := c.take(key, q)
		if len(tasks) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, flightTime)
		c.s.commitTogether(ctx, tasks)
		cancel()
		for _, t := range tasks {
			close(t.done)
		}
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
