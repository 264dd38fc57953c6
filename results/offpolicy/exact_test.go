package offpolicy

import (
	"math"
	"testing"
)

// tiny is a world small enough to visit every log of: rounds decisions between
// two actions, whose outcomes are 0 or 1 with rates that may change, by a policy
// that learns.
type tiny struct {
	rounds int
	rate   func(t, action int) float64
}

// probs is the policy's: it leans towards the action with more successes.
func (w *tiny) probs(wins [2]float64) []float64 {
	p := .5 + .3*(wins[1]-wins[0])/(1+wins[0]+wins[1])
	return []float64{1 - p, p}
}

// visit calls fn with every log and its probability.
func (w *tiny) visit(t *testing.T, targets []Target, fn func(chance float64, e *Evaluator)) {
	t.Helper()
	total := 0.0
	for code := range 1 << (2 * w.rounds) {
		e, err := New(2, targets, Options{})
		if err != nil {
			t.Fatal(err)
		}
		chance := 1.0
		var wins [2]float64
		for round := range w.rounds {
			action, won := code>>(2*round)&1, float64(code>>(2*round+1)&1)
			d := Decision{Action: action, Probs: w.probs(wins), Outcome: won, Means: []float64{w.rate(round, 0), w.rate(round, 1)}}
			if err := e.Add(&d); err != nil {
				t.Fatal(err)
			}
			r := w.rate(round, action)
			chance *= d.Probs[action] * (won*r + (1-won)*(1-r))
			wins[action] += won
		}
		total += chance
		fn(chance, e)
	}
	if math.Abs(total-1) > 1e-12 {
		t.Fatalf("chances sum to %v", total)
	}
}

// TestUnbiased visits every log: IPS and DR are right on average, though the
// policy learns and the rates change.
func TestUnbiased(t *testing.T) {
	t.Parallel()
	w := tiny{rounds: 6, rate: func(t, action int) float64 { return .2 + .3*float64(action) + .05*float64(t*(1-action)) }}
	targets := []Target{Always(0), Always(1), Uniform{}, Fixed{.2, .8}}
	want := []float64{.2 + .05*2.5, .5, (.2 + .05*2.5 + .5) / 2, .2*(.2+.05*2.5) + .8*.5}
	got := make([][estimators]float64, len(targets))
	w.visit(t, targets, func(chance float64, e *Evaluator) {
		for i, r := range e.Results() {
			if math.Abs(r.Truth-want[i]) > 1e-12 {
				t.Fatalf("target %d: truth %v, want %v", i, r.Truth, want[i])
			}
			for j, b := range r.By {
				got[i][j] += chance * b.Value
			}
		}
	})
	for i := range targets {
		for _, e := range []Estimator{IPS, DR} {
			if math.Abs(got[i][e]-want[i]) > 1e-12 {
				t.Errorf("target %d: the mean of %v is %v, want %v", i, e, got[i][e], want[i])
			}
		}
		if math.Abs(got[i][Adaptive]-want[i]) < 1e-6 {
			t.Errorf("target %d: adaptive is %v, as if rates stood still", i, got[i][Adaptive])
		}
	}
}

// TestConditionalVariance visits every log: where outcomes' moments are known,
// the mean of the conditional variances is the variance.
func TestConditionalVariance(t *testing.T) {
	t.Parallel()
	rates := []float64{.25, .6}
	w := tiny{rounds: 6, rate: func(_, action int) float64 { return rates[action] }}
	known := newModel(1, 2)
	for i, r := range rates {
		known.cells[i] = moments{1e12, 1e12 * r, 1e12 * r}
	}
	targets := []Target{Always(0), Always(1), Uniform{}, Fixed{.2, .8}}
	value := []float64{.25, .6, .425, .2*.25 + .8*.6}
	type pair struct{ variance, conditional float64 }
	got := make([][2]pair, len(targets))
	w.visit(t, targets, func(chance float64, e *Evaluator) {
		for i, r := range e.Results() {
			for j, s := range []*sum{&e.targets[i].ips, &e.targets[i].dr} {
				off := r.By[[]Estimator{IPS, DR}[j]].Value - value[i]
				got[i][j].variance += chance * off * off
				got[i][j].conditional += chance * s.conditional(&known, 0, value[i], false) / (s.h * s.h)
			}
		}
	})
	for i := range targets {
		for j, name := range []string{"ips", "dr"} {
			if p := got[i][j]; math.Abs(p.variance-p.conditional) > 1e-10 {
				t.Errorf("target %d: variance of %s is %v, the mean of its conditional variances %v", i, name, p.variance, p.conditional)
			}
		}
	}
}
