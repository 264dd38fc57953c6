package figure

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/stats"
)

// Metrics that arms with guardrails report of each run, see package agents/guard.
const (
	holdoutUplift = "holdout_uplift"
	holdoutLow    = "holdout_uplift_low"
	holdoutHigh   = "holdout_uplift_high"
	mismatchP     = "srm_p"
	stoppedAt     = "stopped_at"
)

// alarm is the P of a sample-ratio test below which something is wrong with the
// split: so small because it is looked at in every run.
const alarm = 0.001

// guards returns the tiles of an arm with guardrails: the uplift over its holdout,
// runs whose split is off, and runs that were stopped.
func (k *kpi) guards(l *armLine) []Tile {
	v := series(k.m, l.Arm)
	var all []Tile
	if up := k.runs.of(holdoutUplift, l.Points); len(up) > 0 {
		// Not over all runs alike: those of a replication may share their noise.
		e := k.measured(holdoutUplift, l)
		t := Tile{Label: "uplift over its holdout, " + v.Name, Value: signed(round3(100*e.Value)) + " points", Color: v.Color}
		note := ""
		if e.Known() {
			note = fmt.Sprintf("[%s, %s] over %s", signed(round3(100*e.Low)), signed(round3(100*e.High)), plural(len(up), "run"))
		}
		low, high := k.runs.of(holdoutLow, l.Points), k.runs.of(holdoutHigh, l.Points)
		if len(low) > 0 && len(high) > 0 {
			note = joined("; ", note, fmt.Sprintf("one run's own interval is on average [%s, %s]", signed(round3(100*stats.Mean(low))), signed(round3(100*stats.Mean(high)))))
		}
		t.Note = note
		all = append(all, t)
	}
	if p := k.runs.of(mismatchP, l.Points); len(p) > 0 {
		n := 0
		for _, x := range p {
			if x < alarm {
				n++
			}
		}
		all = append(all, Tile{Label: "sample-ratio mismatch, " + v.Name, Value: fmt.Sprintf("%s of %s", commas(fmt.Sprint(n)), commas(fmt.Sprint(len(p)))),
			Note: fmt.Sprintf("runs with P below %g; least P %s", alarm, number(slices.Min(p))), Color: v.Color})
	}
	if t, ok := k.stops(l); ok {
		t.Label, t.Color = "stopped by its rule, "+v.Name, v.Color
		all = append(all, t)
	}
	return all
}

// stops says how many runs a stop rule ended, and when: stopped_at is one more
// than a run's sends where it did not.
func (k *kpi) stops(l *armLine) (Tile, bool) {
	at, conversions, rates := k.runs.each(stoppedAt, l.Points), k.runs.each("conversions", l.Points), k.runs.each("rate", l.Points)
	sends := make([]float64, len(l.Points)) // of a run, which has the same at each replication
	for i := range at {
		if rates[i] > 0 {
			sends[i%len(sends)] = math.Round(conversions[i] / rates[i])
		}
	}
	n, when := 0, []float64(nil)
	for i, x := range at {
		if math.IsNaN(x) {
			continue
		}
		if n++; x <= sends[i%len(sends)] {
			when = append(when, x)
		}
	}
	t := Tile{Value: fmt.Sprintf("%s of %s", commas(fmt.Sprint(len(when))), commas(fmt.Sprint(n))), Note: "runs"}
	if len(when) > 0 {
		t.Note = fmt.Sprintf("runs; median after send %s", commas(number(stats.Median(when))))
	}
	return t, n > 0
}
