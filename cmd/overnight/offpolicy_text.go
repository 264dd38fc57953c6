package main

import (
	"fmt"
	"math"
	"strconv"
	"text/tabwriter"
)

// text writes a block for each point and a line for each target.
func (t *offpolicyTable) text(a *app, estimator string) error {
	fmt.Fprintf(a.out, "%s: what each policy would bring a decision, from the log of replication 0\n", printable(t.Study))
	w := &narrowing{Writer: tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0), width: a.width(), all: estimator == "all"}
	point, fewer := uint64(math.MaxUint64), false
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Support != "unknown" && r.Estimator != estimator && estimator != "all" {
			continue
		}
		if r.Point != point {
			point = r.Point
			if err := w.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "\nlogs of %s\n", printable(r.where()))
			w.row("target", "estimator", "estimate", "95 % interval", "truth", "coverage", "bias", "effective", "largest w")
		}
		r.line(w, t.Logs)
		fewer = fewer || r.fewer(t.Logs)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if estimator != "all" {
		t.note("The estimator is " + estimator + "; --estimator all shows every one.")
	}
	over := "this log alone"
	if t.Logs > 1 {
		over = fmt.Sprintf("%d logs", t.Logs)
	}
	if fewer {
		over += ", or over as many as stand beside it where the others have no estimate"
	}
	fmt.Fprintln(a.out)
	if w.width >= 64 {
		fmt.Fprintf(a.out, "Coverage, the share of intervals that hold the truth, and bias are over %s.\n", over)
	}
	for _, n := range t.Notes {
		fmt.Fprintln(a.out, printable(n))
	}
	return nil
}

// where names the point of a row.
func (r *offpolicyRow) where() string {
	s := r.Arm
	if r.Task != "" {
		s += " on " + r.Task
	}
	if r.Levels != "" {
		s += ", " + r.Levels
	}
	return s
}

// fewer tells whether some of the logs have no estimate.
func (r *offpolicyRow) fewer(logs uint64) bool { return 0 < r.Estimated && r.Estimated < logs }

// narrowing writes rows of target, estimator, estimate, interval, truth and what
// else there is room for. Without all there is no column for the estimator.
type narrowing struct {
	*tabwriter.Writer
	width int
	all   bool
}

func (w *narrowing) row(cells ...string) {
	columns := len(cells)
	switch {
	case w.width < 64:
		columns = min(columns, 4)
	case w.width < 84:
		columns = min(columns, 6)
	case w.width < 110:
		columns = min(columns, 7)
	}
	line := "  " + cells[0]
	for i, c := range cells[1:columns] {
		if i > 0 || w.all {
			line += "\t" + c
		}
	}
	fmt.Fprintln(w, line)
}

// line writes a target.
func (r *offpolicyRow) line(w *narrowing, logs uint64) {
	share := 100 * float64(r.Unsupported) / max(1, float64(r.Decisions+r.Unsupported))
	target := printable(r.Target)
	n := decimals(float64(r.SE) * 2)
	coverage := rounded(r.Coverage, 3)
	if r.fewer(logs) {
		coverage += fmt.Sprintf(" of %d", r.Estimated)
	}
	switch {
	case r.Support == "unknown":
		fmt.Fprintln(w, "  propensities are not known")
	case r.Support == "barred":
		w.row(target, r.Estimator, "never allowed")
	case r.Support == "none":
		w.row(target, r.Estimator, "no support", "-", rounded(r.Truth, 4), coverage, fmt.Sprintf("never taken at %.3g %% of decisions", share))
	case math.IsNaN(float64(r.Estimate)):
		w.row(target, r.Estimator, "-")
	default:
		bias := "-"
		switch d := decimals(float64(r.BiasSE)); {
		case r.Estimated > 1:
			bias = fmt.Sprintf("%+.*f +- %.*f", d, float64(r.Bias), d, float64(r.BiasSE))
		case r.Estimated == 1:
			bias = fmt.Sprintf("%+.*f", n, float64(r.Bias))
		}
		w.row(target, r.Estimator, rounded(r.Estimate, n), fmt.Sprintf("[%s, %s]", rounded(r.Low, n), rounded(r.High, n)),
			rounded(r.Truth, n), coverage, bias, fmt.Sprintf("%.0f", float64(r.Effective)), fmt.Sprintf("%.3g", float64(r.Largest)))
	}
}

// decimals is how many an interval of this half-width deserves: two digits of it.
func decimals(half float64) int {
	if !(half > 0) || math.IsInf(half, 0) {
		return 4
	}
	return min(max(1-int(math.Floor(math.Log10(half))), 0), 9)
}

// rounded is a number with so many decimals, "-" where there is none.
func rounded(m missing, decimals int) string {
	if math.IsNaN(float64(m)) {
		return "-"
	}
	return strconv.FormatFloat(float64(m), 'f', decimals, 64)
}
