package report

import (
	"math"
	"slices"

	"overnight/results/stats"
)

// row makes the numbers of a comparison, one of `family`.
func (c *Comparison) row(d *duel, family int) CompareRow {
	m, unknown := c.m, number(math.NaN())
	r := CompareRow{
		Arm: m.Study.Arms[d.line.arm].Label, Against: m.Study.Arms[d.other].Label,
		Setting: d.ours, AgainstSetting: d.theirs,
		Value: unknown, AgainstValue: unknown, Difference: unknown, DifferenceLow: unknown, DifferenceHigh: unknown,
		Improvement: unknown, ImprovementLow: unknown, ImprovementHigh: unknown, Wins: unknown,
		P: unknown, Least: 1, Correlation: unknown, Reduction: unknown,
	}
	if d.line.task >= 0 {
		r.Task = m.Study.Tasks[d.line.task].Label
	}
	if d.point >= 0 {
		at := uint64(d.point)
		r.Point, r.Levels = &at, &levels{factors: c.columns}
		for f := range m.Study.Factors {
			r.Levels.names = append(r.Levels.names, m.scales.name(d.point, f))
		}
	}
	runs := wholeStudy
	if c.o.Select {
		runs = oddRuns
	}
	f := m.face(d.line, d.beside, runs)
	r.Points, r.Alone = len(f.points), len(d.line.points)-len(f.points)
	for i := range d.beside {
		r.several = r.several || len(d.beside[i]) > 1
	}
	r.Failed, r.AgainstFailed = m.failed(f.points), m.failed(f.theirs)
	r.Lacking, r.overRows = f.lacking, f.rows
	r.Runs = runsOf(f.x)
	if r.Runs == 0 || runsOf(f.y) == 0 {
		return r
	}
	r.Value, r.AgainstValue = number(c.summary.Of(f.x)), number(c.summary.Of(f.y))
	address := m.duelAddress(d.line, d.other)
	address[3], address[4] = uint64(d.point+1), uint64(boolInt(c.o.Select))
	e := m.difference(f, address)
	r.Difference, r.DifferenceLow, r.DifferenceHigh = number(e.Value), number(e.Low), number(e.High)
	c.improve(&r, f, m.options("results/compare/improvement", 2*len(f.x)*m.reps, address...))
	x, y := f.units(c.summary)
	r.Units = unitsOf(x)
	t := c.test(x, y, f.paired, family, address)
	r.P, r.Least = number(t.P), number(t.Least)
	return r
}

// improve adds what pairs of runs say.
func (c *Comparison) improve(r *CompareRow, f facing, o stats.Options) {
	x, y := f.x, f.y
	if c.m.Study.Objective.Minimize {
		x, y = y, x // higher is worse
	}
	var e stats.Estimated
	if f.rows {
		e = stats.ImprovementOverPoints(x, y, level)
	} else {
		e = stats.Improvement(x, y, o)
	}
	r.Improvement, r.ImprovementLow, r.ImprovementHigh = number(e.Value), number(e.Low), number(e.High)
	if !f.paired {
		return
	}
	r.Wins = number(stats.WinsOf(x, y, level).Value)
	x, y = f.units(stats.ByMean)
	noise := stats.CommonNoiseOf(x, y, level)
	r.Correlation, r.Reduction = number(noise.Correlation.Value), number(noise.Factor.Value)
}

// failed counts the runs of points without a result.
func (m *Model) failed(points []int) uint64 {
	n := uint64(0)
	for _, p := range points {
		n += m.cells[p].failed + m.cells[p].dead + m.cells[p].overrun
	}
	return n
}

func runsOf(x stats.Scores) int {
	n := 0
	for _, runs := range x {
		n += len(stats.Present(runs))
	}
	return n
}

// unitsOf counts the replications that have a run.
func unitsOf(x stats.Scores) int {
	n := 0
	for r := 0; len(x) > 0 && r < len(x[0]); r++ {
		if slices.ContainsFunc(x, func(runs []float64) bool { return !math.IsNaN(runs[r]) }) {
			n++
		}
	}
	return n
}
