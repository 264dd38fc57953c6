package sensitivity

import (
	"math"

	"overnight/results/stats"
)

// Sample is points of any design: Runs by point and replication, and X[f][p], the
// value of factor f, of which PRCC uses the order alone. Unit[p] numbers, from 0,
// the row of the design that a point stands in; nil where each is its own.
type Sample struct {
	Runs stats.Scores
	X    [][]float64
	Unit []int
}

// PRCC estimates partial rank correlations: of the ranks of a factor and of the
// points' mean scores, both freed of what is linear in the ranks of the other
// factors (Marino et al., Journal of Theoretical Biology 254, 2008). Ties have
// middle ranks. It sees how steadily the score rises or falls with a factor, and
// neither a bend nor an interaction.
//
// Without an effect it is 0 in expectation, so a factor is told from luck if its
// interval, the percentiles over resamples of rows, does not hold 0. Luck has no
// direction; its Total is its share of the variance of a run, from points with
// several runs. Points without a run are left out.
func PRCC(s *Sample, o Options) *Result {
	o = o.withDefaults()
	r := &Result{Factors: blanks(len(s.X)), Luck: blank(), N: len(s.Runs), Rest: math.NaN(), Explained: math.NaN()}
	y, keep := r.take(s, o)
	sub := s.sub(keep)
	full := ranked(sub, y)
	for _, n := range prefixes(len(keep)) {
		at := full
		if n < len(keep) {
			at = ranked(sub.sub(upTo(n)), y[:n])
		}
		e := at.estimate(o)
		for i := range r.Factors {
			x := &r.Factors[i]
			x.PRCC, x.N = e[i], n
			x.Steps = append(x.Steps, Step{N: n, First: e[i], Total: unknown()})
		}
	}
	for i := range r.Factors {
		x := &r.Factors[i]
		switch {
		case !x.PRCC.Known():
		case x.PRCC.Low > 0 || x.PRCC.High < 0:
			x.Told = Told
		default:
			x.Told = Luck
		}
	}
	if r.Missing == 0 {
		return r
	}
	worst, best, middle := extremes([][][]float64{s.Runs}, o.Minimize)
	var v [3][]float64
	for k, with := range []float64{worst, best, middle} {
		means := make([]float64, len(s.Runs))
		for p, runs := range filled(s.Runs, with) {
			means[p] = stats.Mean(runs)
		}
		v[k] = ranked(s, means).value(nil)
	}
	for i := range r.Factors {
		r.Factors[i].Holes = &Holes{v[0][i], v[1][i], v[2][i], math.NaN(), math.NaN(), math.NaN()}
	}
	return r
}

// take fills in the counts and luck's share with its interval, by resampling rows
// of the design, and returns the mean score of each point that has one, and which
// points those are.
func (r *Result) take(s *Sample, o Options) (y []float64, keep []int) {
	squares := 0 // runs beyond the first of each point
	for p, all := range s.Runs {
		there := stats.Present(all)
		r.Runs += len(there)
		r.Missing += len(all) - len(there)
		if len(there) == len(all) {
			r.Rows++
		}
		if len(there) > 0 {
			y, keep = append(y, stats.Mean(there)), append(keep, p)
			squares += len(there) - 1
		}
	}
	v := stats.VarianceShares(s.Runs, nil, false)
	r.Variance, r.Luck.Total.Value, r.Luck.N = v.Variance, v.Luck, len(keep)
	units := s.sub(keep).units()
	if squares > 0 && len(units) >= stats.MinBootstrap {
		r.Luck.Total.Interval = luckInterval(s.sub(keep).Runs, y, units, o)
	}
	r.Luck.First = r.Luck.Total
	return y, keep
}

// luckInterval resamples rows for the share of luck that stats.VarianceShares
// gives: V_L / (V_L + variance of means - (M-1)/M V_L mean(1/n)).
func luckInterval(runs stats.Scores, means []float64, units [][]int, o Options) stats.Interval {
	const points, sum, square, inverse, within, free, terms = 0, 1, 2, 3, 4, 5, 6
	m := stats.Mean(means)
	t := table{terms: terms, x: make([]float64, terms*len(units))}
	for u, all := range units {
		x := t.row(u)
		for _, p := range all {
			there := stats.Present(runs[p])
			x[points]++
			x[sum] += means[p] - m
			x[square] += float64((means[p] - m) * (means[p] - m))
			x[inverse] += 1 / float64(len(there))
			x[free] += float64(len(there) - 1)
			for _, v := range there {
				x[within] += float64((v - means[p]) * (v - means[p]))
			}
		}
	}
	times, at := make([]int32, len(units)), make([]float64, terms)
	draws := make([]float64, o.Resamples)
	for b := range draws {
		draw(o.Key.At(6), b, len(units), times)
		t.means(times, at)
		luck := at[within] / at[free]
		n := at[points]
		spread := at[square]/n - float64(at[sum]/n*at[sum]/n)
		count := n * float64(len(units)) // points of the resample
		spread -= (count - 1) / count * luck * at[inverse] / n
		draws[b] = luck / (max(spread, 0) + luck)
	}
	return percentiles(draws, o.Level)
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// sub returns the sample of some points.
func (s *Sample) sub(points []int) *Sample {
	out := &Sample{}
	for _, p := range points {
		out.Runs = append(out.Runs, s.Runs[p])
		if s.Unit != nil {
			out.Unit = append(out.Unit, s.Unit[p])
		}
	}
	for _, x := range s.X {
		column := make([]float64, len(points))
		for i, p := range points {
			column[i] = x[p]
		}
		out.X = append(out.X, column)
	}
	return out
}

// units returns the points of each row of the design.
func (s *Sample) units() [][]int {
	if s.Unit == nil {
		all := make([][]int, len(s.Runs))
		for p := range all {
			all[p] = []int{p}
		}
		return all
	}
	number := map[int]int{}
	var all [][]int
	for p, u := range s.Unit {
		n, ok := number[u]
		if !ok {
			n = len(all)
			number[u] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], p)
	}
	return all
}
