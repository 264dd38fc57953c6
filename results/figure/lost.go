package figure

import (
	"fmt"
	"math"

	"overnight/results/report"
	"overnight/results/stats"
)

// Lost shows where agents lost how much of what was possible: per level of each
// factor the share lost, 1 - optimality, and, where Runs saw `return` beside
// `optimality` or an oracle ran, what was possible and what each arm reached of
// it. It needs the objective `optimality` or an arm of the agent `oracle`; runs
// may be nil.
func Lost(m *report.Model, r *Runs) (Figure, bool) {
	f := Figure{ID: "lost", Title: "What was possible, and how much of it was lost"}
	s, ok := read(m)
	best := oracle(m)
	if !ok || m.Study.Objective.Minimize || !s.optimal() && best < 0 {
		return f, false
	}
	l := &loss{study: s, runs: r, oracle: best}
	all := 0
	for task := range s.ofTasks {
		for _, levels := range s.factors(task, true) {
			share, hasShare := l.sharePanel(task, levels)
			reach, hasReach := l.reachPanel(task, levels)
			if hasShare || hasReach {
				all++
			}
			if len(f.Panels)+1 >= maxPanels {
				continue
			}
			if hasShare {
				f.Panels = append(f.Panels, share)
				l.shown++
			}
			if hasReach {
				f.Panels = append(f.Panels, reach)
				if !hasShare {
					l.shown++
				}
			}
		}
	}
	if len(f.Panels) == 0 {
		return f, false
	}
	s.onePanel(&f)
	f.Caption = l.caption()
	f.Note = sentences("Bars are means over everything else; lines are 95 % intervals. "+l.unit(), leftOut(l.shown, all, "factor"), s.incomplete())
	return f, true
}

// loss is what Lost collects.
type loss struct {
	*study
	runs   *Runs
	oracle int
	shown  int
	worst  struct {
		arm, where string
		lost       stats.Estimated
	}
	least struct { // of the same arm and factor
		where string
		lost  float64
	}
}

func (l *loss) unit() string {
	switch {
	case l.runs != nil && l.runs.sums != nil:
		return "Possible is what the best policy reaches on the same episodes, return / optimality."
	case l.optimal():
		return "Lost is 1 - optimality."
	}
	return "Possible is what the oracle's runs reached at the same points."
}

func (l *loss) caption() string {
	if l.worst.arm == "" {
		return "Per level of each factor, what the best policy could reach and what the arms reached."
	}
	e := l.worst.lost
	c := fmt.Sprintf("%s loses most at %s: %s of what was possible", l.worst.arm, l.worst.where, report.Say(e.Value, e.Low, e.High))
	if l.least.where != "" && l.least.where != l.worst.where {
		c += fmt.Sprintf(", and least at %s: %s", l.least.where, number(l.least.lost))
	}
	return c + "."
}

// sharePanel shows the share lost per level; false where it is not known.
func (l *loss) sharePanel(task int, f *levels) (Panel, bool) {
	p := Panel{Name: l.on(task, f.name+": share lost"), Kind: Bars, X: Axis{Label: f.name, Categories: f.names},
		Y: Axis{Label: "share of the possible that was lost"}, Better: "low"}
	if !l.optimal() {
		return p, false
	}
	best := l.best(task)
	for _, i := range l.ofTasks[task] {
		a := &l.lines[i]
		groups := f.within(a)
		if groups == nil || a.Arm == l.oracle {
			continue
		}
		v := series(l.m, a.Arm)
		low, high := -1, -1
		var at []stats.Estimated
		for n, points := range groups {
			e := l.estimate(a, points, "figure/lost", uint64(f.factor), uint64(n))
			e.Value, e.Low, e.High = 1-e.Value, 1-e.High, 1-e.Low
			at = append(at, e)
			v.Y, v.Low, v.High = append(v.Y, Num(e.Value)), append(v.Low, Num(e.Low)), append(v.High, Num(e.High))
			v.Text = append(v.Text, report.Say(e.Value, e.Low, e.High)+" lost")
			if math.IsNaN(e.Value) {
				continue
			}
			if high < 0 || e.Value > at[high].Value {
				high = n
			}
			if low < 0 || e.Value < at[low].Value {
				low = n
			}
		}
		if high < 0 {
			continue
		}
		p.Series = append(p.Series, v)
		if a == best && (l.worst.arm == "" || at[high].Value > l.worst.lost.Value) {
			l.worst.arm, l.worst.where, l.worst.lost = a.arm, l.on(task, f.name+" "+f.names[high]), at[high]
			l.least.where, l.least.lost = l.on(task, f.name+" "+f.names[low]), at[low].Value
		}
	}
	return p, len(p.Series) > 0
}

// reachPanel shows what was possible beside what arms reached, per level.
func (l *loss) reachPanel(task int, f *levels) (Panel, bool) {
	p := Panel{Name: l.on(task, f.name+": possible and reached"), Kind: Bars, X: Axis{Label: f.name, Categories: f.names}, Better: "high"}
	switch {
	case l.runs != nil && l.runs.sums != nil:
		p.Y.Label = "return"
		return p, l.fromSums(&p, task, f)
	case l.optimal() || l.oracle < 0:
		return p, false
	}
	p.Y.Label = l.label()
	possible, known := Series{Name: "possible", Color: -1, Y: nans(len(f.names))}, false
	for _, i := range l.ofTasks[task] {
		if a := &l.lines[i]; a.Arm == l.oracle {
			for n, at := range f.within(a) {
				possible.Y[n] = Num(l.over(a, at))
				known = known || finite(possible.Y[n])
			}
		}
	}
	if !known {
		return p, false
	}
	p.Series = append(p.Series, possible)
	for _, i := range l.ofTasks[task] {
		a := &l.lines[i]
		groups := f.within(a)
		if groups == nil || a.Arm == l.oracle {
			continue
		}
		v := series(l.m, a.Arm)
		for n, at := range groups {
			e := l.estimate(a, at, "figure/reached", uint64(f.factor), uint64(n))
			v.Y, v.Low, v.High = append(v.Y, Num(e.Value)), append(v.Low, Num(e.Low)), append(v.High, Num(e.High))
			v.Text = append(v.Text, lostText(e.Value, float64(possible.Y[n])))
		}
		p.Series = append(p.Series, v)
	}
	return p, len(p.Series) > 1
}

// fromSums fills in a panel from the returns that Runs saw.
func (l *loss) fromSums(p *Panel, task int, f *levels) bool {
	possible := Series{Name: "possible", Color: -1, Y: nans(len(f.names))}
	top, n := make([]float64, len(f.names)), make([]float64, len(f.names))
	var reached []Series
	for _, i := range l.ofTasks[task] {
		a := &l.lines[i]
		groups := f.within(a)
		if groups == nil || a.Arm == l.oracle {
			continue
		}
		v := series(l.m, a.Arm)
		some := false
		for level, at := range groups {
			var got, could []float64
			for _, k := range at {
				if s := l.runs.sums[a.Points[k]]; s.n > 0 {
					got, could = append(got, s.reached/float64(s.n)), append(could, s.top/float64(s.n))
				}
			}
			v.Y = append(v.Y, Num(stats.Mean(got)))
			v.Text = append(v.Text, lostText(stats.Mean(got), stats.Mean(could)))
			if len(got) > 0 {
				some = true
				top[level] += stats.Mean(could)
				n[level]++
			}
		}
		if some {
			reached = append(reached, v)
		}
	}
	for level := range top {
		if n[level] > 0 {
			possible.Y[level] = Num(top[level] / n[level])
		}
	}
	p.Series = append([]Series{possible}, reached...)
	return len(reached) > 0
}

// lostText says what share of the possible is missing.
func lostText(reached, possible float64) string {
	if !(possible > 0) || math.IsNaN(reached) {
		return number(reached)
	}
	return fmt.Sprintf("%s of %s: %s lost", number(reached), number(possible), report.SayShare(1-reached/possible))
}
