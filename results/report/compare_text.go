package report

import (
	"cmp"
	"fmt"
	"strconv"
)

func (c *Comparison) header() []string {
	h := []string{"task", "arm", "against"}
	if c.o.ByPoint {
		h = append(append(h, "point"), c.columns...)
	}
	if c.o.Select {
		h = append(h, "setting", "tried", "chosen_score", "judged_score",
			"against_setting", "against_tried", "against_chosen_score", "against_judged_score")
	}
	return append(h, "points", "alone", "runs", "units", "lacking", "failed", "against_failed",
		"value", "against_value", "difference", "difference_low", "difference_high",
		"improvement", "improvement_low", "improvement_high", "wins",
		"p", "p_least", "p_adjusted", "verdict", "correlation", "variance_reduction")
}

func (c *Comparison) each(yield func([]any) bool) {
	for i := range c.rows {
		r := &c.rows[i]
		row := []any{r.Task, r.Arm, r.Against}
		if c.o.ByPoint {
			row = append(row, orNothing(r.Point))
			for _, name := range r.Levels.names {
				row = append(row, name)
			}
		}
		if c.o.Select {
			for _, s := range []*Selection{r.Setting, r.AgainstSetting} {
				row = append(row, s.String(), s.Tried, s.Chosen, s.Judged)
			}
		}
		if !yield(append(row, r.Points, r.Alone, r.Runs, r.Units, r.Lacking, r.Failed, r.AgainstFailed,
			r.Value, r.AgainstValue, r.Difference, r.DifferenceLow, r.DifferenceHigh,
			r.Improvement, r.ImprovementLow, r.ImprovementHigh, r.Wins,
			r.P, r.Least, r.Adjusted, r.Verdict, r.Correlation, r.Reduction)) {
			return
		}
	}
}

func (c *Comparison) json() any {
	rows := c.rows
	if rows == nil {
		rows = []CompareRow{}
	}
	return struct {
		heading
		Against    string       `json:"against,omitempty"`
		Test       CompareTest  `json:"test"`
		Adjustment string       `json:"adjustment"`
		Family     int          `json:"family"`
		Rows       []CompareRow `json:"rows"`
		Selections []Selection  `json:"selections,omitempty"`
		Notes      []string     `json:"notes"`
	}{c.m.heading(), c.o.Against, c.o.Test, "holm", c.Family(), rows, c.picked, c.notes()}
}

func (c *Comparison) text(s Style) *page {
	m := c.m
	tasks := len(m.Study.Tasks) > 1 && (!m.pooled() || c.o.ByPoint)
	paired := c.any(func(r *CompareRow) bool { return r.Wins.finite() })
	g := &grid{}
	if c.o.ByPoint {
		g.cols = append(g.cols, column{head: "point", parts: []string{"", ""}})
	}
	if tasks {
		g.cols = append(g.cols, column{head: "task"})
	}
	g.cols = append(g.cols, column{head: "arm"})
	if c.o.AllPairs {
		g.cols = append(g.cols, column{head: "against"})
	}
	g.keys = len(g.cols)
	if c.o.ByPoint {
		g.keys = 1
		short := shortNames(c.columns)
		for f, name := range c.columns {
			g.cols = append(g.cols, column{head: clean(name), short: clean(short[f]), drop: 3})
		}
	}
	g.cols = append(g.cols,
		column{head: "difference, 95 % interval", short: "difference", parts: []string{"", " [", ", ", "]"}},
		column{head: "p (Holm)", short: "p", drop: 2, parts: []string{"", ""}},
		column{head: "verdict"},
		column{head: "P(better), 95 % interval", short: "P(better)", parts: []string{"", " [", ", ", "]"}, drop: 4})
	if paired {
		g.cols = append(g.cols, column{head: "wins", drop: 5})
	}
	g.cols = append(g.cols,
		column{head: string(c.summary), parts: []string{"", ""}, drop: 6},
		column{head: "against", parts: []string{"", ""}, drop: 6},
		column{head: "runs", parts: []string{"", ""}, drop: 7})
	if paired {
		g.cols = append(g.cols, column{head: "shared noise", drop: 9})
	}
	rows := c.rows
	if !s.All && len(rows) > maxRows {
		rows = rows[:maxRows]
	}
	for i := range rows {
		r := &rows[i]
		var row []text
		if c.o.ByPoint {
			row = append(row, text{strconv.FormatUint(*r.Point, 10)})
		}
		if tasks {
			row = append(row, text{clean(r.Task)})
		}
		row = append(row, text{clean(r.Arm)})
		if c.o.AllPairs {
			row = append(row, text{clean(r.Against)})
		}
		if c.o.ByPoint {
			for f := range m.Study.Factors {
				row = append(row, text{clean(cmp.Or(m.scales.shown(int(*r.Point), f), none))})
			}
		}
		f := formatFor(float64(r.Value), float64(r.DifferenceHigh-r.DifferenceLow)/2)
		row = append(row, r.differenceText(), text{pText(r.Adjusted)}, text{string(r.Verdict)}, r.improvementText())
		if paired {
			row = append(row, text{percent(float64(r.Wins))})
		}
		row = append(row, text{f.text(float64(r.Value))}, text{f.text(float64(r.AgainstValue))}, text{strconv.Itoa(r.Runs)})
		if paired {
			row = append(row, text{r.noiseText()})
		}
		g.rows = append(g.rows, row)
	}
	p := &page{title: []string{c.title()}, grid: g, notes: c.notes()}
	if hidden := len(c.rows) - len(rows); hidden > 0 {
		p.notes = append([]string{fmt.Sprintf("The first %d of %d rows; --all shows all.", len(rows), len(c.rows))}, p.notes...)
	}
	return p
}

func (c *Comparison) title() string {
	against := "each arm less " + clean(c.o.Against)
	if c.o.AllPairs {
		against = "every arm less each other"
	}
	per := ""
	switch {
	case c.o.ByPoint:
		per = " per point"
	case c.m.pooled():
		per = fmt.Sprintf(", %d tasks pooled", len(c.m.Study.Tasks))
	}
	return fmt.Sprintf("%s, %s, %s%s; %s", clean(c.m.Study.Objective.Metric), c.summary, against, per, c.m.goal())
}

func (r *CompareRow) differenceText() text {
	f := formatFor(float64(r.Difference), float64(r.DifferenceHigh-r.DifferenceLow)/2)
	switch {
	case !r.Difference.finite():
		return text{none}
	case !r.DifferenceLow.finite():
		return text{f.signed(float64(r.Difference))}
	}
	return text{f.signed(float64(r.Difference)), f.signed(float64(r.DifferenceLow)), f.signed(float64(r.DifferenceHigh))}
}

func (r *CompareRow) improvementText() text {
	f := format{decimals: 2}
	switch {
	case !r.Improvement.finite():
		return text{none}
	case !r.ImprovementLow.finite():
		return text{f.text(float64(r.Improvement))}
	}
	return text{f.text(float64(r.Improvement)), f.text(float64(r.ImprovementLow)), f.text(float64(r.ImprovementHigh))}
}

func (r *CompareRow) noiseText() string {
	if !r.Correlation.finite() || !r.Reduction.finite() {
		return none
	}
	return fmt.Sprintf("r %.2f, x%s", float64(r.Correlation), format{decimals: -1, digits: 2}.text(float64(r.Reduction)))
}

// pText writes a P with two significant digits, "<.0001" below.
func pText(p number) string {
	switch v := float64(p); {
	case !p.finite():
		return none
	case v < .0001:
		return "<0.0001"
	case v < .01:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return strconv.FormatFloat(float64(p), 'f', 3, 64)
}

func (c *Comparison) any(is func(*CompareRow) bool) bool {
	for i := range c.rows {
		if is(&c.rows[i]) {
			return true
		}
	}
	return false
}
