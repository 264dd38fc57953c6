package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"overnight/results/storetest"
)

// Errors of a client's connections.
var (
	errKilled = errors.New("the process was killed")
	errFault  = errors.New("connection reset")
)

// link is what stands between a process and the store and the queue: killing and
// stopping a process happens here.
type link struct {
	w    *world
	name string
	dead chan struct{} // closed when it is killed

	mu     sync.Mutex
	killed bool
	paused chan struct{} // closed when it goes on; nil while it runs
}

func newLink(w *world, name string) *link {
	return &link{w: w, name: name, dead: make(chan struct{})}
}

// kill makes everything fail that the process does from now on.
func (l *link) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.killed {
		l.killed = true
		close(l.dead)
	}
}

// pause blocks what the process does until resume, as SIGSTOP would.
func (l *link) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused == nil {
		l.paused = make(chan struct{})
	}
}

func (l *link) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused != nil {
		close(l.paused)
		l.paused = nil
	}
}

func (l *link) isKilled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.killed
}

// pass waits while the process is stopped, and fails once it is killed.
func (l *link) pass() error {
	for {
		l.mu.Lock()
		killed, paused := l.killed, l.paused
		l.mu.Unlock()
		if killed {
			return errKilled
		}
		if paused == nil {
			return nil
		}
		select {
		case <-paused:
		case <-l.dead:
		}
	}
}

// store returns the process's handle of the store.
func (l *link) store() *storetest.Memory {
	return l.w.store.With(storetest.Hooks{
		Before: func(ctx context.Context, op, study string) error {
			if err := l.pass(); err != nil {
				return err
			}
			if op == "Update" {
				l.w.late(study)
			}
			if err := l.w.disturb(ctx, l, slowStore); err != nil {
				return err
			}
			return l.w.disturb(ctx, l, storeErrors)
		},
		After: func(ctx context.Context, _, _ string) error {
			if err := l.pass(); err != nil {
				return err
			}
			return l.w.disturb(ctx, l, lostAnswers)
		},
	})
}

// window is a fault that lasts: while it does, it strikes with a probability.
type window struct {
	kind   kind
	of     *link // nil: everybody
	p      float64
	most   time.Duration // of delays
	random *rand.Rand
}

// open begins a window and returns what ends it.
func (w *world) open(win *window) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.windows = append(w.windows, win)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, other := range w.windows {
			if other == win {
				w.windows = append(w.windows[:i:i], w.windows[i+1:]...)
				return
			}
		}
	}
}

// strikes tells whether a window of this kind strikes now, and with what delay.
func (w *world) strikes(l *link, k kind) (delay time.Duration, hit bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, win := range w.windows {
		if win.kind == k && (win.of == nil || win.of == l) && win.random.Float64() < win.p {
			hit = true
			if win.most > 0 {
				delay += time.Duration(win.random.Int64N(int64(win.most)))
			}
		}
	}
	return delay, hit
}

// disturb waits or fails where a window of this kind strikes.
func (w *world) disturb(ctx context.Context, l *link, k kind) error {
	delay, hit := w.strikes(l, k)
	if !hit {
		return nil
	}
	if delay == 0 {
		return errFault
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.dead:
		return errKilled
	}
}
