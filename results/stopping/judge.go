package stopping

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results/stats"
)

// level is the confidence of the intervals that are looked at.
const level = 0.95

// narrow tells whether the interval of a point after n replications is narrow
// enough. It is that of the difference from the points beside it, or of its own
// summary where there are none; where it is not known - fewer than two runs have
// a score - it is not narrow.
func (o *Outcome) narrow(i, n uint64) bool {
	p, rule := &o.at[i], o.study.Stopping
	x := p.first(n)
	opts := stats.Options{Level: level, Key: rng.Root(o.study.Seed, "stopping", i, n)}
	var in stats.Interval
	size := math.NaN()
	if g := o.beside.groupOf(i); g != nil {
		y := o.average(g, n)
		in = difference(x, y, o.summary(), o.study.Paired != jobs.PairedNone, opts)
		if rule.Relative > 0 {
			size = o.summary().Of(stats.Scores{y})
		}
	} else {
		e := stats.Estimate(stats.Scores{x}, o.summary(), opts)
		in, size = e.Interval, e.Value
	}
	p.half, p.target = in.Half(), rule.HalfWidth
	if rule.Relative > 0 {
		p.target = rule.Relative * math.Abs(size)
	}
	return p.half <= p.target
}

// average returns the mean over a group's points in each of the first n
// replications, which all of them have.
func (o *Outcome) average(g *group, n uint64) []float64 {
	if len(g.refs) == 1 {
		return o.at[g.refs[0]].first(n)
	}
	at := make([]float64, 0, len(g.refs))
	c := g.crowd
	for uint64(len(c.means)) < n {
		r := len(c.means)
		at = at[:0]
		for _, p := range g.refs {
			if v := o.at[p].first(n)[r]; !math.IsNaN(v) {
				at = append(at, v)
			}
		}
		c.means = append(c.means, stats.Mean(at))
	}
	return c.means[:n:n]
}

// difference returns the interval of the summary of x less that of y. With shared
// noise, replications are pairs, and those count where both have a score.
func difference(x, y []float64, s stats.Statistic, paired bool, o stats.Options) stats.Interval {
	if !paired && s == stats.ByMean {
		return welch(stats.Present(x), stats.Present(y))
	}
	var a, b []float64
	for r := range x {
		if !math.IsNaN(x[r]) && !math.IsNaN(y[r]) {
			a, b = append(a, x[r]), append(b, y[r])
		}
	}
	return stats.Difference(stats.Scores{a}, stats.Scores{b}, s, o).Interval
}

// welch returns the t interval of the difference of two means that need not have
// the same variance (Welch, Biometrika 34, 1947); not known below two scores each.
func welch(x, y []float64) stats.Interval {
	if len(x) < 2 || len(y) < 2 {
		return stats.Unknown()
	}
	share := func(x []float64) (v, free float64) {
		sd := stats.SD(x)
		v = float64(sd*sd) / float64(len(x))
		return v, float64(v*v) / float64(len(x)-1)
	}
	vx, fx := share(x)
	vy, fy := share(y)
	d := stats.Mean(x) - stats.Mean(y)
	half := 0.0
	if v := vx + vy; v > 0 {
		t := distuv.StudentsT{Sigma: 1, Nu: float64(v*v) / (fx + fy)}.Quantile((1 + level) / 2)
		half = t * math.Sqrt(v)
	}
	return stats.Interval{Low: d - half, High: d + half}
}
