package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// maxProbes bounds how many trials Scan looks for one by one where the file's
// structure is damaged.
const maxProbes = 1 << 20

// Scan implements results.Records. It reads in one transaction, which keeps the
// database's log from starting over until it ends: who reads for long lets the
// log grow, but stops no commit.
//
// Where pages of the file are damaged, the trials that can't be reached are
// yielded as damaged, those that may have had no record among them.
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
		if err != nil {
			yield(results.Record{}, scanError{study, err})
			return
		}
		err = s.read(func(c *engine.Conn) error {
			h, err := s.head(c, study)
			if err != nil {
				return err
			}
			sc := scanner{ctx: ctx, c: c, h: h, rd: reader{h: h}, curves: curves, next: from, to: min(to, h.plan.Trials), yield: yield}
			return s.failure("read", sc.run())
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(results.Record{}, scanError{study, err})
		}
	}
}

// scanError ends a scan. It hides ErrDamaged, which speaks of one trial.
type scanError struct {
	study string
	err   error
}

func (e scanError) Error() string { return fmt.Sprintf("scan study %q: %v", e.study, e.err) }

func (e scanError) Is(target error) bool {
	return target != results.ErrDamaged && errors.Is(e.err, target)
}

// scanner yields the records of one scan.
type scanner struct {
	ctx      context.Context
	c        *engine.Conn
	h        *head
	rd       reader
	curves   bool
	next, to uint64
	yield    func(results.Record, error) bool
}

// run yields records from next on, past damaged pages.
func (sc *scanner) run() error {
	for sc.next < sc.to {
		err := sc.cursor()
		if !engine.IsCorrupt(err) {
			return err
		}
		if err := sc.probe(err); err != nil {
			return err
		}
	}
	return nil
}

// cursor yields records in one sweep.
func (sc *scanner) cursor() error {
	steps := 0
	return each(sc.c, sc.h.sql.rows, func(st *engine.Stmt) error {
		if steps++; steps%256 == 0 {
			if err := sc.ctx.Err(); err != nil {
				return err
			}
		}
		return sc.emit(st)
	}, sc.next, sc.to-1)
}

// emit yields the record in the current row.
func (sc *scanner) emit(st *engine.Stmt) error {
	w, damage := sc.rd.read(st)
	if w.Trial < sc.next || w.Trial >= sc.to {
		return fmt.Errorf("trial %d where %d or later was due: the file's structure is damaged; `overnight fsck` says what can be read", w.Trial, sc.next)
	}
	sc.next = w.Trial + 1
	if damage == nil && sc.curves {
		if err := sc.rd.readCurves(sc.c, &w); err != nil {
			damage = err
		}
	}
	return sc.give(w.Record, damage)
}

func (sc *scanner) give(r results.Record, damage error) error {
	if damage != nil {
		r = results.Record{Trial: r.Trial}
		damage = fmt.Errorf("trial %d of study %q: %w", r.Trial, sc.h.plan.Study, damage)
	}
	if !sc.yield(r, damage) {
		return errStopped
	}
	return nil
}

// probe yields the trials from next on that a damaged page hides, up to the
// first that can be looked up again.
func (sc *scanner) probe(cause error) error {
	for range maxProbes {
		if sc.next >= sc.to {
			return nil
		}
		if err := sc.ctx.Err(); err != nil {
			return err
		}
		_, err := queryInt(sc.c, sc.h.sql.has, sc.next)
		if err == nil {
			return sc.one()
		}
		if !engine.IsCorrupt(err) {
			return err
		}
		sc.next++
		if err := sc.give(results.Record{Trial: sc.next - 1}, fmt.Errorf("%w: %w", results.ErrDamaged, cause)); err != nil {
			return err
		}
	}
	return fmt.Errorf("more than %d trials in a row can't be read: %w", maxProbes, cause)
}

// one yields the record of trial next, if there is one, which a lookup can reach
// even where the sweep from it fails.
func (sc *scanner) one() error {
	trial := sc.next
	err := each(sc.c, sc.h.sql.rows, sc.emit, trial, trial)
	if engine.IsCorrupt(err) {
		err = sc.give(results.Record{Trial: trial}, fmt.Errorf("%w: %w", results.ErrDamaged, err))
	}
	sc.next = trial + 1
	return err
}
