package offpolicy

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// history is a log with every kind of thing in it.
func history() []Decision {
	var log []Decision
	for t := range 400 {
		a := (7*t + t*t/5) % 3
		p := []float64{.2, .3, .5}
		if t%4 == 1 {
			p = []float64{.6, .3, .1}
		}
		d := Decision{Action: a, Probs: p, Outcome: float64((t*t+3*a)%7) / 3, Group: t / 7 % 2, Means: []float64{.1, float64(t), .3}}
		if t%5 == 0 {
			d.Allowed = []bool{true, true, false}
			d.Probs = []float64{.25, .75, 0}
			d.Action = t / 5 % 2
		}
		log = append(log, d)
	}
	return log
}

func evaluate(t *testing.T, o Options, log []Decision, targets ...Target) []Result {
	t.Helper()
	e, err := New(len(log[0].Probs), targets, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range log {
		if err := e.Add(&log[i]); err != nil {
			t.Fatal(err)
		}
	}
	return e.Results()
}

// TestFormulas computes estimates and standard errors a second time, from the
// whole log and in two passes.
func TestFormulas(t *testing.T) {
	t.Parallel()
	log := history()
	r := evaluate(t, Options{Clip: 2, Groups: 2}, log, Always(0))[0]
	var w, y, model, probs []float64
	var sum, count [2][3]float64
	all, n := 0.0, 0.0
	for _, d := range log {
		prior := 0.0
		if n > 0 {
			prior = all / n
		}
		mean := func(a int) float64 { return (sum[d.Group][a] + prior) / (count[d.Group][a] + 1) }
		weight := 0.0
		if d.Action == 0 {
			weight = 1 / d.Probs[0]
		}
		w, y, probs = append(w, weight), append(y, d.Outcome), append(probs, d.Probs[0])
		model = append(model, mean(0)+weight*(d.Outcome-mean(d.Action)))
		sum[d.Group][d.Action] += d.Outcome
		count[d.Group][d.Action]++
		all += d.Outcome
		n++
	}
	// weighted is the mean of g with weights h and its standard error.
	weighted := func(h, g func(i int) float64) (mean, se float64) {
		total := 0.0
		for i := range w {
			total += h(i)
			mean += h(i) * g(i)
		}
		mean /= total
		for i := range w {
			se += h(i) * h(i) * (g(i) - mean) * (g(i) - mean)
		}
		return mean, math.Sqrt(se) / total
	}
	one := func(int) float64 { return 1 }
	for e, f := range map[Estimator][2]func(i int) float64{
		IPS:      {one, func(i int) float64 { return w[i] * y[i] }},
		SNIPS:    {func(i int) float64 { return w[i] }, func(i int) float64 { return y[i] }},
		DR:       {one, func(i int) float64 { return model[i] }},
		Adaptive: {func(i int) float64 { return math.Sqrt(probs[i]) }, func(i int) float64 { return model[i] }},
		Clipped:  {one, func(i int) float64 { return min(w[i], 2) * y[i] }},
	} {
		mean, se := weighted(f[0], f[1])
		near(t, e.String(), r.By[e].Value, mean)
		if r.By[e].SE < se*(1-1e-12) {
			t.Errorf("standard error of %v is %v, below that of the terms seen, %v", e, r.By[e].SE, se)
		}
		if e == Clipped {
			near(t, "standard error of clipped", r.By[e].SE, se)
		}
		near(t, "half-width", r.By[e].High-r.By[e].Value, 1.959963984540054*r.By[e].SE)
	}
	var s, s2 float64
	for _, v := range w {
		s, s2 = s+v, s2+v*v
	}
	near(t, "effective", r.Effective, s*s/s2)
	near(t, "largest", r.Largest, slices.Max(w))
	near(t, "truth", r.Truth, .1)
}

// TestSupport: where the target can't act a decision does not count, and where the
// log can't tell there is no number.
func TestSupport(t *testing.T) {
	t.Parallel()
	log := history()
	r := evaluate(t, Options{Groups: 2}, log, Always(2), Uniform{}, Fixed{0, 0, 1}, Fixed{1, 0, 1})
	type counts struct {
		Decisions, Barred, Unsupported uint64
		Supported                      bool
	}
	var got []counts
	for _, r := range r {
		got = append(got, counts{r.Decisions, r.Barred, r.Unsupported, r.Supported})
	}
	want := []counts{{320, 80, 0, true}, {400, 0, 0, true}, {320, 80, 0, true}, {400, 0, 0, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	near(t, "a fixed target of one action is that action always", r[2].By[DR].Value, r[0].By[DR].Value)

	sure := make([]Decision, 1000)
	for i := range sure {
		sure[i] = Decision{Action: 0, Probs: []float64{1, 0}, Outcome: float64(i % 2)}
		if i < 5 {
			sure[i] = Decision{Action: i % 2, Probs: []float64{.5, .5}}
		}
	}
	res := evaluate(t, Options{}, sure, Always(0), Always(1), Uniform{})
	if !res[0].Supported || res[1].Supported || res[2].Supported {
		t.Errorf("support %v, %v, %v; want that of the first alone", res[0].Supported, res[1].Supported, res[2].Supported)
	}
	if !math.IsNaN(res[1].By[IPS].Value) || res[1].Unsupported != 995 {
		t.Errorf("without support: %+v", res[1])
	}
	if !math.IsNaN(res[0].Truth) {
		t.Errorf("truth %v of a log that knows none", res[0].Truth)
	}
	// Five decisions of 1,000 without support are left out, not refused.
	for i := range sure {
		if sure[i] = (Decision{Action: i % 2, Probs: []float64{.5, .5}, Outcome: float64(i % 2), Means: []float64{0, 1}}); i < 5 {
			sure[i] = Decision{Action: 0, Probs: []float64{1, 0}, Outcome: 1, Means: []float64{9, 9}}
		}
	}
	last := evaluate(t, Options{}, sure, Always(1))[0]
	near(t, "snips", last.By[SNIPS].Value, 1)
	near(t, "truth", last.Truth, 1)
	for i := range 20 {
		sure[i] = Decision{Action: 0, Probs: []float64{1, 0}, Outcome: 1, Means: []float64{9, 9}}
	}
	near(t, "truth without support", evaluate(t, Options{}, sure, Always(1))[0].Truth, (20*9.+980)/1000)
	if last.Unsupported != 5 || !last.Supported {
		t.Errorf("%+v", last)
	}
}

func TestContextual(t *testing.T) {
	t.Parallel()
	r := evaluate(t, Options{Groups: 2, Contextual: true, NonNegative: true}, history()[:20], Always(1))[0]
	if !math.IsNaN(r.By[Adaptive].Value) || !math.IsNaN(r.By[Clipped].Value) || math.IsNaN(r.By[DR].Value) {
		t.Errorf("%+v", r.By)
	}
	if r.By[IPS].Low < 0 {
		t.Errorf("an interval of outcomes that can't be negative begins at %v", r.By[IPS].Low)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	ok := func() Decision {
		return Decision{Action: 1, Probs: []float64{.5, .5}, Allowed: []bool{true, true}, Means: []float64{0, 0}}
	}
	for want, change := range map[string]func(d *Decision){
		"3 propensities of 2 actions": func(d *Decision) { d.Probs = []float64{.2, .3, .5} },
		"action 2 of 2":               func(d *Decision) { d.Action = 2 },
		"mask of 1":                   func(d *Decision) { d.Allowed = []bool{true} },
		"1 expected outcomes":         func(d *Decision) { d.Means = []float64{1} },
		"group 1 of 1":                func(d *Decision) { d.Group = 1 },
		"outcome of NaN":              func(d *Decision) { d.Outcome = math.NaN() },
		"outcome of 1e+200":           func(d *Decision) { d.Outcome = 1e200 },
		"propensity -0.5":             func(d *Decision) { d.Probs = []float64{-.5, 1.5} },
		"which is not allowed":        func(d *Decision) { d.Allowed[0] = false },
		"sum to 0.9":                  func(d *Decision) { d.Probs = []float64{.4, .5} },
		"its propensity is 0":         func(d *Decision) { d.Probs = []float64{1, 0} },
	} {
		e, err := New(2, []Target{Uniform{}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := ok()
		if err := e.Add(&d); err != nil {
			t.Fatal(err)
		}
		change(&d)
		if err := e.Add(&d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if r := e.Results()[0]; r.Decisions != 1 {
			t.Errorf("%s: %d decisions count", want, r.Decisions)
		}
	}
	for _, o := range []Options{{Groups: -1}, {Clip: -1}, {Clip: math.NaN()}, {Confidence: 1}, {Least: 2}, {Lacking: -1}} {
		if _, err := New(2, nil, o); err == nil {
			t.Errorf("options %+v are taken", o)
		}
	}
	if _, err := New(0, nil, Options{}); err == nil {
		t.Error("no actions are taken")
	}
	for _, p := range [][]float64{{}, {0, 0}, {1, -1}, {math.NaN()}, {math.Inf(1)}, {math.MaxFloat64, math.MaxFloat64}} {
		if f, err := NewFixed(p); err == nil {
			t.Errorf("probabilities %v make %v", p, f)
		}
	}
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	var c Repeats
	add := func(value, low, high, truth float64) {
		r := Result{Truth: truth}
		for i := range r.By {
			r.By[i].Value = math.NaN()
		}
		r.By[DR] = Estimate{Value: value, Low: low, High: high}
		c.Add(&r)
	}
	add(1, 0, 2, 2)
	add(3, 2, 4, 1)
	add(5, 4, 6, 5)
	add(5, 4, 6, math.NaN())
	f := c.Of(DR)
	near(t, "coverage", f.Coverage, 2./3)
	near(t, "bias", f.Bias, 1./3)
	near(t, "sd", f.SD, math.Sqrt((16./9+25./9+1./9)/2))
	near(t, "bias se", f.BiasSE, f.SD/math.Sqrt(3))
	near(t, "width", f.Width, 2)
	if none := c.Of(IPS); f.Logs != 3 || none.Logs != 0 || !math.IsNaN(none.Coverage) {
		t.Errorf("%+v, %+v", f, none)
	}
}
