package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/report"
	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// Sensitivity shows what the objective depends on, a panel an arm: bars with
// intervals and luck beside them, what factors do in pairs, and how the indices
// settle as the sample grows.
func Sensitivity(m *report.Model, t *report.SensitivityTable) []Figure {
	bars := Figure{ID: "sensitivity", Title: "What the objective depends on"}
	steps := Figure{ID: "convergence", Title: "How the indices settle as the sample grows"}
	pairs := Figure{ID: "interactions", Title: "What factors do in pairs"}
	short := m.ShortFactors()
	for _, arm := range learnersFirst(m, t) {
		a := view{SensitivityArm: arm, m: m, short: short}
		if bars.Caption == "" {
			bars.Caption = a.caption()
		}
		bars.Panels = append(bars.Panels, a.bars()...)
		steps.Panels = append(steps.Panels, a.steps()...)
		pairs.Panels = append(pairs.Panels, a.pairs()...)
	}
	bars.Note = "Lines are 95 % intervals. Factors marked * can't be told from luck. " + methodNote(t)
	steps.Caption = "Each index from growing parts of the sample, the whole one last: an index that still moves needs more points."
	steps.Note = "Bands are 95 % intervals."
	pairs.Caption = "Share of the variance that two factors explain together beyond what each explains alone; estimates can fall a little below 0."
	var all []Figure
	for _, f := range []*Figure{&bars, &pairs, &steps} {
		if len(f.Panels) == 0 {
			continue
		}
		if f.Caption == "" {
			f.Caption = "No factor has an index that can be computed."
		}
		if over := len(f.Panels) - 2*maxPanels; over > 0 {
			f.Panels = f.Panels[:2*maxPanels]
			f.Note = sentences(f.Note, fmt.Sprintf("%d more panels are left out.", over))
		}
		if len(f.Panels) == 1 {
			f.Title += ": " + f.Panels[0].Name
			f.Panels[0].Name = ""
		}
		all = append(all, *f)
	}
	return all
}

// learnersFirst returns the arms with those that learn before the others and the
// oracle last: what a study asks about is what learning depends on. The first one
// is the best learner of the first task.
func learnersFirst(m *report.Model, t *report.SensitivityTable) []*report.SensitivityArm {
	best := -1
	if s, ok := read(m); ok {
		for task := range s.ofTasks {
			if l := s.ranked(task); best < 0 && len(l) > 0 {
				best = l[0].Arm
			}
		}
	}
	class := func(a *report.SensitivityArm) int {
		switch {
		case a.Line.Arm == oracle(m):
			return 3
		case !slices.ContainsFunc(a.Line.Points, m.Learns):
			return 2
		case a.Line.Arm != best:
			return 1
		}
		return 0
	}
	var all []*report.SensitivityArm
	for i := range t.Arms() {
		all = append(all, &t.Arms()[i])
	}
	slices.SortStableFunc(all, func(a, b *report.SensitivityArm) int { return class(a) - class(b) })
	return all
}

// methodNote says what the numbers of the methods used mean.
func methodNote(t *report.SensitivityTable) string {
	var out []string
	for _, a := range t.Arms() {
		var s string
		switch a.Method {
		case report.SobolIndices:
			s = "First order: the share of the variance that a factor explains alone; total: with all its interactions, those with luck included."
		case report.MorrisScreen:
			s = "mu*: the mean size of the change that one step of a factor makes; sigma: how much that differs from place to place."
		case report.RankPRCC:
			s = "Partial rank correlation: -1 or 1 where the objective only falls or rises with the factor, freed of the other factors."
		case report.EffectShares:
			s = "Share of the variance that a factor's main effect explains."
		case report.ForestFANOVA:
			s = "Share of the variance of a random forest that a factor explains alone, and with interactions."
		}
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// view is an arm's analysis as panels.
type view struct {
	*report.SensitivityArm
	m     *report.Model
	short []string
}

// name tells the arm's panels apart.
func (v *view) name() string {
	n := v.Arm
	if len(v.m.Study.Tasks) > 1 {
		n = v.Task + ": " + n
	}
	if v.Within != "" {
		n += ", " + v.Within
	}
	return n
}

func (v *view) factor(f *report.SensitivityFactor) string {
	if f.IsLuck() {
		return f.Name
	}
	if f.Told == sensitivity.Luck {
		return v.short[f.Factor] + " *"
	}
	return v.short[f.Factor]
}

// quantity is an index that may be drawn, with its name.
type quantity struct {
	name string
	of   func(*sensitivity.Index) stats.Estimated
}

// quantities are those drawn in one panel: shares of the variance; of Morris
// elementary effects; and rank correlations.
func quantities() map[string][]quantity {
	return map[string][]quantity{
		"share of the variance": {
			{"first order", func(x *sensitivity.Index) stats.Estimated { return x.First }},
			{"total", func(x *sensitivity.Index) stats.Estimated { return x.Total }},
		},
		"elementary effects": {
			{"mu*", func(x *sensitivity.Index) stats.Estimated { return x.MuStar }},
			{"sigma", func(x *sensitivity.Index) stats.Estimated { return x.Sigma }},
		},
		"partial rank correlation": {
			{"partial rank correlation", func(x *sensitivity.Index) stats.Estimated { return x.PRCC }},
		},
	}
}

func units() []string {
	return []string{"share of the variance", "elementary effects", "partial rank correlation"}
}

// bars returns a panel for each unit that the method gives.
func (v *view) bars() []Panel {
	var all []Panel
	for _, unit := range units() {
		p := Panel{Name: v.name(), Kind: Bars, X: Axis{Label: "factor"}, Y: Axis{Label: unit}}
		if unit == "elementary effects" {
			p.Y.Label += " (" + v.m.Study.Objective.Metric + ")"
		}
		var shown []quantity
		for _, q := range quantities()[unit] {
			if slices.ContainsFunc(v.Factors, func(f report.SensitivityFactor) bool { return !f.IsLuck() && known(q.of(&f.Index).Value) }) {
				shown = append(shown, q)
			}
		}
		if len(shown) == 0 {
			continue
		}
		main := shown[len(shown)-1].of
		if unit == "elementary effects" {
			main = shown[0].of
		}
		order := v.order(main)
		luck := Series{Name: report.Luck, Color: -1, Y: nans(len(order)), Low: nans(len(order)), High: nans(len(order)), Text: make([]string, len(order))}
		hasLuck := false
		for i, f := range order {
			p.X.Categories = append(p.X.Categories, v.factor(f))
			if !f.IsLuck() {
				continue
			}
			e := luckOf(f)
			if !known(e.Value) {
				e = main(&f.Index)
			}
			if hasLuck = known(e.Value); hasLuck {
				luck.Y[i], luck.Low[i], luck.High[i] = bounded(e)
				luck.Text[i] = report.Say(e.Value, e.Low, e.High)
				p.mark(report.Luck, e.Value, "x")
			}
		}
		for k, q := range shown {
			s := Series{Name: q.name, Color: k}
			for _, f := range order {
				e := q.of(&f.Index)
				if f.IsLuck() {
					e = stats.Estimated{Value: math.NaN(), Interval: stats.Unknown()}
				}
				y, low, high := bounded(e)
				s.Y, s.Low, s.High = append(s.Y, y), append(s.Low, low), append(s.High, high)
				s.Text = append(s.Text, v.verdict(f, e))
			}
			p.Series = append(p.Series, s)
		}
		if hasLuck {
			p.Series = append(p.Series, luck)
		}
		if len(all) > 0 {
			p.Name += ", " + unit
		}
		all = append(all, p)
	}
	return all
}

func (v *view) verdict(f *report.SensitivityFactor, e stats.Estimated) string {
	text := report.Say(e.Value, e.Low, e.High)
	switch {
	case f.IsLuck():
		return ""
	case f.Told == sensitivity.Luck:
		return text + ", not told from luck"
	case f.Told == sensitivity.Unknown:
		return text + ", whether it is luck can't be known"
	}
	return text
}

// order returns the factors with the largest value first, luck last.
func (v *view) order(main func(*sensitivity.Index) stats.Estimated) []*report.SensitivityFactor {
	all := make([]*report.SensitivityFactor, len(v.Factors))
	for i := range v.Factors {
		all[i] = &v.Factors[i]
	}
	size := func(f *report.SensitivityFactor) float64 {
		x := math.Abs(main(&f.Index).Value)
		switch {
		case f.IsLuck():
			return -2
		case !known(x):
			return -1
		}
		return x
	}
	slices.SortStableFunc(all, func(a, b *report.SensitivityFactor) int { return -cmp.Compare(size(a), size(b)) })
	return all
}

// luckOf is all that runs of one point differ in, what luck does together with
// factors included: the luck of report's other tables and of the answer. Its first
// order alone is what it moves all points by at once.
func luckOf(f *report.SensitivityFactor) stats.Estimated {
	if known(f.Total.Value) {
		return f.Total
	}
	return f.First
}

// caption says what the first arm depends on most.
func (v *view) caption() string {
	for _, unit := range units() {
		for _, q := range quantities()[unit] {
			order := v.order(q.of)
			if len(order) == 0 || order[0].IsLuck() || !known(q.of(&order[0].Index).Value) {
				continue
			}
			var parts, luck []string
			for _, f := range order {
				e := q.of(&f.Index)
				switch {
				case f.IsLuck():
					if e := luckOf(f); known(e.Value) {
						luck = append(luck, "luck "+report.Say(e.Value, e.Low, e.High))
					}
				case f.Told == sensitivity.Luck:
					luck = append(luck, v.short[f.Factor]+" can't be told from luck")
				case len(parts) < 4:
					parts = append(parts, fmt.Sprintf("%s %s", v.short[f.Factor], report.Say(e.Value, e.Low, e.High)))
				}
			}
			return fmt.Sprintf("%s, %s (%s): %s.", v.name(), q.name, v.Method, strings.Join(append(parts, luck...), "; "))
		}
	}
	return ""
}

func known(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// bounded returns a value with both bounds or none.
func bounded(e stats.Estimated) (y, low, high Num) {
	if !known(e.Low) || !known(e.High) {
		return Num(e.Value), Num(math.NaN()), Num(math.NaN())
	}
	return Num(e.Value), Num(e.Low), Num(e.High)
}
