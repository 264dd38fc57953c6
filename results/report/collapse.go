package report

import (
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results/stats"
)

// A run of a learning arm has collapsed where it ends worse than the baseline arm
// at the same task and the same levels of shared and environment factors: than the
// baseline's run of the same replication where all of the arm's points share their
// noise with what stands beside them, since a world that is drawn anew for each
// replication moves both alike, and else than the mean of the baseline's runs. A run whose partner is missing is not counted.
// Where no baseline run stands beside it, or the learning arm is the baseline, it
// has collapsed where it ends more than collapseMADs robust standard deviations
// (stats.LowCutoff) worse than the median of its point.
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
	beside  bool // some were compared with the baseline's run of the same replication
	against bool // some were compared with the baseline's mean
	alone   bool // some were compared with their own point
}

// collapsed returns nil where nothing learns or runs are not kept.
func (m *Model) collapsed(l line, beside [][]int) *Collapsed {
	if !m.whole() || m.scales == nil {
		return nil
	}
	var c Collapsed
	noise := map[[2]uint64]bool{}
	shared := m.sharing(l, beside)
	for i, p := range l.points {
		if !m.scales.learns[p] {
			continue
		}
		runs := m.runs([]int{p})[0]
		var theirs []int
		if beside != nil {
			theirs = beside[i]
		}
		cuts := m.cuts(&c, runs, theirs, shared)
		for r, v := range runs {
			if math.IsNaN(v) || math.IsNaN(cuts[r]) {
				continue
			}
			c.Of++
			if m.worse(v, cuts[r]) {
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

// cuts returns the score by replication below which a run of a point has
// collapsed, NaN where it can't be told.
func (m *Model) cuts(c *Collapsed, runs []float64, beside []int, shared bool) []float64 {
	if len(beside) > 0 {
		theirs := m.runs(beside)
		mean := stats.ByMean.Of(theirs)
		switch {
		case math.IsNaN(mean): // none has run
		case shared:
			c.beside = true
			return averaged(theirs, m.reps)
		default:
			c.against = true
			return slices.Repeat([]float64{mean}, len(runs))
		}
	}
	c.alone = true
	return slices.Repeat([]float64{m.cutoff(stats.Present(runs))}, len(runs))
}

// sharing tells whether each point of the line has the noise of what stands beside
// it, replication by replication.
func (m *Model) sharing(l line, beside [][]int) bool {
	if m.Study.Paired != jobs.PairedRow {
		return m.Study.Paired == jobs.PairedAll
	}
	for i := range beside {
		for _, q := range beside[i] {
			if m.scales.row[q] != m.scales.row[l.points[i]] {
				return false
			}
		}
	}
	return true
}

// stream tells apart the trials that share no noise.
func (m *Model) stream(point, replication int) [2]uint64 {
	switch m.Study.Paired {
	case jobs.PairedNone:
		return [2]uint64{uint64(point), uint64(replication)}
	case jobs.PairedRow:
		return [2]uint64{m.scales.row[point], uint64(replication)}
	}
	return [2]uint64{0, uint64(replication)}
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
