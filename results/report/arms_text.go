package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"overnight/jobs"
	"overnight/results/stats"
)

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
	s := points + " x " + m.replications()
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
	anyCollapse := t.beside || t.against || t.alone
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
		notes = append(notes, "95 % interval: over the rows of the design, taken as a random sample, each with noise of its own.")
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
		note := fmt.Sprintf("vs %s: the difference at equal tasks and levels", clean(m.Study.Baseline))
		switch {
		case t.anyRow(func(r *ArmRow) bool { return r.rows }):
			note += ", paired by row and replication."
		case m.Study.Paired == jobs.PairedNone:
			note += "; runs share no noise, so they are not paired."
		default:
			note += ", paired by replication."
		}
		if t.anyRow(func(r *ArmRow) bool { return r.partial }) {
			note += " Points where the baseline has no run beside them are left out of it."
		}
		if t.anyRow(func(r *ArmRow) bool { return r.lacking }) {
			note += " Pairs that lack one side are left out of it."
		}
		notes = append(notes, note)
	}
	if t.beside || t.against || t.alone {
		notes = append(notes, t.collapseNote())
	}
	var without []string
	for i := range t.rows {
		switch r := &t.rows[i]; {
		case !r.without:
		case r.Task != "" && len(m.Study.Tasks) > 1:
			without = append(without, clean(r.Arm)+" on "+clean(r.Task))
		default:
			without = append(without, clean(r.Arm))
		}
	}
	if len(without) > 0 {
		notes = append(notes, fmt.Sprintf("There is no %s in the trials of %s.", clean(m.Study.Objective.Metric), strings.Join(without, ", ")))
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
	if floor := t.Floor(); floor != "" {
		rules = append(rules, fmt.Sprintf("end worse than %s at the same task and levels", floor))
	}
	if t.alone {
		rule := fmt.Sprintf("end more than %d scaled MADs worse than the median of their point", collapseMADs)
		if t.beside || t.against {
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

// Floor names what runs are worse than that have collapsed, "the run of random
// with the same noise"; "" where none was compared with the baseline.
func (t *ArmTable) Floor() string {
	base := clean(t.m.Study.Baseline)
	switch {
	case t.beside && t.against:
		return fmt.Sprintf("the run of %s with the same noise (its mean where they share none)", base)
	case t.beside:
		return fmt.Sprintf("the run of %s with the same noise", base)
	case t.against:
		return fmt.Sprintf("the mean of %s", base)
	}
	return ""
}

func (t *ArmTable) anyRow(is func(*ArmRow) bool) bool {
	for i := range t.rows {
		if is(&t.rows[i]) {
			return true
		}
	}
	return false
}
