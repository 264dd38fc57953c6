package natsstore

import (
	"context"
	"fmt"

	"overnight/results"
)

// Commit implements results.Records. More than 65,536 records, or 32 MB of them,
// travel in several requests, and are then checked against the plan before the
// first is sent: what is stored when the coordinator goes down between two is
// answered Duplicate the next time.
func (s *Store) Commit(ctx context.Context, study string, generation uint32, rs []results.Record) ([]results.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	parts, err := encodeCommit(study, generation, rs, s.o.batch)
	if err != nil {
		return nil, fmt.Errorf("commit to study %q: %w", study, err)
	}
	if len(parts) > 1 {
		if err := s.check(ctx, study, rs); err != nil {
			return nil, fmt.Errorf("commit to study %q: %w", study, err)
		}
	}
	var all []results.Verdict
	for _, p := range parts {
		b, err := s.call(ctx, opCommit, p.body, maxBody)
		if err != nil {
			return nil, err
		}
		vs, err := decodeVerdicts(b, p.records)
		if err != nil {
			return nil, unreadable("verdicts", err)
		}
		if len(parts) == 1 {
			return vs, nil
		}
		all = append(all, vs...)
	}
	return all, nil
}

// part is one request of a commit.
type part struct {
	body    []byte
	records int
}

// encodeCommit encodes records for as many requests as they need, at least one,
// of about batch bytes each.
func encodeCommit(study string, generation uint32, rs []results.Record, batch int) ([]part, error) {
	var parts []part
	var list, scratch []byte
	n := 0
	cut := func() {
		body := appendCommitHead(make([]byte, 0, len(list)+len(study)+24), study, generation, n)
		parts = append(parts, part{body: append(body, list...), records: n})
		list, n = list[:0], 0
	}
	for i := range rs {
		var err error
		if list, scratch, err = appendRecord(list, scratch, &rs[i]); err != nil {
			return nil, err
		}
		if n++; n == maxRecords || len(list) >= batch {
			cut()
		}
	}
	if n > 0 || len(parts) == 0 {
		cut()
	}
	return parts, nil
}

// check refuses records that are not valid by their study's plan.
func (s *Store) check(ctx context.Context, study string, rs []results.Record) error {
	p, err := s.Plan(ctx, study)
	if err != nil {
		return err
	}
	for i := range rs {
		if err := rs[i].Valid(&p); err != nil {
			return err
		}
	}
	return nil
}

// Ledger implements results.Records.
func (s *Store) Ledger(ctx context.Context, study string) (*results.Ledger, error) {
	b, err := s.call(ctx, opLedger, []byte(study), maxLedger/8+maxBody)
	if err != nil {
		return nil, err
	}
	l, err := decodeLedger(b)
	return l, unreadable("ledger", err)
}

// Tally implements results.Records.
func (s *Store) Tally(ctx context.Context, study string) (results.Tally, error) {
	b, err := s.call(ctx, opTally, []byte(study), maxBody)
	if err != nil {
		return results.Tally{}, err
	}
	t, err := decodeTally(b)
	return t, unreadable("tally", err)
}

// Discard implements results.Records.
func (s *Store) Discard(ctx context.Context, study string, trials []uint64) (uint32, error) {
	q := discard{study: study, trials: trials}
	b, err := s.call(ctx, opDiscard, q.encode(), 0)
	if err != nil {
		return 0, err
	}
	r := reader{b: b}
	generation := r.uint32()
	return generation, unreadable("generation", r.end())
}

// SaveCheckpoint implements results.Checkpoints for up to 64 MB of state.
func (s *Store) SaveCheckpoint(ctx context.Context, study string, generation uint32, trial uint64, state []byte) error {
	if len(state) > maxCheckpoint {
		return fmt.Errorf("save a checkpoint of trial %d of study %q: %d bytes, more than %d", trial, study, len(state), maxCheckpoint)
	}
	c := checkpoint{study: study, generation: generation, trial: trial, state: state}
	_, err := s.call(ctx, opSaveCheckpoint, c.encode(), 0)
	return err
}

// Checkpoint implements results.Checkpoints.
func (s *Store) Checkpoint(ctx context.Context, study string, generation uint32, trial uint64) ([]byte, error) {
	c := checkpoint{study: study, generation: generation, trial: trial}
	return s.call(ctx, opCheckpoint, c.encode(), maxBody)
}
