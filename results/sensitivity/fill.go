package sensitivity

import (
	"math"
	"slices"

	"overnight/results/stats"
)

// additive fills points without a run with the sum of main effects of each
// replication, by repeating: fit, fill, until it settles.
func additive(g *Grid, gaps []int) stats.Scores {
	runs := filled(g.Runs, math.NaN())
	for r := range runs[0] {
		var there []float64
		for p := range runs {
			if v := runs[p][r]; !math.IsNaN(v) {
				there = append(there, v)
			}
		}
		if len(there) == 0 {
			continue
		}
		start := stats.Mean(there)
		scale := stats.SD(there)
		for _, p := range gaps {
			runs[p][r] = start
		}
		for range 200 {
			moved := 0.0
			fit := mainEffects(runs, r, g.Levels)
			for _, p := range gaps {
				moved = max(moved, math.Abs(fit(p)-runs[p][r]))
				runs[p][r] = fit(p)
			}
			if moved <= 1e-9*scale {
				break
			}
		}
	}
	return runs
}

// mainEffects returns the sum of mean and main effects at a point, from the runs
// of one replication that there are.
func mainEffects(runs stats.Scores, r int, levels [][]int) func(p int) float64 {
	grand, n := 0.0, 0.0
	for p := range runs {
		if v := runs[p][r]; !math.IsNaN(v) {
			grand += v
			n++
		}
	}
	grand /= n
	effect := make([][]float64, len(levels))
	for f, l := range levels {
		sum, count := make([]float64, slices.Max(l)+1), make([]float64, slices.Max(l)+1)
		for p := range runs {
			if v := runs[p][r]; !math.IsNaN(v) {
				sum[l[p]] += v - grand
				count[l[p]]++
			}
		}
		for k := range sum {
			if count[k] > 0 {
				sum[k] /= count[k]
			}
		}
		effect[f] = sum
	}
	return func(p int) float64 {
		v := grand
		for f, l := range levels {
			v += effect[f][l[p]]
		}
		return v
	}
}
