package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"overnight/results/sensitivity"
	"overnight/results/stats"
)

// measure is a column of the text: an index with its interval.
type measure struct {
	head, short string
	drop        int
	of          func(*sensitivity.Index) stats.Estimated
}

// measures returns the columns of a method, the one that rows are sorted by
// first.
func measures(method string) []measure {
	first := measure{"first order", "first", 3, func(x *sensitivity.Index) stats.Estimated { return x.First }}
	total := measure{"total", "", 0, func(x *sensitivity.Index) stats.Estimated { return x.Total }}
	switch method {
	case MorrisScreen:
		return []measure{
			{"mu*", "", 0, func(x *sensitivity.Index) stats.Estimated { return x.MuStar }},
			{"mu", "", 3, func(x *sensitivity.Index) stats.Estimated { return x.Mu }},
			{"sigma", "", 4, func(x *sensitivity.Index) stats.Estimated { return x.Sigma }},
		}
	case RankPRCC:
		first.head, first.short, first.drop = "importance", "", 0
		return []measure{first, {"rank correlation", "prcc", 3, func(x *sensitivity.Index) stats.Estimated { return x.PRCC }}, {"with pairs", "", 4, total.of}}
	case ForestFANOVA:
		first.head, first.short, first.drop = "importance", "", 0
		total.head, total.drop = "with pairs", 3
		return []measure{first, total}
	case EffectShares:
		first.head, first.short = "main effect", "main"
		total.head, total.short = "with interactions", "total"
	}
	return []measure{total, first}
}

// methodName says what a method is.
func methodName(method string) string {
	switch method {
	case SobolIndices:
		return "Sobol indices: shares of the variance of a run"
	case MorrisScreen:
		return "Morris' elementary effects over a factor's whole range"
	case RankPRCC:
		return "importance by a random forest, and partial rank correlation"
	case ForestFANOVA:
		return "importance by a random forest: shares of the variance of a run"
	}
	return "main effects and interactions: shares of the variance of a run"
}

func (t *SensitivityTable) text(s Style) *page {
	m := t.m
	p := &page{}
	if len(t.arms) == 0 {
		p.title = []string{"No sensitivity: " + t.nothing()}
		return p
	}
	method := t.arms[0].Method
	for i := range t.arms { // arms without factors of their own may be laid out otherwise
		if t.arms[i].Method != method {
			method = ""
		}
	}
	title := "What " + clean(m.Study.Objective.Metric) + " depends on"
	cols := measures(method)
	if method != "" {
		title += "; " + methodName(method)
	}
	p.title = []string{title}
	tasks, within := len(m.Study.Tasks) > 1, slices.ContainsFunc(t.arms, func(a SensitivityArm) bool { return a.Within != "" })
	arms := slices.ContainsFunc(t.arms, func(a SensitivityArm) bool { return a.Arm != t.arms[0].Arm })
	g := &grid{}
	if tasks {
		g.cols = append(g.cols, column{head: "task"})
	}
	if arms {
		g.cols = append(g.cols, column{head: "arm"})
	}
	if within {
		g.cols = append(g.cols, column{head: "where"})
	}
	g.cols = append(g.cols, column{head: "factor"})
	g.keys = len(g.cols)
	for _, c := range cols {
		g.cols = append(g.cols, column{head: c.head, short: c.short, parts: []string{"", " [", ", ", "]"}, drop: c.drop})
	}
	g.cols = append(g.cols, column{head: "told from luck", short: "told", drop: 1})
	short := shortNames(m.Study.Columns())
	for i := range t.arms {
		a := &t.arms[i]
		var keys []text
		if tasks {
			keys = append(keys, text{clean(a.Task)})
		}
		if arms {
			keys = append(keys, text{clean(a.Arm)})
		}
		if within {
			keys = append(keys, text{clean(a.Within)})
		}
		own := cols
		if method == "" {
			own = measures(a.Method)[:min(len(measures(a.Method)), len(cols))]
		}
		name := func(f *SensitivityFactor) string {
			if f.IsLuck() {
				return Luck
			}
			return clean(short[f.Factor])
		}
		for _, f := range a.sorted(own) {
			row := append(slices.Clone(keys), text{name(f)})
			for _, c := range own {
				row = append(row, estimatedText(c.of(&f.Index), a.Method))
			}
			for range len(cols) - len(own) {
				row = append(row, text{none})
			}
			told := ""
			if !f.IsLuck() {
				told = toldText(f.Told)
			}
			g.rows = append(g.rows, append(row, text{told}))
		}
		if !t.o.Second {
			continue
		}
		for _, pair := range a.Pairs {
			row := append(slices.Clone(keys), text{name(&a.Factors[pair.A]) + " with " + name(&a.Factors[pair.B])})
			for k := range cols {
				if k == 0 {
					row = append(row, estimatedText(pair.Share, a.Method))
				} else {
					row = append(row, text{none})
				}
			}
			g.rows = append(g.rows, append(row, text{toldText(pair.Told)}))
		}
	}
	p.grid = g
	if !s.All && len(g.rows) > maxRows {
		p.notes = append(p.notes, fmt.Sprintf("The first %d of %d rows; --all shows all.", maxRows, len(g.rows)))
		g.rows = g.rows[:maxRows]
	}
	p.notes = append(p.notes, t.notes()...)
	return p
}

// nothing says why there is no sensitivity.
func (t *SensitivityTable) nothing() string {
	switch {
	case !t.m.whole():
		return fmt.Sprintf("it needs every run, which is kept of at most %d trials.", t.m.limits.trials)
	case t.m.reps == 0:
		return "there is no run yet."
	}
	return "no factor varies."
}

// sorted returns an arm's factors, the largest by the first measure that is known
// first, luck last.
func (a *SensitivityArm) sorted(by []measure) []*SensitivityFactor {
	all := make([]*SensitivityFactor, len(a.Factors))
	for i := range all {
		all[i] = &a.Factors[i]
	}
	slices.SortStableFunc(all, func(x, y *SensitivityFactor) int {
		if x.IsLuck() != y.IsLuck() {
			if x.IsLuck() {
				return 1
			}
			return -1
		}
		for _, c := range by {
			u, v := c.of(&x.Index).Value, c.of(&y.Index).Value
			if !math.IsNaN(u) || !math.IsNaN(v) {
				return cmp.Compare(v, u) // NaN is below every number
			}
		}
		return 0
	})
	return all
}

// estimatedText is a cell of a value with its interval; shares have three decimals
// at most.
func estimatedText(e stats.Estimated, method string) text {
	f := formatFor(e.Value, e.Half())
	if e.Half() < 1e-6*math.Abs(e.Value) {
		f = formatFor(e.Value, math.NaN()) // no luck in it: the interval is one value
	}
	if method != MorrisScreen && (f.exponent || f.decimals < 0 || f.decimals > 3) {
		f = format{decimals: 3}
	}
	if !e.Known() {
		return text{f.text(e.Value)}
	}
	return text{f.text(e.Value), f.text(e.Low), f.text(e.High)}
}

func toldText(v sensitivity.Verdict) string {
	switch v {
	case sensitivity.Told:
		return "yes"
	case sensitivity.Luck:
		return "no"
	}
	return "not known"
}
