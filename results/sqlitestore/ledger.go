package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// errStopped ends a read whose consumer wants no more.
var errStopped = errors.New("stopped")

// Ledger implements results.Records. It reads no more than the numbers of trials,
// about ten million a second, and compares their count with the tally:
// results.ErrDamaged.
func (s *Store) Ledger(ctx context.Context, study string) (*results.Ledger, error) {
	var l *results.Ledger
	err := s.read(func(c *engine.Conn) error {
		h, err := s.head(c, study)
		if err != nil {
			return err
		}
		l = results.NewLedger(h.plan.Trials)
		steps := 0
		err = each(c, h.sql.trials, func(st *engine.Stmt) error {
			l.Add(uint64(st.Int(0)))
			if steps++; steps%65536 == 0 {
				return ctx.Err()
			}
			return nil
		})
		if err != nil {
			return s.failure("read the ledger", err)
		}
		if l.Count() != h.tally.Total() {
			return fmt.Errorf("the ledger is %w: it has %d trials, and %d were counted; `overnight fsck` says what can be read", results.ErrDamaged, l.Count(), h.tally.Total())
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("ledger of study %q: %w", study, err)
	}
	return l, nil
}

// Tally implements results.Records.
func (s *Store) Tally(ctx context.Context, study string) (t results.Tally, err error) {
	if err := ctx.Err(); err != nil {
		return t, err
	}
	err = s.read(func(c *engine.Conn) error {
		h, err := s.head(c, study)
		if err == nil {
			t = h.tally
		}
		return err
	})
	return t, err
}

// Discard implements results.Records.
func (s *Store) Discard(ctx context.Context, study string, trials []uint64) (generation uint32, err error) {
	err = s.change(ctx, func(c *engine.Conn) error {
		h, err := s.head(c, study)
		if err != nil {
			return err
		}
		changed := *h // a head that is shared doesn't change
		removed := int64(0)
		for _, trial := range trials {
			if err := run(c, h.sql.deleteRecord, trial); err != nil {
				return s.failure(fmt.Sprintf("remove the record of trial %d", trial), err)
			}
			removed += c.Changes()
			if err := run(c, h.sql.deleteCv, trial); err != nil {
				return s.failure(fmt.Sprintf("remove the curves of trial %d", trial), err)
			}
		}
		changed.plan.Generation++
		generation = changed.plan.Generation
		if removed > 0 {
			changed.plan.Digest = ""
		}
		if err := s.writeHead(c, &changed); err != nil {
			return s.failure("raise the generation", err)
		}
		if err := run(c, s.queries["delete-checkpoints"], h.id, int64(generation)); err != nil {
			return s.failure("drop checkpoints", err)
		}
		return s.failure("count records", run(c, h.sql.recount, h.id))
	})
	if err != nil {
		return 0, fmt.Errorf("discard records of study %q: %w", study, err)
	}
	s.heads.Delete(study)
	return generation, nil
}
