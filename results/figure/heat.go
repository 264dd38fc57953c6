package figure

import (
	"fmt"
	"math"

	"overnight/results/report"
	"overnight/results/stats"
)

// Heat shows an arm's summary over each pair of factors, as the mean over
// everything else: a panel an arm, a pair and a task, those that explain most
// first. A cell without a score is null, and its text says why.
func Heat(m *report.Model) (Figure, bool) {
	f := Figure{ID: "heat", Title: "Two factors at a time"}
	s, ok := read(m)
	if !ok {
		return f, false
	}
	all, empty := 0, 0
	s.pairs(func(task int, a *armLine, x, y *levels) {
		if all++; len(f.Panels) == maxPanels {
			return
		}
		p := s.heatPanel(task, a, x, y)
		f.Panels = append(f.Panels, p)
		if len(f.Panels) == 1 {
			f.Caption = s.extremes(&p, s.on(task, a.arm))
		}
		for i := range p.Grid {
			for _, v := range p.Grid[i] {
				if !finite(v) {
					empty++
				}
			}
		}
	})
	if len(f.Panels) == 0 {
		return f, false
	}
	s.onePanel(&f)
	if empty > 0 {
		f.Note = plural(empty, "cell") + " without a score: the text of each says why."
	}
	f.Note = sentences(fmt.Sprintf("A cell is the mean of its points' %ss. Ranges are cut into groups of equally many points.", s.by),
		f.Note, leftOut(len(f.Panels), all, "pair of factors and arm"), s.incomplete())
	return f, true
}

// pairs calls fn with each pair of factors that both vary on an arm of a task:
// the pairs that explain most first, and of each the arms as ranked.
func (s *study) pairs(fn func(task int, a *armLine, x, y *levels)) {
	for task := range s.ofTasks {
		all, lines := s.factors(task, true), s.ranked(task)
		for j := 1; j < len(all); j++ {
			for i := range j {
				for _, a := range lines {
					if spreads(all[i], a) && spreads(all[j], a) {
						fn(task, a, all[i], all[j])
					}
				}
			}
		}
	}
}

// extremes says which cells of a panel are best and worst.
func (s *study) extremes(p *Panel, arm string) string {
	var low, high Num
	var worst, best string
	for i := range p.Grid {
		for j, v := range p.Grid[i] {
			if !finite(v) {
				continue
			}
			at := fmt.Sprintf("%s %s and %s %s", p.X.Label, p.X.Categories[j], p.Y.Label, p.Y.Categories[i])
			if worst == "" || s.m.Worse(float64(v), float64(low)) {
				low, worst = v, at
			}
			if best == "" || s.m.Worse(float64(high), float64(v)) {
				high, best = v, at
			}
		}
	}
	if worst == "" {
		return fmt.Sprintf("%s has no score at any pair of levels.", arm)
	}
	return fmt.Sprintf("%s is best at %s (%s) and worst at %s (%s).", arm, best, number(float64(high)), worst, number(float64(low)))
}

// spreads tells whether the factor has two levels or more on the line.
func spreads(l *levels, a *armLine) bool {
	for _, p := range a.Points {
		if l.of[p] < 0 {
			return false
		}
	}
	for _, p := range a.Points {
		if l.of[p] != l.of[a.Points[0]] {
			return true
		}
	}
	return false
}

func (s *study) heatPanel(task int, a *armLine, x, y *levels) Panel {
	p := Panel{Name: s.on(task, fmt.Sprintf("%s: %s by %s", a.arm, y.name, x.name)), Kind: Heatmap,
		X: Axis{Label: x.name, Categories: x.names}, Y: Axis{Label: y.name, Categories: y.names},
		GridLabel: s.label(), Better: s.better()}
	cells := make([][]int, len(x.names)*len(y.names))
	for i, point := range a.Points {
		c := int(y.of[point])*len(x.names) + int(x.of[point])
		cells[c] = append(cells[c], i)
	}
	for i := range y.names {
		var row []Num
		var text []string
		for j := range x.names {
			at := cells[i*len(x.names)+j]
			v := s.over(a, at)
			row = append(row, Num(v))
			text = append(text, s.cellText(a, at, v))
		}
		p.Grid, p.GridText = append(p.Grid, row), append(p.GridText, text)
	}
	return p
}

// cellText says what a cell shows: its value, its runs, and what it lacks.
func (s *study) cellText(a *armLine, at []int, v float64) string {
	if len(at) == 0 {
		return "no point of the design"
	}
	runs := 0
	var lost report.Ended
	for _, i := range at {
		runs += len(stats.Present(a.runs[i]))
		lost = lost.Plus(s.m.Ended(a.Points[i]))
	}
	text := plural(runs, "run")
	if !math.IsNaN(v) {
		text = number(v) + ", " + text
	}
	if why := lost.Lost(); why != "" {
		text += ", " + why
	}
	return text
}
