package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// Bounds of what is read at a time.
const (
	windowBuckets = 32      // buckets: 4096 records
	windowBytes   = 4 << 20 // error texts and curves, about
)

// piece is some trials of a bucket: those whose bit is set.
type piece struct {
	bucket uint64
	mask   [2]uint64
}

func (p *piece) has(offset uint64) bool { return p.mask[offset/64]>>(offset%64)&1 != 0 }
func (p *piece) count() int             { return bits.OnesCount64(p.mask[0]) + bits.OnesCount64(p.mask[1]) }

// item is a record on its way to whoever reads it.
type item struct {
	value
	err     error  // damage
	removed string // of one that was removed since the reader began: its fields begin so
}

// reader reads the records of one study as they were at one moment, the head's.
type reader struct {
	s      *Store
	h      *head
	curves bool
	names  map[uint64]string
	fresh  bool // names were read from the server by this reader
	floats []float64
}

func (s *Store) reader(h *head, curves bool) *reader {
	return &reader{s: s, h: h, curves: curves, names: map[uint64]string{0: ""}}
}

// read yields the records of pieces to give, which returns false to end it.
func (r *reader) read(ctx context.Context, pieces []piece, give func([]item) bool) error {
	items, err := r.records(ctx, pieces)
	if err != nil {
		return err
	}
	for len(items) > 0 {
		n, size := 0, 0
		for n < len(items) && (n == 0 || size < windowBytes) {
			size += items[n].errorLen
			if r.curves {
				size += 3 * items[n].curvesLen
			}
			n++
		}
		if err := r.extras(ctx, items[:n]); err != nil {
			return err
		}
		if !give(items[:n]) {
			return nil
		}
		items = items[n:]
	}
	return nil
}

// records reads the records of pieces without error texts and curves, in trial
// order.
func (r *reader) records(ctx context.Context, pieces []piece) ([]item, error) {
	total := 0
	replies := make([]func() ([]string, error), len(pieces))
	err := r.s.pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range pieces {
			n := pieces[i].count()
			total += n
			if n > bucketTrials/4 {
				replies[i] = p.HVals(ctx, r.h.records(pieces[i].bucket)).Result
			} else {
				replies[i] = someOf(p.HMGet(ctx, r.h.records(pieces[i].bucket), pieces[i].fields()...))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	items := make([]item, 0, total)
	var gone []int
	for i := range pieces {
		texts, err := replies[i]()
		if err != nil {
			return nil, err
		}
		from := len(items)
		if items, err = r.bucket(ctx, &pieces[i], texts, items); err != nil {
			return nil, err
		}
		for k := from; k < len(items); k++ {
			if items[k].err != nil {
				gone = append(gone, k)
			}
		}
	}
	return items, r.recover(ctx, items, gone)
}

// fields returns the names of the piece's fields.
func (p *piece) fields() []string {
	var fields []string
	for i := range uint64(bucketTrials) {
		if p.has(i) {
			fields = append(fields, number(i))
		}
	}
	return fields
}

func someOf(cmd *redis.SliceCmd) func() ([]string, error) {
	return func() ([]string, error) {
		var texts []string
		for _, v := range cmd.Val() {
			if text, ok := v.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts, cmd.Err()
	}
}

var errGone = fmt.Errorf("%w: its record is gone", results.ErrDamaged)

// bucket appends the records of a piece. What can't be read, is missing or came
// after the reader's moment has an error.
func (r *reader) bucket(ctx context.Context, p *piece, texts []string, items []item) ([]item, error) {
	from := len(items)
	var at [bucketTrials]int // place of an offset in items, plus 1
	for i := range uint64(bucketTrials) {
		if p.has(i) {
			items = append(items, item{err: errGone})
			items[len(items)-1].Trial = p.bucket*bucketTrials + i
			at[i] = len(items)
		}
	}
	for _, text := range texts {
		if len(text) < 2 || text[1] >= bucketTrials || at[text[1]] <= from {
			continue // too damaged to say whose it is, or nobody's that is asked for
		}
		it := &items[at[text[1]]-1]
		v, err := r.s.named(ctx, r, p.bucket, text)
		if err != nil && !errors.Is(err, results.ErrDamaged) {
			return nil, err
		}
		trial := it.Trial
		if err == nil && v.Generation > r.h.plan.Generation {
			continue
		}
		*it = item{value: v, err: err}
		it.Trial = trial
	}
	return items, nil
}

// named reads a record, with its worker's name and its CRC compared;
// results.ErrDamaged.
func (s *Store) named(ctx context.Context, r *reader, bucket uint64, text string) (value, error) {
	v, err := r.h.readRecord(bucket, text, &r.floats)
	if err != nil {
		return v, fmt.Errorf("%w: %w", results.ErrDamaged, err)
	}
	name, ok := r.names[v.worker]
	if !ok {
		if r.names, err = s.table(ctx, r.h, v.worker); err != nil {
			return v, err
		}
		name = r.names[v.worker]
	}
	v.Worker = name
	damage := r.h.check(&v, text)
	if damage != nil && !r.fresh {
		// A number may have become another's: the server has lost what it had
		// answered, by a failover or a restored backup.
		if r.names, err = s.freshTable(ctx, r.h); err != nil {
			return v, err
		}
		r.fresh = true
		v.Worker = r.names[v.worker]
		damage = r.h.check(&v, text)
	}
	if damage != nil {
		return v, fmt.Errorf("%w: %w", results.ErrDamaged, damage)
	}
	return v, nil
}

// recover looks for records that are gone or damaged among those that were
// removed since the reader's moment.
func (r *reader) recover(ctx context.Context, items []item, gone []int) error {
	if len(gone) == 0 {
		return nil
	}
	now, err := within(ctx, func() (string, error) { return r.s.rdb.HGet(ctx, r.h.keys.plan(), "inc").Result() })
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	if now != r.h.inc {
		return fmt.Errorf("the study was deleted meanwhile: %w", results.ErrNotFound)
	}
	known := make(map[uint64][]string)
	for _, i := range gone {
		it := &items[i]
		bucket, offset := it.Trial/bucketTrials, number(it.Trial%bucketTrials)
		fields, ok := known[bucket]
		if !ok {
			if fields, err = within(ctx, func() ([]string, error) { return r.s.rdb.HKeys(ctx, r.h.removed(bucket)).Result() }); err != nil {
				return err
			}
			known[bucket] = fields
		}
		field := firstRemoved(fields, offset, r.h.plan.Generation)
		if field == "" {
			continue
		}
		text, err := within(ctx, func() (string, error) {
			return r.s.rdb.HGet(ctx, r.h.removed(bucket), field+":r").Result()
		})
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return err
		}
		v, err := r.s.named(ctx, r, bucket, text)
		if err != nil && !errors.Is(err, results.ErrDamaged) {
			return err
		}
		if err == nil && v.Trial == it.Trial {
			*it = item{value: v, removed: field}
		}
	}
	return nil
}

// firstRemoved returns the field, "offset:generation", of the first record of a
// trial that was removed in a generation or after it.
func firstRemoved(fields []string, offset string, generation uint32) (field string) {
	least := uint64(1) << 32
	for _, f := range fields {
		part := strings.Split(f, ":")
		if len(part) != 3 || part[0] != offset || part[2] != "r" {
			continue
		}
		if g, err := strconv.ParseUint(part[1], 10, 32); err == nil && g >= uint64(generation) && g < least {
			least, field = g, part[0]+":"+part[1]
		}
	}
	return field
}
