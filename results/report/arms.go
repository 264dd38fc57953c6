package report

import (
	"math"

	"overnight/results/stats"
)

// ArmRow is an arm in numbers, in the units of the objective.
type ArmRow struct {
	Arm    string `json:"arm"`
	Agent  string `json:"agent"`
	Task   string `json:"task"` // empty where all tasks are pooled
	Points uint64 `json:"points"`
	N      uint64 `json:"n"` // runs with an objective
	Mean   number `json:"mean"`
	IQM    number `json:"iqm"`
	Median number `json:"median"`
	Low    number `json:"low"` // the interval of the objective's summary
	High   number `json:"high"`
	// Gap is the mean shortfall from the optimum, 1 - mean(min(x, 1)) (the optimality
	// gap of Agarwal et al. 2021), where the objective is optimality.
	Gap     number `json:"optimality_gap"`
	GapLow  number `json:"optimality_gap_low"`
	GapHigh number `json:"optimality_gap_high"`
	// Difference is the arm's summary less the baseline's, at the points where
	// the baseline runs too.
	Difference     number  `json:"difference"`
	DifferenceLow  number  `json:"difference_low"`
	DifferenceHigh number  `json:"difference_high"`
	Worst          number  `json:"worst"`
	Trial          *uint64 `json:"worst_trial"`
	Collapsed      *uint64 `json:"collapsed"` // nil where it does not apply
	CollapsedOf    *uint64 `json:"collapsed_of"`
	CollapsedUpper number  `json:"collapsed_upper"`
	Failed         uint64  `json:"failed"`
	Dead           uint64  `json:"dead"`
	Overrun        uint64  `json:"overrun"`
	Missing        uint64  `json:"missing"`

	baseline bool
	rows     bool // the intervals are over the rows of the design
	partial  bool // the baseline runs at some of the points only
	lacking  bool // runs without the baseline's beside them are not in the difference
	without  bool // trials are done, and none has the objective
}

// ArmTable is a table of arms.
type ArmTable struct {
	m                      *Model
	rows                   []ArmRow
	beside, against, alone bool // how collapsed runs were told; see Collapsed
}

// ArmTable returns the table per arm: over all points of an arm and a task, or,
// for `optimality`, of all tasks.
func (m *Model) ArmTable() *ArmTable {
	t := &ArmTable{m: m}
	for _, l := range m.lines(m.pooled()) {
		t.rows = append(t.rows, t.row(l))
	}
	return t
}

// Rows returns the arms' numbers, by task and arm in the study's order.
func (t *ArmTable) Rows() []ArmRow { return t.rows }

func (t *ArmTable) row(l line) ArmRow {
	m, unknown := t.m, number(math.NaN())
	arm := m.Study.Arms[l.arm]
	r := ArmRow{
		Arm: arm.Label, Agent: arm.Agent, Points: uint64(len(l.points)), baseline: l.arm == m.baseline(),
		Mean: unknown, IQM: unknown, Median: unknown, Low: unknown, High: unknown,
		Gap: unknown, GapLow: unknown, GapHigh: unknown,
		Difference: unknown, DifferenceLow: unknown, DifferenceHigh: unknown, Worst: unknown, CollapsedUpper: unknown,
	}
	if l.task >= 0 {
		r.Task = m.Study.Tasks[l.task].Label
	}
	planned, done := uint64(0), uint64(0)
	if !m.byPoint() {
		r.Points = 0 // one cell is many points
	}
	for _, p := range l.points {
		c := &m.cells[p]
		if m.byPoint() {
			planned += m.Planned(p)
		}
		r.N, done = r.N+c.n, done+c.done
		r.Failed, r.Dead, r.Overrun = r.Failed+c.failed, r.Dead+c.dead, r.Overrun+c.overrun
		r.Missing += c.records()
		if c.n > 0 && (r.Trial == nil || m.worse(c.worst, float64(r.Worst))) {
			r.Worst, r.Trial = number(c.worst), &c.worstTrial
		}
	}
	r.Missing = planned - min(planned, r.Missing)
	r.without = r.N == 0 && done > 0
	if r.N == 0 {
		return r
	}
	beside := m.opposite(l)
	if !m.whole() {
		m.fromMoments(&r, l, beside)
		return r
	}
	m.estimate(&r, l, beside)
	if c := m.collapsed(l, beside); c != nil {
		r.Collapsed, r.CollapsedOf, r.CollapsedUpper = &c.Runs, &c.Of, number(c.Upper)
		t.beside, t.against, t.alone = t.beside || c.beside, t.against || c.against, t.alone || c.alone
	}
	return r
}

// estimate fills in what needs every run.
func (m *Model) estimate(r *ArmRow, l line, beside [][]int) {
	x := m.runs(l.points)
	o := m.options("results/arm", len(x)*m.reps, uint64(l.arm), uint64(l.task+1))
	r.Mean, r.IQM, r.Median = number(stats.ByMean.Of(x)), number(stats.ByIQM.Of(x)), number(stats.ByMedian.Of(x))
	r.rows = m.overRows(l.points)
	if r.rows {
		x = RowUnits(x, m.statistic())
	}
	e := stats.Estimate(x, m.statistic(), o)
	r.Low, r.High = number(e.Low), number(e.High)
	if m.Study.Objective.Metric == "optimality" {
		gap := stats.OptimalityGap(x, 1, o)
		r.Gap, r.GapLow, r.GapHigh = number(gap.Value), number(gap.Low), number(gap.High)
	}
	if beside == nil {
		return
	}
	f := m.face(l, beside, wholeStudy)
	if len(f.points) == 0 {
		return
	}
	r.partial, r.lacking = len(f.points) < len(l.points), f.lacking > 0
	e = m.difference(f, m.duelAddress(l, m.baseline()))
	r.Difference, r.DifferenceLow, r.DifferenceHigh = number(e.Value), number(e.Low), number(e.High)
}

// fromMoments fills in what studies above MaxTrials have.
func (m *Model) fromMoments(r *ArmRow, l line, beside [][]int) {
	mean := func(points []int) float64 {
		var means []float64
		for _, p := range points {
			if m.cells[p].n > 0 {
				means = append(means, m.cells[p].mean)
			}
		}
		return stats.Mean(means)
	}
	r.Mean = number(mean(l.points))
	var ours, theirs []float64
	for i, p := range l.points {
		if beside != nil && len(beside[i]) > 0 && m.cells[p].n > 0 {
			ours, theirs = append(ours, m.cells[p].mean), append(theirs, mean(beside[i]))
		}
	}
	r.Difference = number(stats.Mean(ours) - stats.Mean(theirs))
	r.partial = beside != nil && len(ours) < len(l.points)
}

func (t *ArmTable) header() []string {
	return []string{"arm", "agent", "task", "points", "n", "mean", "iqm", "median", "low", "high",
		"optimality_gap", "optimality_gap_low", "optimality_gap_high", "difference", "difference_low", "difference_high", "worst", "worst_trial",
		"collapsed", "collapsed_of", "collapsed_upper", "failed", "dead", "overrun", "missing"}
}

func (t *ArmTable) each(yield func([]any) bool) {
	for _, r := range t.rows {
		if !yield([]any{r.Arm, r.Agent, r.Task, r.Points, r.N, r.Mean, r.IQM, r.Median, r.Low, r.High,
			r.Gap, r.GapLow, r.GapHigh, r.Difference, r.DifferenceLow, r.DifferenceHigh, r.Worst, orNothing(r.Trial),
			orNothing(r.Collapsed), orNothing(r.CollapsedOf), r.CollapsedUpper, r.Failed, r.Dead, r.Overrun, r.Missing}) {
			return
		}
	}
}

func (t *ArmTable) json() any {
	rows := t.rows
	if rows == nil {
		rows = []ArmRow{}
	}
	return struct {
		heading
		Rows  []ArmRow `json:"rows"`
		Notes []string `json:"notes"`
	}{t.m.heading(), rows, t.notes()}
}
