package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"overnight/jobs"
	"overnight/results/stats"
)

// notes says what the numbers are.
func (c *Comparison) notes() []string {
	if len(c.rows) == 0 {
		return []string{"There is nothing to compare: no arm has a point beside another's."}
	}
	var notes []string
	notes = append(notes, c.selectionNotes()...)
	notes = append(notes, c.testNote())
	if n := c.fewNote(); n != "" {
		notes = append(notes, n)
	}
	notes = append(notes, c.methodNotes()...)
	return append(notes, c.gapNotes()...)
}

func (c *Comparison) selectionNotes() []string {
	var notes []string
	for i := range c.picked {
		s := &c.picked[i]
		if s.Tried < 2 {
			continue
		}
		on := ""
		if s.Task != "" && len(c.m.Study.Tasks) > 1 {
			on = " on " + clean(s.Task)
		}
		f := formatFor(float64(s.Judged), float64(c.scale(s))/2)
		notes = append(notes, fmt.Sprintf("%s%s: %s, the best of %d settings: %s on the even replications that chose it, %s on the odd ones.",
			clean(s.Arm), on, s, s.Tried, f.text(float64(s.Chosen)), f.text(float64(s.Judged))))
	}
	if len(notes) == 0 && c.o.Select {
		notes = append(notes, "No arm has settings to choose from.")
	}
	return notes
}

// scale returns the width of an interval in which a selection takes part, for
// its digits.
func (c *Comparison) scale(s *Selection) number {
	for i := range c.rows {
		r := &c.rows[i]
		if r.Task == s.Task && (r.Arm == s.Arm || r.Against == s.Arm) && r.DifferenceHigh.finite() {
			return r.DifferenceHigh - r.DifferenceLow
		}
	}
	return 0
}

func (c *Comparison) testNote() string {
	how := "permutation test that exchanges the arms in whole replications"
	switch {
	case c.o.Test == ByT:
		how = "t test over replications"
	case c.any(func(r *CompareRow) bool { return r.overRows }):
		how = "permutation test that exchanges the arms in whole rows of the design"
	case c.m.Study.Paired == jobs.PairedNone:
		how = "permutation test of the runs of each point"
	}
	alpha := format{decimals: 2}.text(1 - level)
	if c.Family() == 1 {
		return fmt.Sprintf("verdict: %s, at level %s; one decision, so nothing to adjust for.", how, alpha)
	}
	return fmt.Sprintf("verdict: %s, at level %s, P adjusted after Holm for the table's %d decisions.", how, alpha, c.Family())
}

// fewNote says how many replications it would take to tell anything apart.
func (c *Comparison) fewNote() string {
	if !c.any(func(r *CompareRow) bool { return r.Verdict == TooFew && r.Units > 0 }) || c.o.Test == ByT || c.any(func(r *CompareRow) bool { return r.overRows }) {
		return ""
	}
	if c.any(func(r *CompareRow) bool {
		return r.Verdict == TooFew && float64(r.Least) > 2.01*math.Ldexp(1, -min(r.Units, 2*halfFlips))
	}) && c.m.Study.Paired != jobs.PairedNone {
		return fmt.Sprintf("too few runs to tell: P comes from drawn exchanges, too few of them for %d decisions; compare fewer at once.", c.Family())
	}
	note := fmt.Sprintf("too few runs to tell: even if every replication agreed, P could not get below %s for so many decisions.", format{decimals: 2}.text(1-level))
	if c.m.Study.Paired != jobs.PairedNone {
		n := 2
		for ; float64(c.Family())*2/float64(uint64(1)<<n) > 1-level; n++ {
		}
		if c.o.Select {
			n *= 2
		}
		note += fmt.Sprintf(" From `replications: %d` on it can.", n)
	}
	if c.summary == stats.ByMean {
		note += " `--test t` can with fewer, if differences are near normal."
	}
	return note
}

func (c *Comparison) methodNotes() []string {
	how, units := "BCa bootstrap", "replications"
	if c.summary == stats.ByMean {
		how = "t"
	}
	sampled := ""
	if c.any(func(r *CompareRow) bool { return r.overRows }) {
		units, sampled = "the rows of the design", ", taken as a random sample"
	}
	note := "difference: at equal tasks and levels; interval: " + how + " over " + units + sampled + ", not adjusted."
	if c.any(func(r *CompareRow) bool { return r.Difference.finite() && !r.DifferenceLow.finite() }) {
		note += " None where a point has fewer than two runs."
	}
	notes := []string{note}
	note = "P(better): the probability that a run of the arm is better than one of the other, at the same point."
	if c.any(func(r *CompareRow) bool { return r.Wins.finite() }) {
		note += " wins: of pairs of one replication, ties one half."
		notes = append(notes, note, "shared noise: correlation over "+units+", and how many times as many runs would be needed without it.")
	} else {
		notes = append(notes, note)
	}
	if c.any(func(r *CompareRow) bool { return r.several }) {
		notes = append(notes, "Where several points of the other arm stand beside one, their mean within a replication is what is compared; --select compares chosen settings.")
	}
	return notes
}

// gapNotes says what is left out.
func (c *Comparison) gapNotes() []string {
	var notes []string
	alone, lacking, pairs, failed := 0, 0, 0, []string(nil)
	for i := range c.rows {
		r := &c.rows[i]
		alone += r.Alone
		lacking, pairs = lacking+r.Lacking, pairs+r.Runs
		for _, side := range []struct {
			arm string
			n   uint64
		}{{r.Arm, r.Failed}, {r.Against, r.AgainstFailed}} {
			if side.n > 0 {
				failed = append(failed, clean(side.arm))
			}
		}
	}
	if alone > 0 {
		notes = append(notes, fmt.Sprintf("%s have no point of the other arm beside them and are left out.", plural(uint64(alone), "point")))
	}
	if lacking > 0 {
		note := fmt.Sprintf("%d of %d pairs lack one side and are left out", lacking, lacking+pairs)
		if len(failed) > 0 {
			slices.Sort(failed)
			note += "; runs of " + strings.Join(slices.Compact(failed), " and ") + " failed: what they would have scored is not in these numbers"
		}
		notes = append(notes, note+".")
	} else if len(failed) > 0 {
		slices.Sort(failed)
		notes = append(notes, "Failed runs of "+strings.Join(slices.Compact(failed), " and ")+" are left out: what they would have scored is not in these numbers.")
	}
	return notes
}
