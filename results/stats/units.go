package stats

import "math"

// Differences returns for each replication the mean over points of x - y, taken
// over the points where both have the run; NaN where none has. These are the
// independent units of paired tests: points of one replication share its noise.
// Points of x and y must correspond.
func Differences(x, y Scores) []float64 {
	reps := 0
	for p := range min(len(x), len(y)) {
		reps = max(reps, min(len(x[p]), len(y[p])))
	}
	all := make([]float64, reps)
	for r := range all {
		var d []float64
		for p := range min(len(x), len(y)) {
			if r < min(len(x[p]), len(y[p])) && !math.IsNaN(x[p][r]-y[p][r]) {
				d = append(d, x[p][r]-y[p][r])
			}
		}
		all[r] = Mean(d)
	}
	return all
}

// Means returns for each replication the mean over points, NaN where the run of
// a point is missing that has runs in other replications: the mean of fewer
// points would differ by the points. These are the independent units of
// unpaired tests and of live intervals.
func Means(x Scores) []float64 {
	reps := 0
	var points Scores
	for _, runs := range x {
		reps = max(reps, len(runs))
		if len(Present(runs)) > 0 {
			points = append(points, runs)
		}
	}
	all := make([]float64, reps)
	for r := range all {
		at := make([]float64, len(points))
		for p, runs := range points {
			at[p] = math.NaN()
			if r < len(runs) {
				at[p] = runs[r]
			}
		}
		all[r] = Mean(at)
	}
	return all
}
