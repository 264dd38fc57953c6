package bandit

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/rng"
)

// randoms are further forms of policies that draw.
func randoms() []variant {
	return []variant{
		v("thompson", "form", "gaussian", "noise", 0.5, "top_two", true, "leader", 0.2),
		v("thompson", "top_two", true, "prior", mapping("a", 30.0, "b", 1.5)),
		v("thompson", "prior", mapping("a", 0.2, "b", 0.3)),
		v("softmax", "temperature", 0.2), v("gradient", "step_size", 0.4), v("exp3", "eta", 0.05), v("exp3_ix", "eta", 0.05),
		v("cusum_ucb", "exploration", 0.5), v("epsilon_greedy_regression", "epsilon", 0.3),
		v("lin_thompson", "scale", 0.0), v("lin_thompson", "scale", 2.0), v("logistic_thompson", "scale", 0.3),
		v("segment_tables", "policy", "softmax", "softmax", mapping("temperature", 0.3)),
	}
}

// every returns each policy in each form that tests know; tables of four
// policies will do.
func every() []variant {
	list := slices.DeleteFunc(otherVariants(), func(v variant) bool {
		s := v.String()
		return strings.HasPrefix(s, "segment_tables policy=") && !strings.HasSuffix(s, "=exp3") && !strings.HasSuffix(s, "=epsilon_greedy") && !strings.HasSuffix(s, "=kl_ucb")
	})
	return append(append(variants(), list...), randoms()...)
}

// told returns the propensities of an agent, or fails where it has none.
func told(t testing.TB, a agents.Agent, in *envs.Step) []float64 {
	t.Helper()
	p := make([]float64, 4)
	var scratch envs.Action
	if !agents.PropensitiesOf(a, in, p, &scratch) {
		t.Fatalf("%T does not know its propensities", a)
	}
	return p
}

// TestPropensities compares what every policy says of its draws with how often
// each arm is played from that state, over episode keys: each cell within 4.5
// standard errors (and half a count for the discreteness), which correct policies
// fail for fewer than one seed in 200: some 500 cells are random. States have
// outcomes on their way, and masks.
func TestPropensities(t *testing.T) {
	t.Parallel()
	names, keys := map[string]bool{}, rng.Root(9, "keys")
	for _, v := range every() {
		names[v.policy] = true
		w := rough(400)
		a := v.agent(t, &w.spec, nil)
		for _, c := range []struct {
			sends, draws int
			mask         []bool
			mode         agents.Mode
		}{
			{0, 1_000, []bool{false, true, true, true}, agents.Train},
			{170, 20_000, nil, agents.Train},
			{230, 6_000, []bool{true, true, false, true}, agents.Sample},
			{230, 100, []bool{false, false, true, false}, agents.Train},
			{230, 1_000, nil, agents.Greedy},
		} {
			a = v.agent(t, &w.spec, a)
			w.begin(a, 1, agents.Train)
			for range c.sends {
				w.step(a)
			}
			in := envs.Step{T: w.in.T, Obs: w.in.Obs, Allowed: c.mask}
			a.Begin(keys, c.mode)
			said := told(t, a, &in)
			sum := 0.0
			for i, p := range said {
				sum += p
				if !(p >= 0) || p > 0 && !allowed(&in, i) {
					t.Errorf("%v: propensities %v, allowed are %v", v, said, c.mask)
				}
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Errorf("%v: propensities %v sum to 1 %+.2g", v, said, sum-1)
			}
			played := make([]float64, len(said))
			for d := range uint64(c.draws) {
				a.Begin(keys.At(d), c.mode)
				act := envs.Action{Prob: -1}
				a.Act(&in, &act)
				played[act.Index]++
				if act.Prob != 0 && act.Prob != said[act.Index] {
					t.Fatalf("%v: arm %d is played with Prob %v, and its propensity is %v", v, act.Index, act.Prob, said[act.Index])
				}
			}
			n := float64(c.draws)
			for i, p := range said {
				if off := math.Abs(played[i] - n*p); off > 4.5*math.Sqrt(n*max(p*(1-p), 0))+0.5 {
					t.Errorf("%v after %d sends, mode %v, mask %v: arm %d has propensity %.6f and is played %v times of %v", v, c.sends, c.mode, c.mask, i, p, played[i], n)
				}
			}
		}
	}
	for _, f := range Factories() {
		if !names[f.Name()] {
			t.Errorf("%s is not tried", f.Name())
		}
	}
}

// TestLookingChangesNothing asks one of two equal agents for propensities and
// beliefs before decisions, also for contexts that do not come: states and
// actions stay those of the other, bit for bit.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	mean, low, high := make([]float64, 4), make([]float64, 4), make([]float64, 4)
	for _, v := range every() {
		w, x := rough(150), rough(150)
		a, b := v.agent(t, &w.spec, nil), v.agent(t, &x.spec, nil)
		w.begin(a, 1, agents.Train)
		x.begin(b, 1, agents.Train)
		var before, after []byte
		for step := range w.spec.Horizon {
			before, _ = a.AppendBinary(before[:0])
			for segment := range 3 {
				if step%5 > 0 && (segment > 0 || step > 50) {
					break
				}
				in := w.in
				in.Obs = slices.Clone(in.Obs)
				in.Obs[2] = float64((int(in.Obs[2]) + segment) % 3)
				p := told(t, a, &in)
				again := told(t, a, &in)
				a.(agents.Beliefs).Beliefs(&in, mean, low, high)
				if !slices.Equal(p, again) {
					t.Fatalf("%v: propensities %v, asked again %v", v, p, again)
				}
			}
			if after, _ = a.AppendBinary(after[:0]); !bytes.Equal(before, after) {
				t.Fatalf("%v: being asked before step %d changes the state", v, step)
			}
			w.step(a)
			x.step(b)
			if w.act.Index != x.act.Index || w.act.Prob != x.act.Prob {
				t.Fatalf("%v: step %d plays %+v once asked, else %+v", v, step, w.act, x.act)
			}
		}
		before, _ = a.AppendBinary(before[:0])
		if after, _ = b.AppendBinary(after[:0]); !bytes.Equal(before, after) {
			t.Errorf("%v: being asked changes what is learned", v)
		}
	}
}

// TestCheapPropensities counts allocations of those that may be asked for at
// every step, and checks who says so: all but Thompson sampling.
func TestCheapPropensities(t *testing.T) {
	for _, v := range every() {
		w := rough(400)
		a := v.agent(t, &w.spec, nil)
		w.begin(a, 1, agents.Train)
		for range 150 {
			w.step(a)
		}
		_, random := a.(agents.Propensities)
		c, ok := a.(agents.CheapPropensities)
		cheap := ok && c.CheapPropensities() || !random
		if want := !strings.Contains(v.policy, "thompson") && v.String() != "segment_tables"; cheap != want {
			t.Errorf("%v: cheap %v, want %v", v, cheap, want)
		}
		p, scratch := make([]float64, 4), &envs.Action{}
		if n := testing.AllocsPerRun(100, func() { agents.PropensitiesOf(a, &w.in, p, scratch) }); n != 0 && cheap {
			t.Errorf("%v: its propensities allocate %v times", v, n)
		}
	}
}

// TestImportanceWeights checks that Exp3 weighs an outcome by the probability
// that Learn is told of, which under a guard is not its own, also where the
// outcome comes late.
func TestImportanceWeights(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v     variant
		gamma float64
	}{{v("exp3"), 0}, {v("exp3_ix", "gamma", 0.02), 0.02}} {
		w := rough(400)
		a := c.v.agent(t, &w.spec, nil).(*exp3)
		a.Begin(rng.Root(1, "guarded"), agents.Train)
		late := []envs.Credit{{Step: 0, Index: 2, Reward: 0.25}}
		a.Learn(&envs.Step{}, &envs.Action{Index: 2, Prob: 0.7}, &envs.Step{T: 1})
		a.Learn(&envs.Step{T: 1}, &envs.Action{Index: 1, Prob: 0.1}, &envs.Step{T: 2, Credits: late})
		if got, want := a.losses[2], 0.75/(0.7+c.gamma); math.Abs(got-want) > 1e-15 || a.losses[1] != 0 {
			t.Errorf("%v: losses %v, want %v of arm 2 alone", c.v, a.losses, want)
		}
	}
}

// BenchmarkPropensities measures one vector on four arms, after 300 sends to
// three segments.
func BenchmarkPropensities(b *testing.B) {
	for _, v := range append(append(variants(), otherVariants()[:14]...), contextuals()...) {
		b.Run(strings.ReplaceAll(v.String(), " ", "/"), func(b *testing.B) {
			w := rough(400)
			a := v.agent(b, &w.spec, nil)
			w.begin(a, 1, agents.Train)
			for range 300 {
				w.step(a)
			}
			in, p, scratch := envs.Step{T: w.in.T, Obs: w.in.Obs}, make([]float64, 4), &envs.Action{}
			b.ReportAllocs()
			for b.Loop() {
				agents.PropensitiesOf(a, &in, p, scratch)
			}
		})
	}
}
