package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"overnight/results"
)

// ahead is how many windows are read ahead of whoever scans.
const ahead = 2

// Scan implements results.Records. It reads the ledger at its beginning and then
// the records that it names, which never change; those that Discard removes
// meanwhile are kept for an hour, and a scan that takes longer may yield them as
// damaged.
func (s *Store) Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return s.scan(ctx, study, from, to, true)
}

// Skim implements results.Skimmer.
func (s *Store) Skim(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return s.scan(ctx, study, from, to, false)
}

func (s *Store) scan(ctx context.Context, study string, from, to uint64, curves bool) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		err := ctx.Err()
		if err == nil {
			var h *head
			var m marks
			if h, m, err = s.snapshot(ctx, study, from, to); err == nil {
				err = s.scanMarks(ctx, h, m, from, to, curves, yield)
			}
		}
		if err != nil {
			yield(results.Record{}, scanError{s.failure(fmt.Sprintf("scan study %q", study), err)})
		}
	}
}

// scanError ends a scan. It hides ErrDamaged, which speaks of one trial.
type scanError struct{ err error }

func (e scanError) Error() string { return e.err.Error() }

func (e scanError) Is(target error) bool {
	return target != results.ErrDamaged && errors.Is(e.err, target)
}

// scanMarks yields the marked records of a snapshot. Another goroutine reads
// ahead, and has ended when scanMarks returns.
func (s *Store) scanMarks(ctx context.Context, h *head, m marks, from, to uint64, curves bool, yield func(results.Record, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	windows := make(chan []item, ahead)
	var failed error // before windows closes
	wg.Go(func() {
		defer close(windows)
		r := s.reader(h, curves)
		give := func(items []item) bool {
			select {
			case windows <- items:
				return true
			case <-ctx.Done():
				return false
			}
		}
		m.pieces(from, min(to, h.plan.Trials), func(window []piece) bool {
			if failed = ctx.Err(); failed == nil {
				failed = r.read(ctx, window, give)
			}
			return failed == nil
		})
	})
	for items := range windows {
		for i := range items {
			it := &items[i]
			if it.err != nil {
				err := fmt.Errorf("trial %d of study %q: %w", it.Trial, h.plan.Study, it.err)
				if !yield(results.Record{Trial: it.Trial}, err) {
					return nil
				}
				continue
			}
			if !yield(it.Record, nil) {
				return nil
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return failed
}
