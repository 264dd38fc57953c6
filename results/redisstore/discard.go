package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// discardTrials is how many trials one script removes.
const discardTrials = 1024

// victim is a trial to be discarded, as it is.
type victim struct {
	trial   uint64
	record  string // "" where there is none
	status  results.Status
	counts  bool // on the leaderboard
	damaged bool // or marked without a record, or the other way round
}

// Discard implements results.Records. Trials beyond some thousand are removed in
// further steps, after the generation has risen: should one fail, the trials left
// have their records still, and Discard can be called again.
func (s *Store) Discard(ctx context.Context, study string, trials []uint64) (uint32, error) {
	what := fmt.Sprintf("discard records of study %q", study)
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	trials = slices.Clone(trials)
	slices.Sort(trials)
	trials = slices.Compact(trials)
	first, rest := trials, []uint64(nil)
	if len(trials) > discardTrials {
		first, rest = trials[:discardTrials], trials[discardTrials:]
	}
	generation, recount, err := s.remove(ctx, study, first, true, math.MaxUint64)
	if err != nil {
		return 0, s.failure(what, err)
	}
	for some := range slices.Chunk(rest, discardTrials) {
		_, again, err := s.remove(ctx, study, some, false, uint64(generation))
		if err != nil {
			return 0, s.failure(what, err)
		}
		recount = recount || again
	}
	if recount {
		if err := s.recount(ctx, study); err != nil {
			return 0, s.failure(what, err)
		}
	}
	return generation, nil
}

// repair removes damaged records, so that new ones can take their place in the
// same generation.
func (s *Store) repair(ctx context.Context, study string, trials []uint64) error {
	_, _, err := s.remove(ctx, study, trials, false, 0)
	if err != nil {
		return err
	}
	return s.recount(ctx, study)
}

// remove removes the records of trials, those that are damaged or of a generation
// below, and raises the generation or not. recount tells that the counters may be
// wrong: something was damaged or missing.
func (s *Store) remove(ctx context.Context, study string, trials []uint64, raise bool, below uint64) (generation uint32, recount bool, err error) {
	for range maxTries {
		h, err := s.head(ctx, study)
		if err != nil {
			return 0, false, err
		}
		victims, missing, err := s.victims(ctx, h, trials, below)
		if err != nil {
			return 0, false, err
		}
		next := *h
		if raise {
			next.plan.Generation++
			if next.plan.Generation == 0 {
				return 0, false, errors.New("its generations are used up")
			}
		}
		recount = missing > 0
		for _, v := range victims {
			next.plan.Digest = ""
			recount = recount || v.damaged
			if v.counts || v.damaged {
				next.board = 0
			}
		}
		if !raise && len(victims) == 0 {
			return h.plan.Generation, recount, nil
		}
		done, err := s.removeVictims(ctx, h, &next, victims)
		if err != nil || done == 1 {
			return next.plan.Generation, recount, err
		}
	}
	return 0, false, errChanged
}

// victims returns the trials that have a record, damaged or of a generation below,
// or a mark of one, and how many have neither.
func (s *Store) victims(ctx context.Context, h *head, trials []uint64, below uint64) (victims []victim, missing int, err error) {
	records := make([]*redis.StringCmd, len(trials))
	bits := make([]*redis.IntCmd, len(trials))
	err = s.pipelined(ctx, func(p redis.Pipeliner) error {
		for i, t := range trials {
			records[i] = p.HGet(ctx, h.records(t/bucketTrials), number(t%bucketTrials))
			bits[i] = p.GetBit(ctx, h.segment(t/segmentTrials), int64(bit(t)))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, 0, err
	}
	r := s.reader(h, false)
	for i, t := range trials {
		v := victim{trial: t, record: records[i].Val()}
		marked := bits[i].Val() == 1
		if v.record == "" && !marked {
			if t < h.plan.Trials {
				missing++
			}
			continue
		}
		read, err := s.named(ctx, r, t/bucketTrials, v.record)
		switch {
		case errors.Is(err, results.ErrDamaged):
			v.damaged = true
		case err != nil:
			return nil, 0, err
		default:
			o := h.plan.Objective
			v.status = read.Status
			v.counts = h.board != 0 && read.Status == results.Done && o >= 0 && o < len(read.Metrics) && read.Metrics[o] == read.Metrics[o]
			v.damaged = !marked || read.Trial != t
			if !v.damaged && uint64(read.Generation) >= below {
				continue
			}
		}
		victims = append(victims, v)
	}
	return victims, missing, nil
}

// removeVictims removes victims and changes the head from h to next in one step.
func (s *Store) removeVictims(ctx context.Context, h, next *head, victims []victim) (int64, error) {
	next.rev = newID()
	fields, err := next.fields()
	if err != nil {
		return 0, err
	}
	a := &arguments{keys: []string{h.keys.plan(), h.checkpoints()}, place: make(map[string]int)}
	drop := "0"
	if next.plan.Generation != h.plan.Generation {
		drop = "1"
	}
	a.add(h.inc, h.rev, next.rev, drop, number(uint64(h.plan.Generation)), s.keep.removed.Milliseconds(), len(fields))
	a.add(fields...)
	var counts [4]int
	for _, v := range victims {
		if v.status != 0 {
			counts[v.status-results.Done]++
		}
	}
	for _, n := range counts {
		a.add(n)
	}
	for _, v := range victims {
		bucket := v.trial / bucketTrials
		place := a.key(h.records(bucket)) // four in a row
		a.key(h.errors(bucket))
		a.key(h.curves(bucket))
		a.key(h.removed(bucket))
		a.add(place, a.key(h.segment(v.trial/segmentTrials)), number(bit(v.trial)), offsets[v.trial%bucketTrials], v.record)
	}
	done, err := s.runInt(ctx, s.scripts.remove, a.keys, a.args...)
	s.heads.Delete(h.plan.Study)
	if err == nil && done < 0 {
		err = results.ErrNotFound
	}
	return done, err
}
