package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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
}

// ArmTable is a table of arms.
type ArmTable struct {
	m              *Model
	rows           []ArmRow
	against, alone bool // how collapsed runs were told; see Collapsed
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
		Difference: unknown, DifferenceLow: unknown, DifferenceHigh: unknown, Worst: unknown, CollapsedUpper: unknown,
	}
	if l.task >= 0 {
		r.Task = m.Study.Tasks[l.task].Label
	}
	planned := uint64(len(l.points)) * m.Study.Replications
	if !m.byPoint() {
		r.Points, planned = 0, 0 // one cell is many points
	}
	for _, p := range l.points {
		c := &m.cells[p]
		r.N += c.n
		r.Failed, r.Dead, r.Overrun = r.Failed+c.failed, r.Dead+c.dead, r.Overrun+c.overrun
		r.Missing += c.records()
		if c.n > 0 && (r.Trial == nil || m.worse(c.worst, float64(r.Worst))) {
			r.Worst, r.Trial = number(c.worst), &c.worstTrial
		}
	}
	r.Missing = planned - min(planned, r.Missing)
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
		t.against, t.alone = t.against || c.against, t.alone || c.alone
	}
	return r
}

// estimate fills in what needs every run.
func (m *Model) estimate(r *ArmRow, l line, beside [][]int) {
	x := m.runs(l.points)
	size := len(x) * m.reps
	address := []uint64{uint64(l.arm), uint64(l.task + 1)}
	o := m.options("results/arm", size, address...)
	r.Mean, r.IQM, r.Median = number(stats.ByMean.Of(x)), number(stats.ByIQM.Of(x)), number(stats.ByMedian.Of(x))
	r.rows = m.overRows(l.points)
	if r.rows {
		x = units(x)
	}
	e := stats.Estimate(x, m.statistic(), o)
	r.Low, r.High = number(e.Low), number(e.High)
	if beside == nil {
		return
	}
	points, x, y := m.against(l, beside)
	if len(points) == 0 {
		return
	}
	r.partial = len(points) < len(l.points)
	o = m.options("results/difference", 2*size, address...)
	value := m.statistic().Of(x) - m.statistic().Of(y)
	if r.rows {
		x, y = units(x), units(y)
		if !m.overRows(slices.Concat(beside...)) {
			y = nil // one run of the baseline beside many: its luck can't be known
		}
	}
	e = stats.Difference(x, y, m.statistic(), o)
	r.Difference, r.DifferenceLow, r.DifferenceHigh = number(value), number(e.Low), number(e.High)
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

// scope says what a row is over: "12 points x 20 replications".
func (t *ArmTable) scope() string {
	m := t.m
	low, high := uint64(math.MaxUint64), uint64(0)
	for _, r := range t.rows {
		low, high = min(low, r.Points), max(high, r.Points)
	}
	if high == 0 {
		return "all runs"
	}
	points := plural(high, "point")
	if low < high {
		points = fmt.Sprintf("%d to %s", low, points)
	}
	s := points + " x " + plural(m.Study.Replications, "replication")
	if m.pooled() {
		s += fmt.Sprintf(", %d tasks pooled", len(m.Study.Tasks))
	}
	return s
}

func (t *ArmTable) text(s Style) *page {
	m := t.m
	summary := m.statistic()
	hasBase := m.baseline() >= 0
	tasks := len(m.Study.Tasks) > 1 && !m.pooled()
	anyCollapse := t.against || t.alone
	g := &grid{}
	if tasks {
		g.cols = append(g.cols, column{head: "task"})
	}
	g.keys = len(g.cols) + 1
	beside := stats.ByIQM
	if summary == stats.ByIQM {
		beside = stats.ByMean
	}
	g.cols = append(g.cols, column{head: "arm"},
		column{head: "n", parts: []string{"", ""}, drop: 6},
		column{head: string(summary), parts: []string{"", ""}},
		column{head: "95 % interval", short: "95 %", parts: []string{"[", ", ", "]"}})
	if hasBase {
		g.cols = append(g.cols, column{head: "vs " + clean(m.Study.Baseline), parts: []string{"", " [", ", ", "]"}, drop: 1})
	}
	g.cols = append(g.cols,
		column{head: string(beside), parts: []string{"", ""}, drop: 8},
		column{head: "worst", parts: []string{"", ""}, drop: 3})
	if anyCollapse {
		g.cols = append(g.cols, column{head: "collapsed (up to)", short: "collapsed", drop: 4})
	}
	g.cols = append(g.cols, m.failureColumns(5)...)
	rows := t.rows
	if !s.All && len(rows) > maxRows {
		rows = rows[:maxRows]
	}
	for i := range rows {
		r := &rows[i]
		var row []text
		if tasks {
			row = append(row, text{clean(r.Task)})
		}
		value := summaryOf(summary, r.Mean, r.IQM, r.Median)
		f := formatFor(value, float64(r.High-r.Low)/2)
		row = append(row, text{clean(r.Arm)}, text{strconv.FormatUint(r.N, 10)}, text{f.text(value)}, intervalText(f, r.Low, r.High))
		if hasBase {
			row = append(row, r.differenceText())
		}
		row = append(row, text{f.text(summaryOf(beside, r.Mean, r.IQM, r.Median))}, text{f.text(float64(r.Worst))})
		if anyCollapse {
			row = append(row, r.collapsedText())
		}
		row = append(row, m.failureCells(r.Failed, r.Dead+r.Overrun)...)
		g.rows = append(g.rows, row)
	}
	title := fmt.Sprintf("%s, %s over %s; %s", clean(m.Study.Objective.Metric), summary, t.scope(), m.goal())
	p := &page{title: []string{title}, grid: g, notes: t.notes()}
	if hidden := len(t.rows) - len(rows); hidden > 0 {
		p.notes = append([]string{fmt.Sprintf("The first %d of %d rows; --all shows all.", len(rows), len(t.rows))}, p.notes...)
	}
	return p
}

func (r *ArmRow) differenceText() text {
	f := formatFor(float64(r.Difference), float64(r.DifferenceHigh-r.DifferenceLow)/2)
	switch {
	case r.baseline:
		return text{"baseline"}
	case !r.Difference.finite():
		return text{none}
	case !r.DifferenceLow.finite():
		return text{f.signed(float64(r.Difference))}
	}
	return text{f.signed(float64(r.Difference)), f.signed(float64(r.DifferenceLow)), f.signed(float64(r.DifferenceHigh))}
}

func (r *ArmRow) collapsedText() text {
	if r.Collapsed == nil {
		return text{none}
	}
	return text{fmt.Sprintf("%d of %d (%s)", *r.Collapsed, *r.CollapsedOf, percentUp(float64(r.CollapsedUpper)))}
}

// notes says what the numbers are.
func (t *ArmTable) notes() []string {
	m := t.m
	var notes []string
	switch {
	case !m.whole():
		notes = append(notes, fmt.Sprintf("Above %d trials there are means and counts only.", m.limits.trials))
	case t.anyRow(func(r *ArmRow) bool { return r.rows }):
		notes = append(notes, "95 % interval: one replication, so it is over the rows of the design, taken as a random sample.")
	case m.Study.Replications < 2:
		notes = append(notes, "One replication gives no interval; `replications: 20` in the study file adds runs and keeps these.")
	case m.statistic() == stats.ByMean:
		notes = append(notes, "95 % interval: t over replications, all points of a replication taken together.")
	default:
		notes = append(notes, fmt.Sprintf("95 %% interval: BCa bootstrap that draws replications with all their points, from %d replications up.", stats.MinBootstrap))
	}
	if m.whole() && m.Study.Replications > 1 && t.anyRow(func(r *ArmRow) bool { return r.N > 0 && !r.Low.finite() }) {
		notes = append(notes, "No interval where a point has fewer than two runs.")
	}
	if m.baseline() >= 0 {
		note := fmt.Sprintf("vs %s: the difference at equal tasks and levels, paired by replication.", clean(m.Study.Baseline))
		if t.anyRow(func(r *ArmRow) bool { return r.partial }) {
			note += " Points where the baseline has no run beside them are left out of it."
		}
		notes = append(notes, note)
	}
	if t.against || t.alone {
		notes = append(notes, t.collapseNote())
	}
	if t.anyRow(func(r *ArmRow) bool { return r.Missing > 0 }) {
		notes = append(notes, "Trials without a record are left out.")
	}
	if m.Tally.Dead+m.Tally.Overrun > 0 {
		notes = append(notes, deadNote)
	}
	return notes
}

func (t *ArmTable) collapseNote() string {
	var rules []string
	if t.against {
		rules = append(rules, fmt.Sprintf("end worse than the mean of %s at the same task and levels", clean(t.m.Study.Baseline)))
	}
	if t.alone {
		rule := fmt.Sprintf("end more than %d scaled MADs worse than the median of their point", collapseMADs)
		if t.against {
			rule = "where that has no run or is the arm itself, " + rule
		}
		rules = append(rules, rule)
	}
	unit := ""
	if t.m.Study.Paired == "all" || t.m.Study.Paired == "row" {
		unit = ", where runs that share noise count as one"
	}
	return fmt.Sprintf("collapsed: runs of a learning arm that %s; in brackets the 95 %% upper bound of their share%s.", strings.Join(rules, ", or "), unit)
}

func (t *ArmTable) anyRow(is func(*ArmRow) bool) bool {
	for i := range t.rows {
		if is(&t.rows[i]) {
			return true
		}
	}
	return false
}

func (t *ArmTable) header() []string {
	return []string{"arm", "agent", "task", "points", "n", "mean", "iqm", "median", "low", "high",
		"difference", "difference_low", "difference_high", "worst", "worst_trial",
		"collapsed", "collapsed_of", "collapsed_upper", "failed", "dead", "overrun", "missing"}
}

func (t *ArmTable) each(yield func([]any) bool) {
	for _, r := range t.rows {
		if !yield([]any{r.Arm, r.Agent, r.Task, r.Points, r.N, r.Mean, r.IQM, r.Median, r.Low, r.High,
			r.Difference, r.DifferenceLow, r.DifferenceHigh, r.Worst, orNothing(r.Trial),
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
