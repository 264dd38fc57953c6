package bandit

import "overnight/envs"

// indexed tells about indices that take long to compute: the index of arm i is
// the highest q whose cost is within the arm's budget, and cost is convex in q.
type indexed interface {
	// cost returns the cost of q, 0 < q < 1, for arm i and its derivative in q; NaN
	// where it has none.
	cost(i int, q float64) (cost, slope float64)
	// guess returns a q near the index of arm i, 0 < q < 1.
	guess(i int, budget float64) float64
}

// leader finds the arm with the highest index without computing one. An index is
// a concave function of the budget, so the tangent at a known point, a q and its
// cost, is nowhere below it while the arm's outcomes are the same. A single cost
// of one arm, at a q above the tangents of all others, then proves that it leads.
//
// What is remembered only saves time: an answer is a proof with a margin above
// all rounding, so it does not depend on what was asked before, and a policy
// that was restored decides as if it had gone on.
type leader struct {
	lines []tangent
	last  int // the arm that led last
}

// tangent is what is known of an arm while its outcomes are n and sum.
type tangent struct {
	n, sum  float64
	q, cost float64
	rise    float64 // of q with the budget
}

// index returns what the index is at most; 1 where nothing is known.
func (l *tangent) index(budget float64) float64 {
	if q := l.q + float64((budget-l.cost)*l.rise); q < 1 {
		return q
	}
	return 1
}

// margin is by how much of itself an index has to be above another to lead. The
// indices of bayes_ucb are exact to 1e-10.
const margin = 1e-8

func (f *leader) forget(k int) { f.lines, f.last = grow(f.lines, k), 0 }

// find returns the allowed arm with the highest index, the lowest of arms with
// equal outcomes and budgets, or -1 where it can't tell:
// two indices are within the margin, or one is near 1. Every allowed arm has
// outcomes.
func (f *leader) find(in *envs.Step, n, sum, budget []float64, of indexed) int {
	at := f.last
	if !allowed(in, at) {
		at = lowest(in, len(n))
	}
	for i := range f.lines {
		l := &f.lines[i]
		if i == at || l.n == n[i] && l.sum == sum[i] || !allowed(in, i) {
			continue
		}
		q := l.index(budget[i]) // with other outcomes, but not many
		if l.n == 0 || q >= 1-margin {
			q = of.guess(i, budget[i])
		}
		*l = touch(i, q, n[i], sum[i], of)
	}
	for range 12 {
		next, second, first := -1, 0.0, at
		for i := range f.lines {
			switch {
			case i == at || !allowed(in, i):
				continue
			case n[i] == n[at] && sum[i] == sum[at] && budget[i] == budget[at]: // the same index
				first = min(first, i)
				continue
			}
			if q := f.lines[i].index(budget[i]); next < 0 || q > second {
				next, second = i, q
			}
		}
		above := second + float64(second*margin)
		l := &f.lines[at]
		switch {
		case next < 0:
			return first
		case above >= 1-margin:
			return -1
		}
		*l = touch(at, above, n[at], sum[at], of)
		switch {
		case l.cost < budget[at]:
			f.last = at
			return first
		case l.cost != l.cost:
			return -1
		case l.index(budget[at]) < second:
			at = next
		}
	}
	return -1
}

// touch returns the tangent of arm i at q.
func touch(i int, q, n, sum float64, of indexed) tangent {
	cost, slope := of.cost(i, q)
	return tangent{n, sum, q, cost, 1 / slope}
}
