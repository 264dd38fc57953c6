package stats

import "math"

// OptimalityGap returns g - mean(min(x, g)), the mean amount by which runs fall
// short of the goal g; what a run exceeds g by counts nothing (Agarwal et al.,
// NeurIPS 2021, section 4.3). Its interval is that of the mean, by o.Method.
func OptimalityGap(x Scores, g float64, o Options) Estimated {
	capped := make(Scores, len(x))
	for p, runs := range x {
		capped[p] = make([]float64, len(runs))
		for r, v := range runs {
			capped[p][r] = v
			if v > g { // not min: NaN stays a missing run
				capped[p][r] = g
			}
		}
	}
	e := Estimate(capped, ByMean, o)
	return Estimated{Value: short(g, e.Value), Interval: Interval{short(g, e.High), short(g, e.Low)}}
}

// short returns g - v, 0 rather than -0.
func short(g, v float64) float64 {
	if math.IsNaN(v) {
		return v
	}
	return g - v + 0
}
