package sensitivity

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/rng"
	"overnight/results/stats"
)

const (
	// MaxForest is how many points a forest is grown on; of more, a seeded sample.
	MaxForest = 2048
	// trees is how many trees the importances are the mean of.
	trees = 64
	// bags is how many half-samples the intervals are from, of bagged trees each.
	bags, bagged = 40, 4
	// minLeaf is the least number of sampled points at a leaf.
	minLeaf = 3
)

// Points are points of any design: Runs by point and replication, and the factors.
// Unit is as in Sample.
type Points struct {
	Runs    stats.Scores
	Columns []Column
	Unit    []int
}

// FANOVA splits the variance of a random forest's prediction of the points' mean
// score over the whole space of the factors (Hutter, Hoos and Leyton-Brown, "An
// Efficient Approach for Assessing Hyperparameter Importance", ICML 2014). First
// is a factor's importance alone, Pairs that of two beyond it, Total First and
// its pairs; as shares of the variance of a run: of what luck's Total leaves,
// where points have several runs (then its First as well). Explained says how much of the points' variance
// the forest predicts of points that a tree has not seen (1 - squared error over
// variance); what it does not is luck, or more than so many points can teach.
//
// A forest gives every factor some importance, since it fits luck as well.
// Beyond is the importance less that of a shadow: a column of the same values in
// another order, grown along (Kursa and Rudnicki, Journal of Statistical Software
// 36, 2010). Without an effect it is 0 in expectation.
//
// Intervals have the standard deviation over forests on halves of the design's
// rows, which is that of all rows (Politis and Romano, Annals of Statistics 22,
// 1994). They say how sure the importances are, not how far the forest is from
// the function. In a full grid, every cell is a leaf of one tree, the
// importances are those of an analysis of variance, and halves are of the
// replications, from three of them on.
func FANOVA(s *Points, o Options) *Result {
	o = o.withDefaults()
	d := len(s.Columns)
	r := &Result{Factors: blanks(d), Luck: blank(), N: len(s.Runs), Rest: math.NaN(), Explained: math.NaN()}
	for i := range d {
		for k := i + 1; k < d; k++ {
			r.Pairs = append(r.Pairs, Pair{I: i, J: k, Share: unknown()})
		}
	}
	y, keep := r.take(&Sample{Runs: s.Runs, Unit: s.Unit}, o)
	if len(keep) > MaxForest {
		keep = some(o.Key.At(3), keep, MaxForest)
		y = nil
		for _, p := range keep {
			y = append(y, stats.Mean(stats.Present(s.Runs[p])))
		}
	}
	r.N = len(keep)
	if len(keep) < 2 {
		return r
	}
	f := &fanova{o: o, pairs: make([][2]int, len(r.Pairs)), runs: (&Sample{Runs: s.Runs}).sub(keep).Runs, y: y}
	for k, p := range r.Pairs {
		f.pairs[k] = [2]int{p.I, p.J}
	}
	for _, c := range s.Columns {
		f.columns = append(f.columns, c.sub(keep))
	}
	f.units = (&Sample{Runs: s.Runs, Unit: s.Unit}).sub(keep).units()
	scale := 1.0
	if luck := r.Luck.Total.Value; !math.IsNaN(luck) {
		scale = max(1-luck, 0)
	}
	value, explained := f.whole()
	r.Explained = explained
	draws := f.halves()
	t := distuv.StudentsT{Sigma: 1, Nu: float64(max(len(draws)-1, 1))}.Quantile((1 + o.Level) / 2)
	at := func(value float64, pick func(v *portions) float64) stats.Estimated {
		e := stats.Estimated{Value: scale * value, Interval: stats.Unknown()}
		if len(draws) > 2 {
			v := make([]float64, len(draws))
			for k := range draws {
				v[k] = pick(draws[k])
			}
			if half := scale * t * stats.SD(v); !math.IsNaN(half) {
				e.Interval = stats.Interval{Low: max(e.Value-half, 0), High: min(e.Value+half, 1)}
			}
		}
		return e
	}
	for i := range r.Factors {
		x := &r.Factors[i]
		x.First = at(value.main[i], func(v *portions) float64 { return v.main[i] })
		x.Total = at(value.total(i, f.pairs), func(v *portions) float64 { return v.total(i, f.pairs) })
		x.N = r.N
		if len(draws) > 2 {
			over := make([]float64, len(draws))
			for k, v := range draws {
				over[k] = v.total(i, f.pairs) - v.shadow[i]
			}
			m, half := stats.Mean(over), t*stats.SD(over)
			x.Beyond = stats.Estimated{Value: scale * m, Interval: stats.Interval{Low: scale * (m - half), High: scale * (m + half)}}
			x.Told = above(x.Beyond, 1)
		}
	}
	for k := range r.Pairs {
		r.Pairs[k].Share = at(value.two[k], func(v *portions) float64 { return v.two[k] })
	}
	return r
}

// fanova is an analysis in progress.
type fanova struct {
	o       Options
	columns []Column
	pairs   [][2]int
	runs    stats.Scores
	y       []float64
	units   [][]int
}

// portions are shares of a forest's variance: of each column, each pair, and what
// each column's shadow takes with its pairs.
type portions struct{ main, two, shadow []float64 }

// total is a factor's share with its pairs.
func (v *portions) total(i int, pairs [][2]int) float64 {
	t := v.main[i]
	for k, p := range pairs {
		if p[0] == i || p[1] == i {
			t += v.two[k]
		}
	}
	return t
}

// sub returns the column of some points.
func (c *Column) sub(points []int) Column {
	out := Column{Levels: c.Levels}
	for _, p := range points {
		if c.Levels > 0 {
			out.Level = append(out.Level, c.Level[p])
		} else {
			out.U = append(out.U, c.U[p])
		}
	}
	return out
}

// some returns n of the points, in their order.
func some(key rng.Key, points []int, n int) []int {
	s := rng.New(key)
	var out []int
	for i, p := range points { // Knuth's selection sampling
		if s.IntN(len(points)-i) < n-len(out) {
			out = append(out, p)
		}
	}
	return out
}

// grid tells whether the points are a full factorial.
func (f *fanova) grid() bool {
	var levels [][]int
	for _, c := range f.columns {
		if c.Levels == 0 {
			return false
		}
		levels = append(levels, c.Level)
	}
	return factorial(levels, len(f.y))
}

// whole returns the shares of all points, and of their variance what trees
// explain of points that they have not seen.
func (f *fanova) whole() (*portions, float64) {
	times := make([]int32, len(f.y))
	if f.grid() {
		for p := range times {
			times[p] = 1
		}
		grown := newForest(f.columns, f.y, 1)
		return f.shares([]*tree{grown.grow(times)}, f.columns, f.pairs), math.NaN()
	}
	grown := newForest(f.columns, f.y, minLeaf)
	all := make([]*tree, trees)
	sum, n := make([]float64, len(f.y)), make([]float64, len(f.y))
	rows := make([]int32, len(f.units))
	for k := range all {
		draw(f.o.Key.At(4), k, len(rows), rows)
		for u, w := range rows {
			for _, p := range f.units[u] {
				times[p] = w
			}
		}
		all[k] = grown.grow(times)
		for p := range times {
			if times[p] == 0 {
				sum[p] += all[k].predict(f.columns, p)
				n[p]++
			}
		}
	}
	off, about, m := 0.0, 0.0, stats.Mean(f.y)
	for p, v := range f.y {
		if n[p] > 0 {
			off += (v - sum[p]/n[p]) * (v - sum[p]/n[p])
			about += (v - m) * (v - m)
		}
	}
	return f.shares(all, f.columns, f.pairs), 1 - off/about
}

// shares returns the mean over trees of the shares of each one's variance. Trees
// that found nothing to split count with zero shares.
func (f *fanova) shares(all []*tree, columns []Column, pairs [][2]int) *portions {
	s := &portions{main: make([]float64, len(columns)), two: make([]float64, len(pairs))}
	for _, t := range all {
		main, two, v := t.importance(columns, pairs)
		if v == 0 {
			continue
		}
		for i := range main {
			s.main[i] += main[i] / v / float64(len(all))
		}
		for k := range two {
			s.two[k] += two[k] / v / float64(len(all))
		}
	}
	return s
}
