package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/results/report"
	"overnight/results/stats"
)

// metric is the objective's name.
func (s *study) metric() string { return s.m.Study.Objective.Metric }

// optimal tells whether the objective is a share of the optimum.
func (s *study) optimal() bool { return s.metric() == "optimality" }

// label is that of an axis of the objective.
func (s *study) label() string {
	if s.optimal() {
		return "optimality (share of the optimum)"
	}
	if s.m.Study.Objective.Minimize {
		return s.metric() + " (lower is better)"
	}
	return s.metric()
}

// better is Panel.Better of the objective.
func (s *study) better() string {
	if s.m.Study.Objective.Minimize {
		return "low"
	}
	return "high"
}

// reaches says what an arm's value is: "reaches 0.994 [0.993, 0.995] of the
// optimum", "has a mean return of 5.1 [5.0, 5.2]".
func (s *study) reaches(e stats.Estimated) string {
	v := report.Say(e.Value, e.Low, e.High)
	by := map[stats.Statistic]string{stats.ByMean: "a mean", stats.ByIQM: "an IQM", stats.ByMedian: "a median"}[s.by]
	if s.optimal() {
		return fmt.Sprintf("reaches %s of the optimum (%s)", v, s.by)
	}
	return fmt.Sprintf("has %s %s of %s", by, s.metric(), v)
}

// several tells whether there is more than one task.
func (s *study) several() bool { return len(s.m.Study.Tasks) > 1 }

// taskName returns a task's label.
func (s *study) taskName(task int) string { return s.m.Study.Tasks[task].Label }

// on names a panel: its own name, behind the task's where there are several.
func (s *study) on(task int, name string) string { return onTask(s.m, task, name) }

// onTask names a panel of a task: its own name, behind the task's where there are
// several.
func onTask(m *report.Model, task int, name string) string {
	switch {
	case len(m.Study.Tasks) < 2:
		return name
	case name == "":
		return m.Study.Tasks[task].Label
	}
	return m.Study.Tasks[task].Label + ": " + name
}

// settingOf names the levels of a point's environment factors.
func settingOf(m *report.Model, point int) string {
	var parts []string
	short := m.ShortFactors()
	for f := range m.Study.Factors {
		if of := &m.Study.Factors[f]; of.Arm != "" || of.Shared {
			continue
		}
		switch l := m.Level(point, f); {
		case l.Number < 0:
		case l.Range:
			parts = append(parts, fmt.Sprintf("%s=%s", short[f], number(l.Value)))
		default:
			parts = append(parts, fmt.Sprintf("%s=%s", short[f], l.Name))
		}
	}
	return strings.Join(parts, ", ")
}

// describe names a point by arm and levels, numbers in four significant digits.
func (s *study) describe(point int) string {
	task, arm := s.m.Study.Pair(uint64(point))
	parts := []string{s.on(task, s.m.Study.Arms[arm].Label)}
	for f := range s.m.Study.Factors {
		switch l := s.m.Level(point, f); {
		case l.Number < 0:
		case l.Range:
			parts = append(parts, s.short[f]+"="+number(l.Value))
		default:
			parts = append(parts, s.short[f]+"="+l.Name)
		}
	}
	return strings.Join(parts, ", ")
}

// incomplete says which trials the figure lacks; "" where it has all.
func (s *study) incomplete() string {
	t := s.m.Tally
	var parts []string
	for _, c := range []struct {
		n    uint64
		what string
	}{{t.Failed, "failed"}, {t.Dead, "dead"}, {t.Overrun, "overrun"}, {t.Damaged, "damaged"}, {t.Missing, "missing"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("Without the trials that have no score: %s of %d.", strings.Join(parts, ", "), t.Planned)
}

// sentences joins what is not empty.
func sentences(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// number writes a number in four significant digits.
func number(v float64) string { return report.Say(v, math.NaN(), math.NaN()) }

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// withoutOracle says that a figure leaves the oracle out; "" where there is none.
func (s *study) withoutOracle() string {
	if oracle(s.m) < 0 {
		return ""
	}
	return "The oracle is left out."
}

// commas groups the digits before a decimal point by thousands: "4936.5 [4900,
// 4972]" becomes "4,936.5 [4,900, 4,972]".
func commas(text string) string {
	var b strings.Builder
	digits := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := 0; i < len(text); {
		n := i
		for n < len(text) && digits(text[n]) {
			n++
		}
		if n == i {
			b.WriteByte(text[i])
			i++
			continue
		}
		whole := i == 0 || text[i-1] != '.'
		for k := i; k < n; k++ {
			if whole && k > i && (n-k)%3 == 0 {
				b.WriteByte(',')
			}
			b.WriteByte(text[k])
		}
		i = n
	}
	return b.String()
}
