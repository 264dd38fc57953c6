package guard

import (
	"math"

	"overnight/internal/fp"
)

// normal975 is the 97.5 % quantile of the standard normal.
const normal975 = 1.959963984540054

// Report writes the metrics of the rails that are on.
func (g *guarded) Report(into []float64) {
	b, n := &g.book, 0
	put := func(v float64) {
		into[n] = v
		n++
	}
	if h := g.p.Holdout; h > 0 {
		d, low, high := uplift(float64(b.conversions[choice]), float64(b.n[choice]), float64(b.conversions[holdout]), float64(b.n[holdout]))
		put(d)
		put(low)
		put(high)
		put(float64(b.held))
		put(mismatch(float64(b.units[holdout]), float64(b.units[holdout]+b.units[choice]), h))
	}
	if g.p.stops() {
		switch {
		case b.stopped > 0:
			put(float64(b.stopped))
		case b.oldest < 0:
			put(math.NaN()) // no outcome could be told from another
		default:
			put(float64(b.total + 1))
		}
	}
}

// uplift returns s/n - t/m, the difference of the conversion rates of s in n and
// t in m, and its 95 % interval: method 10 of Newcombe, Interval estimation for
// the difference between independent proportions, Statistics in Medicine 17,
// 1998, from the score intervals of both. NaN where a group is empty.
//
// It is made for independent sends of one rate in each group. Of a policy that
// learns, the rate is the mean over what it sent, and the interval a little wide:
// a mixture of rates varies less than one rate. It holds at the end of the run,
// not for whoever looks until it pleases.
func uplift(s, n, t, m float64) (d, low, high float64) {
	if n == 0 || m == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	p, q := s/n, t/m
	d = p - q
	pl, pu := wilson(s, n)
	ql, qu := wilson(t, m)
	return d, d - hypot(p-pl, qu-q), d + hypot(pu-p, q-ql)
}

func hypot(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }

// wilson returns the score interval of a rate of s in n (Wilson 1927).
func wilson(s, n float64) (low, high float64) {
	const zz = normal975 * normal975
	p := s / n
	mid := float64(2*s) + zz
	wide := float64(normal975 * math.Sqrt(zz+float64(float64(4*s)*(1-p))))
	return (mid - wide) / float64(2*(n+zz)), (mid + wide) / float64(2*(n+zz))
}

// mismatch returns the p-value of the chi-square test (one degree of freedom)
// that k of n are a share of h; NaN where fewer than 5 are expected either way.
func mismatch(k, n, h float64) float64 {
	if n*min(h, 1-h) < 5 {
		return math.NaN()
	}
	off := math.Abs(k - float64(n*h))
	return tails(off / math.Sqrt(float64(float64(n*h)*(1-h))))
}

// tails returns the probability that a standard normal is further from 0 than x,
// x >= 0, with a relative error below 1e-11 (Abramowitz and Stegun 1964,
// formulas 26.2.11 and 26.2.14).
func tails(x float64) float64 {
	density := float64(0.3989422804014327 * fp.Exp64(-float64(0.5*float64(x*x))))
	if x < 3 {
		sum, term := x, x
		for k := 3.0; term > 1e-17*sum; k += 2 {
			term = float64(float64(term*x)*x) / k
			sum += term
		}
		return 1 - float64(2*float64(density*sum))
	}
	f := x
	for k := 80.0; k > 0; k-- {
		f = x + k/f
	}
	return float64(2*density) / f
}
