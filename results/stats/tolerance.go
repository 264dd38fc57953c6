package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// A tolerance interval says where runs will fall, not where their mean lies: it
// holds at least a share of all future runs with the confidence level. Its runs
// are independent ones of one point, or Means.

// Tolerance returns the tolerance interval between order statistics, which
// holds for any distribution (Wilks, Annals of Mathematical Statistics 12,
// 1941): from the r-th lowest to the r-th highest run with the greatest r that
// keeps the level. It is not known below ToleranceRuns runs.
func Tolerance(x []float64, share, level float64) Interval {
	x = slices.Sorted(slices.Values(Present(x)))
	n := len(x)
	if n < 2 || !(holds(n, n-1, share) >= level) {
		return Unknown()
	}
	r := 1
	for n-2*r-1 > 0 && holds(n, n-2*r-1, share) >= level {
		r++
	}
	return Interval{x[r-1], x[n-r]}
}

// holds returns the confidence that k spacings between the order statistics of n
// runs hold the share: what they hold is distributed as Beta(k, n-k+1).
func holds(n, k int, share float64) float64 {
	return 1 - mathext.RegIncBeta(float64(k), float64(n-k+1), share)
}

// ToleranceRuns returns how few runs Tolerance needs: 46 for a share of 0.9 at
// the level 0.95, 93 for 0.95.
func ToleranceRuns(share, level float64) int {
	if !(share > 0 && share < 1 && level > 0 && level < 1) {
		panic("stats: share and level of a tolerance interval lie between 0 and 1")
	}
	high := 2
	for holds(high, high-1, share) < level {
		high *= 2
	}
	low := 1
	for high-low > 1 {
		if n := (low + high) / 2; holds(n, n-1, share) < level {
			low = n
		} else {
			high = n
		}
	}
	return high
}

// RangeHolds returns the share of future runs that the lowest to the highest of
// n runs hold at least, with the confidence level: 0.606 for 10 runs at 0.95.
// What can be said of any distribution where there are too few runs for
// Tolerance. 0 below two runs.
func RangeHolds(n int, level float64) float64 {
	if n < 2 {
		return 0
	}
	return mathext.InvRegIncBeta(float64(n-1), 2, 1-level)
}

// NormalTolerance returns the tolerance interval of normal runs, mean -+ k
// standard deviations with the exact two-sided k (ToleranceFactor). It is known
// from two runs and holds for normal scores only: on skewed ones the share is
// missed far more often than level says. Not known below two runs.
func NormalTolerance(x []float64, share, level float64) Interval {
	x = Present(x)
	if len(x) < 2 {
		return Unknown()
	}
	m, half := Mean(x), float64(ToleranceFactor(len(x), share, level)*SD(x))
	return Interval{m - half, m + half}
}

// ToleranceFactor returns k of n runs: with the mean of the runs off by z
// standard deviations, the standard deviation s has to reach r(z)/k, where -+r
// around z holds the share, so k solves E[P(chi2_(n-1) > (n-1) r(Z)^2/k^2)] =
// level for Z normal with variance 1/n (Krishnamoorthy and Mathew, Statistical
// Tolerance Regions, 2009, equation 2.3.3). NaN below two runs.
func ToleranceFactor(n int, share, level float64) float64 {
	if n < 2 {
		return math.NaN()
	}
	const nodes = 64
	end := 8 / math.Sqrt(float64(n))
	z, weight := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(z, weight, 0, end)
	reach := make([]float64, nodes)
	for i := range z {
		weight[i] *= 2 * math.Sqrt(float64(n)/(2*math.Pi)) * math.Exp(-float64(n)*z[i]*z[i]/2)
		reach[i] = bisect(0, z[i]+9, func(r float64) bool {
			return distuv.UnitNormal.CDF(z[i]+r)-distuv.UnitNormal.CDF(z[i]-r) >= share
		})
	}
	chi := distuv.ChiSquared{K: float64(n - 1)}
	confidence := func(k float64) float64 {
		c := 0.0
		for i, r := range reach {
			c += float64(weight[i] * chi.Survival(float64(n-1)*r*r/(k*k)))
		}
		return c
	}
	high := 2.
	for confidence(high) < level {
		high *= 2
	}
	return bisect(0, high, func(k float64) bool { return k > 0 && confidence(k) >= level })
}

// bisect returns where ok, false at low and true at high, turns true.
func bisect(low, high float64, ok func(float64) bool) float64 {
	for range 200 {
		m := low + (high-low)/2
		if m <= low || m >= high {
			break
		}
		if ok(m) {
			high = m
		} else {
			low = m
		}
	}
	return high
}
