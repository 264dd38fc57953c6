package redisstore

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"overnight/results"
)

// Bounds of one script, so that Redis answers others within some milliseconds.
const (
	scriptRecords = 2048
	scriptBytes   = 4 << 20
)

// maxEvents bounds a study's stream of events, about: what a follower may be
// behind.
const maxEvents = 4096

// chunk is what one step of commit.lua stores: units of one bucket, of ascending
// trials.
type chunk struct {
	bucket uint64
	units  []unit
}

// batch is one call of commit.lua.
type batch struct {
	chunks []chunk
	call   *call
}

// batches cuts units, by trial, into calls.
func (s *Store) batches(h *head, us []unit) []*batch {
	var all []*batch
	var b *batch
	records, size := 0, 0
	for len(us) > 0 {
		c := nextChunk(us)
		us = us[len(c.units):]
		more := 0
		for _, u := range c.units {
			more += u.size()
		}
		if b == nil || records+len(c.units) > scriptRecords || size+more > scriptBytes {
			b = &batch{}
			all = append(all, b)
			records, size = 0, 0
		}
		b.chunks = append(b.chunks, c)
		records, size = records+len(c.units), size+more
	}
	for _, b := range all {
		b.call = s.commitCall(h, b.chunks)
	}
	return all
}

// nextChunk returns the chunk that us begins with.
func nextChunk(us []unit) chunk {
	first := us[0].record().Trial
	n, size := 1, us[0].size()
	for n < len(us) && us[n].record().Trial/bucketTrials == first/bucketTrials {
		if size += us[n].size(); size > scriptBytes {
			break
		}
		n++
	}
	return chunk{first / bucketTrials, us[:n]}
}

// offsets are the names of fields, as arguments.
var offsets = func() (all [bucketTrials]any) {
	for i := range all {
		all[i] = number(uint64(i))
	}
	return all
}()

// arguments gathers keys and arguments of a call.
type arguments struct {
	keys  []string
	args  []any
	place map[string]int
}

// key returns the place of a key, which it adds where it is new.
func (a *arguments) key(k string) int {
	if p, ok := a.place[k]; ok {
		return p
	}
	a.keys = append(a.keys, k)
	a.place[k] = len(a.keys)
	return len(a.keys)
}

func (a *arguments) add(args ...any) { a.args = append(a.args, args...) }

func (s *Store) commitCall(h *head, chunks []chunk) *call {
	n := 0
	for _, c := range chunks {
		n += 2*len(c.units) + 32
	}
	a := &arguments{keys: []string{h.keys.plan(), h.parts(), h.events(), h.checkpoints(), h.workers()}, args: make([]any, 0, n), place: make(map[string]int)}
	a.add(h.stamp(), maxEvents, s.keep.events.Milliseconds())
	workers := workersOf(chunks)
	a.add(2 * len(workers))
	for _, w := range workers {
		a.add(w.name, number(w.number))
	}
	a.add(len(chunks))
	segment, segmentKey := uint64(math.MaxUint64), 0
	for _, c := range chunks {
		if at := c.bucket / segmentSize; at != segment {
			segment, segmentKey = at, a.key(h.segment(at))
		}
		var mask [maskBytes]byte
		var counts [4]int
		var elapsed time.Duration
		var seconds, nanoseconds int64
		errors, curves := 0, 0
		for _, u := range c.units {
			r := u.record()
			i := r.Trial % bucketTrials
			mask[i/8] |= 1 << (i % 8)
			counts[r.Status-results.Done]++
			elapsed = r.Elapsed
			seconds += int64(elapsed / time.Second)
			nanoseconds += int64(elapsed % time.Second)
			if r.Error != "" {
				errors++
			}
			if len(r.Curves) > 0 {
				curves++
			}
		}
		a.add(number(c.bucket), a.key(h.records(c.bucket)), segmentKey, number(segment),
			int(c.bucket%segmentSize)*maskBytes, string(mask[:]), 2*len(c.units))
		for _, u := range c.units {
			a.args = append(a.args, offsets[u.record().Trial%bucketTrials], u.value())
		}
		for _, n := range counts {
			a.args = append(a.args, n)
		}
		a.add(seconds, nanoseconds, 2*errors)
		if errors > 0 {
			a.add(a.key(h.errors(c.bucket)))
			for _, u := range c.units {
				if r := u.record(); r.Error != "" {
					a.add(offsets[r.Trial%bucketTrials], r.Error)
				}
			}
		}
		a.add(2 * curves)
		if curves > 0 {
			a.add(a.key(h.curves(c.bucket)))
			for _, u := range c.units {
				if r := u.record(); len(r.Curves) > 0 {
					a.add(offsets[r.Trial%bucketTrials], u.curves())
				}
			}
		}
		at := len(a.args)
		a.add(0)
		a.args[at] = h.addRuns(a, sumsOf(h, c.units))
	}
	return &call{script: s.scripts.commit, keys: a.keys, args: a.args}
}

// workersOf returns the workers of chunks: those of all records of their tasks.
func workersOf(chunks []chunk) []workerNumber {
	seen := make(map[workerNumber]bool)
	var workers []workerNumber
	var last *task
	for _, c := range chunks {
		for _, u := range c.units {
			if u.t == last {
				continue
			}
			last = u.t
			for _, w := range u.t.encoded.workers {
				if !seen[w] {
					seen[w] = true
					workers = append(workers, w)
				}
			}
		}
	}
	return workers
}

// pointSum is what some records add to a point on the leaderboard.
type pointSum struct {
	point uint64
	n     uint32
	sum   float64
}

// sumsOf returns what units add to the leaderboard, by point.
func sumsOf(h *head, us []unit) []pointSum {
	o := h.plan.Objective
	if h.board == 0 || o < 0 || o >= len(h.plan.Metrics) {
		return nil
	}
	sums := make([]pointSum, 0, len(us))
	for _, u := range us {
		r := u.record()
		if r.Status == results.Done && r.Metrics[o] == r.Metrics[o] {
			sums = append(sums, pointSum{r.Point, 1, r.Metrics[o]})
		}
	}
	return mergeSums(sums)
}

// mergeSums sorts sums by point and joins those of one point.
func mergeSums(sums []pointSum) []pointSum {
	ascending := true
	for i := 1; i < len(sums) && ascending; i++ {
		ascending = sums[i-1].point < sums[i].point
	}
	if ascending {
		return sums
	}
	slices.SortStableFunc(sums, func(a, b pointSum) int { return cmp.Compare(a.point, b.point) })
	n := 0
	for _, s := range sums[1:] {
		if s.point == sums[n].point {
			sums[n].n += s.n
			sums[n].sum += s.sum
			continue
		}
		n++
		sums[n] = s
	}
	return sums[:n+1]
}

// maxGap is how many points without records a run goes over.
const maxGap = 8

// addRuns adds sums, ascending, in runs of points that lie together in a block,
// and returns how many runs these are.
func (h *head) addRuns(a *arguments, sums []pointSum) (runs int) {
	for len(sums) > 0 {
		first := sums[0].point
		block := first / blockPoints
		n := 1
		for n < len(sums) && sums[n].point/blockPoints == block && sums[n].point-sums[n-1].point <= maxGap {
			n++
		}
		run := make([]byte, (sums[n-1].point-first+1)*pointBytes)
		for _, s := range sums[:n] {
			at := (s.point - first) * pointBytes
			binary.LittleEndian.PutUint32(run[at:], s.n)
			binary.LittleEndian.PutUint64(run[at+4:], math.Float64bits(s.sum))
		}
		a.add(a.key(h.block(h.board, block)), number(block), int(first%blockPoints)*pointBytes, run)
		sums = sums[n:]
		runs++
	}
	return runs
}
