package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"overnight/jobs"
	"overnight/results/stats"
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

// notes says what the numbers are.
func (c *Comparison) notes() []string {
	if len(c.rows) == 0 {
		return []string{"There is nothing to compare: no arm has a point beside another's."}
	}
	var notes []string
	notes = append(notes, c.selectionNotes()...)
	notes = append(notes, c.testNote())
	if n := c.fewNote(); n != "" {
		notes = append(notes, n)
	}
	notes = append(notes, c.methodNotes()...)
	return append(notes, c.gapNotes()...)
}

func (c *Comparison) selectionNotes() []string {
	var notes []string
	for i := range c.picked {
		s := &c.picked[i]
		if s.Tried < 2 {
			continue
		}
		on := ""
		if s.Task != "" && len(c.m.Study.Tasks) > 1 {
			on = " on " + clean(s.Task)
		}
		f := formatFor(float64(s.Judged), float64(c.scale(s))/2)
		notes = append(notes, fmt.Sprintf("%s%s: %s, the best of %d settings: %s on the even replications that chose it, %s on the odd ones.",
			clean(s.Arm), on, s, s.Tried, f.text(float64(s.Chosen)), f.text(float64(s.Judged))))
	}
	if len(notes) == 0 && c.o.Select {
		notes = append(notes, "No arm has settings to choose from.")
	}
	return notes
}

// scale returns the width of an interval in which a selection takes part, for
// its digits.
func (c *Comparison) scale(s *Selection) number {
	for i := range c.rows {
		r := &c.rows[i]
		if r.Task == s.Task && (r.Arm == s.Arm || r.Against == s.Arm) && r.DifferenceHigh.finite() {
			return r.DifferenceHigh - r.DifferenceLow
		}
	}
	return 0
}

func (c *Comparison) testNote() string {
	how := "permutation test that exchanges the arms in whole replications"
	switch {
	case c.o.Test == ByT:
		how = "t test over replications"
	case c.any(func(r *CompareRow) bool { return r.overRows }):
		how = "permutation test that exchanges the arms in whole rows of the design"
	case c.m.Study.Paired == jobs.PairedNone:
		how = "permutation test of the runs of each point"
	}
	alpha := format{decimals: 2}.text(1 - level)
	if c.Family() == 1 {
		return fmt.Sprintf("verdict: %s, at level %s; one decision, so nothing to adjust for.", how, alpha)
	}
	return fmt.Sprintf("verdict: %s, at level %s, P adjusted after Holm for the table's %d decisions.", how, alpha, c.Family())
}

// fewNote says how many replications it would take to tell anything apart.
func (c *Comparison) fewNote() string {
	if !c.any(func(r *CompareRow) bool { return r.Verdict == TooFew && r.Units > 0 }) || c.o.Test == ByT || c.any(func(r *CompareRow) bool { return r.overRows }) {
		return ""
	}
	if c.any(func(r *CompareRow) bool {
		return r.Verdict == TooFew && float64(r.Least) > 2.01*math.Ldexp(1, -min(r.Units, 2*halfFlips))
	}) && c.m.Study.Paired != jobs.PairedNone {
		return fmt.Sprintf("too few runs to tell: P comes from drawn exchanges, too few of them for %d decisions; compare fewer at once.", c.Family())
	}
	note := fmt.Sprintf("too few runs to tell: even if every replication agreed, P could not get below %s for so many decisions.", format{decimals: 2}.text(1-level))
	if c.m.Study.Paired != jobs.PairedNone {
		n := 2
		for ; float64(c.Family())*2/float64(uint64(1)<<n) > 1-level; n++ {
		}
		if c.o.Select {
			n *= 2
		}
		note += fmt.Sprintf(" From `replications: %d` on it can.", n)
	}
	if c.summary == stats.ByMean {
		note += " `--test t` can with fewer, if differences are near normal."
	}
	return note
}

func (c *Comparison) methodNotes() []string {
	how := "BCa bootstrap over replications"
	if c.summary == stats.ByMean {
		how = "t over replications"
	}
	if c.any(func(r *CompareRow) bool { return r.overRows }) {
		how = "over the rows of the design, taken as a random sample, since there is one replication"
	}
	note := "difference: at equal tasks and levels; interval: " + how + ", not adjusted."
	if c.any(func(r *CompareRow) bool { return r.Difference.finite() && !r.DifferenceLow.finite() }) {
		note += " None where a point has fewer than two runs."
	}
	notes := []string{note}
	note = "P(better): the probability that a run of the arm is better than one of the other, at the same point."
	if c.any(func(r *CompareRow) bool { return r.Wins.finite() }) {
		note += " wins: of pairs of one replication, ties one half."
		notes = append(notes, note, "shared noise: correlation over replications, and how many times as many runs would be needed without it.")
	} else {
		notes = append(notes, note)
	}
	if c.any(func(r *CompareRow) bool { return r.several }) {
		notes = append(notes, "Where several points of the other arm stand beside one, their mean within a replication is what is compared; --select compares chosen settings.")
	}
	return notes
}

// gapNotes says what is left out.
func (c *Comparison) gapNotes() []string {
	var notes []string
	alone, lacking, pairs, failed := 0, 0, 0, []string(nil)
	for i := range c.rows {
		r := &c.rows[i]
		alone += r.Alone
		lacking, pairs = lacking+r.Lacking, pairs+r.Runs
		for _, side := range []struct {
			arm string
			n   uint64
		}{{r.Arm, r.Failed}, {r.Against, r.AgainstFailed}} {
			if side.n > 0 {
				failed = append(failed, clean(side.arm))
			}
		}
	}
	if alone > 0 {
		notes = append(notes, fmt.Sprintf("%s have no point of the other arm beside them and are left out.", plural(uint64(alone), "point")))
	}
	if lacking > 0 {
		note := fmt.Sprintf("%d of %d pairs lack one side and are left out", lacking, lacking+pairs)
		if len(failed) > 0 {
			slices.Sort(failed)
			note += "; runs of " + strings.Join(slices.Compact(failed), " and ") + " failed: what they would have scored is not in these numbers"
		}
		notes = append(notes, note+".")
	} else if len(failed) > 0 {
		slices.Sort(failed)
		notes = append(notes, "Failed runs of "+strings.Join(slices.Compact(failed), " and ")+" are left out: what they would have scored is not in these numbers.")
	}
	return notes
}
