package report

import (
	"math"

	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results/stats"
)

// cells numbers the levels of a factor at the points, a range's in bins
// (stats.Bins), and names them.
func (x *analysis) cells(factor int) (at []int, names []string, values []float64) {
	at, names = x.numbers(factor)
	v := make([]float64, len(x.points))
	for i, p := range x.points {
		v[i] = x.m.Level(p, factor).Value
	}
	binned := x.m.scales.factors[factor].continuous() && !x.m.few(factor, x.points)
	if binned {
		at = stats.Bins(v)
		number := map[int]int{} // a bin may be empty where values are equal
		for i := range v {
			number[at[i]] = 0
		}
		n := 0
		for b := range len(v) {
			if _, ok := number[b]; ok {
				number[b] = n
				n++
			}
		}
		for i := range at {
			at[i] = number[at[i]]
		}
		names = make([]string, n)
	}
	values = make([]float64, len(names))
	for l := range names {
		low, high, sum, n := math.Inf(1), math.Inf(-1), 0.0, 0.0
		for i := range at {
			if at[i] == l {
				low, high = min(low, v[i]), max(high, v[i])
				sum += v[i]
				n++
			}
		}
		values[l] = sum / n
		if binned {
			names[l] = shownNumber(low) + " to " + shownNumber(high)
		}
	}
	return at, names, values
}

// levels fills in the factors with their means per level. An interval is about
// repeating the replications; with one, of a plain sample with noise of its own a
// row, about the rows; else it is not known.
func (x *analysis) levels() {
	rows := x.m.reps == 1 && x.m.Study.Paired != jobs.PairedAll && x.sampled && !x.m.crossed()
	switch x.sample.Kind {
	case design.Random, design.LHS, design.Sobol, design.Halton:
	default:
		rows = false
	}
	for k, f := range x.factors {
		row := SensitivityFactor{Name: x.m.Study.Factors[f].Name, Factor: f, Index: x.arm.Result.Factors[k]}
		at, names, values := x.cells(f)
		for l, name := range names {
			var runs stats.Scores
			for i := range at {
				if at[i] == l {
					runs = append(runs, x.runs[i])
				}
			}
			level := SensitivityLevel{Name: name, Value: values[l], Points: len(runs)}
			if rows {
				level.Mean = stats.Estimate(RowUnits(runs, stats.ByMean), stats.ByMean, stats.Options{})
			} else {
				level.Mean = stats.Estimate(runs, stats.ByMean, stats.Options{})
			}
			row.Levels = append(row.Levels, level)
		}
		x.arm.Factors = append(x.arm.Factors, row)
	}
}

// pairs fills in the pairs with their means per combination of levels.
func (x *analysis) pairs() {
	at := make([][]int, len(x.factors))
	for k, f := range x.factors {
		at[k], _, _ = x.cells(f)
	}
	for _, p := range x.arm.Result.Pairs {
		row := SensitivityPair{A: p.I, B: p.J, Pair: p}
		na, nb := len(x.arm.Factors[p.I].Levels), len(x.arm.Factors[p.J].Levels)
		count := make([]float64, na*nb)
		row.Means = make([][]float64, na)
		for i := range row.Means {
			row.Means[i] = make([]float64, nb)
		}
		for i, runs := range x.runs {
			if mean := stats.Mean(stats.Present(runs)); !math.IsNaN(mean) {
				row.Means[at[p.I][i]][at[p.J][i]] += mean
				count[at[p.I][i]*nb+at[p.J][i]]++
			}
		}
		for i := range row.Means {
			for k := range row.Means[i] {
				row.Means[i][k] /= count[i*nb+k] // NaN where no point stands
			}
		}
		x.arm.Pairs = append(x.arm.Pairs, row)
	}
}
