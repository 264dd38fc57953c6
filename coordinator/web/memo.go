package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"

	"overnight/results"
)

// state is a study as its records stand: what is computed from equal states is
// equal.
type state struct {
	study      string
	body       [sha256.Size]byte // of the plan
	generation uint32
	state      results.State
	committed  uint64
}

// memo keeps what was computed from studies, once for all who ask until the study
// changes.
type memo struct {
	mu   sync.Mutex
	most int
	list []*memory // the latest used last
}

// memory is one result.
type memory struct {
	state state
	what  string
	ready chan struct{} // closed when the rest is there
	value any
	err   error
}

// there tells whether the result is computed.
func (m *memory) there() bool {
	select {
	case <-m.ready:
		return true
	default:
		return false
	}
}

// remembered returns what compute gives, called once for all who ask for the same
// at the same time or later. Errors are not kept.
func remembered[T any](ctx context.Context, m *memo, s state, what string, compute func() (T, error)) (T, error) {
	var none T
	x, mine := m.find(s, what)
	if mine {
		x.err = errors.New("the analysis broke off") // where compute panics
		defer m.done(x)
		v, err := compute()
		x.value, x.err = v, err
		return v, err
	}
	select {
	case <-x.ready:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if x.err != nil {
		return none, x.err
	}
	v, _ := x.value.(T)
	return v, nil
}

// find returns a result, and whether it is the caller's to compute.
func (m *memo) find(s state, what string) (x *memory, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, x := range m.list {
		if x.what == what && x.state == s {
			m.list = append(slices.Delete(m.list, i, i+1), x)
			return x, false
		}
	}
	// What was computed of the study before it changed is of no use any more.
	m.list = slices.DeleteFunc(m.list, func(o *memory) bool { return o.state.study == s.study && o.state != s && o.there() })
	for i := 0; i < len(m.list) && len(m.list) >= m.most; {
		if m.list[i].there() {
			m.list = slices.Delete(m.list, i, i+1)
			continue
		}
		i++
	}
	x = &memory{state: s, what: what, ready: make(chan struct{})}
	m.list = append(m.list, x)
	return x, true
}

// done hands a result to those who wait.
func (m *memo) done(x *memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(x.ready)
	if x.err != nil {
		m.list = slices.DeleteFunc(m.list, func(o *memory) bool { return o == x })
	}
}
