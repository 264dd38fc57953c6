package report

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/stats"
)

// PointRow is a point in numbers, in the units of the objective.
type PointRow struct {
	Point  uint64 `json:"point"`
	Task   string `json:"task"`
	Arm    string `json:"arm"`
	Levels levels `json:"levels"`
	N      uint64 `json:"n"` // runs with an objective
	Mean   number `json:"mean"`
	IQM    number `json:"iqm"`
	Median number `json:"median"`
	Low    number `json:"low"` // the interval of the objective's summary
	High   number `json:"high"`
	Worst  number `json:"worst"`
	Best   number `json:"best"`
	// Holds is the share of future runs of this point that lie between Worst and
	// Best, at least, with 95 % confidence (stats.RangeHolds): a tolerance interval,
	// where Low and High are of the summary alone.
	Holds   number  `json:"range_holds"`
	Trial   *uint64 `json:"worst_trial"`
	Failed  uint64  `json:"failed"`
	Dead    uint64  `json:"dead"`
	Overrun uint64  `json:"overrun"`
	Missing uint64  `json:"missing"`
}

// PointTable is a table of points.
type PointTable struct {
	m     *Model
	order []int
}

// PointTable returns the table per point, in the design's order. As a text that
// can't show all it has the best points first, where their scores compare. It
// is refused above MaxPoints.
func (m *Model) PointTable() (*PointTable, error) {
	if !m.byPoint() {
		return nil, fmt.Errorf("study %q has %d points, more than the %d of a table; write `overnight export %s` for its trials",
			m.Study.Name, m.layout.Points(), m.limits.points, m.Study.Name)
	}
	t := &PointTable{m: m, order: make([]int, len(m.cells))}
	for i := range t.order {
		t.order[i] = i
	}
	return t, nil
}

// Row returns the numbers of a point.
func (t *PointTable) Row(point int) PointRow {
	m, c := t.m, &t.m.cells[point]
	r := PointRow{
		Point: uint64(point), Task: m.Study.Tasks[c.task].Label, Arm: m.Study.Arms[c.arm].Label,
		Levels: levels{factors: m.Study.Columns()},
		N:      c.n, Worst: number(c.worst), Trial: &c.worstTrial,
		Failed: c.failed, Dead: c.dead, Overrun: c.overrun,
		Missing: m.Planned(point) - min(m.Planned(point), c.records()),
	}
	for f := range m.Study.Factors {
		r.Levels.names = append(r.Levels.names, m.scales.name(point, f))
	}
	unknown := number(math.NaN())
	r.Mean, r.IQM, r.Median, r.Low, r.High, r.Best, r.Holds = unknown, unknown, unknown, unknown, unknown, unknown, unknown
	if c.n == 0 {
		r.Worst, r.Trial = unknown, nil
		return r
	}
	r.Mean = number(c.mean)
	if !m.whole() {
		if m.statistic() == stats.ByMean && c.n > 1 {
			i := stats.TFromMoments(int(c.n), c.mean, math.Sqrt(c.m2/float64(c.n-1)), level)
			r.Low, r.High = number(i.Low), number(i.High)
		}
		return r
	}
	runs := stats.Present(m.runs([]int{point})[0])
	if len(runs) > 1 {
		best := slices.Max(runs)
		if m.Study.Objective.Minimize {
			best = slices.Min(runs)
		}
		r.Best, r.Holds = number(best), number(stats.RangeHolds(len(runs), level))
	}
	r.Mean, r.IQM, r.Median = number(stats.Mean(runs)), number(stats.IQM(runs)), number(stats.Median(runs))
	e := stats.Estimate(stats.Scores{runs}, m.statistic(), m.options("results/point", len(runs), uint64(point)))
	r.Low, r.High = number(e.Low), number(e.High)
	return r
}

// summary returns the row's number that the objective asks for.
func (r *PointRow) summary(s stats.Statistic) float64 {
	return summaryOf(s, r.Mean, r.IQM, r.Median)
}

func summaryOf(s stats.Statistic, mean, iqm, median number) float64 {
	switch s {
	case stats.ByIQM:
		return float64(iqm)
	case stats.ByMedian:
		return float64(median)
	}
	return float64(mean)
}

func (t *PointTable) header() []string {
	h := []string{"point", "task", "arm"}
	h = append(h, t.m.Study.Columns()...)
	return append(h, "n", "mean", "iqm", "median", "low", "high", "worst", "worst_trial", "best", "range_holds", "failed", "dead", "overrun", "missing")
}

func (t *PointTable) each(yield func([]any) bool) {
	for _, p := range t.order {
		r := t.Row(p)
		row := []any{r.Point, r.Task, r.Arm}
		for _, name := range r.Levels.names {
			row = append(row, name)
		}
		row = append(row, r.N, r.Mean, r.IQM, r.Median, r.Low, r.High, r.Worst, orNothing(r.Trial), r.Best, r.Holds,
			r.Failed, r.Dead, r.Overrun, r.Missing)
		if !yield(row) {
			return
		}
	}
}

// orNothing is an empty cell where a number does not apply.
func orNothing(n *uint64) any {
	if n == nil {
		return ""
	}
	return *n
}

func (t *PointTable) json() any {
	doc := struct {
		heading
		Rows  []PointRow `json:"rows"`
		Notes []string   `json:"notes"`
	}{heading: t.m.heading(), Rows: []PointRow{}, Notes: t.m.pointNotes()}
	for _, p := range t.order {
		doc.Rows = append(doc.Rows, t.Row(p))
	}
	return doc
}
