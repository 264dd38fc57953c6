package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// TInterval returns the t interval of the mean of independent scores, not known
// below two. Scores that are NaN are left out.
func TInterval(x []float64, level float64) Interval {
	x = Present(x)
	return tAround(Mean(x), SD(x)/math.Sqrt(float64(len(x))), len(x), level)
}

// TFromMoments is TInterval from a sample's size, mean and standard deviation.
func TFromMoments(n int, mean, sd, level float64) Interval {
	return tAround(mean, sd/math.Sqrt(float64(n)), n, level)
}

func tAround(mean, stderr float64, n int, level float64) Interval {
	if n < 2 || math.IsNaN(stderr) || math.IsInf(stderr, 0) {
		return Unknown()
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile((1 + level) / 2)
	half := float64(t * stderr)
	return Interval{mean - half, mean + half}
}

// student returns the t interval of the mean over points of x, less that of y.
//
// Replications are the units: points of one replication share its noise and are
// not independent. Complete scores come down to a t interval of the N means over
// points, one a replication (of their differences). With runs missing, unit r is
// its influence on the estimate, the sum over points of (N/n_p)(x_pr - mean_p)/M,
// with n_p runs at point p of M and 0 where a run is missing; a missing run then
// brings in no difference between points.
func student(mean float64, x, y Scores, level float64) Interval {
	reps := 0
	for _, s := range []Scores{x, y} {
		for _, runs := range s {
			reps = max(reps, len(runs))
		}
	}
	has := make([]bool, reps)
	for _, s := range []Scores{x, y} {
		for _, runs := range s {
			for r, v := range runs {
				has[r] = has[r] || !math.IsNaN(v)
			}
		}
	}
	n := 0
	for _, h := range has {
		if h {
			n++
		}
	}
	u := make([]float64, reps)
	if !addInfluence(u, x, 1, n) || !addInfluence(u, y, -1, n) || n < 2 {
		return Unknown()
	}
	squares := 0.0
	for _, v := range u {
		squares += float64(v * v)
	}
	return tAround(mean, math.Sqrt(squares/float64(n-1)/float64(n)), n, level)
}

// addInfluence adds the replications' influence on sign * the mean of x to u. It
// returns false where a point has one run only: its noise can't be known.
func addInfluence(u []float64, x Scores, sign float64, n int) bool {
	points := 0
	for _, runs := range x {
		if len(Present(runs)) > 0 {
			points++
		}
	}
	for _, runs := range x {
		there := Present(runs)
		if len(there) == 0 {
			continue
		}
		if len(there) == 1 {
			return false
		}
		m := Mean(there)
		scale := sign * float64(n) / float64(len(there)) / float64(points)
		for r, v := range runs {
			if !math.IsNaN(v) {
				u[r] += float64(scale * (v - m))
			}
		}
	}
	return true
}
