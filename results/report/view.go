package report

import (
	"math"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// Line is an arm on a task: what most analyses take one at a time.
type Line struct {
	Task, Arm int   // indices of Study.Tasks and Study.Arms
	Points    []int // ascending
}

// Lines returns the lines of the study, task by task, that have points; none
// above MaxPoints.
func (m *Model) Lines() []Line {
	if !m.byPoint() {
		return nil
	}
	var all []Line
	for _, l := range m.lines(false) {
		all = append(all, Line{Task: l.task, Arm: l.arm, Points: l.points})
	}
	return all
}

// Scores returns the objective of each run, by position in points and by
// replication, NaN where there is none; nil above MaxTrials. It is the caller's.
func (m *Model) Scores(points []int) stats.Scores {
	if !m.whole() {
		return nil
	}
	return m.runs(points)
}

// Baseline returns the index of the baseline arm, or -1.
func (m *Model) Baseline() int { return m.baseline() }

// Beside returns the points of arm other that stand beside each point of a line:
// the same task, and the same level of every shared and environment factor that
// both have. Entries are nil where it does not run.
func (m *Model) Beside(l Line, other int) [][]int {
	return m.besides(line{arm: l.Arm, task: l.Task, points: l.Points}, other)
}

// OverRows tells whether intervals over points of a line take the rows of the
// design as their units, see RowUnits, instead of replications.
func (m *Model) OverRows(points []int) bool { return m.overRows(points) }

// Difference estimates the objective's summary of an arm less that of another on
// a task (-1: pooled over all), and says at how many points of the arm both run;
// with the baseline as the other, it is the difference of ArmTable and Compare.
func (m *Model) Difference(task, arm, other int) (stats.Estimated, int) {
	for _, l := range m.lines(task < 0) {
		if l.task == task && l.arm == arm && m.whole() {
			f := m.face(l, m.besides(l, other), wholeStudy)
			return m.difference(f, m.duelAddress(l, other)), len(f.points)
		}
	}
	return stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}, 0
}

// Level is the value of a factor at a point.
type Level struct {
	// Name is that of the level, or the value's short form.
	Name string
	// Number tells the levels of a factor apart, in the file's order; of a range, in
	// order of appearance. -1: the factor does not apply.
	Number int
	// Value is a number's value, NaN of what is not a number.
	Value float64
	// Range tells whether the factor is drawn from a range.
	Range bool
}

// Level returns the level of a factor (an index of Study.Factors) at a point.
func (m *Model) Level(point, factor int) Level {
	l := Level{Number: int(m.scales.at(point)[factor]), Value: math.NaN()}
	s := &m.scales.factors[factor]
	l.Range = s.continuous()
	if l.Number < 0 {
		return l
	}
	l.Name = s.names[l.Number]
	switch {
	case l.Range:
		l.Value = s.values[l.Number]
	case l.Number < len(m.Study.Factors[factor].Levels):
		switch v := m.Study.Factors[factor].Levels[l.Number].Value.(type) {
		case int64:
			l.Value = float64(v)
		case float64:
			l.Value = v
		}
	}
	return l
}

// Row returns the row of the design that a point stands in; points of one row
// share their noise where the study is paired by row.
func (m *Model) Row(point int) uint64 { return m.scales.row[point] }

// Learns tells whether the agent of a point learns.
func (m *Model) Learns(point int) bool { return m.scales.learns[point] }

// Replications returns how many replications have a record of at least one point.
func (m *Model) Replications() int { return m.reps }

// Options returns how intervals over so many runs are made; purpose and address
// tell their draws apart.
func (m *Model) Options(purpose string, size int, address ...uint64) stats.Options {
	return m.options(purpose, size, address...)
}

// Key returns the address of an analysis' random draws.
func (m *Model) Key(purpose string, address ...uint64) rng.Key {
	return rng.Root(m.Study.Seed, purpose, address...)
}
