package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"overnight/results"
)

// wants tells whether the study wants a trial; records come in trial order.
func (m *Model) wants(r *results.Record) bool {
	if m.outcome == nil {
		return r.Replication < m.Study.Replications
	}
	return m.outcome.Take(r)
}

// Planned returns how many replications the study wants of a point, without those
// that confirm it. A comparison of two points is over what the one has that
// stopped first.
func (m *Model) Planned(point int) uint64 { return m.planned(uint64(point)) }

func (m *Model) planned(point uint64) uint64 {
	if m.outcome == nil {
		return m.Study.Replications
	}
	return m.outcome.At(point).Replications
}

// Stops tells whether points stop by themselves.
func (m *Model) Stops() bool { return m.Study.Stopping != nil }

// Repeated says how often points are repeated: "20 to 100 replications".
func (m *Model) Repeated() string { return m.replications() }

// replications says how often points are repeated: "20 to 100 replications".
func (m *Model) replications() string {
	if !m.Stops() || !m.byPoint() || len(m.cells) == 0 {
		return plural(m.Study.Replications, "replication")
	}
	least, most := m.Planned(0), m.Planned(0)
	for p := range m.cells {
		least, most = min(least, m.Planned(p)), max(most, m.Planned(p))
	}
	if least == most {
		return plural(most, "replication")
	}
	return fmt.Sprintf("%d to %s", least, plural(most, "replication"))
}

// size says how many trials there are.
func (m *Model) size() string {
	points := plural(m.layout.Points(), "point")
	if m.outcome == nil {
		return fmt.Sprintf("%s x %s = %s", points, plural(m.Study.Replications, "replication"), plural(m.layout.Trials(), "trial"))
	}
	s := points + " x " + m.replications()
	if c := m.Study.Confirm; c != nil {
		s += fmt.Sprintf(", and %d more of the best %d", c.Replications, c.Top)
		if len(m.Study.Tasks) > 1 {
			s += " of each task"
		}
	}
	return fmt.Sprintf("%s: %s of at most %d", s, plural(m.Tally.Planned, "trial"), max(m.outcome.Most()+m.Tally.Saved, m.Tally.Planned))
}

// StoppingLines says what stopping saved and what it could not settle, a line
// each; nothing of a study whose points don't stop.
func (m *Model) StoppingLines() []string {
	if !m.Stops() {
		return nil
	}
	rows := m.Precision().Rows()
	var settled, judged, under int
	var wide []PrecisionRow
	for _, r := range rows {
		if r.Serves {
			continue
		}
		judged++
		switch {
		case r.Open:
			under++
		case r.Settled:
			settled++
		default:
			wide = append(wide, r)
		}
	}
	line := fmt.Sprintf("Stopping: %d of %s settled", settled, plural(uint64(judged), "point"))
	if under > 0 {
		line += fmt.Sprintf(", %d may go on", under)
	}
	line += fmt.Sprintf("; %s of %d saved.", plural(m.Tally.Saved, "trial"), m.layout.Points()*m.Study.Replications)
	lines := []string{line}
	if len(wide) == 0 {
		return lines
	}
	slices.SortStableFunc(wide, func(a, b PrecisionRow) int {
		return cmp.Compare(float64(b.HalfWidth)/float64(b.Target), float64(a.HalfWidth)/float64(a.Target))
	})
	lines = append(lines, fmt.Sprintf("Not settled after %s: %s. Half-widths of their intervals:", plural(m.Study.Replications, "replication"), plural(uint64(len(wide)), "point")))
	for i, r := range wide {
		if i == 5 {
			lines = append(lines, fmt.Sprintf("  and %s more; `overnight results %s --by stopping` lists all.", plural(uint64(len(wide)-5), "point"), m.Study.Name))
			break
		}
		lines = append(lines, fmt.Sprintf("  point %d (%s): %s, where %s was asked for", r.Point, m.describe(r.Point), shortNumber(r.HalfWidth), shortNumber(r.Target)))
	}
	return lines
}

// shortNumber writes a width with three significant digits, "not known" for NaN.
func shortNumber(n number) string {
	if !n.finite() {
		return "not known"
	}
	return strconv.FormatFloat(float64(n), 'g', 3, 64)
}

// PrecisionRow says how a point stopped.
type PrecisionRow struct {
	Point        uint64 `json:"point"`
	Task         string `json:"task"`
	Arm          string `json:"arm"`
	Levels       levels `json:"levels"`
	Replications uint64 `json:"replications"` // wanted
	HalfWidth    number `json:"half_width"`   // of the interval that was looked at last
	Target       number `json:"target"`
	Settled      bool   `json:"settled"`
	Open         bool   `json:"open"`   // it may go on
	Serves       bool   `json:"serves"` // it goes on as long as points that are compared with it
}

// Precision is a table of how points stopped.
type Precision struct{ m *Model }

// Precision returns how every point stopped; it has no rows where points don't.
func (m *Model) Precision() *Precision { return &Precision{m} }

// Rows returns the points in the design's order.
func (t *Precision) Rows() []PrecisionRow {
	m := t.m
	rows := []PrecisionRow{}
	if !m.Stops() || !m.byPoint() {
		return rows
	}
	for p := range m.cells {
		c, at := &m.cells[p], m.outcome.At(uint64(p))
		r := PrecisionRow{
			Point: uint64(p), Task: m.Study.Tasks[c.task].Label, Arm: m.Study.Arms[c.arm].Label, Levels: m.levels(p),
			Replications: at.Replications, HalfWidth: number(at.Half), Target: number(at.Target),
			Settled: at.Settled, Open: at.Open, Serves: at.Serves,
		}
		rows = append(rows, r)
	}
	return rows
}

// levels names the levels of a point.
func (m *Model) levels(point int) levels {
	l := levels{factors: m.Study.Columns()}
	for f := range m.Study.Factors {
		l.names = append(l.names, m.scales.name(point, f))
	}
	return l
}

func (r *PrecisionRow) state() string {
	switch {
	case r.Serves && r.Open:
		return "as long as others"
	case r.Serves:
		return "as long as others, done"
	case r.Open:
		return "goes on"
	case r.Settled:
		return "settled"
	}
	return "not settled"
}

func (t *Precision) text(s Style) *page {
	m, rows := t.m, t.Rows()
	p := &page{}
	if len(rows) == 0 {
		p.title = []string{"Points of this study don't stop by themselves; `replications: {min: 20, max: 100, until: {half_width: 0.01}}` in its file lets them."}
		return p
	}
	p.title = []string{fmt.Sprintf("Precision of %s; %s", clean(m.Study.Objective.Metric), m.goal())}
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
	g.cols = append(g.cols, column{head: "replications", short: "n", parts: []string{"", ""}}, column{head: "half-width", parts: []string{"", ""}},
		column{head: "asked for", parts: []string{"", ""}, drop: 5}, column{head: "state"})
	shown := rows
	if !s.All && len(rows) > maxRows {
		shown = slices.Clone(rows)
		slices.SortStableFunc(shown, func(a, b PrecisionRow) int { // the widest first
			x, y := float64(a.HalfWidth)/float64(a.Target), float64(b.HalfWidth)/float64(b.Target)
			if math.IsNaN(x) != math.IsNaN(y) {
				return boolInt(math.IsNaN(x)) - boolInt(math.IsNaN(y))
			}
			return cmp.Compare(y, x)
		})
		shown = shown[:maxRows]
		p.notes = append(p.notes, fmt.Sprintf("The widest %d of %s; --all shows all.", len(shown), plural(uint64(len(rows)), "point")))
	}
	for _, r := range shown {
		row := []text{{strconv.FormatUint(r.Point, 10)}}
		if tasks {
			row = append(row, text{clean(r.Task)})
		}
		row = append(row, text{clean(r.Arm)})
		for f := range m.Study.Factors {
			row = append(row, text{clean(cmp.Or(m.scales.shown(int(r.Point), f), none))})
		}
		width, target := none, none
		if r.HalfWidth.finite() {
			width = shortNumber(r.HalfWidth)
		}
		if r.Target.finite() {
			target = shortNumber(r.Target)
		}
		g.rows = append(g.rows, append(row, text{strconv.FormatUint(r.Replications, 10)}, text{width}, text{target}, text{r.state()}))
	}
	p.grid = g
	p.notes = append(p.notes, t.notes()...)
	return p
}

func (t *Precision) notes() []string {
	m := t.m
	if !m.Stops() {
		return []string{}
	}
	what := "of the point's own " + string(m.statistic())
	if from := m.Study.Stopping.DifferenceFrom; from != "" {
		what = "of the difference from " + clean(from) + " at the same task and levels"
	}
	return append([]string{fmt.Sprintf("half-width: half of the 95 %% interval %s, looked at after %s.", what, stageList(m.Study.Stages()))}, m.StoppingLines()[0])
}

// stageList writes "20, 30 and 100 replications".
func stageList(list []uint64) string {
	s := ""
	for i, n := range list {
		switch {
		case i == 0:
		case i == len(list)-1:
			s += " and "
		default:
			s += ", "
		}
		s += strconv.FormatUint(n, 10)
	}
	return s + " replications"
}

func (t *Precision) header() []string {
	return append(append([]string{"point", "task", "arm"}, t.m.Study.Columns()...), "replications", "half_width", "target", "settled", "open", "serves")
}

func (t *Precision) each(yield func([]any) bool) {
	for _, r := range t.Rows() {
		row := []any{r.Point, r.Task, r.Arm}
		for _, name := range r.Levels.names {
			row = append(row, name)
		}
		if !yield(append(row, r.Replications, r.HalfWidth, r.Target, r.Settled, r.Open, r.Serves)) {
			return
		}
	}
}

func (t *Precision) json() any {
	return struct {
		heading
		Rows  []PrecisionRow `json:"rows"`
		Saved uint64         `json:"saved"`
		Notes []string       `json:"notes"`
	}{t.m.heading(), t.Rows(), t.m.Tally.Saved, t.notes()}
}
