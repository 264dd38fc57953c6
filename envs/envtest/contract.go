package envtest

import (
	"math"
	"slices"

	"overnight/envs"
)

// declares checks a Spec.
func declares(t failer, p Object, e envs.Env) {
	t.Helper()
	s := e.Spec()
	if s.Horizon < 1 || s.Action.N < 1 {
		t.Errorf("%v: horizon %d, %d actions; want at least 1", p, s.Horizon, s.Action.N)
	}
	if len(s.Action.Names) != s.Action.N {
		t.Errorf("%v: %d names for %d actions", p, len(s.Action.Names), s.Action.N)
	}
	if box := s.Action.Kind == envs.Box; box && (len(s.Action.Low) != s.Action.N || len(s.Action.High) != s.Action.N) {
		t.Errorf("%v: bounds of %d and %d numbers for a box of %d", p, len(s.Action.Low), len(s.Action.High), s.Action.N)
	}
	if s.Credited && s.Action.Kind != envs.Discrete {
		t.Errorf("%v: credits name discrete actions, and these are a %v", p, s.Action.Kind)
	}
	var fields, metrics []string
	for _, f := range s.Observation {
		fields = append(fields, f.Name)
		if f.Len < 1 || f.Levels < 0 || !(f.Low <= f.High) {
			t.Errorf("%v: field %+v", p, f)
		}
	}
	for _, m := range s.Metrics {
		metrics = append(metrics, m.Name)
		if m.Doc == "" {
			t.Errorf("%v: metric %s has no doc", p, m.Name)
		}
	}
	for what, names := range map[string][]string{"field": fields, "metric": metrics, "action": s.Action.Names, "trace column": s.Trace} {
		for i, name := range names {
			if name == "" || slices.Index(names, name) != i {
				t.Errorf("%v: %s %d is %q, empty or for the second time", p, what, i, name)
			}
		}
	}
	if slices.Contains(metrics, "return") {
		t.Errorf("%v: metric return is the runner's", p)
	}
	if _, ok := e.(envs.Oracle); ok != (s.Optimum != envs.NoOptimum) {
		t.Errorf("%v: has an Oracle: %v, but Optimum is %v", p, ok, s.Optimum)
	}
	if _, ok := e.(envs.Tracer); ok != (len(s.Trace) > 0) {
		t.Errorf("%v: has a Tracer: %v, but %d columns", p, ok, len(s.Trace))
	}
}

// send is what a check keeps of a step taken: its action, and whether an outcome
// was credited to it.
type send struct {
	arm      int
	credited bool
}

// follows plays an episode at random and one of the best, and checks every step.
func follows(t failer, p Object, e envs.Env) {
	t.Helper()
	s := e.Spec()
	tracer, _ := e.(envs.Tracer)
	attributor, _ := e.(envs.Attributor)
	var sends []send
	for policy := range uint64(2) {
		r := Start(e, keyOf(100+policy))
		sends = sends[:0]
		if r.In.T != 0 || r.In.Reward != 0 || r.In.Done || r.In.Truncated || len(r.In.Credits) > 0 {
			t.Fatalf("%v: an episode begins with %+v", p, *r.In)
		}
		shown(t, p, s, r.In)
		for !r.In.Done {
			a := choose(t, p, r, policy == 1)
			given := envs.Action{Index: a.Index, Values: slices.Clone(a.Values), Prob: a.Prob}
			sends = append(sends, send{arm: a.Index})
			r.Step(a)
			if a.Index != given.Index || a.Prob != given.Prob || !slices.Equal(a.Values, given.Values) {
				t.Fatalf("%v: the environment changed action %v to %v", p, given, *a)
			}
			shown(t, p, s, r.In)
			if r.In.T != len(sends) || r.In.T > s.Horizon || r.In.T == s.Horizon && !r.In.Done || r.In.Truncated && !r.In.Done {
				t.Fatalf("%v: after %d of %d steps T is %d, done %v, truncated %v", p, len(sends), s.Horizon, r.In.T, r.In.Done, r.In.Truncated)
			}
			pays(t, p, s, r.In, sends)
			if tracer != nil {
				whole(t, p, "Trace", len(s.Trace), tracer.Trace)
			}
			if attributor != nil {
				if v := attributor.Generated(); math.IsNaN(v) || math.IsInf(v, 0) || v != attributor.Generated() {
					t.Fatalf("%v: Generated is %v, then %v", p, v, attributor.Generated())
				}
			}
		}
		whole(t, p, "Metrics", len(s.Metrics), e.Metrics)
	}
}

// choose returns an action at random, or the best where asked for and known,
// and checks that asking twice changes nothing and that the best is allowed.
func choose(t failer, p Object, r *Episode, best bool) *envs.Action {
	t.Helper()
	a, v := r.Best()
	if a == nil {
		return r.Random()
	}
	index, values := a.Index, slices.Clone(a.Values)
	again, w := r.Best()
	if w != v || math.IsNaN(v) || math.IsInf(v, 0) || again.Index != index || !slices.Equal(again.Values, values) {
		t.Fatalf("%v: Best is %v worth %v, then %v worth %v", p, values, v, again.Values, w)
	}
	space := &r.Env.Spec().Action
	for i, x := range a.Values {
		if math.IsNaN(x) || space.Kind == envs.Simplex && x < 0 || space.Kind == envs.Box && (x < space.Low[i] || x > space.High[i]) {
			t.Fatalf("%v: Best is %v", p, a.Values)
		}
	}
	if space.Kind == envs.Discrete && (a.Index < 0 || a.Index >= space.N || r.In.Allowed != nil && !r.In.Allowed[a.Index]) {
		t.Fatalf("%v: Best is action %d of %d, allowed are %v", p, a.Index, space.N, r.In.Allowed)
	}
	if best {
		return a
	}
	return r.Random()
}

// shown checks what a step shows.
func shown(t failer, p Object, s *envs.Spec, in *envs.Step) {
	t.Helper()
	if len(in.Obs) != s.Size() {
		t.Fatalf("%v: %d numbers are seen, want %d", p, len(in.Obs), s.Size())
	}
	at := 0
	for _, f := range s.Observation {
		for _, x := range in.Obs[at : at+f.Len] {
			if math.IsNaN(x) || math.IsInf(x, 0) || x < f.Low || x > f.High || f.Levels > 0 && (x != math.Trunc(x) || x >= float64(f.Levels)) {
				t.Fatalf("%v: step %d shows %v of %+v", p, in.T, x, f)
			}
		}
		at += f.Len
	}
	if in.Allowed != nil && (s.Action.Kind != envs.Discrete || len(in.Allowed) != s.Action.N || !slices.Contains(in.Allowed, true)) {
		t.Fatalf("%v: step %d allows %v of %d actions", p, in.T, in.Allowed, s.Action.N)
	}
}

// pays checks a step's reward and credits.
func pays(t failer, p Object, s *envs.Spec, in *envs.Step, sends []send) {
	t.Helper()
	if math.IsNaN(in.Reward) || math.IsInf(in.Reward, 0) || s.NonNegative && in.Reward < 0 {
		t.Fatalf("%v: step %d rewards %v", p, in.T, in.Reward)
	}
	if !s.Credited {
		if len(in.Credits) > 0 {
			t.Fatalf("%v: step %d has credits, and the spec declares none", p, in.T)
		}
		return
	}
	sum := 0.0
	for _, c := range in.Credits {
		sum += c.Reward
		if c.Step == -1 && c.Index == -1 {
			continue
		}
		if c.Step < 0 || int(c.Step) >= len(sends) || sends[c.Step].credited || sends[c.Step].arm != int(c.Index) {
			t.Fatalf("%v: step %d credits %+v, which was not sent or is credited for the second time", p, in.T, c)
		}
		sends[c.Step].credited = true
	}
	if sum != in.Reward {
		t.Fatalf("%v: step %d rewards %v, and its credits add up to %v", p, in.T, in.Reward, sum)
	}
}

// whole checks that write fills n numbers, the same each time.
func whole(t failer, p Object, what string, n int, write func([]float64)) {
	t.Helper()
	unset := math.Float64frombits(0x7ff8_0000_dead_beef)
	first, second := make([]float64, n), make([]float64, n)
	for i := range first {
		first[i], second[i] = unset, -1.5
	}
	write(first)
	write(second)
	for i, v := range first {
		if math.Float64bits(v) == math.Float64bits(unset) {
			t.Fatalf("%v: %s leaves number %d of %d unwritten", p, what, i, n)
		}
		if math.Float64bits(v) != math.Float64bits(second[i]) {
			t.Fatalf("%v: number %d of %s is %v, then %v", p, i, what, v, second[i])
		}
	}
}
