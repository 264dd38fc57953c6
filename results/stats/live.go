package stats

import "math"

// LiveBest is the number of runs at which Live is tuned to be shortest.
const LiveBest = 10

// Live returns an interval of the mean that may be watched: with probability at
// least level it holds the true mean at every number of runs from the first to
// the last, so one may look after each run and stop whenever one likes. x are
// independent runs, or Means, in an order that their scores do not decide
// (replications from 0 up, not as they finish).
//
// For normal scores that is exact at any n, their variance unknown: the interval
// holds the means whose t test by a Bayes factor is below 1/(1-level) (prior:
// mean/sd normal with variance g; Rouder et al. 2009; Wang and Ramdas, Anytime-
// valid t-tests, 2023), a test martingale. For others it holds in the limit: it
// comes down to the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha,
// Kennedy and Ramdas (Annals of Statistics 52, 2024, theorem 2.2) with rho^2 = g.
// It is wider than TInterval, which holds at one n chosen before, and not known
// where it would be infinite: at level 0.95 below five runs.
func Live(x []float64, level float64) Interval {
	x = Present(x)
	return LiveFromMoments(len(x), Mean(x), SD(x), level)
}

// LiveFromMoments is Live from a sample's size, mean and standard deviation.
func LiveFromMoments(n int, mean, sd, level float64) Interval {
	if n < 2 || math.IsNaN(sd) || math.IsInf(sd, 0) {
		return Unknown()
	}
	// g is rho^2 of Waudby-Smith et al., appendix B.2, for n = LiveBest.
	l := -2 * math.Log(1-level)
	g := (l + math.Log(l) + 1) / LiveBest
	// With u = t^2/(n-1), a = 1+ng: the Bayes factor (1+u)^(n/2) (1+u/a)^(-n/2)
	// a^(-1/2) reaches 1/(1-level) at (1+u)/(1+u/a) = r.
	a := 1 + float64(float64(n)*g)
	r := math.Exp((math.Log(a) + l) / float64(n))
	if r >= a {
		return Unknown()
	}
	u := (r - 1) / (1 - r/a)
	half := float64(sd * math.Sqrt(float64(u*float64(n-1))/float64(n)))
	return Interval{mean - half, mean + half}
}
