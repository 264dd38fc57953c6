package report

import (
	"math"

	"overnight/results/stats"
)

// A run of a learning arm has collapsed where it ends worse than the mean of the
// baseline arm at the same task and the same levels of shared and environment
// factors. Where no baseline run stands beside it, or the learning arm is the
// baseline, it has collapsed where it ends more than collapseMADs robust
// standard deviations (stats.LowCutoff) worse than the median of its point.
const collapseMADs = 5

// Collapsed counts the collapsed runs of an arm.
type Collapsed struct {
	Runs, Of uint64
	// Upper is the 95 % upper bound of the share of collapsed runs
	// (stats.ShareUpper). Runs that share their noise count as one unit, with the
	// mean of what happened to them, since they tend to collapse together: with
	// `paired: all` the units are replications, with `row` rows times replications,
	// with `none` runs.
	Upper   float64
	against bool // some were compared with the baseline
	alone   bool // some were compared with their own point
}

// collapsed returns nil where nothing learns or runs are not kept.
func (m *Model) collapsed(l line, beside [][]int) *Collapsed {
	if !m.whole() || m.scales == nil {
		return nil
	}
	var c Collapsed
	noise := map[[2]uint64]bool{}
	for i, p := range l.points {
		if !m.scales.learns[p] {
			continue
		}
		runs := m.runs([]int{p})[0]
		cut := math.NaN()
		if beside != nil {
			cut = m.meanOf(beside[i])
		}
		if math.IsNaN(cut) {
			c.alone = true
			cut = m.cutoff(stats.Present(runs))
		} else {
			c.against = true
		}
		for r, v := range runs {
			if math.IsNaN(v) {
				continue
			}
			c.Of++
			if m.worse(v, cut) {
				c.Runs++
			}
			noise[m.stream(p, r)] = true
		}
	}
	if c.Of == 0 {
		return nil
	}
	n := float64(len(noise))
	c.Upper = stats.ShareUpper(n*float64(c.Runs)/float64(c.Of), n, level)
	return &c
}

// stream tells apart the trials that share no noise.
func (m *Model) stream(point, replication int) [2]uint64 {
	switch m.Study.Paired {
	case "none":
		return [2]uint64{uint64(point), uint64(replication)}
	case "row":
		return [2]uint64{m.scales.row[point], uint64(replication)}
	}
	return [2]uint64{0, uint64(replication)}
}

// meanOf returns the mean over points of the mean over runs.
func (m *Model) meanOf(points []int) float64 {
	if len(points) == 0 {
		return math.NaN()
	}
	return stats.ByMean.Of(m.runs(points))
}

func (m *Model) cutoff(x []float64) float64 {
	if !m.Study.Objective.Minimize {
		return stats.LowCutoff(x, collapseMADs)
	}
	mirrored := make([]float64, len(x))
	for i, v := range x {
		mirrored[i] = -v
	}
	return -stats.LowCutoff(mirrored, collapseMADs)
}

// worse tells whether a is worse than b by the study's goal.
func (m *Model) worse(a, b float64) bool {
	if m.Study.Objective.Minimize {
		return a > b
	}
	return a < b
}
