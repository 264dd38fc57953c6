package sensitivity

import (
	"math"
	"slices"

	"overnight/results/stats"
)

// Grid is a full factorial: the scores of its points by replication, NaN where
// there is none, and the level of each factor at each point, Levels[f][p], from 0.
type Grid struct {
	Runs   stats.Scores
	Levels [][]int
	// Paired tells that points of one replication share their noise.
	Paired bool
}

const (
	// maxFilled is the share of a grid's points without any run up to which they are
	// filled in.
	maxFilled = 0.2
	// maxGroups is how many groups of replications a jackknife leaves out in turn.
	maxGroups = 20
)

// Effects splits the variance of a grid's runs (stats.VarianceShares): First is a
// main effect, Total everything the factor takes part in except with luck,
// Pairs the interactions of two factors: the share of their combinations less
// both main effects. Each is freed of the bias that luck gives it, so it is 0 in
// expectation where there is nothing, and Beyond is Total. A factor or pair is
// told from luck if the interval of its variance lies above 0: that of its share
// is wider by what is not known of the variance of all. Luck's Total is the
// variance of runs within points, its First what a replication does to all points
// alike, where Paired and Crossed.
//
// Replications are the units: intervals are a jackknife over them (over 20 groups
// of them above 20), about repeating the replications at these very points. They
// need three replications. With one, Total holds luck and is not given.
//
// A point without any run is filled in from the main effects of the others, by
// replication, so that the grid stays full (Yates, Empire Journal of Experimental
// Agriculture 1, 1933), if there are not more than one in five; else only main
// effects are given.
func Effects(g *Grid, o Options) *Result {
	o = o.withDefaults()
	d := len(g.Levels)
	r := &Result{Factors: blanks(d), Luck: blank(), N: len(g.Runs), Explained: math.NaN()}
	var gaps []int // points without a run
	for p, runs := range g.Runs {
		n := len(stats.Present(runs))
		r.Runs += n
		r.Missing += len(runs) - n
		if n == len(runs) {
			r.Rows++
		}
		if n == 0 {
			gaps = append(gaps, p)
		}
	}
	s := newSplit(g, gaps, o.Crossed)
	value := s.shares(s.runs)
	r.Variance, r.Rest = value.variance, value.rest
	left := s.leave()
	at := func(pick func(*shares) float64) stats.Estimated {
		e := stats.Estimated{Value: pick(value), Interval: stats.Unknown()}
		if len(left) > 2 && !math.IsNaN(e.Value) {
			v := make([]float64, len(left))
			for k := range left {
				v[k] = pick(left[k])
			}
			e = jackknife(e.Value, v, o.Level)
		}
		return e
	}
	for i := range r.Factors {
		x := &r.Factors[i]
		x.First = at(func(s *shares) float64 { return s.first[i] })
		x.Total = at(func(s *shares) float64 { return s.total[i] })
		x.Beyond = x.Total
		x.N = len(g.Runs) - len(gaps)
		x.Told = above(at(func(s *shares) float64 { return s.first[i] * s.variance }), r.Variance)
		if total := at(func(s *shares) float64 { return s.total[i] * s.variance }); x.Told != Told && total.Known() {
			x.Told = above(total, r.Variance)
		}
		if s.reps > 1 && s.same(i) {
			x.Told = Luck
		}
	}
	r.Luck.First = at(func(s *shares) float64 { return s.luckFirst })
	r.Luck.Total = at(func(s *shares) float64 { return s.luck })
	r.Luck.N = r.Factors[0].N
	for k, p := range s.pairs {
		share := at(func(s *shares) float64 { return s.pairs[k] })
		told := above(at(func(s *shares) float64 { return s.pairs[k] * s.variance }), r.Variance)
		r.Pairs = append(r.Pairs, Pair{I: p[0], J: p[1], Share: share, Told: told})
	}
	s.steps(r, o)
	if r.Missing > 0 {
		s.holes(r, g, o)
	}
	return r
}

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

// steps fills in how the shares settle with the replications; N counts those.
func (s *split) steps(r *Result, o Options) {
	for _, n := range prefixes(s.reps) {
		if n < 3 {
			continue
		}
		part := *s
		part.runs, part.reps = s.without(n, s.reps), n
		value := part.shares(part.runs)
		left := part.leave()
		at := func(pick func(*shares) float64) stats.Estimated {
			v := make([]float64, len(left))
			for k := range left {
				v[k] = pick(left[k])
			}
			return jackknife(pick(value), v, o.Level)
		}
		for i := range r.Factors {
			x := &r.Factors[i]
			x.Steps = append(x.Steps, Step{n, at(func(s *shares) float64 { return s.first[i] }), at(func(s *shares) float64 { return s.total[i] })})
		}
		r.Luck.Steps = append(r.Luck.Steps, Step{n, at(func(s *shares) float64 { return s.luckFirst }), at(func(s *shares) float64 { return s.luck })})
	}
}

// holes fills in the shares with every missing run at the worst, best and mean
// score.
func (s *split) holes(r *Result, g *Grid, o Options) {
	worst, best, middle := extremes([][][]float64{g.Runs}, o.Minimize)
	var v [3]*shares
	for k, with := range []float64{worst, best, middle} {
		whole := newSplit(&Grid{Runs: filled(g.Runs, with), Levels: g.Levels, Paired: g.Paired}, nil, o.Crossed)
		v[k] = whole.shares(whole.runs)
	}
	for i := range r.Factors {
		r.Factors[i].Holes = &Holes{v[0].first[i], v[1].first[i], v[2].first[i], v[0].total[i], v[1].total[i], v[2].total[i]}
	}
	r.Luck.Holes = &Holes{v[0].luckFirst, v[1].luckFirst, v[2].luckFirst, v[0].luck, v[1].luck, v[2].luck}
}

// additive fills points without a run with the sum of main effects of each
// replication, by repeating: fit, fill, until it settles.
func additive(g *Grid, gaps []int) stats.Scores {
	runs := filled(g.Runs, math.NaN())
	for r := range runs[0] {
		var there []float64
		for p := range runs {
			if v := runs[p][r]; !math.IsNaN(v) {
				there = append(there, v)
			}
		}
		if len(there) == 0 {
			continue
		}
		start := stats.Mean(there)
		scale := stats.SD(there)
		for _, p := range gaps {
			runs[p][r] = start
		}
		for range 200 {
			moved := 0.0
			fit := mainEffects(runs, r, g.Levels)
			for _, p := range gaps {
				moved = max(moved, math.Abs(fit(p)-runs[p][r]))
				runs[p][r] = fit(p)
			}
			if moved <= 1e-9*scale {
				break
			}
		}
	}
	return runs
}

// mainEffects returns the sum of mean and main effects at a point, from the runs
// of one replication that there are.
func mainEffects(runs stats.Scores, r int, levels [][]int) func(p int) float64 {
	grand, n := 0.0, 0.0
	for p := range runs {
		if v := runs[p][r]; !math.IsNaN(v) {
			grand += v
			n++
		}
	}
	grand /= n
	effect := make([][]float64, len(levels))
	for f, l := range levels {
		sum, count := make([]float64, slices.Max(l)+1), make([]float64, slices.Max(l)+1)
		for p := range runs {
			if v := runs[p][r]; !math.IsNaN(v) {
				sum[l[p]] += v - grand
				count[l[p]]++
			}
		}
		for k := range sum {
			if count[k] > 0 {
				sum[k] /= count[k]
			}
		}
		effect[f] = sum
	}
	return func(p int) float64 {
		v := grand
		for f, l := range levels {
			v += effect[f][l[p]]
		}
		return v
	}
}
