package redisstore

import (
	"context"
	"fmt"

	"overnight/results"
)

// maxLedger is how many trials a Ledger can be made for: 8 GiB of bits.
const maxLedger = 1 << 36

// Ledger implements results.Records. It reads a bit a trial, and compares their
// count with the tally: results.ErrDamaged.
func (s *Store) Ledger(ctx context.Context, study string) (*results.Ledger, error) {
	what := fmt.Sprintf("ledger of study %q", study)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	h, m, err := s.snapshot(ctx, study, 0, ^uint64(0))
	if err != nil {
		return nil, s.failure(what, err)
	}
	if h.plan.Trials > maxLedger {
		return nil, fmt.Errorf("%s: %d trials, more than the %d that fit in memory", what, h.plan.Trials, uint64(maxLedger))
	}
	l := results.NewLedger(h.plan.Trials)
	for n, text := range m {
		l.AddBits(n*segmentTrials, []byte(text))
	}
	if marked := m.count(); marked != h.tally.Total() || l.Count() != marked {
		return nil, fmt.Errorf("%s is %w: it has %d trials, and %d were counted; `overnight fsck` says what can be read", what, results.ErrDamaged, marked, h.tally.Total())
	}
	return l, nil
}

// Tally implements results.Records.
func (s *Store) Tally(ctx context.Context, study string) (results.Tally, error) {
	h, err := s.head(ctx, study)
	if err != nil {
		return results.Tally{}, fmt.Errorf("tally of study %q: %w", study, err)
	}
	return h.tally, nil
}
