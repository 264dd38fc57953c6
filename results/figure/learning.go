package figure

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/report"
	"overnight/results/stats"
)

// Learning shows how arms learn, from the curves that Runs collected: the
// evaluations in between where `evaluate: every` asks for them, the return of
// training episodes with its running mean, and what else agents record of
// themselves. A panel a task.
func Learning(r *Runs) []Figure {
	var all []Figure
	if f, ok := r.curveFigure(EvaluationCurve, "return of an evaluation"); ok {
		f.ID, f.Title = "learning", "What the agents have learned along the way"
		all = append(all, f)
	}
	if f, ok := r.curveFigure(TrainingCurve, "return of a training episode"); ok {
		f.ID, f.Title = "training", "Training progress: reward per episode"
		all = append(all, f)
	}
	d := Figure{ID: "diagnostics", Title: "What the agents record of themselves"}
	for _, name := range slices.Sorted(slices.Values(r.names)) {
		if name == EvaluationCurve || name == TrainingCurve {
			continue
		}
		f, _ := r.curveFigure(name, name)
		for _, p := range f.Panels {
			if len(d.Panels) == maxPanels {
				break
			}
			if p.Name == "" {
				p.Name = name
			} else {
				p.Name += ": " + name
			}
			p.Marks = nil
			d.Panels = append(d.Panels, p)
		}
		d.Note = f.Note
	}
	if len(d.Panels) == 1 {
		d.Title += ": " + d.Panels[0].Name
		d.Panels[0].Name = ""
	}
	if len(d.Panels) > 0 {
		d.Caption = "What learners record while they train, mean over points and replications."
		all = append(all, d)
	}
	return all
}

// curveFigure shows one curve of all arms.
func (r *Runs) curveFigure(curve, label string) (f Figure, ok bool) {
	m, width := r.m, 0
	for task := range m.Study.Tasks {
		p := Panel{Kind: Lines, X: Axis{Label: "training episodes"}, Y: Axis{Label: label}}
		if len(m.Study.Tasks) > 1 {
			p.Name = m.Study.Tasks[task].Label
		}
		for arm := range m.Study.Arms {
			c := r.curves[curveKey{task, arm, curve}]
			if c == nil {
				continue
			}
			b := c.Band(confidence)
			if len(b.X) < 2 {
				continue
			}
			v := bandSeries(series(m, arm), b)
			if curve == TrainingCurve {
				if w := max(len(b.X)/10, 1); w > 1 {
					width = max(width, w)
					raw := v
					raw.Name, raw.Low, raw.High, raw.Hidden = v.Name+", not smoothed", nil, nil, true
					p.Series = append(p.Series, raw)
					b = running(c, b, w)
					v = bandSeries(v, b)
				}
			}
			p.Series = append(p.Series, v)
			f.Caption = sentences(f.Caption, r.gain(task, v.Name, b))
		}
		if len(p.Series) == 0 {
			continue
		}
		slices.SortStableFunc(p.Series, func(a, b Series) int { // what is hidden comes last in the legend
			switch {
			case a.Hidden == b.Hidden:
				return 0
			case a.Hidden:
				return 1
			}
			return -1
		})
		p.Marks = r.marks(task)
		f.Panels = append(f.Panels, p)
	}
	f.Note = "Means over points and replications; bands are 95 % intervals over the replications, at each place by itself. Records hold the means of stretches of episodes."
	if width > 1 {
		f.Note += fmt.Sprintf(" Lines are means over the last %d recorded values (fewer at the start); the values themselves can be switched on.", width)
	}
	return f, len(f.Panels) > 0
}

func bandSeries(v Series, b stats.Band) Series {
	v.X, v.Y, v.Low, v.High = Nums(b.X), Nums(b.Y), Nums(b.Low), Nums(b.High)
	return v
}

// running returns the band of the replications' running means over the last
// width places.
func running(c *stats.Curves, b stats.Band, width int) stats.Band {
	out := stats.Band{X: b.X, N: b.N}
	at := make([][]float64, len(b.X))
	for r := range c.Replications() {
		y := c.Replication(r)
		for i := range y {
			if math.IsNaN(y[i]) {
				continue
			}
			if v := stats.Mean(stats.Present(y[max(i+1-width, 0) : i+1])); !math.IsNaN(v) {
				at[i] = append(at[i], v)
			}
		}
	}
	for i := range at {
		interval := stats.TInterval(at[i], confidence)
		out.Y = append(out.Y, stats.Mean(at[i]))
		out.Low, out.High = append(out.Low, interval.Low), append(out.High, interval.High)
	}
	return out
}

// gain says how far an arm came.
func (r *Runs) gain(task int, name string, b stats.Band) string {
	last := len(b.X) - 1
	s := fmt.Sprintf("%s goes from %s to %s in %s episodes.", name, report.Say(b.Y[0], b.Low[0], b.High[0]), report.Say(b.Y[last], b.Low[last], b.High[last]), number(b.X[last]))
	if len(r.m.Study.Tasks) > 1 {
		return r.m.Study.Tasks[task].Label + ": " + s
	}
	return s
}

// marks are the returns that the best policy and the baseline reach in the final
// evaluation, mean over the points of learners.
func (r *Runs) marks(task int) []Mark {
	if r.sums == nil {
		return nil
	}
	var top, base []float64
	for _, l := range r.m.Lines() {
		for _, p := range l.Points {
			s := r.sums[p]
			if s.n == 0 || l.Task != task {
				continue
			}
			if r.m.Learns(p) {
				top = append(top, s.top/float64(s.n))
			}
			if l.Arm == r.m.Baseline() {
				base = append(base, s.reached/float64(s.n))
			}
		}
	}
	var p Panel
	if len(top) > 0 {
		p.mark("optimum", stats.Mean(top), "y")
	}
	if len(base) > 0 {
		p.mark(r.m.Study.Baseline, stats.Mean(base), "y")
	}
	return p.Marks
}
