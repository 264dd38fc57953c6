package natsstore

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"

	"overnight/results"
)

// Leaders implements results.Leaderboard; errors.ErrUnsupported where the served
// store keeps none.
func (s *Store) Leaders(ctx context.Context, study string, n int, least bool) ([]results.Leader, error) {
	q := board{study: study, n: n, least: least}
	b, err := s.call(ctx, opLeaders, q.encode(), maxBody)
	if err != nil {
		return nil, err
	}
	ls, err := decodeLeaders(b)
	return ls, unreadable("leaderboard", err)
}

// Describe implements results.Describer for up to 256 MB of descriptions.
func (s *Store) Describe(ctx context.Context, study string, columns []string, points iter.Seq2[uint64, []any]) error {
	b, err := encodePoints(study, columns, points)
	if err != nil {
		return fmt.Errorf("describe study %q: %w", study, err)
	}
	_, err = s.call(ctx, opDescribe, b, 0)
	return err
}

// followBuffer is how many messages a follower may be behind before it misses
// one.
const followBuffer = 64

// Follow implements results.Follower. It goes on when the coordinator comes back.
func (s *Store) Follow(ctx context.Context, study string, fn func([]results.Record)) error {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	told := make(chan []results.Record, followBuffer)
	sub, err := s.nc.Subscribe(s.o.followSubject(study), func(m *nats.Msg) {
		rs, err := decodeTold(m.Data)
		if err != nil || len(rs) == 0 {
			return
		}
		select {
		case told <- rs:
		default: // it is too slow; the ledger has them
		}
	})
	if err != nil {
		return fmt.Errorf("follow study %q: %w", study, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails where the connection is gone

	// The server publishes as long as it is asked to. The first answer may be that
	// there is no such study.
	asked := make(chan error, 1)
	ask := func() {
		_, err := s.call(ctx, opFollow, []byte(study), 0)
		asked <- err
	}
	again := time.NewTimer(0)
	defer again.Stop()
	asking := false
	defer func() {
		cancel()
		if asking {
			<-asked
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return ended(ctx)
		case rs := <-told:
			fn(rs)
		case <-again.C:
			asking = true
			go ask()
		case err := <-asked:
			asking = false
			if err != nil {
				return err
			}
			again.Reset(s.o.silence / 6)
		}
	}
}
