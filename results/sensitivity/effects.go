package sensitivity

import (
	"math"

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

// steps fills in how the shares settle with the replications; N counts those.
func (s *split) steps(r *Result, o Options) {
	for _, n := range prefixes(s.reps) {
		if n < 3 {
			continue
		}
		if n == s.reps {
			for i := range r.Factors {
				x := &r.Factors[i]
				x.Steps = append(x.Steps, Step{n, x.First, x.Total})
			}
			r.Luck.Steps = append(r.Luck.Steps, Step{n, r.Luck.First, r.Luck.Total})
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
