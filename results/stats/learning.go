package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Area returns the mean height of a curve over its X: the area under it by the
// trapezoidal rule, over the length of X. It weighs how early a run learns. NaN
// of a curve without length. Pairs with a NaN are left out.
func Area(x, y []float64) float64 {
	x, y = pairs(x, y)
	if len(x) < 2 {
		return math.NaN()
	}
	area := 0.0
	for i := range x[1:] {
		area += float64((x[i+1] - x[i]) * (y[i] + (y[i+1]-y[i])/2))
	}
	return area / (x[len(x)-1] - x[0])
}

// TimeTo returns the first X at which a curve is at the threshold or above, +Inf
// where it never is, NaN of no curve. For a cost, pass the negative of both.
func TimeTo(x, y []float64, threshold float64) float64 {
	x, y = pairs(x, y)
	if len(x) == 0 {
		return math.NaN()
	}
	for i, v := range y {
		if v >= threshold {
			return x[i]
		}
	}
	return math.Inf(1)
}

// Reached sums up times to a threshold.
type Reached struct {
	Runs, Reached int
	Share         Interval // of runs that reach it, see Wilson
	// Median is +Inf where fewer than half reach it. Its interval lies between order
	// statistics, exact for any distribution; its High may be +Inf. It is not known
	// below six runs.
	Median Estimated
}

// TimesTo sums up the times of independent runs, +Inf for a run that ended before
// it reached the threshold: such a run counts as later than all others. NaN are
// missing runs.
func TimesTo(times []float64, level float64) Reached {
	times = slices.Sorted(slices.Values(Present(times)))
	n := len(times)
	r := Reached{Runs: n, Share: Unknown(), Median: unestimated()}
	for r.Reached < n && !math.IsInf(times[r.Reached], 1) {
		r.Reached++
	}
	if n == 0 {
		return r
	}
	r.Share = Wilson(float64(r.Reached), float64(n), level)
	r.Median.Value = quantile(times, .5)
	k := 0 // the k-th lowest to the k-th highest time
	for 2*(k+1) < n+1 && fewer(n, k+1) <= (1-level)/2 {
		k++
	}
	if k > 0 {
		r.Median.Interval = Interval{times[k-1], times[n-k]}
	}
	return r
}

// fewer returns P(B < k) of B binomial with n and one half.
func fewer(n, k int) float64 {
	return mathext.RegIncBeta(float64(n-k+1), float64(k), .5)
}

// whole gives the mean curve of each replication that has a value at every X.
func (c *Curves) whole(see func(y []float64)) {
	for r := range c.reps {
		if y := c.Replication(r); y != nil && !slices.ContainsFunc(y, math.IsNaN) {
			see(y)
		}
	}
}

// Area returns the mean height of the curves, see the function Area, with its t
// interval over the replications that have a value at every X.
func (c *Curves) Area(level float64) Estimated {
	var areas []float64
	c.whole(func(y []float64) { areas = append(areas, Area(c.x, y)) })
	return Estimated{Mean(areas), TInterval(areas, level)}
}

// TimesTo sums up when the mean curve of each replication reaches the threshold.
func (c *Curves) TimesTo(threshold, level float64) Reached {
	var times []float64
	for r := range c.reps {
		if y := c.Replication(r); y != nil {
			times = append(times, TimeTo(c.x, y, threshold))
		}
	}
	return TimesTo(times, level)
}
