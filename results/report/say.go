package report

import (
	"math"
	"strings"
)

// Say writes a value with its interval, "0.994 [0.993, 0.995]", in the digits
// that the interval supports; without a known interval the value alone, "-" for
// NaN.
func Say(value, low, high float64) string {
	f := formatFor(value, (high-low)/2)
	if math.IsNaN(low) || math.IsNaN(high) || math.IsNaN(value) {
		return f.text(value)
	}
	return f.text(value) + " [" + f.text(low) + ", " + f.text(high) + "]"
}

// SaySigned is Say with a sign before positive numbers too: of differences.
func SaySigned(value, low, high float64) string {
	f := formatFor(value, (high-low)/2)
	if math.IsNaN(low) || math.IsNaN(high) || math.IsNaN(value) {
		return f.signed(value)
	}
	return f.signed(value) + " [" + f.signed(low) + ", " + f.signed(high) + "]"
}

// SayShare writes a share in percent: "12 %", "<1 %".
func SayShare(share float64) string { return percent(share) }

// SayShareUp writes the upper bound of a share in percent, rounded up.
func SayShareUp(share float64) string { return percentUp(share) }

// ShortFactors returns the factors' names without what comes before the last
// point, where that still tells them apart, by index of Study.Factors.
func (m *Model) ShortFactors() []string { return shortNames(m.Study.Columns()) }

// Describe names a point by task, arm and levels.
func (m *Model) Describe(point int) string { return m.describe(uint64(point)) }

// Ran says what ran: points, replications, trials, arms, seed and engine.
func (m *Model) Ran() string { return m.ran(&Ending{}) }

// Goal says what the objective is and which way is better.
func (m *Model) Goal() string { return clean(m.Study.Objective.Metric) + "; " + m.goal() }

// Troubles says what failed and what is missing, a line each; nothing where all
// is there.
func (m *Model) Troubles() []string {
	lines := m.troubles(false)
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// Notes says how the table's numbers were made.
func (t *ArmTable) Notes() []string { return t.notes() }

// Worse tells whether x is a worse objective than y.
func (m *Model) Worse(x, y float64) bool { return m.worse(x, y) }

// Statistic is how the study's objective sums runs up.
func (m *Model) Statistic() string { return string(m.statistic()) }
