package redisstore

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/redis/go-redis/v9"

	"overnight/results"
)

// extra is an error text or the curves of an item.
type extra struct {
	it     *item
	curves bool
	cmd    *redis.StringCmd
}

// extras reads the error texts and curves of items, those of one that was removed
// in between among the removed.
func (r *reader) extras(ctx context.Context, items []item) error {
	var want []*extra
	for i := range items {
		it := &items[i]
		if it.err != nil {
			continue
		}
		if it.hasError() {
			want = append(want, &extra{it: it})
		}
		if it.hasCurves() && r.curves {
			want = append(want, &extra{it: it, curves: true})
		}
	}
	for range 2 {
		if len(want) == 0 {
			return nil
		}
		err := r.s.pipelined(ctx, func(p redis.Pipeliner) error {
			for _, x := range want {
				x.cmd = p.HGet(ctx, r.extraKey(x), x.field())
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		var again []*extra
		var gone []int
		for _, x := range want {
			if text, err := x.cmd.Result(); err == nil {
				x.it.take(x.curves, text)
				continue
			} else if !errors.Is(err, redis.Nil) {
				return err
			}
			what := "error text"
			if x.curves {
				what = "curves"
			}
			x.it.err = fmt.Errorf("%w: its %s are gone", results.ErrDamaged, what)
			again = append(again, x)
		}
		for i := range items {
			if errors.Is(items[i].err, results.ErrDamaged) {
				gone = append(gone, i)
			}
		}
		if err := r.recover(ctx, items, gone); err != nil {
			return err
		}
		want = again[:0]
		for _, x := range again {
			if x.it.err == nil { // it was found among the removed
				want = append(want, x)
			}
		}
	}
	return nil
}

func (r *reader) extraKey(x *extra) string {
	bucket := x.it.Trial / bucketTrials
	switch {
	case x.it.removed != "":
		return r.h.removed(bucket)
	case x.curves:
		return r.h.curves(bucket)
	}
	return r.h.errors(bucket)
}

func (x *extra) field() string {
	switch {
	case x.it.removed == "":
		return number(x.it.Trial % bucketTrials)
	case x.curves:
		return x.it.removed + ":c"
	}
	return x.it.removed + ":e"
}

// take adds an error text or curves.
func (it *item) take(curves bool, text string) {
	if curves {
		read, err := readCurves(text, it.curvesSum)
		if err != nil {
			it.err = fmt.Errorf("%w: %w", results.ErrDamaged, err)
		}
		it.Curves = read
		return
	}
	if len(text) != it.errorLen || crc32.Checksum([]byte(text), castagnoli) != it.errorSum {
		it.err = fmt.Errorf("%w: its error text and the text's CRC differ", results.ErrDamaged)
	}
	it.Error = text
}
