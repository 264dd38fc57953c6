// Package queuetest is the suite that every jobs.Queue passes, and the queue to
// read first. Run holds the suite, NewMemory is the reference: a queue in memory
// with nothing but what jobs.Queue promises.
//
// Memory takes its time from package time and starts no goroutine, so that it
// also runs in a testing/synctest bubble; simulations use it too.
package queuetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"overnight/jobs"
)

// Window is how long Memory remembers the ID of a job that was added.
const Window = 2 * time.Minute

// Memory is a jobs.Queue in memory.
type Memory struct {
	lease time.Duration

	mu     sync.Mutex
	closed bool
	wake   chan struct{}          // closed when waiting or closed changes
	wait   [][]byte               // encoded, oldest first
	held   map[*entry]struct{}    // taken or coming back later
	added  map[string]*time.Timer // IDs that are not added again, and what forgets them
}

var _ jobs.Queue = (*Memory)(nil)

// entry is a message on its way: its timer puts it back.
type entry struct {
	msg   []byte
	timer *time.Timer
}

// NewMemory returns an empty queue that delivers a job again when it was neither
// ended nor extended for the time of lease.
func NewMemory(lease time.Duration) *Memory {
	return &Memory{
		lease: lease,
		wake:  make(chan struct{}),
		held:  map[*entry]struct{}{},
		added: map[string]*time.Timer{},
	}
}

// Publish adds jobs whose IDs were not added within Window.
func (m *Memory) Publish(ctx context.Context, add []jobs.Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	msgs := make([][]byte, len(add))
	for i, j := range add {
		var err error
		if msgs[i], err = j.Encode(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return jobs.ErrClosed
	}
	for i, j := range add {
		if m.added[j.ID] != nil {
			continue
		}
		id := j.ID
		m.added[id] = time.AfterFunc(Window, func() { m.forget(id) })
		m.wait = append(m.wait, msgs[i])
	}
	m.signal()
	return nil
}

// Take returns at most n jobs as soon as there is one.
func (m *Memory) Take(ctx context.Context, n int) ([]jobs.Delivery, error) {
	if n < 1 {
		return nil, fmt.Errorf("take %d jobs: at least 1 is possible", n)
	}
	for {
		taken, wake, err := m.take(n)
		if len(taken) > 0 || err != nil {
			return taken, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (m *Memory) take(n int) ([]jobs.Delivery, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil, jobs.ErrClosed
	}
	var taken []jobs.Delivery
	for len(m.wait) > 0 && len(taken) < n {
		msg := m.wait[0]
		m.wait = m.wait[1:]
		j, err := jobs.DecodeJob(msg)
		if err != nil {
			continue
		}
		taken = append(taken, &delivery{m: m, e: m.hold(msg, m.lease), job: j})
	}
	return taken, m.wake, nil
}

// hold keeps msg back for d. The caller holds the lock.
func (m *Memory) hold(msg []byte, d time.Duration) *entry {
	e := &entry{msg: msg}
	e.timer = time.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.putBack(e)
	})
	m.held[e] = struct{}{}
	return e
}

// putBack makes a held message wait again. The caller holds the lock.
func (m *Memory) putBack(e *entry) {
	if _, ok := m.held[e]; !ok {
		return
	}
	delete(m.held, e)
	m.wait = append(m.wait, e.msg)
	m.signal()
}

// signal wakes everyone in Take. The caller holds the lock.
func (m *Memory) signal() {
	close(m.wake)
	m.wake = make(chan struct{})
}

func (m *Memory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.added, id)
}

// Inject adds a message as it is: tests put in what is no job.
func (m *Memory) Inject(msg []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wait = append(m.wait, msg)
	m.signal()
}

// Wreck loses all that the queue holds and remembers.
func (m *Memory) Wreck() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop()
}

// Pending returns how many jobs wait, and how many are taken or come back later.
func (m *Memory) Pending() (waiting, held int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.wait), len(m.held)
}

// Close ends every Take with jobs.ErrClosed and forgets all jobs.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		m.drop()
		m.signal()
	}
	return nil
}

// drop forgets everything and stops the timers. The caller holds the lock.
func (m *Memory) drop() {
	for e := range m.held {
		e.timer.Stop()
	}
	for _, t := range m.added {
		t.Stop()
	}
	clear(m.held)
	clear(m.added)
	m.wait = nil
}
