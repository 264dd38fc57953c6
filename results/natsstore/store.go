package natsstore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"overnight/results"
)

// Store is a store reached over NATS. Its methods may be called concurrently.
//
// It has the optional roles of package results whether or not the served store
// has them: Describe then does nothing; Leaders, Check and Follow return
// errors.ErrUnsupported.
type Store struct {
	nc    *nats.Conn
	o     Options
	slots chan struct{} // requests in flight
	turns chan struct{} // of Update

	open  context.Context // ends with Close
	end   context.CancelFunc
	calls sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

var (
	_ results.Store       = (*Store)(nil)
	_ results.Follower    = (*Store)(nil)
	_ results.Skimmer     = (*Store)(nil)
	_ results.Leaderboard = (*Store)(nil)
	_ results.Describer   = (*Store)(nil)
	_ results.Checker     = (*Store)(nil)
)

// New returns the store that a Server answers for on nc's NATS server. It waits
// until the server answers, or ctx ends. nc should reconnect without end
// (nats.MaxReconnects(-1)): when it closes, all calls fail.
func New(ctx context.Context, nc *nats.Conn, o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open the coordinator's store: %w", err)
	}
	s := &Store{nc: nc, o: o, slots: make(chan struct{}, o.InFlight), turns: make(chan struct{}, 1)}
	s.open, s.end = context.WithCancel(context.Background())
	if _, err := s.call(ctx, opHello, nil, 0); err != nil {
		s.end()
		return nil, fmt.Errorf("open the coordinator's store: %w", err)
	}
	return s, nil
}

// Close ends running calls with ErrClosed and waits for them. It leaves the
// connection open.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.calls.Wait()
	return nil
}

// begin opens a call that Close waits for, until the caller calls end. The
// context it returns also ends when the store closes.
func (s *Store) begin(ctx context.Context) (_ context.Context, end func(), _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(s.open, func() { cancel(ErrClosed) })
	return ctx, func() {
		release()
		cancel(nil)
		s.calls.Done()
	}, nil
}

// ended returns why a context from begin has ended.
func ended(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ErrClosed) {
		return ErrClosed
	}
	return ctx.Err()
}
