package answer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results/report"
	"overnight/results/stats"
)

// standing is an arm on a task, or on all, in the numbers that sentences use.
type standing struct {
	report.ArmRow
	index  int // of Study.Arms
	value  float64
	oracle bool
}

// groups returns the arms that have runs, best first, task by task; one group
// where tasks are pooled.
func (b *builder) groups() [][]standing {
	m := b.Model
	var all [][]standing
	task := ""
	for i, r := range b.arms.Rows() {
		if i == 0 || r.Task != task {
			all, task = append(all, nil), r.Task
		}
		s := standing{ArmRow: r, value: summary(m, &r)}
		for k := range m.Study.Arms {
			if m.Study.Arms[k].Label == r.Arm {
				s.index, s.oracle = k, m.Study.Arms[k].Agent == "oracle"
			}
		}
		if !math.IsNaN(s.value) {
			all[len(all)-1] = append(all[len(all)-1], s)
		}
	}
	for _, g := range all {
		slices.SortStableFunc(g, func(x, y standing) int {
			switch {
			case m.Worse(y.value, x.value):
				return -1
			case m.Worse(x.value, y.value):
				return 1
			}
			return 0
		})
	}
	return slices.DeleteFunc(all, func(g []standing) bool { return len(g) == 0 })
}

// summary is the row's number that the objective asks for.
func summary(m *report.Model, r *report.ArmRow) float64 {
	switch stats.Statistic(m.Statistic()) {
	case stats.ByIQM:
		return float64(r.IQM)
	case stats.ByMedian:
		return float64(r.Median)
	}
	return float64(r.Mean)
}

// sentences answers: which arm is best and how sure that is, who is better than
// the baseline, what each learner depends on, and what is wrong with the study.
func (b *builder) sentences() []string {
	m := b.Model
	switch t := &m.Tally; {
	case t.Done == 0 && t.Failed+t.Dead+t.Overrun > 0:
		return append([]string{"No trial has a result."}, b.caveats()...)
	case t.Done == 0:
		return []string{"No trial has a result yet."}
	}
	var out []string
	groups := b.groups()
	for _, g := range groups {
		prefix := ""
		if len(groups) > 1 && g[0].Task != "" {
			prefix = "On " + g[0].Task + ", "
		}
		out = append(out, b.ranking(prefix, g)...)
	}
	out = append(out, b.confirmed()...)
	out = append(out, b.dependence()...)
	return append(out, b.caveats()...)
}

// confirmed says what the points chosen as best scored on fresh replications.
func (b *builder) confirmed() []string {
	var out []string
	task := ""
	for i, r := range b.Model.Confirmation().Rows() {
		if i > 0 && r.Task == task {
			continue // the first of each task is the best
		}
		task = r.Task
		c := &r.Confirmed
		if math.IsNaN(float64(c.Score)) {
			continue
		}
		out = append(out, fmt.Sprintf("The point that looked best, %s, scored %s when it was chosen and %s on %d fresh replications, which did not choose it.",
			b.Model.Describe(int(r.Point)), report.Say(float64(r.Selection.Score), float64(r.Selection.Low), float64(r.Selection.High)),
			report.Say(float64(c.Score), float64(c.Low), float64(c.High)), c.N))
	}
	return out
}

// ranking says who is best and where the others stand.
func (b *builder) ranking(prefix string, g []standing) []string {
	m := b.Model
	var arms []standing // without oracles, which know more than an agent may
	for _, s := range g {
		if !s.oracle {
			arms = append(arms, s)
		}
	}
	if len(arms) == 0 {
		arms = g
	}
	best := arms[0]
	first := fmt.Sprintf("%s %s %s", b.summed(), m.Study.Objective.Metric, report.Say(best.value, float64(best.Low), float64(best.High)))
	switch {
	case len(arms) == 1:
		first = prefix + best.Arm + " has " + first
	case prefix != "":
		first = prefix + "best is " + best.Arm + ": " + first
	default:
		first = "Best is " + best.Arm + ": " + first
	}
	switch {
	case best.Points > 1:
		first += fmt.Sprintf(" over %d points and %s", best.Points, m.Repeated())
	case m.Study.Replications > 1:
		first += " over " + m.Repeated()
	}
	if best.N > 1 && !math.IsNaN(float64(best.Worst)) {
		first += fmt.Sprintf("; its worst run has %s", report.Say(float64(best.Worst), math.NaN(), math.NaN()))
	}
	out := []string{first + "."}
	if len(arms) > 1 {
		out = append(out, b.ahead(best, arms[1]))
	}
	if line := b.against(arms); line != "" {
		out = append(out, line)
	}
	return append(out, b.collapses(arms)...)
}

// summed names how the objective sums runs up.
func (b *builder) summed() string {
	if s := b.Model.Statistic(); s != string(stats.ByIQM) {
		return s
	}
	return "IQM"
}

// ahead compares the best arm with the second.
func (b *builder) ahead(best, second standing) string {
	m := b.Model
	d, points := b.difference(best, second)
	switch {
	case points == 0:
		return fmt.Sprintf("Second is %s; the two share no point at which they could be compared.", second.Arm)
	case math.IsNaN(d.Value):
		return fmt.Sprintf("Second is %s; their difference is not known.", second.Arm)
	}
	shown := report.SaySigned(d.Value, d.Low, d.High)
	switch {
	case !d.Known():
		return fmt.Sprintf("The next is %s, %s apart; with so few runs no interval can be given.", second.Arm, shown)
	case d.Contains(0):
		return fmt.Sprintf("It can't be told from the next, %s: the difference is %s at the %s where both run.", second.Arm, shown, counted(points, "point"))
	case m.Worse(0, d.Value): // the difference is an advantage
		return fmt.Sprintf("It is ahead of the next, %s, by %s.", second.Arm, report.Say(math.Abs(d.Value), math.Min(math.Abs(d.Low), math.Abs(d.High)), math.Max(math.Abs(d.Low), math.Abs(d.High))))
	}
	return fmt.Sprintf("Where both run, the next, %s, is ahead of it: the difference is %s.", second.Arm, shown)
}

// difference estimates the best arm's summary less the second's, and says at how
// many points. The baseline, or else the earlier arm, is what is subtracted in
// tables; sentences turn that round, so that both have the same numbers.
func (b *builder) difference(x, y standing) (stats.Estimated, int) {
	m := b.Model
	task := slices.IndexFunc(m.Study.Tasks, func(t jobs.Task) bool { return t.Label == x.Task })
	if base := m.Baseline(); y.index == base || x.index != base && y.index < x.index {
		return m.Difference(task, x.index, y.index)
	}
	d, points := m.Difference(task, y.index, x.index)
	return stats.Estimated{Value: -d.Value, Interval: stats.Interval{Low: -d.High, High: -d.Low}}, points
}

// against says who is better and who worse than the baseline.
func (b *builder) against(arms []standing) string {
	m := b.Model
	base := m.Baseline()
	if base < 0 {
		return ""
	}
	var better, worse, open []string
	for _, s := range arms {
		d, low, high := float64(s.Difference), float64(s.DifferenceLow), float64(s.DifferenceHigh)
		if s.index == base || math.IsNaN(d) {
			continue
		}
		text := fmt.Sprintf("%s (%s)", s.Arm, report.SaySigned(d, low, high))
		switch {
		case math.IsNaN(low) || low <= 0 && high >= 0:
			open = append(open, text)
		case m.Worse(0, d):
			better = append(better, text)
		default:
			worse = append(worse, text)
		}
	}
	label := m.Study.Arms[base].Label
	var parts []string
	for _, p := range []struct {
		arms []string
		what string
	}{{better, "Better than " + label}, {worse, "Worse than " + label}, {open, "Not told apart from " + label}} {
		if len(p.arms) > 0 {
			parts = append(parts, fmt.Sprintf("%s: %s.", p.what, list(p.arms)))
		}
	}
	return strings.Join(parts, " ")
}

// collapses says which learning arms had runs that ended below the baseline, and
// what a count of none is worth.
func (b *builder) collapses(arms []standing) []string {
	m := b.Model
	var out []string
	learning := 0
	for _, s := range arms {
		if s.Collapsed != nil {
			learning++
		}
	}
	if learning > maxNamed {
		return b.manyCollapses(arms)
	}
	for _, s := range arms {
		if s.Collapsed == nil {
			continue
		}
		what := "collapsed"
		if floor := b.arms.Floor(); floor != "" && m.Baseline() != s.index {
			what = "ended worse than " + floor
		}
		up := report.SayShareUp(float64(s.CollapsedUpper))
		if *s.Collapsed == 0 {
			out = append(out, fmt.Sprintf("No run of %s %s (0 of %d: the share is up to %s).", s.Arm, what, *s.CollapsedOf, up))
			continue
		}
		line := fmt.Sprintf("%d of %d runs of %s %s (%s; the share is up to %s)", *s.Collapsed, *s.CollapsedOf, s.Arm, what, report.SayShare(float64(*s.Collapsed)/float64(*s.CollapsedOf)), up)
		// Of an arm that is worse on the whole, that is no news.
		if low, high := float64(s.DifferenceLow), float64(s.DifferenceHigh); !(low > 0 && m.Worse(low, 0)) && !(high < 0 && m.Worse(high, 0)) {
			line += fmt.Sprintf(", so its %s alone misleads", b.summed())
		}
		out = append(out, line+".")
	}
	return out
}

// maxNamed is how many learning arms have sentences of their own; more would hide
// the answer.
const maxNamed = 3

// manyCollapses is collapses in one sentence.
func (b *builder) manyCollapses(arms []standing) []string {
	m := b.Model
	var some, none []string
	for _, s := range arms {
		switch {
		case s.Collapsed == nil || s.index == m.Baseline():
		case *s.Collapsed == 0:
			none = append(none, s.Arm)
		default:
			some = append(some, fmt.Sprintf("%s %s", s.Arm, report.SayShare(float64(*s.Collapsed)/float64(*s.CollapsedOf))))
		}
	}
	what := "collapsed"
	if floor := b.arms.Floor(); floor != "" {
		what = "ended worse than " + floor
	}
	var out []string
	if len(some) > 0 {
		out = append(out, fmt.Sprintf("Shares of runs that %s: %s.", what, list(some)))
	}
	if len(none) > 0 {
		out = append(out, fmt.Sprintf("No run of %s %s.", joined(none, "or"), what))
	}
	return out
}

// caveats says what the reader must know before trusting the rest.
func (b *builder) caveats() []string {
	m := b.Model
	var out []string
	if lines := m.StoppingLines(); len(lines) > 0 {
		out = append(out, lines[0])
	}
	t := &m.Tally
	if t.Missing > 0 {
		out = append(out, fmt.Sprintf("The study is not complete: %d of %d trials have no record yet, and every number here is of the others.", t.Missing, t.Planned))
	}
	if bad := t.Failed + t.Dead + t.Overrun; bad > 0 {
		out = append(out, fmt.Sprintf("%s gave no result (%d failed, %d dead, %d overran a limit); they are left out of every mean, which flatters an arm that fails.", counted(int(bad), "trial"), t.Failed, t.Dead, t.Overrun))
	}
	switch r := m.Study.Replications; {
	case r == 1 && len(m.Study.Factors) == 0:
		out = append(out, "Each arm was run once, so nothing here tells luck from skill.")
	case r == 1:
		out = append(out, "Each point was run once, so luck can't be told from what factors do.")
	case r < 10 && !b.overRows():
		out = append(out, fmt.Sprintf("With %d replications intervals of skewed scores hold less often than they say (docs/statistics.md).", r))
	}
	return out
}

// overRows tells whether all intervals of arms are over rows of the design.
func (b *builder) overRows() bool {
	return !slices.ContainsFunc(b.Model.Lines(), func(l report.Line) bool { return !b.Model.OverRows(l.Points) })
}

// list joins words: "a, b and c".
func list(words []string) string { return joined(words, "and") }

// joined joins words, the last one by a conjunction.
func joined(words []string, by string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + by + " " + words[len(words)-1]
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
