package asynqqueue

import (
	"slices"
	"sync"
	"time"
)

// hall is where calls of Take wait for tasks, and tasks for calls of Take.
type hall struct {
	hm      sync.Mutex
	over    bool
	takers  []*taker // those that wait, first come first
	stash   []string // tasks that were fetched and that asynq has not got yet
	coming  int      // tasks that were fetched and that no taker has got yet
	busy    bool     // a fetch is under way
	changed chan struct{}
	closing chan struct{} // closed by shut
}

// taker is a call of Take.
type taker struct {
	room  int // for so many more
	since time.Time
	got   []*delivery
	err   error
	ready chan struct{} // closed when it has waited enough
	limit *time.Timer   // ends the wait for more after the first
}

func newHall() *hall {
	return &hall{changed: make(chan struct{}), closing: make(chan struct{})}
}

// change wakes the gate. The caller holds the lock.
func (h *hall) change() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// nudge makes the gate ask now.
func (h *hall) nudge() {
	h.hm.Lock()
	defer h.hm.Unlock()
	h.change()
}

// join lets a taker wait.
func (h *hall) join(n int) *taker {
	h.hm.Lock()
	defer h.hm.Unlock()
	t := &taker{room: n, since: time.Now(), ready: make(chan struct{})}
	h.takers = append(h.takers, t)
	h.change()
	return t
}

// leave ends a taker's wait. What it got is in t.got from then on.
func (h *hall) leave(t *taker) {
	h.hm.Lock()
	defer h.hm.Unlock()
	h.release(t)
}

// release ends a taker's wait, unless it has ended. The caller holds the lock.
func (h *hall) release(t *taker) {
	if i := slices.Index(h.takers, t); i >= 0 {
		h.takers = slices.Delete(h.takers, i, i+1)
		if t.limit != nil {
			t.limit.Stop()
		}
		close(t.ready)
	}
}

// arrived gives a task that was fetched to who has waited longest. It tells
// whether anybody has. d is nil for a task that is no job.
func (h *hall) arrived(d *delivery) bool {
	h.hm.Lock()
	defer h.hm.Unlock()
	h.coming--
	given := false
	if d != nil && len(h.takers) > 0 {
		t := h.takers[0]
		t.got = append(t.got, d)
		given = true
		if len(t.got) == 1 {
			t.limit = time.AfterFunc(gather, func() { h.leave(t) })
		}
		if t.room--; t.room == 0 {
			h.release(t)
		}
	}
	if h.coming == 0 { // those that got something need not wait for more
		for _, t := range slices.Clone(h.takers) {
			if len(t.got) > 0 {
				h.release(t)
			}
		}
		h.change()
	}
	return given
}

// wanted returns a task that was fetched, or waits until takers have room for
// want more than are coming. open is false when there will be none.
func (h *hall) wanted() (msg string, want int, open bool) {
	for {
		h.hm.Lock()
		if len(h.stash) > 0 {
			msg, h.stash = h.stash[0], h.stash[1:]
			h.hm.Unlock()
			return msg, 0, true
		}
		want = -h.coming
		for _, t := range h.takers {
			want += t.room
		}
		if h.over {
			h.hm.Unlock()
			return "", 0, false
		}
		if want > 0 {
			h.busy = true
			h.hm.Unlock()
			return "", want, true
		}
		changed := h.changed
		h.hm.Unlock()
		select {
		case <-changed:
		case <-h.closing:
		}
	}
}

// fetched takes in the tasks that a fetch brought.
func (h *hall) fetched(msgs []string) {
	h.hm.Lock()
	defer h.hm.Unlock()
	h.busy = false
	h.stash = msgs
	h.coming += len(msgs)
}

// fail gives err to those that have waited for patience since the errors began.
func (h *hall) fail(since time.Time, err error) {
	h.hm.Lock()
	defer h.hm.Unlock()
	for _, t := range slices.Clone(h.takers) {
		if from := later(since, t.since); time.Since(from) >= patience {
			t.err = err
			h.release(t)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rest waits for about d, or until something has changed.
func (h *hall) rest(d time.Duration) {
	h.hm.Lock()
	changed := h.changed
	h.hm.Unlock()
	t := time.NewTimer(jitter(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	case <-h.closing:
	}
}

// shut lets nothing more be fetched.
func (h *hall) shut() {
	h.hm.Lock()
	defer h.hm.Unlock()
	h.over = true
	close(h.closing)
}

// drained waits until asynq has got everything that was fetched.
func (h *hall) drained(within time.Duration) {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(time.Millisecond) {
		h.hm.Lock()
		empty := len(h.stash) == 0 && !h.busy
		h.hm.Unlock()
		if empty {
			return
		}
	}
}
