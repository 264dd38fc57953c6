package report

import (
	"encoding/binary"
	"math"
	"slices"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results/stats"
)

// line is what a table per arm shows in one row: the points of an arm, of one
// task or, where scores compare over tasks, of all.
type line struct {
	arm, task int // task is -1 for all
	points    []int
}

// pooled tells whether an arm's points are pooled over tasks: only for
// `optimality`, whose unit is the same everywhere.
func (m *Model) pooled() bool {
	return len(m.Study.Tasks) > 1 && m.Study.Objective.Metric == "optimality"
}

// lines returns the rows of a table per arm, task by task; together pools tasks.
func (m *Model) lines(together bool) []line {
	arms := len(m.Study.Arms)
	all := make([]line, arms*len(m.Study.Tasks))
	for i := range all {
		all[i].task, all[i].arm = i/arms, i%arms
		if together {
			all[i].task = -1
		}
	}
	if together {
		all = all[:arms]
	}
	for p := range m.cells {
		i := int(m.cells[p].arm)
		if !together {
			i += int(m.cells[p].task) * arms
		}
		all[i].points = append(all[i].points, p)
	}
	return slices.DeleteFunc(all, func(l line) bool { return len(l.points) == 0 })
}

// baseline returns the index of the baseline arm, or -1.
func (m *Model) baseline() int {
	if m.Study.Baseline == "" {
		return -1
	}
	return slices.IndexFunc(m.Study.Arms, func(a jobs.Arm) bool { return a.Label == m.Study.Baseline })
}

// opposite returns the points of the baseline arm that stand beside each point
// of the line: the same task, and the same level of every shared and environment
// factor that both have. It is nil for the baseline itself and without one, and
// its entries are nil where the baseline does not run.
func (m *Model) opposite(l line) [][]int {
	base := m.baseline()
	if base < 0 || base == l.arm {
		return nil
	}
	return m.besides(l, base)
}

// besides is opposite for any arm.
func (m *Model) besides(l line, base int) [][]int {
	// The factors both have are the same at all points of a task.
	beside := make([][]int, len(l.points))
	for task := range m.Study.Tasks {
		var theirs []int
		for p := range m.cells {
			if int(m.cells[p].arm) == base && int(m.cells[p].task) == task {
				theirs = append(theirs, p)
			}
		}
		if len(theirs) == 0 {
			continue
		}
		var factors []int
		groups := map[string][]int{}
		for i, p := range l.points {
			if int(m.cells[p].task) != task {
				continue
			}
			if len(groups) == 0 {
				factors = m.common(p, theirs[0])
				for _, q := range theirs {
					k := m.levelKey(q, factors)
					groups[k] = append(groups[k], q)
				}
			}
			beside[i] = groups[m.levelKey(p, factors)]
		}
	}
	return beside
}

// common returns the factors, not an arm's own, that two points both have.
func (m *Model) common(p, q int) []int {
	if m.scales == nil {
		return nil
	}
	var both []int
	for f := range m.Study.Factors {
		if m.Study.Factors[f].Arm == "" && m.scales.at(p)[f] >= 0 && m.scales.at(q)[f] >= 0 {
			both = append(both, f)
		}
	}
	return both
}

func (m *Model) levelKey(p int, factors []int) string {
	k := make([]byte, 0, 4*len(factors))
	for _, f := range factors {
		k = binary.LittleEndian.AppendUint32(k, uint32(m.scales.at(p)[f]))
	}
	return string(k)
}

// against returns the points of the line with a baseline beside them, their
// runs, and the baseline's, averaged within a replication where several of its
// points stand beside one; nothing from where the point has stopped.
func (m *Model) against(l line, beside [][]int) (points []int, x, y stats.Scores) {
	for i, p := range l.points {
		if len(beside[i]) > 0 {
			points = append(points, p)
			theirs := averaged(m.runs(beside[i]), m.reps)
			for r := int(min(m.Planned(p), uint64(m.reps))); r < m.reps; r++ {
				theirs[r] = math.NaN() // the pair has stopped; it went on for others
			}
			y = append(y, theirs)
		}
	}
	return points, m.runs(points), y
}

// averaged returns the mean over points in each replication.
func averaged(x stats.Scores, reps int) []float64 {
	if len(x) == 1 {
		return x[0]
	}
	means := make([]float64, reps)
	column := make([]float64, 0, len(x))
	for r := range means {
		column = column[:0]
		for _, runs := range x {
			if !math.IsNaN(runs[r]) {
				column = append(column, runs[r])
			}
		}
		means[r] = stats.Mean(column)
	}
	return means
}

// overRows tells whether the units of intervals and tests over these points are
// the rows of the design, taken as a random sample: rows are drawn, each has
// noise of its own and one of the points, and there are more of them than
// replications, so they know more of luck.
func (m *Model) overRows(points []int) bool {
	switch m.Study.Design.Kind {
	case "random", "lhs", "sobol", "halton":
	default:
		return false
	}
	if m.Study.Paired == jobs.PairedAll || m.scales == nil || m.reps == 0 || uint64(len(points)) <= m.Study.Replications {
		return false
	}
	seen := map[[2]uint64]bool{}
	for _, p := range points {
		seen[[2]uint64{uint64(m.cells[p].task), m.scales.row[p]}] = true
	}
	return len(seen) == len(points)
}

// RowUnits turns points that are a random sample (Model.OverRows) into units, the
// replications of stats.Scores, for a statistic: for means each row is one number,
// so that rows count alike; else all runs of a row stay together.
func RowUnits(x stats.Scores, s stats.Statistic) stats.Scores {
	reps := 0
	for _, runs := range x {
		reps = max(reps, len(runs))
	}
	if s == stats.ByMean {
		reps = min(reps, 1)
	}
	rows := make(stats.Scores, reps)
	for r := range rows {
		rows[r] = make([]float64, len(x))
		for p, runs := range x {
			if s == stats.ByMean {
				rows[r][p] = stats.Mean(stats.Present(runs))
			} else {
				rows[r][p] = runs[r]
			}
		}
	}
	return rows
}

// options returns how intervals are made; address tells them apart.
func (m *Model) options(purpose string, size int, address ...uint64) stats.Options {
	o := stats.Options{Key: rng.Root(m.Study.Seed, purpose, address...), Resamples: 2000}
	if size > 50_000 { // keeps a table under some seconds
		o.Resamples = max(100_000_000/size, 200)
	}
	return o
}
