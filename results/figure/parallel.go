package figure

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/report"
)

// ParallelCoordinates shows every point as a line through its factors to its
// summary, a panel a task. The oracle's points are left out.
func ParallelCoordinates(m *report.Model) (Figure, bool) {
	f := Figure{ID: "parallel", Title: "All settings at once"}
	s, ok := read(m)
	if !ok {
		return f, false
	}
	var notes []string
	var best string
	for task := range s.ofTasks {
		p, shown, total, top := s.parallelPanel(task)
		if len(p.Rows) == 0 {
			continue
		}
		f.Panels = append(f.Panels, p)
		notes = append(notes, sampled(shown, total, "points"))
		if best == "" {
			best = top
		}
	}
	if len(f.Panels) == 0 {
		return f, false
	}
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Caption = fmt.Sprintf("Each line is one setting; its colour and last axis are its %s %s. %s", s.by, s.metric(), best)
	notes = slices.Compact(notes)
	f.Note = sentences(append(notes, "A line stops at a factor that its arm does not have.", s.withoutOracle(), s.incomplete())...)
	return f, true
}

// parallelPanel returns the panel of a task, how many of its points it shows, and
// a sentence on the best of them.
func (s *study) parallelPanel(task int) (p Panel, shown, total int, top string) {
	p = Panel{Name: s.taskName(task), Kind: Parallel, Better: s.better()}
	all := s.factors(task, false)
	if len(all) == 0 {
		return p, 0, 0, ""
	}
	var arms []string
	type row struct{ arm, line, at int }
	var rows []row
	for _, i := range s.ofTasks[task] {
		if a := &s.lines[i]; a.Arm != oracle(s.m) {
			for k, v := range a.value {
				if !math.IsNaN(v) {
					rows = append(rows, row{len(arms), i, k})
				}
			}
			arms = append(arms, a.arm)
		}
	}
	if len(arms) > 1 {
		p.Dims = append(p.Dims, Dim{Label: "arm", Categories: arms})
	}
	for _, l := range all {
		d := Dim{Label: l.name, Log: l.log && l.numeric}
		if !l.numeric {
			d.Categories = l.names
		}
		p.Dims = append(p.Dims, d)
	}
	p.Dims = append(p.Dims, Dim{Label: s.metric()})
	best := -1
	for i, r := range rows {
		if best < 0 || s.m.Worse(s.lines[rows[best].line].value[rows[best].at], s.lines[r.line].value[r.at]) {
			best = i
		}
	}
	for _, i := range sampleOf(len(rows), maxDots, s.m.Key("figure/parallel", uint64(task))) {
		r, a := rows[i], &s.lines[rows[i].line]
		point := a.Points[r.at]
		var out []Num
		if len(arms) > 1 {
			out = append(out, Num(r.arm))
		}
		for _, l := range all {
			switch {
			case l.numeric:
				out = append(out, Num(l.exact[point]))
			case l.of[point] < 0:
				out = append(out, Num(math.NaN()))
			default:
				out = append(out, Num(l.of[point]))
			}
		}
		p.Rows = append(p.Rows, append(out, Num(a.value[r.at])))
	}
	if best >= 0 {
		r := rows[best]
		a := &s.lines[r.line]
		top = fmt.Sprintf("The best of %s is %s with %s.", plural(len(rows), "setting"), s.describe(a.Points[r.at]), number(a.value[r.at]))
	}
	return p, len(p.Rows), len(rows), top
}
