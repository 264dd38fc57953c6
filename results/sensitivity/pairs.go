package sensitivity

import "math"

// The noise of a replication is new to it, so products of two different
// replications hold no noise, and products within one hold all that two runs
// share. Of the runs x and y of two points, by replication, times[r] says how
// often replication r counts (nil: once); NaN runs are left out.

// within returns the mean of x_r*y_r.
func within(x, y []float64, times []float64) float64 {
	sum, n := 0.0, 0.0
	for r := range x {
		w := 1.0
		if times != nil {
			w = times[r]
		}
		if p := x[r] * y[r]; w > 0 && !math.IsNaN(p) {
			sum += float64(w * p)
			n += w
		}
	}
	return sum / n
}

// across returns the mean of x_r*y_s over r unlike s, from the replications that
// have both runs; NaN below two of them.
func across(x, y []float64, times []float64) float64 {
	var sx, sy, same, n, squares float64
	for r := range x {
		w := 1.0
		if times != nil {
			w = times[r]
		}
		if p := x[r] * y[r]; w > 0 && !math.IsNaN(p) {
			sx += float64(w * x[r])
			sy += float64(w * y[r])
			same += float64(float64(w*w) * p)
			n += w
			squares += float64(w * w)
		}
	}
	d := float64(n*n) - squares
	if d <= 0 {
		return math.NaN()
	}
	return (float64(sx*sy) - same) / d
}

// difference writes x - y into d and returns it.
func difference(x, y, d []float64) []float64 {
	d = d[:len(x)]
	for r := range x {
		d[r] = x[r] - y[r]
	}
	return d
}
