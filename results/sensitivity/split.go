package sensitivity

import (
	"math"
	"slices"

	"overnight/results/stats"
)

// shares are the indices of one set of runs.
type shares struct {
	first, total, pairs             []float64
	luck, luckFirst, rest, variance float64
}

// split computes shares.
type split struct {
	runs    stats.Scores
	levels  [][]int
	pairs   [][2]int
	paired  bool
	crossed bool
	full    bool
	reps    int
}

func newSplit(g *Grid, gaps []int, crossed bool) *split {
	s := &split{runs: g.Runs, levels: g.Levels, paired: g.Paired, crossed: crossed && g.Paired, full: factorial(g.Levels, len(g.Runs))}
	if len(g.Runs) > 0 {
		s.reps = len(g.Runs[0])
	}
	if len(gaps) > 0 {
		if s.full = s.full && float64(len(gaps)) <= maxFilled*float64(len(g.Runs)); s.full {
			s.runs = additive(g, gaps)
		}
	}
	if s.full {
		for i := range g.Levels {
			for k := i + 1; k < len(g.Levels); k++ {
				s.pairs = append(s.pairs, [2]int{i, k})
			}
		}
	}
	return s
}

// factorial tells whether n points are all combinations of their levels, once
// each.
func factorial(levels [][]int, n int) bool {
	at := joined(levels, n)
	slices.Sort(at)
	cells := 1
	for _, l := range levels {
		if cells *= slices.Max(l) + 1; cells > n {
			return false
		}
	}
	return cells == n && len(slices.Compact(at)) == n
}

// joined numbers the combinations of factors at each point.
func joined(levels [][]int, n int) []int {
	at := make([]int, n)
	for _, l := range levels {
		size := slices.Max(l) + 1
		for p := range at {
			at[p] = at[p]*size + l[p]
		}
	}
	return at
}

// shares splits the variance of runs.
func (s *split) shares(runs stats.Scores) *shares {
	d, n, nan := len(s.levels), len(runs), math.NaN()
	v := stats.VarianceShares(runs, s.levels, s.paired)
	out := &shares{first: v.Factors, luck: v.Luck, luckFirst: nan, rest: v.Rest, variance: v.Variance}
	known := !math.IsNaN(v.Luck)
	for i := range d {
		total := nan
		if s.full && known {
			total = 1 - v.Luck
			if d > 1 {
				others := joined(slices.Concat(s.levels[:i], s.levels[i+1:]), n)
				total -= stats.VarianceShares(runs, [][]int{others, s.levels[i]}, s.paired).Factors[0]
			}
		}
		out.total = append(out.total, total)
	}
	for _, p := range s.pairs {
		two := [][]int{joined([][]int{s.levels[p[0]], s.levels[p[1]]}, n)}
		for f := range d {
			if f != p[0] && f != p[1] {
				two = append(two, s.levels[f])
			}
		}
		pair := stats.VarianceShares(runs, two, s.paired).Factors[0] - v.Factors[p[0]] - v.Factors[p[1]]
		out.pairs = append(out.pairs, pair)
		out.rest -= pair
	}
	if known && s.crossed {
		out.luckFirst = together(runs) / v.Variance
	}
	return out
}

// together returns the variance of what replications do to all points alike, from
// points with all replications: the mean product of the deviations of two
// different points' runs from their means, times R/(R-1).
func together(runs stats.Scores) float64 {
	reps := len(runs[0])
	if reps < 2 {
		return math.NaN()
	}
	sum, n, own := make([]float64, reps), 0.0, 0.0
	for _, y := range runs {
		if len(stats.Present(y)) < reps {
			continue
		}
		m := stats.Mean(y)
		for r, v := range y {
			sum[r] += v - m
			own += float64((v - m) * (v - m))
		}
		n++
	}
	if n < 2 {
		return math.NaN()
	}
	all := -own
	for _, v := range sum {
		all += float64(v * v)
	}
	return all / float64(n*(n-1)) / float64(reps-1)
}

// leave returns the shares with each replication, or group of them, left out.
func (s *split) leave() []*shares {
	if s.reps < 3 {
		return nil
	}
	groups := min(s.reps, maxGroups)
	var out []*shares
	for k := range groups {
		out = append(out, s.shares(s.without(k*s.reps/groups, (k+1)*s.reps/groups)))
	}
	return out
}

// without returns the runs of all replications but those from one to before
// another.
func (s *split) without(from, to int) stats.Scores {
	runs := make(stats.Scores, len(s.runs))
	for p, y := range s.runs {
		runs[p] = slices.Concat(y[:from], y[to:])
	}
	return runs
}

// same tells whether the factor changes no bit of any score.
func (s *split) same(i int) bool {
	others := joined(slices.Concat(s.levels[:i], s.levels[i+1:]), len(s.runs))
	first := map[int]int{}
	for p, at := range others {
		q, ok := first[at]
		if !ok {
			first[at] = p
			continue
		}
		for r, v := range s.runs[p] {
			if v != s.runs[q][r] {
				return false
			}
		}
	}
	return true
}
