package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results/report"
	"overnight/results/stats"
)

// armValue is an arm in numbers.
type armValue struct {
	arm         int
	at          stats.Estimated
	against     stats.Estimated // its difference from the baseline
	worst       float64
	runs, trial uint64 // the worst run's trial
}

// Arms shows each arm's summary with its interval and its worst run, beside
// baseline and oracle: a panel a task, all tasks pooled where scores compare, and
// the differences from the baseline. t is the model's table per arm, which takes
// a while to make; nil makes it.
func Arms(m *report.Model, t *report.ArmTable) (Figure, bool) {
	f := Figure{ID: "arms", Title: "How good each arm is"}
	s, whole := read(m)
	if t == nil {
		t = m.ArmTable()
	}
	groups, names := s.armValues(t)
	if len(groups) == 0 {
		return f, false
	}
	for i, g := range groups {
		f.Panels = append(f.Panels, s.armPanel(names[i], g))
		if p, ok := s.differencePanel(names[i], g); ok {
			f.Panels = append(f.Panels, p)
		}
	}
	if len(f.Panels) == 1 {
		f.Panels[0].Name = ""
	}
	f.Caption = s.armCaption(names[0], groups[0], whole)
	over := fmt.Sprintf("Dots: %s over the arm's points and replications; lines: 95 %% intervals over repeating the replications at these points", s.by)
	switch {
	case !whole:
		over = fmt.Sprintf("Dots: the mean over the arm's points or runs; studies of more than %d trials have no intervals here", report.MaxTrials)
	case s.lines[len(s.lines)-1].rows:
		over = fmt.Sprintf("Dots: %s over the arm's points and replications; lines: 95 %% intervals over the rows of the design, taken as a random sample", s.by)
	}
	f.Note = sentences(over+"; grey: the worst run.", s.incomplete())
	return f, true
}

// armValues returns the arms of each panel and the panels' names: those of
// report's table per arm, then the single tasks where that pools them.
func (s *study) armValues(t *report.ArmTable) (groups [][]armValue, names []string) {
	arm := func(label string) int {
		return slices.IndexFunc(s.m.Study.Arms, func(a jobs.Arm) bool { return a.Label == label })
	}
	pooled := false
	for _, r := range t.Rows() {
		if r.N == 0 {
			continue
		}
		name := r.Task
		switch {
		case s.several() && name == "":
			name, pooled = "all tasks", true
		case !s.several():
			name = s.metric()
		}
		if len(names) == 0 || names[len(names)-1] != name {
			names, groups = append(names, name), append(groups, nil)
		}
		v := armValue{arm: arm(r.Arm), worst: float64(r.Worst), runs: r.N}
		if r.Trial != nil {
			v.trial = *r.Trial
		}
		value := map[stats.Statistic]float64{stats.ByMean: float64(r.Mean), stats.ByIQM: float64(r.IQM), stats.ByMedian: float64(r.Median)}[s.by]
		if math.IsNaN(value) {
			value = float64(r.Mean) // above MaxTrials there is no other
		}
		v.at = stats.Estimated{Value: value, Interval: stats.Interval{Low: float64(r.Low), High: float64(r.High)}}
		v.against = stats.Estimated{Value: float64(r.Difference), Interval: stats.Interval{Low: float64(r.DifferenceLow), High: float64(r.DifferenceHigh)}}
		groups[len(groups)-1] = append(groups[len(groups)-1], v)
	}
	if !pooled {
		return groups, names
	}
	for task := range s.ofTasks {
		var g []armValue
		for _, i := range s.ofTasks[task] {
			l := &s.lines[i]
			v := armValue{arm: l.Arm, at: s.estimate(l, nil, "figure/arms"), worst: math.NaN(), against: stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}}
			for k, runs := range l.runs {
				for r, x := range runs {
					if math.IsNaN(x) {
						continue
					}
					if v.runs++; v.runs == 1 || s.m.Worse(x, v.worst) {
						v.worst, v.trial = x, uint64(r)*s.m.Study.Points()+uint64(l.Points[k])
					}
				}
			}
			g = append(g, v)
		}
		if len(g) > 0 {
			names, groups = append(names, s.taskName(task)), append(groups, g)
		}
	}
	return groups, names
}

func (s *study) armPanel(name string, g []armValue) Panel {
	p := Panel{Name: name, Kind: Intervals, X: Axis{Label: "arm"}, Y: Axis{Label: s.label()}, Better: s.better()}
	worst := Series{Name: "worst run", Color: -1}
	hasOracle := false
	for i, v := range g {
		p.X.Categories = append(p.X.Categories, s.m.Study.Arms[v.arm].Label)
		p.Series = append(p.Series, single(s.m, v.arm, i, len(g), v.at, fmt.Sprintf("%s, %s", report.Say(v.at.Value, v.at.Low, v.at.High), plural(int(v.runs), "run"))))
		worst.Y = append(worst.Y, Num(v.worst))
		worst.Text = append(worst.Text, fmt.Sprintf("worst run: %s (trial %d)", number(v.worst), v.trial))
		hasOracle = hasOracle || v.arm == oracle(s.m)
		if v.arm == s.m.Baseline() || v.arm == oracle(s.m) {
			p.mark(s.m.Study.Arms[v.arm].Label, v.at.Value, "x")
		}
	}
	if s.optimal() && !hasOracle {
		p.mark("optimum", 1, "x")
	}
	p.Series = append(p.Series, worst)
	return p
}

// single returns a series with one value among n categories.
func single(m *report.Model, arm, at, n int, e stats.Estimated, text string) Series {
	v := series(m, arm)
	v.Y, v.Low, v.High, v.Text = nans(n), nans(n), nans(n), make([]string, n)
	v.Y[at], v.Low[at], v.High[at], v.Text[at] = Num(e.Value), Num(e.Low), Num(e.High), text
	return v
}

// differencePanel shows differences from the baseline; false without any.
func (s *study) differencePanel(name string, g []armValue) (Panel, bool) {
	base := s.m.Study.Baseline
	p := Panel{Name: "difference from " + base, Kind: Intervals, X: Axis{Label: "arm"},
		Y: Axis{Label: s.metric() + " less that of " + base}, Marks: []Mark{{Name: base, At: 0, Axis: "x"}}, Better: s.better()}
	if s.several() {
		p.Name = name + ": " + p.Name
	}
	g = slices.DeleteFunc(slices.Clone(g), func(v armValue) bool { return math.IsNaN(v.against.Value) })
	for i, v := range g {
		p.X.Categories = append(p.X.Categories, s.m.Study.Arms[v.arm].Label)
		p.Series = append(p.Series, single(s.m, v.arm, i, len(g), v.against, report.SaySigned(v.against.Value, v.against.Low, v.against.High)))
	}
	return p, len(g) > 0
}

// armCaption says in numbers how the best arm of a panel stands; name is the
// panel's.
func (s *study) armCaption(name string, g []armValue, whole bool) string {
	best := -1
	for i, v := range g {
		if v.arm != oracle(s.m) && !math.IsNaN(v.at.Value) && (best < 0 || s.m.Worse(g[best].at.Value, v.at.Value)) {
			best = i
		}
	}
	if best < 0 {
		return "No arm but the oracle has a score."
	}
	v := g[best]
	c := fmt.Sprintf("%s %s", s.m.Study.Arms[v.arm].Label, s.reaches(v.at))
	if s.several() {
		c = name + ": " + c
	}
	if !math.IsNaN(v.against.Value) {
		c += fmt.Sprintf(", %s against %s", report.SaySigned(v.against.Value, v.against.Low, v.against.High), s.m.Study.Baseline)
	}
	c += fmt.Sprintf("; its worst of %s is %s.", plural(int(v.runs), "run"), number(v.worst))
	if whole {
		c = sentences(c, s.worstLevel(name, v.arm))
	}
	var others []string
	for i, o := range g {
		if i != best && o.arm != oracle(s.m) && !math.IsNaN(o.at.Value) {
			others = append(others, fmt.Sprintf("%s %s", s.m.Study.Arms[o.arm].Label, report.Say(o.at.Value, o.at.Low, o.at.High)))
		}
	}
	if len(others) > 0 && len(others) <= 8 {
		c += " The others: " + strings.Join(others, ", ") + "."
	}
	return c
}

// worstLevel says at which level of which factor an arm is worst, on the task of
// that name, if one has it, else on all; "" where no factor varies.
func (s *study) worstLevel(name string, arm int) string {
	var where string
	low, high, found := math.NaN(), math.NaN(), false
	only := slices.IndexFunc(s.m.Study.Tasks, func(t jobs.Task) bool { return t.Label == name })
	for task := range s.ofTasks {
		if only >= 0 && task != only {
			continue
		}
		for _, f := range s.factors(task, false) {
			for _, i := range s.ofTasks[task] {
				l := &s.lines[i]
				if l.Arm != arm {
					continue
				}
				for n, at := range f.within(l) {
					v := s.over(l, at)
					switch {
					case math.IsNaN(v):
						continue
					case !found || s.m.Worse(v, low):
						low, where = v, s.on(task, f.name+" "+f.names[n])
					}
					if !found || s.m.Worse(high, v) {
						high = v
					}
					found = true
				}
			}
		}
	}
	if !found || low == high {
		return ""
	}
	return fmt.Sprintf("Its worst level is %s with %s; its best has %s.", where, number(low), number(high))
}

// over returns the mean of the points' summaries at positions of a line.
func (s *study) over(l *armLine, at []int) float64 {
	values := make([]float64, len(at))
	for i, k := range at {
		values[i] = l.value[k]
	}
	return stats.Mean(stats.Present(values))
}
