package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

// Check implements results.Checker: SQLite's own check of the file, then every
// plan, record, curve, tally, blob and checkpoint against its CRC, count or
// SHA-256, and the digests that are fixed.
func (s *Store) Check(ctx context.Context, study string) iter.Seq2[results.Damage, error] {
	return func(yield func(results.Damage, error) bool) {
		k := checker{s: s, ctx: ctx, yield: yield}
		err := s.read(func(c *engine.Conn) error {
			defer c.InterruptWhenDone(ctx)()
			return k.run(c, study)
		})
		if errors.Is(err, errStopped) {
			return
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(results.Damage{}, fmt.Errorf("check the store in %s: %w", s.dir, err))
		}
	}
}

type checker struct {
	s     *Store
	ctx   context.Context
	yield func(results.Damage, error) bool
}

func (k *checker) report(d results.Damage) error {
	if !k.yield(d, nil) {
		return errStopped
	}
	return nil
}

// found reports what err says, unless it ends the check.
func (k *checker) found(study, what string, err error) error {
	if err == nil || errors.Is(err, errStopped) || k.ctx.Err() != nil {
		return err
	}
	return k.report(results.Damage{Study: study, What: what + ": " + err.Error()})
}

func (k *checker) run(c *engine.Conn, study string) error {
	if study != "" {
		h, err := k.s.head(c, study)
		if errors.Is(err, results.ErrDamaged) {
			return k.found(study, "plan", err)
		}
		if err != nil {
			return err
		}
		for _, table := range []string{"records", "curves"} {
			if err := k.structure(c, fmt.Sprintf("PRAGMA integrity_check('%s_%d')", table, h.id), study); err != nil {
				return err
			}
		}
		return k.study(c, h)
	}
	if err := k.structure(c, "PRAGMA integrity_check", ""); err != nil {
		return err
	}
	var heads []*head
	name, err := k.s.versioned(c, "heads")
	if err != nil {
		return err
	}
	err = each(c, k.s.queries[name], func(st *engine.Stmt) error {
		h, damage := k.s.readHead(st)
		if damage != nil {
			return k.found(h.plan.Study, "plan", damage)
		}
		heads = append(heads, h)
		return nil
	})
	if err := k.found("", "list of studies", err); err != nil {
		return err
	}
	for _, h := range heads {
		c.Trim()
		if err := k.study(c, h); err != nil {
			return err
		}
	}
	return k.blobs(c)
}

// structure runs one of SQLite's own checks.
func (k *checker) structure(c *engine.Conn, pragma, study string) error {
	var lines []string
	err := each(c, pragma, func(st *engine.Stmt) error {
		if line := st.Text(0); line != "ok" {
			lines = append(lines, line)
		}
		return nil
	})
	for _, line := range lines {
		if err := k.report(results.Damage{Study: study, What: "structure of the file: " + line}); err != nil {
			return err
		}
	}
	return k.found(study, "structure of the file", err)
}

func (k *checker) study(c *engine.Conn, h *head) error {
	name := h.plan.Study
	whole, err := k.s.plan(c, name)
	if err != nil {
		return k.found(name, "plan", err)
	}
	damaged := make(map[uint64]bool)
	readable := true
	var count results.Tally
	missing := uint64(0) // the first trial without a record
	sc := scanner{ctx: k.ctx, c: c, h: h, rd: reader{h: h}, curves: true, to: h.plan.Trials, yield: func(r results.Record, err error) bool {
		if err != nil {
			damaged[r.Trial] = true
			return k.report(results.Damage{Study: name, Trial: r.Trial, Record: true, What: err.Error()}) == nil
		}
		if r.Trial == missing {
			missing++
		}
		*[...]*uint64{&count.Done, &count.Failed, &count.Dead, &count.Overrun}[r.Status-results.Done]++
		return true
	}}
	switch err := sc.run(); {
	case errors.Is(err, errStopped) || k.ctx.Err() != nil:
		return err
	case err != nil:
		readable = false
		if err := k.report(results.Damage{Study: name, What: err.Error()}); err != nil {
			return err
		}
	}
	readable = readable && len(damaged) == 0
	t := h.tally
	count.Duplicates, count.Differs, count.Stale, count.Used, count.Wasted = t.Duplicates, t.Differs, t.Stale, t.Used, t.Wasted
	if readable && count != t {
		what := fmt.Sprintf("tally: %d done, %d failed, %d dead and %d overrun trials were counted, and %d, %d, %d and %d are there; this is the first that is not",
			t.Done, t.Failed, t.Dead, t.Overrun, count.Done, count.Failed, count.Dead, count.Overrun)
		if err := k.report(results.Damage{Study: name, Trial: missing, Record: true, What: what}); err != nil {
			return err
		}
	}
	if err := k.curves(c, h, damaged); err != nil {
		return err
	}
	if err := k.checkpoints(c, h); err != nil {
		return err
	}
	if !readable || whole.plan.Digest == "" {
		return nil
	}
	return k.digest(c, whole)
}

// digest compares the digest that was fixed with that of the records.
func (k *checker) digest(c *engine.Conn, h *head) error {
	got, missing, err := results.Digest(k.ctx, inTransaction{Store: k.s, c: c, h: h}, h.plan)
	if errors.Is(err, results.ErrSurplus) {
		return nil // whoever can decode the study checks it
	}
	if err != nil {
		return err
	}
	if missing != 0 {
		return k.report(results.Damage{Study: h.plan.Study, What: fmt.Sprintf("digest: it is fixed, and %d trials have no record", missing)})
	}
	if got != h.plan.Digest {
		return k.report(results.Damage{Study: h.plan.Study, What: fmt.Sprintf("digest: %s was fixed, and the records give %s", h.plan.Digest, got)})
	}
	return nil
}

// inTransaction reads records where the caller's transaction reads.
type inTransaction struct {
	*Store
	c *engine.Conn
	h *head
}

func (s inTransaction) Tally(context.Context, string) (results.Tally, error) { return s.h.tally, nil }

func (s inTransaction) Scan(ctx context.Context, _ string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		sc := scanner{ctx: ctx, c: s.c, h: s.h, rd: reader{h: s.h}, curves: true, next: from, to: min(to, s.h.plan.Trials), yield: yield}
		if err := sc.run(); err != nil && !errors.Is(err, errStopped) {
			yield(results.Record{}, err)
		}
	}
}

// curves looks for curves that no record has: their record lost them. Those of
// damaged records were reported with it.
func (k *checker) curves(c *engine.Conn, h *head, damaged map[uint64]bool) error {
	var stray []int64
	err := each(c, k.s.queries.of("stray-curves", h.id, 0), func(st *engine.Stmt) error {
		if trial := st.Int(0); !damaged[uint64(trial)] {
			stray = append(stray, trial)
		}
		return nil
	})
	for _, trial := range stray {
		what := "curves are there, and no record that has them"
		if err := k.report(results.Damage{Study: h.plan.Study, Trial: uint64(trial), Record: true, What: what}); err != nil {
			return err
		}
	}
	return k.found(h.plan.Study, "curves", err)
}

func (k *checker) checkpoints(c *engine.Conn, h *head) error {
	err := each(c, k.s.queries["checkpoints"], func(st *engine.Stmt) error {
		trial, generation := uint64(st.Int(0)), uint32(st.Int(1))
		if checkpointChecksum(h.id, trial, generation, st.View(2)) != st.Int(3) {
			return k.report(results.Damage{Study: h.plan.Study, What: fmt.Sprintf("checkpoint of trial %d: it and its CRC differ; the trial will begin anew", trial)})
		}
		return nil
	}, h.id)
	return k.found(h.plan.Study, "checkpoints", err)
}

func (k *checker) blobs(c *engine.Conn) error {
	var names []string
	err := each(c, k.s.queries["blob-names"], func(st *engine.Stmt) error {
		names = append(names, st.Text(0))
		return nil
	})
	if err := k.found("", "data", err); err != nil {
		return err
	}
	for name := range slices.Values(names) {
		err := each(c, k.s.queries["blob"], func(st *engine.Stmt) error { return verify(name, st.View(0)) }, name)
		if err := k.found("", "data", err); err != nil {
			return err
		}
	}
	return nil
}
