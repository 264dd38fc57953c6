package report

import (
	"math"
	"slices"

	"overnight/jobs"
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
	points, x, y := m.against(d.line, d.beside)
	r.Points, r.Alone = len(points), len(d.line.points)-len(points)
	var theirs []int
	for i := range d.beside {
		theirs = append(theirs, d.beside[i]...)
		r.several = r.several || len(d.beside[i]) > 1
	}
	slices.Sort(theirs)
	r.Failed, r.AgainstFailed = m.failed(points), m.failed(slices.Compact(theirs))
	paired := m.Study.Paired != jobs.PairedNone
	if paired {
		m.cutAtStops(x, d.beside)
	}
	if c.o.Select {
		x, y = half(x, 1), half(y, 1)
	}
	address := []uint64{uint64(d.line.arm), uint64(d.other), uint64(d.line.task + 1), uint64(d.point + 1), uint64(boolInt(c.o.Select))}
	if m.overRows(points) {
		if !m.overRows(theirs) { // one run beside many: its luck can't be known
			r.Value, r.AgainstValue = number(c.summary.Of(x)), number(c.summary.Of(y))
			r.Difference = r.Value - r.AgainstValue
			return r
		}
		r.overRows, paired = true, true // rows are alike in more than noise
		x, y = units(x), units(y)
	}
	if paired {
		r.Lacking = pairUp(x, y)
	}
	r.Runs = runsOf(x)
	if r.Runs == 0 || runsOf(y) == 0 {
		return r
	}
	r.Value, r.AgainstValue = number(c.summary.Of(x)), number(c.summary.Of(y))
	e := stats.Difference(x, y, c.summary, m.options("results/compare/difference", 2*len(x)*m.reps, address...))
	r.Difference, r.DifferenceLow, r.DifferenceHigh = number(e.Value), number(e.Low), number(e.High)
	c.improve(&r, x, y, paired, m.options("results/compare/improvement", 2*len(x)*m.reps, address...))
	r.Units = unitsOf(x)
	t := c.test(x, y, paired, family, address)
	r.P, r.Least = number(t.P), number(t.Least)
	return r
}

// cutAtStops takes out of x the runs after what is beside them has stopped: such
// pairs are not lacking. x has the points that have something beside them.
func (m *Model) cutAtStops(x stats.Scores, beside [][]int) {
	if !m.Stops() {
		return
	}
	at := 0
	for _, theirs := range beside {
		if len(theirs) == 0 {
			continue
		}
		runs := x[at]
		at++
		for _, q := range theirs {
			for r := int(min(m.Planned(q), uint64(len(runs)))); r < len(runs); r++ {
				runs[r] = math.NaN()
			}
		}
	}
}

// improve adds what pairs of runs say.
func (c *Comparison) improve(r *CompareRow, x, y stats.Scores, paired bool, o stats.Options) {
	if c.m.Study.Objective.Minimize {
		x, y = y, x // higher is worse
	}
	var e stats.Estimated
	if r.overRows { // a point has one run a side: its only pair
		e = stats.WinsOf(x, y, level).Estimated
	} else {
		e = stats.Improvement(x, y, o)
	}
	r.Improvement, r.ImprovementLow, r.ImprovementHigh = number(e.Value), number(e.Low), number(e.High)
	if !paired {
		return
	}
	r.Wins = number(stats.WinsOf(x, y, level).Value)
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

// half returns the replications of odd (1) or even (0) number.
func half(x stats.Scores, odd int) stats.Scores {
	h := make(stats.Scores, len(x))
	for p, runs := range x {
		for r := odd; r < len(runs); r += 2 {
			h[p] = append(h[p], runs[r])
		}
	}
	return h
}

// pairUp takes out of both sides what the other lacks and returns how many pairs
// lacked one side.
func pairUp(x, y stats.Scores) int {
	lacking := 0
	for p := range x {
		for r := range x[p] {
			switch a, b := math.IsNaN(x[p][r]), math.IsNaN(y[p][r]); {
			case a && !b:
				y[p][r] = math.NaN()
				lacking++
			case b && !a:
				x[p][r] = math.NaN()
				lacking++
			}
		}
	}
	return lacking
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
