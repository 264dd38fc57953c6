package sqlitestore

import (
	"context"
	"runtime"
	"sync"

	"overnight/results/sqlitestore/internal/engine"
)

// maxGroup is how many records a transaction takes before the calls behind them
// wait for the next one.
const maxGroup = 16384

// writer owns the connection that writes. One goroutine runs everything that
// changes the database, in the order it was asked for, commits in groups.
type writer struct {
	store *Store
	conn  *engine.Conn
	wake  chan struct{} // holds one token while there may be work
	ended chan struct{}

	mu     sync.Mutex
	queue  []*task
	closed bool
}

// task is a commit, or a change that has a transaction to itself, or something
// that runs outside of transactions.
type task struct {
	commit  *commit
	change  func(*engine.Conn) error
	outside func(*engine.Conn) error
	taken   bool // by the goroutine; guarded by writer.mu
	err     error
	done    chan struct{}
}

func newWriter(s *Store, c *engine.Conn) *writer {
	w := &writer{store: s, conn: c, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// do runs t and waits for it. When ctx ends first, t is dropped if it still
// waits; what has begun is waited for, since it is through in a moment and uses
// what the caller owns.
func (w *writer) do(ctx context.Context, t *task) error {
	if w == nil {
		return ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t.done = make(chan struct{})
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.queue = append(w.queue, t)
	w.mu.Unlock()
	w.signal()
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
	}
	if w.drop(t) {
		return ctx.Err()
	}
	<-t.done
	return t.err
}

// change runs fn in a transaction of its own.
func (s *Store) change(ctx context.Context, fn func(*engine.Conn) error) error {
	return s.writer.do(ctx, &task{change: fn})
}

// outside runs fn on the writing connection without a transaction.
func (s *Store) outside(ctx context.Context, fn func(*engine.Conn) error) error {
	return s.writer.do(ctx, &task{outside: fn})
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// drop removes t from the queue and tells whether it was still there.
func (w *writer) drop(t *task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.taken {
		return false
	}
	for i, queued := range w.queue {
		if queued == t {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			break
		}
	}
	return true
}

// next takes the next change, or all the commits before it that fit in a group.
func (w *writer) next(group []*task) (_ []*task, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	records := 0
	for len(w.queue) > 0 {
		t := w.queue[0]
		if len(group) > 0 && (t.commit == nil || records+len(t.commit.records) > maxGroup) {
			break
		}
		t.taken = true
		group = append(group, t)
		w.queue[0] = nil
		w.queue = w.queue[1:]
		if t.commit == nil {
			break
		}
		records += len(t.commit.records)
	}
	return group, w.closed
}

func (w *writer) run() {
	defer close(w.ended)
	var group []*task
	for {
		var closed bool
		group, closed = w.next(group[:0])
		if len(group) == 0 {
			if closed {
				return
			}
			<-w.wake
			continue
		}
		w.conn.Trim()
		switch first := group[0]; {
		case first.commit != nil:
			w.store.commitGroup(w.conn, group)
		case first.change != nil:
			first.err = w.store.transact(w.conn, first.change)
		default:
			first.err = first.outside(w.conn)
		}
		for _, t := range group {
			close(t.done)
		}
		clear(group)
		runtime.Gosched() // lets those who waited ask again, so that they share the next sync
	}
}

// close ends the goroutine when the queue is empty and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.ended
	if again {
		return nil
	}
	return w.store.failure("close the store", w.conn.Close())
}
