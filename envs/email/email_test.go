package email

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"overnight/envs"
	"overnight/envs/envtest"
	"overnight/internal/rng"
)

type object = envtest.Object

func try(p object, reuse envs.Env) (envs.Env, error) { return envtest.New(Factory{}, p, reuse) }

func build(t testing.TB, p object) *Env {
	t.Helper()
	e, err := try(p, nil)
	if err != nil {
		t.Fatalf("New(%v): %v", p, err)
	}
	return e.(*Env)
}

// step is what a test sees of one send.
type step struct {
	before, after *envs.Step
	arm           int
}

// play runs an episode. policy chooses an arm by what is seen; watch may be nil.
func play(e *Env, key rng.Key, policy func(in *envs.Step) int, watch func(step)) (total float64) {
	var in, out envs.Step
	e.Reset(key, &in)
	for !in.Done {
		a := envs.Action{Index: policy(&in)}
		e.Step(&a, &out)
		total += out.Reward
		if watch != nil {
			watch(step{&in, &out, a.Index})
		}
		in, out = out, in
	}
	return total
}

func constant(arm int) func(*envs.Step) int { return func(*envs.Step) int { return arm } }

// cycle sends the arms in turn.
func cycle(k int) func(*envs.Step) int { return func(in *envs.Step) int { return in.T % k } }

func oracle(e *Env) func(*envs.Step) int {
	return func(*envs.Step) int {
		var a envs.Action
		e.Best(&a)
		return a.Index
	}
}

// uniform sends any allowed arm.
func uniform(k int, key rng.Key) func(*envs.Step) int {
	s := rng.New(key)
	return func(in *envs.Step) int {
		for {
			if i := s.IntN(k); in.Allowed == nil || in.Allowed[i] {
				return i
			}
		}
	}
}

func measured(t testing.TB, e *Env) map[string]float64 {
	t.Helper()
	values := make([]float64, len(e.Spec().Metrics))
	e.Metrics(values)
	m := map[string]float64{}
	for i, x := range e.Spec().Metrics {
		m[x.Name] = values[i]
	}
	return m
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v within %g", what, got, want, tolerance)
	}
}

func key(n uint64) rng.Key { return rng.Root(5, "email test").At(n) }

// TestUniform: the regret of the reference's instances A and C. Sending the arms
// in turn has the exact expectation of uniform; at random, four standard errors.
func TestUniform(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rates   []float64
		horizon int
		want    float64
	}{
		{[]float64{.9, .8}, 5000, 250},
		{[]float64{.02, .03, .04, .05, .06}, 10000, 200},
	} {
		e := build(t, object{"rates": c.rates, "horizon": c.horizon})
		k := len(c.rates)
		play(e, key(0), cycle(k), nil)
		m := measured(t, e)
		near(t, "regret of sending in turn", m["regret"], c.want, 1e-8)
		near(t, "its dynamic regret", m["dynamic_regret"], c.want, 1e-8)
		near(t, "its share of the best arm", m["best_arm_share"], 1/float64(k), 1e-12)
		near(t, "its optimality", m["optimality"], 1-c.want/(float64(c.horizon)*slices.Max(c.rates)), 1e-12)

		const runs = 100
		regret, realised, square := 0.0, 0.0, 0.0
		for n := range uint64(runs) {
			play(e, key(n), uniform(k, key(1000+n)), nil)
			m := measured(t, e)
			regret += m["regret"] / runs
			realised += m["realised_regret"] / runs
			square += m["realised_regret"] * m["realised_regret"] / runs
		}
		sd := 0.0
		for _, p := range c.rates {
			gap := slices.Max(c.rates) - p
			sd += gap * gap / float64(k)
		}
		mean := c.want / float64(c.horizon)
		sd = math.Sqrt((sd - mean*mean) * float64(c.horizon))
		near(t, "mean regret of uniform", regret, c.want, 4*sd/math.Sqrt(runs))
		near(t, "mean realised regret of uniform", realised, c.want, 4*math.Sqrt((square-realised*realised)/runs))
	}
}

// TestEnds: the metrics of the best and of the worst that can be done.
func TestEnds(t *testing.T) {
	t.Parallel()
	e := build(t, object{"rates": []float64{.2, .5, .5, .1}, "horizon": 2000})
	total := play(e, key(0), constant(2), nil)
	m := measured(t, e)
	for name, want := range map[string]float64{
		"regret": 0, "realised_regret": 0, "simple_regret": 0, "best_arm_share": 1, "time_to_90": 500, "optimality": 1,
		"conversions": total, "rate": total / 2000,
	} {
		near(t, name+" of the best", m[name], want, 0)
	}
	play(e, key(0), constant(3), nil)
	m = measured(t, e)
	for name, want := range map[string]float64{"regret": 800, "simple_regret": .4, "best_arm_share": 0, "time_to_90": 2001, "optimality": .2} {
		near(t, name+" of the worst", m[name], want, 1e-9)
	}
	// The best from send 1,000 on: 450 of the last 500 are reached 450 sends later.
	play(e, key(0), func(in *envs.Step) int { return 3 - 2*min(1, in.T/1000) }, nil)
	near(t, "time_to_90", measured(t, e)["time_to_90"], 1450, 0)
}

// TestSimpleRegret: the arm sent most in the last tenth counts, the first of
// equals.
func TestSimpleRegret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		horizon int
		arms    []int // of the last sends; 0 before
		want    float64
	}{
		{5, []int{1}, .3}, {10, []int{1}, .3}, {19, []int{1}, .3}, {20, []int{1, 2}, .3}, {20, []int{2, 1}, .3}, {20, []int{2, 2}, .2},
		{30, []int{1, 2, 2}, .2}, {30, []int{1, 1, 2, 2}, .2},
	} {
		e := build(t, object{"rates": []float64{.5, .2, .3}, "horizon": c.horizon})
		play(e, key(1), func(in *envs.Step) int {
			if i := in.T - c.horizon + len(c.arms); i >= 0 {
				return c.arms[i]
			}
			return 0
		}, nil)
		near(t, fmt.Sprint(c), measured(t, e)["simple_regret"], c.want, 1e-15)
	}
}

// TestCoupling: arms and policies meet the same recipients.
func TestCoupling(t *testing.T) {
	t.Parallel()
	e := build(t, object{"rates": []float64{.3, .6}, "horizon": 1000})
	outcomes := func(policy func(*envs.Step) int) (list []float64) {
		play(e, key(3), policy, func(s step) { list = append(list, s.after.Reward) })
		return list
	}
	low, high, mixed := outcomes(constant(0)), outcomes(constant(1)), outcomes(cycle(2))
	for i := range low {
		if low[i] > high[i] {
			t.Fatalf("recipient %d converts at .3 but not at .6", i)
		}
		if want := [...]float64{low[i], high[i]}[i%2]; mixed[i] != want {
			t.Fatalf("recipient %d brings %v in another run, want %v", i, mixed[i], want)
		}
	}
	near(t, "conversions at .3", sum(low), 300, 5*math.Sqrt(1000*.21))
	near(t, "conversions at .6", sum(high), 600, 5*math.Sqrt(1000*.24))

	// Whatever else is switched on, u_t decides.
	for _, more := range []object{
		{"batch": 7}, {"delay": "geometric"}, {"delay": "fixed", "window": 10}, {"revenue": "poisson"}, {"revenue": "lognormal"}, {"contexts": []string{"hour"}, "effect": 0.0, "link": "linear"},
	} {
		more["rates"], more["horizon"] = []float64{.3, .6}, 1000
		e := build(t, more)
		play(e, key(3), constant(0), nil)
		if got := measured(t, e)["conversions"]; got != sum(low) {
			t.Errorf("%v: %v conversions, want %v", more, got, sum(low))
		}
	}
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// TestDrawn: rates of a replication differ, rates of a study don't, and both
// are within their range and on average in its middle.
func TestDrawn(t *testing.T) {
	t.Parallel()
	var step envs.Step
	mean := 0.0
	seen := map[float64]bool{}
	e := build(t, object{"horizon": 1})
	for n := range uint64(400) {
		e.Reset(key(n), &step)
		for _, p := range e.now {
			if p < .1 || p > .6 {
				t.Fatalf("rate %v is out of range", p)
			}
			mean += p / 2000
		}
		seen[e.now[0]] = true
	}
	if len(seen) != 400 {
		t.Errorf("400 replications have %d first rates", len(seen))
	}
	near(t, "mean rate", mean, .35, 5*.5/math.Sqrt(12*2000))

	first := []float64(nil)
	for _, seed := range []int{1, 1, 2} {
		e := build(t, object{"horizon": 1, "rates_from": "study", "rates_seed": seed})
		e.Reset(key(uint64(seed)), &step)
		again := slices.Clone(e.now)
		e.Reset(key(99), &step)
		if !slices.Equal(again, e.now) {
			t.Errorf("seed %d: another replication has other rates", seed)
		}
		if first == nil {
			first = again
		}
		if same := slices.Equal(first, again); same != (seed == 1) {
			t.Errorf("seed %d: equal to seed 1: %v", seed, same)
		}
	}
}

// TestBatch: nothing is shown before a batch ends, then all of it, in order.
func TestBatch(t *testing.T) {
	t.Parallel()
	single := build(t, object{"horizon": 103})
	want := play(single, key(1), cycle(5), nil)
	e := build(t, object{"horizon": 103, "batch": 10})
	known := 0
	total := play(e, key(1), cycle(5), func(s step) {
		done := s.after.T
		if done%10 != 0 && done != 103 {
			if len(s.after.Credits) > 0 || s.after.Reward != 0 {
				t.Fatalf("after %d sends %d credits are shown", done, len(s.after.Credits))
			}
			return
		}
		if known+len(s.after.Credits) != done {
			t.Errorf("after %d sends %d are known", done, known+len(s.after.Credits))
		}
		for _, c := range s.after.Credits {
			if int(c.Step) != known || int(c.Index) != known%5 {
				t.Errorf("credit %d is %+v", known, c)
			}
			known++
		}
	})
	near(t, "return", total, want, 0)
}
