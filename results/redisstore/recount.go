package redisstore

import (
	"context"

	"overnight/results"
)

// recount corrects the counters by status, after something damaged was removed.
// It compares what the records say at one moment with what was counted then, and
// adds the difference: commits meanwhile keep counting.
func (s *Store) recount(ctx context.Context, study string) error {
	for range maxTries {
		h, m, err := s.snapshot(ctx, study, 0, ^uint64(0))
		if err != nil {
			return err
		}
		got, err := s.countStatus(ctx, h, m)
		if err != nil {
			return err
		}
		t := h.tally
		args := []any{h.inc, number(uint64(h.plan.Generation)), againTime.Milliseconds()}
		for i, was := range [4]uint64{t.Done, t.Failed, t.Dead, t.Overrun} {
			if got[i] != was {
				args = append(args, headFields[firstCounter+i], int64(got[i]-was))
			}
		}
		if len(args) == 3 {
			return nil
		}
		done, err := s.runInt(ctx, s.scripts.adjust, []string{h.keys.plan(), h.call()}, args...)
		if err != nil {
			return err
		}
		if done == 1 {
			return nil
		}
		if done < 0 {
			return results.ErrNotFound
		}
	}
	return errChanged
}

// countStatus counts the marked trials by status. Of a damaged one it counts what
// can be read, as done where nothing can.
func (s *Store) countStatus(ctx context.Context, h *head, m marks) (n [4]uint64, err error) {
	r := s.reader(h, false)
	m.pieces(0, h.plan.Trials, func(window []piece) bool {
		var items []item
		if items, err = r.records(ctx, window); err != nil {
			return false
		}
		for i := range items {
			status := max(items[i].Status, results.Done)
			n[status-results.Done]++
		}
		return true
	})
	return n, err
}
