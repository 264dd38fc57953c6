package figure

import (
	"fmt"
	"math"

	"overnight/results/report"
)

// Effects shows what each factor does: the summary at each of its levels, over
// everything else, with its interval, per arm. A panel a factor and a task, the
// factors that explain most first.
func Effects(m *report.Model) (Figure, bool) {
	f := Figure{ID: "effects", Title: "What each factor does"}
	s, ok := read(m)
	if !ok {
		return f, false
	}
	all := 0
	widest := effect{}
	binned := false
	for task := range s.ofTasks {
		for _, l := range s.factors(task, true) {
			if all++; len(f.Panels) == maxPanels {
				continue
			}
			p, e := s.effectPanel(task, l)
			if len(p.Series) == 0 {
				all--
				continue
			}
			binned = binned || l.ranged
			f.Panels = append(f.Panels, p)
			if e.arm != "" && (widest.arm == "" || e.task == widest.task && e.gap() > widest.gap()) {
				widest = e
			}
		}
	}
	if len(f.Panels) == 0 {
		return f, false
	}
	s.onePanel(&f)
	f.Caption = widest.say(s)
	f.Note = fmt.Sprintf("Each value is the %s over all points and replications at that level; bands and lines are 95 %% intervals, each on its own.", s.by)
	if binned {
		f.Note += " Ranges are cut into at most eight groups of equally many points, drawn at their mean."
	}
	f.Note = sentences(f.Note, leftOut(len(f.Panels), all, "factor"), s.incomplete())
	return f, true
}

// effect is the largest difference that a factor makes to the best arm it acts
// on.
type effect struct {
	task                     int
	arm, factor, worst, best string
	low, high                float64 // at the worst and the best level
}

func (e effect) gap() float64 { return math.Abs(e.high - e.low) }

func (e effect) say(s *study) string {
	if e.arm == "" {
		return fmt.Sprintf("%s at each level of each factor, per arm.", s.metric())
	}
	return fmt.Sprintf("What changes %s most is %s: %s at %s, %s at %s.", e.arm, e.factor, number(e.high), e.best, number(e.low), e.worst)
}

func (s *study) effectPanel(task int, l *levels) (Panel, effect) {
	p := Panel{Name: s.on(task, l.name), Kind: Intervals, X: Axis{Label: l.name, Categories: l.names}, Y: Axis{Label: s.label()}, Better: s.better()}
	axis := "x"
	if l.numeric {
		p.Kind, p.X, axis = Lines, Axis{Label: l.name, Log: l.log}, "y"
	}
	var widest effect
	best := s.best(task)
	for _, i := range s.ofTasks[task] {
		a := &s.lines[i]
		groups := l.within(a)
		if groups == nil {
			// What the factor does not touch is a line to compare with.
			if a.Arm == s.m.Baseline() {
				p.mark(a.arm, s.by.Of(a.runs), axis)
			}
			continue
		}
		v := series(s.m, a.Arm)
		e := effect{task: task, factor: s.on(task, l.name)}
		for n, at := range groups {
			if len(at) == 0 && l.numeric {
				continue
			}
			x := s.estimate(a, at, "figure/effect", uint64(l.factor), uint64(n))
			if l.numeric {
				v.X = append(v.X, Num(l.values[n]))
			}
			v.Y, v.Low, v.High = append(v.Y, Num(x.Value)), append(v.Low, Num(x.Low)), append(v.High, Num(x.High))
			v.Text = append(v.Text, fmt.Sprintf("%s: %s, %s", l.names[n], report.Say(x.Value, x.Low, x.High), plural(len(at), "point")))
			if math.IsNaN(x.Value) {
				continue
			}
			if e.arm == "" || s.m.Worse(x.Value, e.low) {
				e.low, e.worst = x.Value, l.names[n]
			}
			if e.arm == "" || s.m.Worse(e.high, x.Value) {
				e.high, e.best = x.Value, l.names[n]
			}
			e.arm = a.arm
		}
		if len(v.Y) == 0 || e.arm == "" {
			continue
		}
		p.Series = append(p.Series, v)
		if a == best {
			widest = e
		}
	}
	return p, widest
}

// onePanel takes the name off a panel that stands alone and puts it behind the
// title.
func (s *study) onePanel(f *Figure) {
	if len(f.Panels) == 1 && f.Panels[0].Name != "" {
		f.Title += ": " + f.Panels[0].Name
		f.Panels[0].Name = ""
	}
}

// leftOut says how many panels a figure lacks.
func leftOut(shown, of int, what string) string {
	if shown >= of {
		return ""
	}
	return fmt.Sprintf("Shown are %d of %s, those that explain most.", shown, plural(of, what))
}
