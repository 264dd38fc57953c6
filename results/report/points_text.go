package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"overnight/results/stats"
)

// shown returns the points a text shows.
func (t *PointTable) shown(all bool) (points []int, best bool) {
	if all || len(t.order) <= maxRows {
		return t.order, false
	}
	if len(t.m.Study.Tasks) > 1 && !t.m.pooled() {
		return t.order[:maxRows], false // scores of different tasks don't compare
	}
	key := make([]float64, len(t.order))
	for p := range key {
		key[p] = t.m.quick(p)
	}
	sorted := slices.Clone(t.order)
	slices.SortStableFunc(sorted, func(a, b int) int {
		x, y := key[a], key[b]
		switch {
		case math.IsNaN(x) || math.IsNaN(y): // points without a score come last
			return cmp.Compare(boolInt(math.IsNaN(x)), boolInt(math.IsNaN(y)))
		case t.m.worse(y, x):
			return -1
		case t.m.worse(x, y):
			return 1
		}
		return 0
	})
	return sorted[:maxRows], true
}

// quick returns a point's summary without interval, to order points by.
func (m *Model) quick(point int) float64 {
	c := &m.cells[point]
	switch {
	case c.n == 0:
		return math.NaN()
	case m.statistic() == stats.ByMean || !m.whole():
		return c.mean
	}
	return m.statistic().Of(m.runs([]int{point}))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *PointTable) text(s Style) *page {
	m := t.m
	points, best := t.shown(s.All)
	summary := m.statistic()
	g := &grid{cols: []column{{head: "point", parts: []string{"", ""}, drop: 6}}}
	tasks := len(m.Study.Tasks) > 1
	if tasks {
		g.cols = append(g.cols, column{head: "task"})
	}
	g.cols = append(g.cols, column{head: "arm"})
	short := shortNames(m.Study.Columns())
	for f, name := range m.Study.Columns() {
		g.cols = append(g.cols, column{head: clean(name), short: clean(short[f]), drop: 1})
	}
	repeated := m.Study.Replications > 1
	g.cols = append(g.cols, column{head: "n", parts: []string{"", ""}, drop: 5}, column{head: string(summary), parts: []string{"", ""}})
	beside := stats.ByIQM
	if summary == stats.ByIQM {
		beside = stats.ByMean
	}
	if repeated {
		g.cols = append(g.cols,
			column{head: "95 % interval", short: "95 %", parts: []string{"[", ", ", "]"}},
			column{head: string(beside), parts: []string{"", ""}, drop: 8},
			column{head: "worst", parts: []string{"", ""}, drop: 4})
	}
	g.cols = append(g.cols, m.failureColumns(3)...)
	for _, p := range points {
		r := t.Row(p)
		row := []text{{strconv.Itoa(p)}}
		if tasks {
			row = append(row, text{clean(r.Task)})
		}
		row = append(row, text{clean(r.Arm)})
		for f := range m.Study.Factors {
			row = append(row, text{clean(cmp.Or(m.scales.shown(p, f), none))})
		}
		f := formatFor(r.summary(summary), (float64(r.High)-float64(r.Low))/2)
		row = append(row, text{strconv.FormatUint(r.N, 10)}, text{f.text(r.summary(summary))})
		if repeated {
			row = append(row, intervalText(f, r.Low, r.High), text{f.text(summaryOf(beside, r.Mean, r.IQM, r.Median))}, text{f.text(float64(r.Worst))})
		}
		row = append(row, m.failureCells(r.Failed, r.Dead+r.Overrun)...)
		g.rows = append(g.rows, row)
	}
	title := fmt.Sprintf("%s per point over %s; %s", clean(m.Study.Objective.Metric), m.replications(), m.goal())
	page := &page{title: []string{title}, grid: g, notes: m.pointNotes()}
	if hidden := len(t.order) - len(points); hidden > 0 {
		which := "first"
		if best {
			which = "best"
		}
		page.notes = append([]string{fmt.Sprintf("The %s %d of %s; --all shows all.", which, len(points), plural(uint64(len(t.order)), "point"))}, page.notes...)
	}
	if m.Tally.Dead+m.Tally.Overrun > 0 {
		page.notes = append(page.notes, deadNote)
	}
	return page
}

const deadNote = "dead: trials whose process died three times, or that overran a limit."

// failureColumns are the columns of trials without a result, where there are any.
func (m *Model) failureColumns(drop int) []column {
	var cols []column
	if m.Tally.Failed > 0 {
		cols = append(cols, column{head: "failed", parts: []string{"", ""}, drop: drop})
	}
	if m.Tally.Dead+m.Tally.Overrun > 0 {
		cols = append(cols, column{head: "dead", parts: []string{"", ""}, drop: drop})
	}
	return cols
}

func (m *Model) failureCells(failed, dead uint64) []text {
	var cells []text
	if m.Tally.Failed > 0 {
		cells = append(cells, text{strconv.FormatUint(failed, 10)})
	}
	if m.Tally.Dead+m.Tally.Overrun > 0 {
		cells = append(cells, text{strconv.FormatUint(dead, 10)})
	}
	return cells
}

// intervalText is the cell of an interval.
func intervalText(f format, low, high number) text {
	if !low.finite() || !high.finite() {
		return text{none}
	}
	return text{f.text(float64(low)), f.text(float64(high))}
}

// pointNotes says how the numbers of points were made.
func (m *Model) pointNotes() []string {
	notes := m.intervalNotes()
	if note := m.rangeNote(); note != "" {
		notes = append(notes, note)
	}
	return notes
}

// rangeNote says what a point's worst and best run tell of the next one.
func (m *Model) rangeNote() string {
	n := m.Study.Replications
	if n < 2 || !m.whole() || m.Stops() {
		return ""
	}
	return fmt.Sprintf("Of the next runs of a point at least %d %% lie between its worst and its best of %d, with 95 %% confidence: the interval is of the %s alone.", int(100*stats.RangeHolds(int(n), level)), n, m.statistic())
}

// intervalNotes says what the intervals of points are.
func (m *Model) intervalNotes() []string {
	switch {
	case m.Study.Replications < 2:
		return []string{"One replication gives no interval; `replications: 20` in the study file adds runs and keeps these."}
	case m.statistic() == stats.ByMean:
		return []string{"95 % interval: t, over replications."}
	case !m.whole():
		return []string{fmt.Sprintf("Above %d trials there are means and counts only.", m.limits.trials)}
	}
	return []string{fmt.Sprintf("95 %% interval: BCa bootstrap over replications, from %d runs up.", stats.MinBootstrap)}
}
