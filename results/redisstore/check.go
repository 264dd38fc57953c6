package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// errStopped ends a check whose consumer wants no more.
var errStopped = errors.New("stopped")

// Check implements results.Checker: every plan, record, error text, curve,
// tally, ledger, checkpoint and blob against its CRC, count or SHA-256, and the
// digests that are fixed.
func (s *Store) Check(ctx context.Context, study string) iter.Seq2[results.Damage, error] {
	return func(yield func(results.Damage, error) bool) {
		k := checker{s: s, ctx: ctx, yield: yield, blobs: make(map[string]bool)}
		err := ctx.Err()
		if err == nil {
			err = k.run(study)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(results.Damage{}, s.failure("check the store", err))
		}
	}
}

type checker struct {
	s     *Store
	ctx   context.Context
	yield func(results.Damage, error) bool
	blobs map[string]bool // those that were checked
}

func (k *checker) report(d results.Damage) error {
	if !k.yield(d, nil) {
		return errStopped
	}
	return nil
}

func (k *checker) run(study string) error {
	names := []string{study}
	if study == "" {
		plans, err := k.s.Studies(k.ctx)
		if err != nil {
			return err
		}
		names = names[:0]
		for _, p := range plans {
			names = append(names, p.Study)
		}
	}
	for _, name := range names {
		err := k.study(name)
		if study == "" && errors.Is(err, results.ErrNotFound) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checked is what is known of a study's records.
type checked struct {
	damaged        map[uint64]bool
	errors, curves map[uint64]bool // trials that have some
	count          results.Tally
	missing        uint64 // the first trial without a record
}

func (k *checker) study(name string) error {
	whole, err := k.s.plan(k.ctx, name)
	if errors.Is(err, results.ErrDamaged) {
		return k.report(results.Damage{Study: name, What: "plan: " + err.Error()})
	}
	if err != nil {
		return err
	}
	h, m, err := k.s.snapshot(k.ctx, name, 0, ^uint64(0))
	if err != nil {
		return err
	}
	c := checked{damaged: make(map[uint64]bool), errors: make(map[uint64]bool), curves: make(map[uint64]bool)}
	if err := k.records(h, m, &c); err != nil {
		return err
	}
	if err := k.stray(h, m, &c); err != nil {
		return err
	}
	t, n := h.tally, c.count
	if len(c.damaged) == 0 && (t.Done != n.Done || t.Failed != n.Failed || t.Dead != n.Dead || t.Overrun != n.Overrun) {
		what := fmt.Sprintf("tally: %d done, %d failed, %d dead and %d overrun trials were counted, and %d, %d, %d and %d are there; this is the first that is not",
			t.Done, t.Failed, t.Dead, t.Overrun, n.Done, n.Failed, n.Dead, n.Overrun)
		if err := k.report(results.Damage{Study: name, Trial: c.missing, Record: true, What: what}); err != nil {
			return err
		}
	}
	if err := k.checkpoints(h); err != nil {
		return err
	}
	if err := k.data(name, whole.plan.Body); err != nil {
		return err
	}
	if len(c.damaged) > 0 || h.plan.Digest == "" {
		return nil
	}
	return k.digest(h, m)
}

// records reads all records of a snapshot.
func (k *checker) records(h *head, m marks, c *checked) error {
	r := k.s.reader(h, true)
	var err error
	m.pieces(0, ^uint64(0), func(window []piece) bool {
		var stop error
		err = r.read(k.ctx, window, func(items []item) bool {
			for i := range items {
				if stop = k.item(h, &items[i], c); stop != nil {
					return false
				}
			}
			return true
		})
		err = errors.Join(err, stop)
		if err == nil {
			err = k.ctx.Err()
		}
		return err == nil
	})
	return err
}

func (k *checker) item(h *head, it *item, c *checked) error {
	if it.Trial == c.missing {
		c.missing++
	}
	if it.removed == "" && it.hasError() {
		c.errors[it.Trial] = true
	}
	if it.removed == "" && it.hasCurves() {
		c.curves[it.Trial] = true
	}
	if it.err != nil {
		c.damaged[it.Trial] = true
		return k.report(results.Damage{Study: h.plan.Study, Trial: it.Trial, Record: true, What: it.err.Error()})
	}
	*[...]*uint64{&c.count.Done, &c.count.Failed, &c.count.Dead, &c.count.Overrun}[it.Status-results.Done]++
	return nil
}

func (k *checker) checkpoints(h *head) error {
	fields, err := k.s.rdb.HKeys(k.ctx, h.checkpoints()).Result()
	if err != nil {
		return err
	}
	slices.Sort(fields)
	for _, field := range fields {
		data, err := k.s.rdb.HGet(k.ctx, h.checkpoints(), field).Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return err
		}
		first, second, _ := strings.Cut(field, ":")
		bucket, err1 := strconv.ParseUint(first, 10, 64)
		offset, err2 := strconv.ParseUint(second, 10, 64)
		trial := bucket*bucketTrials + offset
		_, _, damage := h.readCheckpoint(trial, data)
		if damage == nil && err1 == nil && err2 == nil {
			continue
		}
		what := fmt.Sprintf("checkpoint of trial %d: %v; the trial will begin anew", trial, damage)
		if err := k.report(results.Damage{Study: h.plan.Study, What: what}); err != nil {
			return err
		}
	}
	return nil
}

// data checks the blobs that a plan names.
func (k *checker) data(study string, body []byte) error {
	for _, sum := range results.DataRefs(body) {
		if k.blobs[sum] {
			continue
		}
		k.blobs[sum] = true
		_, err := k.s.Blob(k.ctx, sum)
		switch {
		case err == nil, errors.Is(err, results.ErrNotFound): // not every such text names data
		case errors.Is(err, results.ErrDamaged):
			if err := k.report(results.Damage{Study: study, What: err.Error()}); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// digest compares the digest that was fixed with that of the records.
func (k *checker) digest(h *head, m marks) error {
	got, missing, err := results.Digest(k.ctx, atMoment{k.s, h, m}, h.plan)
	if errors.Is(err, results.ErrSurplus) {
		return nil // whoever can decode the study checks it
	}
	if err != nil {
		return err
	}
	what := ""
	if missing != 0 {
		what = fmt.Sprintf("digest: it is fixed, and %d trials have no record", missing)
	} else if got != h.plan.Digest {
		what = fmt.Sprintf("digest: %s was fixed, and the records give %s", h.plan.Digest, got)
	}
	if what == "" {
		return nil
	}
	return k.report(results.Damage{Study: h.plan.Study, What: what})
}

// atMoment reads records of a snapshot.
type atMoment struct {
	*Store
	h *head
	m marks
}

func (s atMoment) Tally(context.Context, string) (results.Tally, error) { return s.h.tally, nil }

func (s atMoment) Scan(ctx context.Context, _ string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		if err := s.scanMarks(ctx, s.h, s.m, from, to, true, yield); err != nil {
			yield(results.Record{}, err)
		}
	}
}
