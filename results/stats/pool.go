package stats

import (
	"cmp"
	"math"
	"slices"
)

// pool holds runs in ascending order with where they come from, so that a
// resample, which only changes how often a replication counts, needs no sorting.
type pool struct {
	runs     []run
	points   int
	complete bool      // every point has all replications
	count    []float64 // scratch: runs of each point in a resample
}

type run struct {
	x         float64
	point     int32
	replicate int32
}

func newPool(s Scores) *pool {
	p := &pool{points: len(s), complete: true, count: make([]float64, len(s))}
	reps := 0
	for _, runs := range s {
		reps = max(reps, len(runs))
	}
	for i, runs := range s {
		n := len(p.runs)
		for r, v := range runs {
			if !math.IsNaN(v) {
				p.runs = append(p.runs, run{v, int32(i), int32(r)})
			}
		}
		// A point without any run is left out; it unbalances nothing.
		p.complete = p.complete && (len(p.runs)-n == reps || len(p.runs) == n)
	}
	slices.SortFunc(p.runs, func(a, b run) int {
		if a.x != b.x {
			return cmp.Compare(a.x, b.x)
		}
		return cmp.Or(cmp.Compare(a.point, b.point), cmp.Compare(a.replicate, b.replicate))
	})
	return p
}

// eval returns the statistic with replication r counted times[r] times, nil
// for once each. Points weigh alike in every resample.
func (p *pool) eval(s Statistic, times []int32) float64 {
	total := p.weigh(times)
	switch s {
	case ByMean:
		return p.between(times, 0, total)
	case ByIQM:
		return p.between(times, total/4, total-total/4)
	case ByMedian:
		return p.median(times, total)
	}
	panic("stats: no statistic " + string(s))
}

// weigh prepares weight and returns the sum of all weights.
func (p *pool) weigh(times []int32) float64 {
	if !p.complete {
		clear(p.count)
		for _, r := range p.runs {
			if times == nil {
				p.count[r.point]++
			} else {
				p.count[r.point] += float64(times[r.replicate])
			}
		}
	}
	total := 0.0
	for _, r := range p.runs {
		total += p.weight(r, times)
	}
	return total
}

func (p *pool) weight(r run, times []int32) float64 {
	w := 1.0
	if times != nil {
		w = float64(times[r.replicate])
	}
	if p.complete || w == 0 {
		return w
	}
	return w / p.count[r.point]
}

// between returns the mean of the runs whose cumulative weight lies between low
// and high; a run on a bound counts in part. It sums differences from the first
// such run, so that equal runs give their value exactly.
func (p *pool) between(times []int32, low, high float64) float64 {
	var at, sum, weights, first float64
	for _, r := range p.runs {
		w := p.weight(r, times)
		inside := min(at+w, high) - max(at, low)
		at += w
		if inside <= 0 {
			continue
		}
		if weights == 0 {
			first = r.x
		}
		weights += inside
		if r.x != first {
			sum += float64(inside * (r.x - first))
		}
		if at >= high {
			break
		}
	}
	if weights == 0 {
		return math.NaN()
	}
	return first + sum/weights
}

// median returns the run at half of the weight, the mean of two where the half
// falls between them.
func (p *pool) median(times []int32, total float64) float64 {
	half, slack := total/2, total*1e-12 // weights such as 1/3 don't sum exactly
	at, below, found := 0.0, math.NaN(), false
	for _, r := range p.runs {
		w := p.weight(r, times)
		if w == 0 {
			continue
		}
		if found {
			return below + (r.x-below)/2
		}
		at += w
		if at > half+slack {
			return r.x
		}
		if at >= half-slack {
			below, found = r.x, true
		}
	}
	return below
}
