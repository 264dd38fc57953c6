package figure

import (
	"math"
	"testing"
)

// TestSpeeds: corrected's evaluations are top(1 - exp(-e/300)) at e = 200, 400, ...
// 2000 plus the noise of its replication; top is .9 less .1 a step of delay and .02
// a step of volatility, mean .77 over the design and .775 without the failing cell.
// Random's final return, 2 x .5, is never reached.
func TestSpeeds(t *testing.T) {
	t.Parallel()
	s := parse(t, sweepStudy)
	r := NewRuns(build(t, s, sweep))
	for rec, err := range play(t, s, sweep) {
		if err != nil {
			t.Fatal(err)
		}
		r.Add(&rec)
	}
	rows := Speeds(r)
	if len(rows) != 1 || s.Arms[rows[0].Arm].Label != "corrected" || rows[0].Curve != EvaluationCurve {
		t.Fatalf("rows %+v, want one of corrected's evaluations", rows)
	}
	height := 0.0
	for e := 200; e < 2000; e += 200 {
		height += ((1 - math.Exp(-float64(e)/300)) + (1 - math.Exp(-float64(e+200)/300))) / 2 / 9
	}
	got := rows[0]
	if want := .775 * height; math.Abs(got.Height.Value-want) > .01 || !got.Height.Contains(want) {
		t.Errorf("height %v, want %v", got.Height, want)
	}
	if math.Abs(got.Last.Value-.775) > .01 {
		t.Errorf("at the end %v, want .775", got.Last)
	}
	if math.Abs(got.Threshold-1) > .02 || got.To.Reached != 0 || got.To.Runs != 20 || !math.IsInf(got.To.Median.Value, 1) {
		t.Errorf("threshold %v, reached %+v, want 1 and never in 20 replications", got.Threshold, got.To)
	}
}

// TestRunsLeaveConfirmationOut: runs that confirm the best points are in no curve.
func TestRunsLeaveConfirmationOut(t *testing.T) {
	t.Parallel()
	s := parse(t, sweepStudy+"confirm: {top: 1, replications: 5}\n")
	r := NewRuns(build(t, s, sweep))
	for rec, err := range play(t, s, sweep) {
		if err != nil {
			t.Fatal(err)
		}
		r.Add(&rec)
	}
	if got := Speeds(r)[0].To.Runs; got != 20 {
		t.Errorf("curves of %d replications, want the 20 that choose", got)
	}
}
