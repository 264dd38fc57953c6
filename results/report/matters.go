package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"overnight/jobs"
	"overnight/results/stats"
)

// The rows of a Matters table that stand for no factor.
const (
	// Luck is what runs of one point differ in.
	Luck = "luck"
	// Rest is what points differ in beyond the main effects of factors.
	Rest = "rest"
)

// ShareRow says how much of the variance of an arm's objective one factor
// explains.
type ShareRow struct {
	Task   string `json:"task"`
	Arm    string `json:"arm"`
	Factor string `json:"factor"` // its column, Luck or Rest
	Share  number `json:"share"`  // an estimate: can fall a little below 0
	// Best and Worst are the factor's levels with the best and the worst mean over
	// everything else; empty for ranges, Luck and Rest.
	Best      string `json:"best,omitempty"`
	BestMean  number `json:"best_mean"`
	Worst     string `json:"worst,omitempty"`
	WorstMean number `json:"worst_mean"`
}

// Matters is a table of what the objective depends on.
type Matters struct {
	m    *Model
	rows [][]ShareRow // by line
}

// WhatMatters returns the shares of the variance of each arm's runs that its
// factors and luck explain (stats.VarianceShares), task by task. It has no row
// above MaxTrials, nor for an arm at which no factor varies.
func (m *Model) WhatMatters() *Matters {
	t := &Matters{m: m}
	if !m.whole() || m.reps == 0 {
		return t
	}
	for _, l := range m.lines(false) {
		if rows := m.shares(l); len(rows) > 0 {
			t.rows = append(t.rows, rows)
		}
	}
	return t
}

// Rows returns the shares, arm by arm, the largest first.
func (t *Matters) Rows() []ShareRow { return slices.Concat(t.rows...) }

// shares returns the rows of a line, the largest share first; nil where no
// factor varies.
func (m *Model) shares(l line) []ShareRow {
	var factors []int
	var numbers [][]int
	for f := range m.Study.Factors {
		at := make([]int, len(l.points))
		for i, p := range l.points {
			at[i] = int(m.scales.at(p)[f])
		}
		if slices.Min(at) < 0 || slices.Min(at) == slices.Max(at) {
			continue // does not apply, or does not vary
		}
		if s := &m.scales.factors[f]; s.continuous() {
			values := make([]float64, len(at))
			for i, n := range at {
				values[i] = s.values[n]
			}
			at = stats.Bins(values)
		}
		factors, numbers = append(factors, f), append(numbers, at)
	}
	if len(factors) == 0 {
		return nil
	}
	runs := m.runs(l.points)
	shares := stats.VarianceShares(runs, numbers, m.Study.Paired != jobs.PairedNone)
	row := func(name string, share float64) ShareRow {
		unknown := number(math.NaN())
		return ShareRow{Task: m.Study.Tasks[l.task].Label, Arm: m.Study.Arms[l.arm].Label, Factor: name,
			Share: number(share), BestMean: unknown, WorstMean: unknown}
	}
	var rows []ShareRow
	for i, f := range factors {
		r := row(m.Study.Factors[f].Name, shares.Factors[i])
		if !m.scales.factors[f].continuous() {
			m.extremes(&r, &m.scales.factors[f], runs, numbers[i])
		}
		rows = append(rows, r)
	}
	rows = append(rows, row(Luck, shares.Luck), row(Rest, shares.Rest))
	slices.SortStableFunc(rows, func(a, b ShareRow) int {
		x, y := float64(a.Share), float64(b.Share)
		switch {
		case x > y || math.IsNaN(y) && !math.IsNaN(x):
			return -1
		case x < y || math.IsNaN(x) && !math.IsNaN(y):
			return 1
		}
		return 0
	})
	return rows
}

// extremes finds the levels with the best and the worst mean of point means.
func (m *Model) extremes(r *ShareRow, s *scale, runs stats.Scores, at []int) {
	sum, n := make([]float64, len(s.names)), make([]float64, len(s.names))
	for p, level := range at {
		if mean := stats.Mean(stats.Present(runs[p])); !math.IsNaN(mean) {
			sum[level] += mean
			n[level]++
		}
	}
	best, worst := -1, -1
	for level := range sum {
		if n[level] == 0 {
			continue
		}
		sum[level] /= n[level]
		if best < 0 || m.worse(sum[best], sum[level]) {
			best = level
		}
		if worst < 0 || m.worse(sum[level], sum[worst]) {
			worst = level
		}
	}
	if best < 0 {
		return
	}
	r.Best, r.BestMean = s.names[best], number(sum[best])
	r.Worst, r.WorstMean = s.names[worst], number(sum[worst])
}

// sentence says what one arm depends on.
func sentence(rows []ShareRow, short func(string) string) string {
	var parts []string
	for _, r := range rows {
		if math.IsNaN(float64(r.Share)) || float64(r.Share) < 0.005 && r.Factor == Rest {
			continue
		}
		s := fmt.Sprintf("%s %s", clean(short(r.Factor)), strings.ReplaceAll(percent(float64(r.Share)), " ", nbsp))
		if r.Best != "" && r.Best != r.Worst && float64(r.Share) >= 0.05 {
			s += fmt.Sprintf(" (best %s, worst %s)", clean(r.Best), clean(r.Worst))
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return "not known: too few points and replications"
	}
	return strings.Join(parts, ", ")
}

func (t *Matters) text(s Style) *page {
	m := t.m
	p := &page{}
	if len(t.rows) == 0 {
		return p
	}
	names := m.Study.Columns()
	short := shortNames(names)
	shortOf := func(name string) string {
		if i := slices.Index(names, name); i >= 0 {
			return short[i]
		}
		return name
	}
	p.title = append(p.title, fmt.Sprintf("What matters: shares of the variance of %s", clean(m.Study.Objective.Metric)))
	rows := t.rows
	if !s.All && len(rows) > maxRows {
		rows = rows[:maxRows]
	}
	labels := make([]string, len(rows))
	wide := 0
	for i, r := range rows {
		labels[i] = clean(r[0].Arm)
		if len(m.Study.Tasks) > 1 {
			labels[i] = clean(r[0].Task + " " + r[0].Arm)
		}
		if s.Width > 0 {
			labels[i] = shorten(labels[i], max(s.Width/3, 4))
		}
		wide = max(wide, utf8.RuneCountInString(labels[i]))
	}
	for i, r := range rows {
		label := labels[i] + strings.Repeat(" ", wide-utf8.RuneCountInString(labels[i])) + gap
		width := 0
		if s.Width > 0 {
			width = max(s.Width-wide-len(gap), 1)
		}
		for _, line := range wrap(sentence(r, shortOf), width, 0) {
			p.lines = append(p.lines, shortenTo(label+line, s.Width))
			label = strings.Repeat(" ", wide) + gap
		}
	}
	p.notes = t.notes()
	if hidden := len(t.rows) - len(rows); hidden > 0 {
		p.notes = append([]string{fmt.Sprintf("The first %d of %d rows; --all shows all.", len(rows), len(t.rows))}, p.notes...)
	}
	return p
}

func shortenTo(s string, width int) string {
	if width <= 0 {
		return s
	}
	return shorten(s, width)
}

func (t *Matters) notes() []string {
	notes := []string{"Main effects, freed of the bias of luck; luck: what runs of one point differ in; rest: what points differ in beyond main effects."}
	if t.m.Study.Replications < 2 {
		notes[0] = "Main effects; rest: what they don't explain, with luck in it, which one replication can't tell apart."
	}
	return notes
}

func (t *Matters) header() []string {
	return []string{"task", "arm", "factor", "share", "best", "best_mean", "worst", "worst_mean"}
}

func (t *Matters) each(yield func([]any) bool) {
	for _, rows := range t.rows {
		for _, r := range rows {
			if !yield([]any{r.Task, r.Arm, r.Factor, r.Share, r.Best, r.BestMean, r.Worst, r.WorstMean}) {
				return
			}
		}
	}
}

func (t *Matters) json() any {
	rows := t.Rows()
	if rows == nil {
		rows = []ShareRow{}
	}
	return struct {
		heading
		Rows  []ShareRow `json:"rows"`
		Notes []string   `json:"notes"`
	}{t.m.heading(), rows, t.notes()}
}
