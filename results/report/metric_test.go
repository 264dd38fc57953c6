package report

import (
	"math"
	"strings"
	"testing"
)

// TestMetricOfOneArm: a metric that one agent measures of its own has a mean for
// that arm alone: the others have no number, stand last among points, and nothing
// is compared with them.
func TestMetricOfOneArm(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	p.study.Metrics = append(p.study.Metrics, "uplift")
	for i := range rs {
		if rs[i].Metrics == nil {
			continue
		}
		uplift := math.NaN()
		if p.points[rs[i].Point].Arm == 2 {
			uplift = rs[i].Metrics[1] - .5
		}
		rs[i].Metrics = append(rs[i].Metrics, uplift)
	}
	m, err := build(p.study, p, each(rs), Options{Metric: "uplift"}, limits{MaxTrials, MaxPoints})
	if err != nil {
		t.Fatal(err)
	}
	table := m.ArmTable()
	for _, r := range table.Rows() {
		measures := r.Arm == "corrected"
		if got := r.Mean.finite() && r.Low.finite(); got != measures || (r.N > 0) != measures || r.Difference.finite() || r.Missing > 0 {
			t.Errorf("%s: %+v, want numbers only of corrected, nothing missing and no difference", r.Arm, r)
		}
	}
	if text := rendered(t, table, Style{}); strings.Contains(text, "NaN") || !strings.Contains(text, "There is no uplift in the trials of random, equal.") {
		t.Errorf("a table with NaN, or that does not say who lacks the metric:\n%s", text)
	}
	points, err := m.PointTable()
	if err != nil {
		t.Fatal(err)
	}
	if text := rendered(t, points, Style{}); strings.Contains(text, "NaN") {
		t.Errorf("a table with NaN:\n%s", text)
	}
	c, err := m.Compare(CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows() {
		if r.Verdict != TooFew || r.Runs != 0 || r.Difference.finite() || r.P.finite() {
			t.Errorf("%s against %s: %+v, want too few runs to tell", r.Arm, r.Against, r)
		}
	}
}
