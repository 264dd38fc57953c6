package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"overnight/results"
	"overnight/results/stats"
)

// confirm keeps a score of a point that runs again.
func (m *Model) confirm(r *results.Record) {
	scores := m.again[r.Point]
	if scores == nil {
		scores = slices.Repeat([]float64{math.NaN()}, int(m.Study.Confirm.Replications))
		m.again[r.Point] = scores
	}
	scores[r.Replication-m.Study.Replications] = m.objective(r)
}

// ConfirmationRow is a point with the score that chose it and the score of fresh
// runs, which had no part in that.
type ConfirmationRow struct {
	Point     uint64 `json:"point"`
	Task      string `json:"task"`
	Arm       string `json:"arm"`
	Levels    levels `json:"levels"`
	Selection Scored `json:"selection"`
	Confirmed Scored `json:"confirmation"`
	// Change is what confirmation has more than selection. That it is for the worse
	// on average is the winner's curse: what looks best was lucky as well.
	Change number `json:"change"`
}

// Scored is a score by the objective's summary, and its difference from the arm
// beside it over the same replications; NaN where there is none.
type Scored struct {
	N              uint64 `json:"n"`
	Score          number `json:"score"`
	Low            number `json:"low"`
	High           number `json:"high"`
	Difference     number `json:"difference"`
	DifferenceLow  number `json:"difference_low"`
	DifferenceHigh number `json:"difference_high"`
}

// Confirmation is a table of the points that were confirmed.
type Confirmation struct {
	m    *Model
	rows []ConfirmationRow
}

// Confirmation returns the points that the study chose to run again, of each task
// the best first; no rows before they are chosen, or above MaxTrials.
func (m *Model) Confirmation() *Confirmation {
	t := &Confirmation{m: m}
	if m.outcome == nil || !m.whole() || !m.byPoint() {
		return t
	}
	for _, p := range m.outcome.Confirmed() {
		t.rows = append(t.rows, m.confirmed(int(p)))
	}
	slices.SortStableFunc(t.rows, func(a, b ConfirmationRow) int {
		x, y := float64(a.Selection.Score), float64(b.Selection.Score)
		if m.Study.Objective.Minimize {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(m.cells[a.Point].task, m.cells[b.Point].task), cmp.Compare(y, x))
	})
	return t
}

// Rows returns the points.
func (t *Confirmation) Rows() []ConfirmationRow { return t.rows }

func (m *Model) confirmed(p int) ConfirmationRow {
	c := &m.cells[p]
	r := ConfirmationRow{
		Point: uint64(p), Task: m.Study.Tasks[c.task].Label, Arm: m.Study.Arms[c.arm].Label, Levels: m.levels(p),
	}
	l := line{arm: int(c.arm), task: int(c.task), points: []int{p}}
	var refs []int
	if arm := m.reference(); arm >= 0 {
		refs = m.besides(l, arm)[0]
	}
	var theirs []float64
	if len(refs) > 0 {
		_, _, y := m.against(l, [][]int{refs})
		theirs = y[0]
	}
	r.Selection = m.scored("selection", p, m.runs([]int{p})[0], theirs)
	fresh := make([]float64, m.Study.Confirm.Replications)
	at := func(p int) []float64 {
		if scores := m.again[uint64(p)]; scores != nil {
			return scores
		}
		return slices.Repeat([]float64{math.NaN()}, len(fresh))
	}
	theirs = nil
	if len(refs) > 0 {
		var y stats.Scores
		for _, q := range refs {
			y = append(y, at(q))
		}
		theirs = averaged(y, len(fresh))
	}
	r.Confirmed = m.scored("confirmation", p, at(p), theirs)
	r.Change = r.Confirmed.Score - r.Selection.Score
	return r
}

// reference returns the index of the arm that runs along, or -1.
func (m *Model) reference() int {
	for i := range m.Study.Arms {
		if m.Study.Arms[i].Label == m.Study.Reference() {
			return i
		}
	}
	return -1
}

// scored sums runs up, and those that both have.
func (m *Model) scored(what string, point int, x, y []float64) Scored {
	unknown := number(math.NaN())
	runs := stats.Present(x)
	e := stats.Estimate(stats.Scores{runs}, m.statistic(), m.options("results/confirm/"+what, len(runs), uint64(point)))
	s := Scored{N: uint64(len(runs)), Score: number(e.Value), Low: number(e.Low), High: number(e.High), Difference: unknown, DifferenceLow: unknown, DifferenceHigh: unknown}
	if y == nil {
		return s
	}
	var a, b []float64
	for r := range min(len(x), len(y)) {
		if !math.IsNaN(x[r]) && !math.IsNaN(y[r]) {
			a, b = append(a, x[r]), append(b, y[r])
		}
	}
	e = stats.Difference(stats.Scores{a}, stats.Scores{b}, m.statistic(), m.options("results/confirm/difference/"+what, 2*len(a), uint64(point)))
	s.Difference, s.DifferenceLow, s.DifferenceHigh = number(e.Value), number(e.Low), number(e.High)
	return s
}

func (t *Confirmation) text(Style) *page {
	m := t.m
	p := &page{}
	if len(t.rows) == 0 {
		p.title = []string{"No point is confirmed yet; `confirm: {top: 3, replications: 30}` in the study file runs the best points again."}
		if m.Study.Confirm != nil {
			p.title = []string{"No point is confirmed yet: the scores that choose them are not all known."}
		}
		return p
	}
	p.title = []string{fmt.Sprintf("Confirmation: the best by %s %s, and %s of each on fresh seeds; %s",
		m.statistic(), clean(m.Study.Objective.Metric), plural(m.Study.Confirm.Replications, "run"), m.goal())}
	g := &grid{keys: 1}
	tasks := len(m.Study.Tasks) > 1
	if tasks {
		g.cols = append(g.cols, column{head: "task"})
		g.keys++
	}
	g.cols = append(g.cols, column{head: "arm"})
	short := shortNames(m.Study.Columns())
	var factors []int
	for f, name := range m.Study.Columns() {
		if slices.ContainsFunc(t.rows, func(r ConfirmationRow) bool { return m.scales.name(int(r.Point), f) != "" }) {
			factors = append(factors, f)
			g.cols = append(g.cols, column{head: clean(name), short: clean(short[f])})
			g.keys++
		}
	}
	interval := []string{"", " [", ", ", "]"}
	g.cols = append(g.cols, column{head: "n", parts: []string{"", ""}, drop: 7}, column{head: "when chosen", parts: []string{"", ""}},
		column{head: "confirmed", parts: interval}, column{head: "change", parts: []string{"", ""}, drop: 2})
	ref := m.reference()
	if ref >= 0 {
		head := "vs " + clean(m.Study.Arms[ref].Label)
		g.cols = append(g.cols, column{head: head + " when chosen", parts: []string{"", ""}, drop: 3}, column{head: head + " confirmed", parts: interval, drop: 1})
	}
	for _, r := range t.rows {
		var row []text
		if tasks {
			row = append(row, text{clean(r.Task)})
		}
		row = append(row, text{clean(r.Arm)})
		for _, f := range factors {
			row = append(row, text{clean(cmp.Or(m.scales.shown(int(r.Point), f), none))})
		}
		s := &r.Confirmed
		f := formatFor(float64(s.Score), float64(s.High-s.Low)/2)
		row = append(row, text{strconv.FormatUint(r.Selection.N, 10)}, text{f.text(float64(r.Selection.Score))},
			within(f.text, s.Score, s.Low, s.High), text{f.signed(float64(r.Change))})
		if ref >= 0 {
			f = formatFor(float64(s.Difference), float64(s.DifferenceHigh-s.DifferenceLow)/2)
			row = append(row, text{f.signed(float64(r.Selection.Difference))}, within(f.signed, s.Difference, s.DifferenceLow, s.DifferenceHigh))
		}
		g.rows = append(g.rows, row)
	}
	p.grid, p.notes = g, t.notes()
	return p
}

// within is the cell of a number with its interval.
func within(write func(float64) string, v, low, high number) text {
	switch {
	case !v.finite():
		return text{none}
	case !low.finite() || !high.finite():
		return text{write(float64(v))}
	}
	return text{write(float64(v)), write(float64(low)), write(float64(high))}
}

func (t *Confirmation) notes() []string {
	if len(t.rows) == 0 {
		return []string{}
	}
	notes := []string{"when chosen: the score by which a point was chosen, which is too good on average, since luck had a part in the choice; confirmed: of runs that had none. Report the second."}
	sum, n := 0.0, 0
	for _, r := range t.rows {
		if r.Change.finite() {
			sum += float64(r.Change)
			n++
		}
	}
	if n > 1 {
		mean := sum / float64(n)
		notes = append(notes, fmt.Sprintf("The mean change is %s.", formatFor(mean, math.Abs(mean)).signed(mean)))
	}
	return notes
}

func (t *Confirmation) header() []string {
	h := append([]string{"point", "task", "arm"}, t.m.Study.Columns()...)
	for _, what := range []string{"selection", "confirmation"} {
		for _, c := range []string{"n", "score", "low", "high", "difference", "difference_low", "difference_high"} {
			h = append(h, what+"_"+c)
		}
	}
	return append(h, "change")
}

func (t *Confirmation) each(yield func([]any) bool) {
	for _, r := range t.rows {
		row := []any{r.Point, r.Task, r.Arm}
		for _, name := range r.Levels.names {
			row = append(row, name)
		}
		for _, s := range []*Scored{&r.Selection, &r.Confirmed} {
			row = append(row, s.N, s.Score, s.Low, s.High, s.Difference, s.DifferenceLow, s.DifferenceHigh)
		}
		if !yield(append(row, r.Change)) {
			return
		}
	}
}

func (t *Confirmation) json() any {
	rows := t.rows
	if rows == nil {
		rows = []ConfirmationRow{}
	}
	return struct {
		heading
		Rows  []ConfirmationRow `json:"rows"`
		Notes []string          `json:"notes"`
	}{t.m.heading(), rows, t.notes()}
}
