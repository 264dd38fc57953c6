package figure

import (
	"fmt"
	"math"

	"overnight/results/report"
)

// Slices shows every run's objective against one factor, a dot a run: a panel a
// numeric factor and a task, those that explain most first. The oracle's runs are
// left out.
func Slices(m *report.Model) (Figure, bool) {
	f := Figure{ID: "slices", Title: "Runs against one factor"}
	s, ok := read(m)
	if !ok {
		return f, false
	}
	all, most, of := 0, 0, 0
	factors := make([][]*levels, len(s.ofTasks))
	for task := range s.ofTasks {
		factors[task] = s.factors(task, true)
		for _, l := range factors[task] {
			if !l.numeric {
				continue
			}
			if all++; len(f.Panels) == maxPanels {
				continue
			}
			p, shown, total := s.slicePanel(task, l)
			if shown == 0 {
				all--
				continue
			}
			f.Panels = append(f.Panels, p)
			if total > of {
				most, of = shown, total
			}
		}
	}
	if len(f.Panels) == 0 {
		return f, false
	}
	s.onePanel(&f)
	f.Caption = fmt.Sprintf("Each dot is one run; dots above one another are runs of the same setting, so their spread is luck and the other factors. %s", s.trend(factors))
	f.Note = sentences(sampled(most, of, "runs in the largest panel, equally many of each arm"), leftOut(len(f.Panels), all, "numeric factor"), s.withoutOracle(), s.incomplete())
	return f, true
}

func (s *study) slicePanel(task int, l *levels) (p Panel, shown, total int) {
	p = Panel{Name: s.on(task, l.name), Kind: Scatter, X: Axis{Label: l.name, Log: l.log}, Y: Axis{Label: s.label()}, Better: s.better()}
	type dot struct {
		x, y  float64
		trial uint64
	}
	var dots [][]dot
	var lines []*armLine
	for _, i := range s.ofTasks[task] {
		a := &s.lines[i]
		if a.Arm == oracle(s.m) || l.within(a) == nil {
			continue
		}
		var of []dot
		for k, point := range a.Points {
			for r, y := range a.runs[k] {
				if x := l.exact[point]; !math.IsNaN(y) && !math.IsNaN(x) {
					of = append(of, dot{x, y, uint64(r)*s.m.Study.Points() + uint64(point)})
				}
			}
		}
		if len(of) > 0 {
			dots, lines = append(dots, of), append(lines, a)
			total += len(of)
		}
	}
	sizes := make([]int, len(dots))
	for i := range dots {
		sizes[i] = len(dots[i])
	}
	for i, n := range shareOut(sizes, maxDots) {
		v := series(s.m, lines[i].Arm)
		v.Dashed = false
		key := s.m.Key("figure/slices", uint64(task), uint64(l.factor), uint64(lines[i].Arm))
		for _, k := range sampleOf(len(dots[i]), n, key) {
			d := dots[i][k]
			v.X, v.Y = append(v.X, Num(d.x)), append(v.Y, Num(d.y))
			v.Text = append(v.Text, fmt.Sprintf("trial %d", d.trial))
		}
		shown += len(v.Y)
		p.Series = append(p.Series, v)
	}
	return p, shown, total
}

// trend says for the best arm how its summary differs between the ends of the
// numeric factor that explains most.
func (s *study) trend(of [][]*levels) string {
	for task := range s.ofTasks {
		a := s.best(task)
		if a == nil {
			continue
		}
		for _, l := range of[task] {
			if !l.numeric || !spreads(l, a) {
				continue
			}
			groups := l.within(a)
			low, high := s.over(a, groups[0]), s.over(a, groups[len(groups)-1])
			if math.IsNaN(low) || math.IsNaN(high) {
				continue
			}
			return fmt.Sprintf("%s has %s where %s is lowest and %s where it is highest.", s.on(task, a.arm), number(low), l.name, number(high))
		}
	}
	return ""
}
