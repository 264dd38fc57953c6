package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"overnight/results"
)

// Memory is a results.Store in memory, with nothing but what the roles promise,
// and with faults: the store for simulations, and the one to read first. It takes
// its time from its clock and starts no goroutine, so that it also runs in a
// testing/synctest bubble.
//
// A Memory is a client's handle. Those that With makes share everything and have
// hooks of their own.
type Memory struct {
	*server
	hooks Hooks
}

// Hooks are called at each operation, with the name of its method ("Commit") and
// the study that it is about, or "". Both may wait, in which nobody else is
// hindered. Nil ones are not called.
type Hooks struct {
	// Before may refuse the operation: it has no effect and returns the error.
	Before func(ctx context.Context, op, study string) error
	// After is called when the operation has had its effect. Its error is returned
	// in place of the answer: an acknowledgement that was lost.
	After func(ctx context.Context, op, study string) error
}

// server is what all handles share.
type server struct {
	clock func() time.Time

	mu        sync.Mutex
	state     *state
	followers []*follower
}

var (
	_ results.Store       = (*Memory)(nil)
	_ results.Follower    = (*Memory)(nil)
	_ results.Leaderboard = (*Memory)(nil)
)

// NewMemory returns an empty store that knows the time from clock; nil is
// time.Now.
func NewMemory(clock func() time.Time) *Memory {
	if clock == nil {
		clock = time.Now
	}
	return &Memory{server: &server{clock: clock, state: newState()}}
}

// With returns a handle to the same store with other hooks.
func (m *Memory) With(h Hooks) *Memory { return &Memory{server: m.server, hooks: h} }

// Snapshot is all that a store kept at one moment.
type Snapshot struct{ state *state }

// Snapshot returns what the store keeps now.
func (m *Memory) Snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Snapshot{m.state.clone()}
}

// Rewind takes the store back to a snapshot: a failover to a replica that was
// behind, or a restored backup. What was acknowledged since is lost, the numbers
// of orders among it.
func (m *Memory) Rewind(s Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = s.state.clone()
}

// Close implements results.Store. There is nothing to close.
func (m *Memory) Close() error { return nil }

// do runs an operation under the lock, between the hooks.
func (m *Memory) do(ctx context.Context, op, study string, fn func(*state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.hooks.Before != nil {
		if err := m.hooks.Before(ctx, op, study); err != nil {
			return err
		}
	}
	m.mu.Lock()
	err := fn(m.state)
	m.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, study, err)
	}
	if m.hooks.After != nil {
		return m.hooks.After(ctx, op, study)
	}
	return nil
}

// on is do for a study that must be there.
func (m *Memory) on(ctx context.Context, op, study string, fn func(*kept) error) error {
	return m.do(ctx, op, study, func(s *state) error {
		k, err := s.study(study)
		if err != nil {
			return err
		}
		return fn(k)
	})
}

// follower is a call of Follow.
type follower struct {
	study string
	ch    chan []results.Record
}

// followBuffer is how many commits a follower may be behind before it misses one.
const followBuffer = 64

// Follow implements results.Follower. It goes on over a Rewind.
func (m *Memory) Follow(ctx context.Context, study string, fn func([]results.Record)) error {
	f := &follower{study: study, ch: make(chan []results.Record, followBuffer)}
	err := m.do(ctx, "Follow", study, func(s *state) error {
		if _, err := s.study(study); err != nil {
			return err
		}
		m.followers = append(m.followers, f)
		return nil
	})
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.followers = slices.DeleteFunc(m.followers, func(o *follower) bool { return o == f })
	}()
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case rs := <-f.ch:
			fn(rs)
		}
	}
}

// tell passes on what was committed. The caller holds the lock.
func (m *Memory) tell(study string, rs []results.Record) {
	if len(rs) == 0 {
		return
	}
	for _, f := range m.followers {
		if f.study != study {
			continue
		}
		list := slices.Clone(rs)
		for i := range list {
			list[i].Curves = nil
			list[i].Metrics = slices.Clone(list[i].Metrics)
		}
		select {
		case f.ch <- list:
		default: // it is too slow; the ledger has them
		}
	}
}
