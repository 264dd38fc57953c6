package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/rng"
)

// bootstrap returns the BCa or percentile interval of the statistic of x, less
// that of y where y is not nil. The units resampled are replications: each
// resample draws N of them with replacement and takes all points of both with
// them. Replications without any run are no units.
func bootstrap(x, y Scores, s Statistic, o Options) Interval {
	if o.Method != BCa && o.Method != Percentile {
		panic("stats: no method " + string(o.Method))
	}
	px := newPool(x)
	pools := []*pool{px}
	if y != nil {
		pools = append(pools, newPool(y))
	}
	units, reps := replications(pools)
	if len(units) < MinBootstrap || lonely(x) || lonely(y) {
		return Unknown()
	}
	theta := func(times []int32) float64 {
		v := px.eval(s, times)
		if y != nil {
			v -= pools[1].eval(s, times)
		}
		return v
	}
	return resampled(theta, units, reps, o)
}

// resampled returns the interval of theta, a statistic with replication r
// counted times[r] times (nil: once each), by resampling the units.
func resampled(theta func(times []int32) float64, units []int32, reps int, o Options) Interval {
	draws := make([]float64, 0, o.Resamples)
	resample(units, reps, o, func(times []int32) {
		// A resample may hit no run of one side at all; then there is no statistic.
		if v := theta(times); !math.IsNaN(v) {
			draws = append(draws, v)
		}
	})
	if len(draws) < o.Resamples/2 || len(draws) == 0 {
		return Unknown()
	}
	slices.Sort(draws)
	low, high := (1-o.Level)/2, (1+o.Level)/2
	if o.Method == BCa {
		var left []float64
		leaveOneOut(units, reps, func(times []int32) { left = append(left, theta(times)) })
		low, high = adjust(low, high, bias(draws, theta(nil)), acceleration(left))
	}
	return Interval{quantile(draws, low), quantile(draws, high)}
}

// resample draws as many units as there are, with replacement, o.Resamples
// times, and gives how often each replication was drawn to see.
func resample(units []int32, reps int, o Options, see func(times []int32)) {
	times := make([]int32, reps)
	for b := range o.Resamples {
		clear(times)
		stream := rng.New(o.Key.At(uint64(b)))
		for range units {
			times[units[stream.IntN(len(units))]]++
		}
		see(times)
	}
}

// bias returns z0 of Efron (1987, equation 4.1): the normal quantile of the
// share of resamples below the estimate, ties counted as half.
func bias(draws []float64, estimate float64) float64 {
	below, _ := slices.BinarySearch(draws, estimate)
	upTo := below
	for upTo < len(draws) && draws[upTo] == estimate {
		upTo++
	}
	return distuv.UnitNormal.Quantile(float64(below+upTo) / 2 / float64(len(draws)))
}

// acceleration returns a of Efron (1987), by the jackknife over the units
// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, equation
// 14.15), from the statistic with each left out.
func acceleration(left []float64) float64 {
	m := Mean(left)
	var squares, cubes float64
	for _, v := range left {
		d := m - v
		squares += float64(d * d)
		cubes += float64(float64(d*d) * d)
	}
	if squares == 0 || math.IsNaN(squares) {
		return 0
	}
	return cubes / (6 * squares * math.Sqrt(squares))
}

// maxJackknife is how many times a statistic is computed for a jackknife.
const maxJackknife = 1000

// leaveOneOut gives the units counted once each but for one, for each in turn. Of
// more than maxJackknife units it leaves out groups of neighbours, which gives
// the same standard error and acceleration but for a little more scatter (the
// grouped jackknife of Quenouille, Biometrika 43, 1956) in time that does not
// grow with the square of their number.
func leaveOneOut(units []int32, reps int, see func(times []int32)) {
	times := make([]int32, reps)
	for _, u := range units {
		times[u] = 1
	}
	for _, group := range grouped(units) {
		for _, u := range group {
			times[u] = 0
		}
		see(times)
		for _, u := range group {
			times[u] = 1
		}
	}
}

// grouped cuts units into at most maxJackknife groups of neighbours, whose sizes
// differ by one at most.
func grouped(units []int32) [][]int32 {
	n := min(len(units), maxJackknife)
	groups := make([][]int32, n)
	for g := range groups {
		groups[g] = units[g*len(units)/n : (g+1)*len(units)/n]
	}
	return groups
}

// adjust moves the two shares by bias and acceleration (Efron 1987, equation
// 2.3). Where that is out of range - every resample on one side of the
// estimate - they stay as they are, which is the percentile interval.
func adjust(low, high, z0, a float64) (float64, float64) {
	move := func(share float64) float64 {
		z := z0 + distuv.UnitNormal.Quantile(share)
		return distuv.UnitNormal.CDF(z0 + z/(1-float64(a*z)))
	}
	l, h := move(low), move(high)
	if math.IsInf(z0, 0) || math.IsNaN(l) || math.IsNaN(h) || l >= h {
		return low, high
	}
	return l, h
}

// replications returns the replications that have a run, ascending, and how
// many numbers are in use.
func replications(pools []*pool) (units []int32, reps int) {
	for _, p := range pools {
		for _, r := range p.runs {
			units = append(units, r.replicate)
		}
	}
	slices.Sort(units)
	units = slices.Compact(units)
	if len(units) > 0 {
		reps = int(units[len(units)-1]) + 1
	}
	return units, reps
}

// lonely tells whether a point has one run only.
func lonely(x Scores) bool {
	for _, runs := range x {
		if len(Present(runs)) == 1 {
			return true
		}
	}
	return false
}
