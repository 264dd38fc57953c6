package sqlitestore

import (
	"context"
	"fmt"
	"time"

	"overnight/results/sqlitestore/internal/engine"
)

// Lease implements results.Fleet, by Options.Now. Should that clock be set back,
// a lease that nobody renews ends within its own time all the same.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (by string, err error) {
	switch {
	case s.options.ReadOnly:
		return "", ErrReadOnly
	case name == "" || holder == "":
		return "", fmt.Errorf("lease %q for %q: both need a name", name, holder)
	case ttl < 0:
		return "", fmt.Errorf("lease %q for %v: write a time of 0 or more", name, ttl)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	err = s.fleet.with(func(c *engine.Conn) error {
		if ttl == 0 {
			return run(c, s.queries["end-lease"], name, holder)
		}
		return s.transact(c, func(c *engine.Conn) error {
			now := s.options.Now()
			var until time.Time
			var had time.Duration
			err := each(c, s.queries["lease"], func(st *engine.Stmt) error {
				by, until, had = st.Text(0), time.Unix(0, st.Int(1)), time.Duration(st.Int(2))
				return nil
			}, name)
			switch left := until.Sub(now); {
			case err != nil:
				return err
			case by == "" || by == holder || left <= 0:
				by, until, had = holder, now.Add(ttl), ttl
			case left <= had:
				return nil
			default: // the clock was set back
				until = now.Add(had)
			}
			return run(c, s.queries["put-lease"], name, by, until.UnixNano(), int64(had))
		})
	})
	if err != nil {
		return "", s.failure(fmt.Sprintf("lease %q for %q", name, holder), err)
	}
	return by, nil
}
