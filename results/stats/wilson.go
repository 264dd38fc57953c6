package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Wilson returns the two-sided interval of a share that k of n independent runs
// showed (Wilson, JASA 22, 1927). Not known for n of 0.
func Wilson(k, n, level float64) Interval {
	if n <= 0 || math.IsNaN(k) {
		return Unknown()
	}
	i := wilson(k/n, n, distuv.UnitNormal.Quantile((1+level)/2))
	switch k { // not a rounding error away
	case 0:
		i.Low = 0
	case n:
		i.High = 1
	}
	return i
}

// wilson returns the shares that lie z standard errors from share, n runs.
func wilson(share, n, z float64) Interval {
	part := float64(z*z) / n
	middle := (share + part/2) / (1 + part)
	half := math.Sqrt(float64(share*(1-share))*part+float64(part*part)/4) / (1 + part)
	return Interval{max(middle-half, 0), min(middle+half, 1)}
}

// sharesInterval returns the interval of a share between 0 and 1 that is
// averaged over n replications in any way: Wilson's with as many runs as give
// the jackknife's standard error and with t for the normal quantile (effective
// sample size: Korn and Graubard, Survey Methodology 24, 1998). left is the
// share with each replication left out, or each group of them (leaveOneOut). It covers 94 to 97 % from ten
// replications on where the bootstrap covers 84 % (TestCoverageStudy: noise that
// points and arms share). Where the share is 0 or 1 no luck can be seen; there
// it is bounded as by none of `units` replications (ShareUpper).
func sharesInterval(share float64, left []float64, units int, level float64) Interval {
	n := float64(len(left))
	switch none := ShareUpper(0, float64(units), (1+level)/2); share {
	case 0:
		return Interval{0, none}
	case 1:
		return Interval{1 - none, 1}
	}
	square := squaresAbout(left, Mean(left)) * (n - 1) / n // of the standard error
	if square == 0 {
		return Interval{share, share}
	}
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile((1 + level) / 2)
	return wilson(share, share*(1-share)/square, t)
}
