package baseline_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/rng"
)

// TestRandomDraws checks that random is a function of the episode's key, in
// every mode, and changes with it.
func TestRandomDraws(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"random", "dirichlet"} {
		agent := begin(t, shares(3), agents.Greedy, name)
		draw := func(episode uint64, m agents.Mode) []float64 {
			agent.Begin(rng.Root(1, "draws").At(episode), m)
			a := envs.Action{Values: make([]float64, 3)}
			for range 3 {
				agent.Act(&envs.Step{}, &a)
			}
			return a.Values
		}
		want := draw(0, agents.Train)
		for _, m := range []agents.Mode{agents.Sample, agents.Greedy} {
			if diff := cmp.Diff(want, draw(0, m)); diff != "" {
				t.Errorf("%s in mode %d (-want +got):\n%s", name, m, diff)
			}
		}
		if cmp.Equal(want, draw(1, agents.Greedy)) {
			t.Errorf("%s acts the same in two episodes", name)
		}
	}
}

// TestRandomUniform checks means within 5 standard errors in every space.
func TestRandomUniform(t *testing.T) {
	t.Parallel()
	const n = 20_000
	near := func(what string, sum, mean, sd float64) {
		t.Helper()
		if got := sum / n; math.Abs(got-mean) > 5*sd/math.Sqrt(n) {
			t.Errorf("%s: mean %v, want %v", what, got, mean)
		}
	}
	uniform := math.Sqrt(1.0 / 12)

	agent := begin(t, shares(2), agents.Greedy, "random")
	a := envs.Action{Values: make([]float64, 2)}
	var first, second, product float64
	for range n {
		agent.Act(&envs.Step{}, &a)
		first, second, product = first+a.Values[0], second+a.Values[1], product+a.Values[0]*a.Values[1]
	}
	near("first share", first, 0.5, uniform)
	near("second share", second, 0.5, uniform)
	near("product of shares", product, 0.25, math.Sqrt(1.0/9-1.0/16))

	agent = begin(t, bounded([]float64{-2, 5}, []float64{2, 5}), agents.Greedy, "random")
	var sum, square float64
	for range n {
		agent.Act(&envs.Step{}, &a)
		if a.Values[1] != 5 {
			t.Fatalf("%v lies outside its bounds", a.Values)
		}
		sum, square = sum+a.Values[0], square+a.Values[0]*a.Values[0]
	}
	near("number within bounds", sum, 0, 4*uniform)
	near("its square", square, 4.0/3, math.Sqrt(16.0/5-16.0/9))

	for _, c := range []struct {
		allowed []bool
		want    []float64
	}{
		{nil, []float64{0.25, 0.25, 0.25, 0.25}},
		{[]bool{true, false, true, false}, []float64{0.5, 0, 0.5, 0}},
		{[]bool{false, false, false, true}, []float64{0, 0, 0, 1}},
	} {
		agent = begin(t, choices(4), agents.Greedy, "random")
		var counts [4]float64
		for range n {
			agent.Act(&envs.Step{Allowed: c.allowed}, &a)
			counts[a.Index]++
			if a.Prob != c.want[a.Index] {
				t.Fatalf("propensity %v of %d with %v, want %v", a.Prob, a.Index, c.allowed, c.want[a.Index])
			}
		}
		for i, p := range c.want {
			near(fmt.Sprintf("choice %d of %v", i, c.allowed), counts[i], p, math.Sqrt(p*(1-p)))
		}
	}
}

func TestRandomWithoutChoice(t *testing.T) {
	t.Parallel()
	agent := begin(t, choices(2), agents.Greedy, "random")
	defer func() {
		if recover() == nil {
			t.Error("no panic where no action is allowed")
		}
	}()
	agent.Act(&envs.Step{Allowed: []bool{false, false}}, &envs.Action{})
}

// TestDirichlet compares mean and variance of a share with the Dirichlet
// distribution's, 1/K and (K-1)/(K^2 (K c + 1)), and one probability with the
// share's beta distribution, within 5 standard errors.
func TestDirichlet(t *testing.T) {
	t.Parallel()
	const n = 40_000
	for _, c := range []struct {
		k             int
		concentration float64
		below, prob   float64 // P(share < below)
	}{
		{3, 1, 0.2, 1 - 0.8*0.8}, // Beta(1, 2)
		{2, 1, 0.3, 0.3},         // uniform
		{2, 0.5, 0.25, 1.0 / 3},  // arcsine law
		{2, 2, 0.25, 10.0 / 64},  // 3x^2 - 2x^3
		{4, 0.05, 0, 0},          // moments alone
		{3, 0.001, 0, 0},         // logarithms underflow nowhere
		{3, 250, 0, 0},
		{1, 1, 0.5, 0},
	} {
		agent := begin(t, shares(c.k), agents.Greedy, "dirichlet", "concentration", c.concentration)
		a := envs.Action{Values: make([]float64, c.k)}
		mean := 1 / float64(c.k)
		variance := float64(c.k-1) * mean * mean / (float64(c.k)*c.concentration + 1)
		var sum, square, fourth, below float64
		for range n {
			agent.Act(&envs.Step{}, &a)
			total := 0.0
			for _, v := range a.Values {
				if v < 0 || math.IsNaN(v) {
					t.Fatalf("%v is no share", v)
				}
				total += v
			}
			if math.Abs(total-1) > 1e-14 {
				t.Fatalf("shares sum to %v", total)
			}
			d := a.Values[0] - mean
			sum, square, fourth = sum+d, square+d*d, fourth+d*d*d*d
			if a.Values[0] < c.below {
				below++
			}
		}
		sd := math.Sqrt((fourth/n - variance*variance) / n)
		if got := sum / n; math.Abs(got) > 5*math.Sqrt(variance/n)+1e-15 {
			t.Errorf("k=%d c=%v: mean off by %v", c.k, c.concentration, got)
		}
		if got := square / n; math.Abs(got-variance) > 5*sd+1e-15 {
			t.Errorf("k=%d c=%v: variance %v, want %v", c.k, c.concentration, got, variance)
		}
		if got := below / n; math.Abs(got-c.prob) > 5*math.Sqrt(c.prob*(1-c.prob)/n) {
			t.Errorf("k=%d c=%v: P(share < %v) is %v, want %v", c.k, c.concentration, c.below, got, c.prob)
		}
	}
}

func BenchmarkAct(b *testing.B) {
	for _, name := range []string{"random", "dirichlet", "equal", "heuristic"} {
		b.Run(name, func(b *testing.B) {
			agent := begin(b, shares(3), agents.Greedy, name)
			a := envs.Action{Values: make([]float64, 3)}
			in := envs.Step{Obs: []float64{0, 0.3, 0.5, 0.7}}
			for b.Loop() {
				agent.Act(&in, &a)
			}
		})
	}
}

// TestRandomPropensities: they are equal for what is allowed, and asking for them
// changes nothing that is drawn.
func TestRandomPropensities(t *testing.T) {
	t.Parallel()
	spec := &envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 4}}
	asked, left := begin(t, spec, agents.Train, "random"), begin(t, spec, agents.Train, "random")
	p := make([]float64, 4)
	for i := range 200 {
		in := &envs.Step{T: i}
		want := []float64{.25, .25, .25, .25}
		if i%3 == 0 {
			in.Allowed, want = []bool{true, false, true, false}, []float64{.5, 0, .5, 0}
		}
		asked.(agents.Propensities).Propensities(in, p)
		if diff := cmp.Diff(want, p); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", i, diff)
		}
		var a, b envs.Action
		asked.Act(in, &a)
		left.Act(in, &b)
		if a.Index != b.Index || a.Prob != p[a.Index] {
			t.Fatalf("step %d: action %d with probability %v, and %d where nobody asks", i, a.Index, a.Prob, b.Index)
		}
	}
}
