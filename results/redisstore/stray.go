package redisstore

import (
	"errors"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// stray looks for records that the ledger does not have, and for error texts and
// curves that no record has.
func (k *checker) stray(h *head, m marks, c *checked) error {
	parts, err := k.s.rdb.SMembers(k.ctx, h.parts()).Result()
	if err != nil {
		return err
	}
	slices.Sort(parts)
	for _, part := range parts {
		segment, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			continue
		}
		for at := uint64(0); at < segmentSize; at += windowBuckets {
			if err := k.strayWindow(h, m, c, segment*segmentSize+at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *checker) strayWindow(h *head, m marks, c *checked, from uint64) error {
	var replies [3 * windowBuckets]*redis.StringSliceCmd
	err := k.s.pipelined(k.ctx, func(p redis.Pipeliner) error {
		for i := range uint64(windowBuckets) {
			replies[3*i] = p.HKeys(k.ctx, h.records(from+i))
			replies[3*i+1] = p.HKeys(k.ctx, h.errors(from+i))
			replies[3*i+2] = p.HKeys(k.ctx, h.curves(from+i))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, reply := range replies {
		for _, field := range reply.Val() {
			offset, err := strconv.ParseUint(field, 10, 64)
			if err != nil || offset >= bucketTrials {
				continue
			}
			trial := (from+uint64(i/3))*bucketTrials + offset
			known := [...]bool{m.has(trial), c.errors[trial], c.curves[trial]}[i%3]
			if known || c.damaged[trial] {
				continue
			}
			what, err := k.isStray(h, trial, i%3)
			if err != nil {
				return err
			}
			if what == "" {
				continue
			}
			c.damaged[trial] = true
			if err := k.report(results.Damage{Study: h.plan.Study, Trial: trial, Record: true, What: what}); err != nil {
				return err
			}
		}
	}
	return nil
}

// isStray looks again, twice: a trial may have been committed or discarded since
// the check began. kind is 0 for records, 1 for error texts, 2 for curves.
func (k *checker) isStray(h *head, trial uint64, kind int) (what string, err error) {
	if what, err = k.look(h, trial, kind); what != "" && err == nil {
		what, err = k.look(h, trial, kind)
	}
	return what, err
}

func (k *checker) look(h *head, trial uint64, kind int) (what string, err error) {
	bucket, offset := trial/bucketTrials, number(trial%bucketTrials)
	var marked *redis.IntCmd
	var record *redis.StringCmd
	var extra *redis.BoolCmd
	err = k.s.pipelined(k.ctx, func(p redis.Pipeliner) error {
		extra = p.HExists(k.ctx, []string{h.records(bucket), h.errors(bucket), h.curves(bucket)}[kind], offset)
		record = p.HGet(k.ctx, h.records(bucket), offset)
		marked = p.GetBit(k.ctx, h.segment(trial/segmentTrials), int64(bit(trial)))
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", err
	}
	has := record.Val() != "" && record.Val()[0]&[]byte{0, flagError, flagCurves}[kind] != 0
	switch {
	case !extra.Val():
		return "", nil
	case kind == 0 && marked.Val() == 0:
		return "a record is there, and the ledger does not have it", nil
	case kind == 1 && !has:
		return "an error text is there, and no record that has it", nil
	case kind == 2 && !has:
		return "curves are there, and no record that has them", nil
	}
	return "", nil
}
