package figure

import (
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results/report"
	"overnight/results/stats"
)

const (
	// confidence is that of every interval and band.
	confidence = 0.95
	// maxPanels is how many panels a figure has at most: more are not looked at.
	maxPanels = 12
	// maxDots is how many dots or rows a panel shows at most; of more it shows a
	// seeded sample and says so.
	maxDots = 2000
)

// study is what the builders share: a model's lines with their scores.
type study struct {
	m       *report.Model
	by      stats.Statistic
	short   []string // names of factors
	lines   []armLine
	ofTasks [][]int // lines by task
}

// armLine is an arm on a task.
type armLine struct {
	report.Line
	arm   string
	runs  stats.Scores // by position in Points
	value []float64    // the summary of each point, NaN where it has no run
	rows  bool         // the units are the line's points, see report.Model.OverRows
}

// read returns what a model's figures are made of; false where it keeps no runs
// (above report.MaxTrials) or has none.
func read(m *report.Model) (*study, bool) {
	s := &study{m: m, by: stats.Statistic(m.Statistic()), short: m.ShortFactors(), ofTasks: make([][]int, len(m.Study.Tasks))}
	for _, l := range m.Lines() {
		runs := m.Scores(l.Points)
		if runs == nil || m.Replications() == 0 {
			return s, false
		}
		a := armLine{Line: l, arm: m.Study.Arms[l.Arm].Label, runs: runs, value: make([]float64, len(runs))}
		some := false
		for i := range runs {
			a.value[i] = s.sum(runs[i])
			some = some || !math.IsNaN(a.value[i])
		}
		if !some {
			continue
		}
		a.rows = m.OverRows(l.Points)
		s.ofTasks[l.Task] = append(s.ofTasks[l.Task], len(s.lines))
		s.lines = append(s.lines, a)
	}
	return s, len(s.lines) > 0
}

// sum is the objective's summary of the runs of one point.
func (s *study) sum(runs []float64) float64 {
	if s.by == stats.ByMean {
		return stats.Mean(stats.Present(runs))
	}
	return s.by.Of(stats.Scores{runs})
}

// estimate sums up the runs at positions of a line with an interval, as report's
// tables do; at is nil for all.
func (s *study) estimate(l *armLine, at []int, purpose string, address ...uint64) stats.Estimated {
	runs := l.runs
	if at != nil {
		runs = make(stats.Scores, len(at))
		for i, k := range at {
			runs[i] = l.runs[k]
		}
	}
	if l.rows && len(runs) > 0 {
		runs = report.RowUnits(runs, s.by)
	}
	if len(runs) == 0 {
		return stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}
	}
	size := len(runs) * len(runs[0])
	o := s.options(purpose, size, append([]uint64{uint64(l.Arm), uint64(l.Task + 1)}, address...)...)
	if s.by != stats.ByMean && len(runs[0]) > manyUnits {
		o.Method = stats.Percentile // BCa's corrections vanish, its jackknife takes N^2
	}
	return stats.Estimate(runs, s.by, o)
}

// manyUnits is how many replications (or rows) are enough for large-sample
// intervals.
const manyUnits = 200

// options returns how an interval over so many runs is made: with fewer resamples
// than a table's where runs are many, since a report has hundreds of them.
func (s *study) options(purpose string, size int, address ...uint64) stats.Options {
	o := s.m.Options(purpose, size, address...)
	o.Resamples = min(o.Resamples, max(2_000_000/size, 200))
	return o
}

// oracle returns the index of the arm that plays the best policy, or -1.
func oracle(m *report.Model) int {
	return slices.IndexFunc(m.Study.Arms, func(a jobs.Arm) bool { return a.Agent == "oracle" })
}

// series returns an empty series of an arm. The oracle is grey; the baseline is
// dashed; arms beyond the palette's first round have dashes by their colour.
func series(m *report.Model, arm int) Series {
	s := Series{Name: m.Study.Arms[arm].Label, Color: arm, Dashed: arm == m.Baseline()}
	if arm == oracle(m) {
		s.Color, s.Dashed = -1, false
	}
	return s
}

// ranked returns the lines of a task, best first and the oracle's last; learners
// before others.
func (s *study) ranked(task int) []*armLine {
	var all []*armLine
	value := map[*armLine]float64{}
	for _, i := range s.ofTasks[task] {
		l := &s.lines[i]
		all = append(all, l)
		value[l] = s.by.Of(l.runs)
	}
	class := func(l *armLine) int {
		switch {
		case l.Arm == oracle(s.m):
			return 2
		case !s.m.Learns(l.Points[0]):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b *armLine) int {
		switch {
		case class(a) != class(b):
			return class(a) - class(b)
		case s.m.Worse(value[b], value[a]):
			return -1
		case s.m.Worse(value[a], value[b]):
			return 1
		}
		return 0
	})
	return all
}

// best returns the line of a task with the best summary, the oracle's left out;
// nil where there is none.
func (s *study) best(task int) *armLine {
	var best *armLine
	var top float64
	for _, i := range s.ofTasks[task] {
		l := &s.lines[i]
		v := s.by.Of(l.runs)
		if l.Arm == oracle(s.m) || math.IsNaN(v) {
			continue
		}
		if best == nil || s.m.Worse(top, v) {
			best, top = l, v
		}
	}
	return best
}

// nans returns n numbers that are not known.
func nans(n int) []Num { return slices.Repeat([]Num{Num(math.NaN())}, n) }

// mark adds a reference line, where its place is known.
func (p *Panel) mark(name string, at float64, axis string) {
	if known(at) {
		p.Marks = append(p.Marks, Mark{Name: name, At: Num(at), Axis: axis})
	}
}
