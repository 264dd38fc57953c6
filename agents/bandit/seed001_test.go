package bandit

import (
	"bytes"
	"math"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Seed 001 learns 30,000 episodes of one step: in a month it plays one of 13
// allocations.
const (
	months      = 12
	allocations = 13
	episodes    = 30_000
)

// months001 is the world of seed 001's rules: a month at random, and a reward that
// depends on month and allocation, with noise.
type months001 struct{ month, noise rng.Stream }

func newMonths001() *months001 {
	w := &months001{}
	w.month.Seed(rng.Root(1, "seed 001/month"))
	w.noise.Seed(rng.Root(1, "seed 001/noise"))
	return w
}

func (w *months001) next() (month int, noise float64) {
	return w.month.IntN(months), 0.3 * w.noise.Normal()
}

func reward001(month, allocation int, noise float64) float64 {
	return 2 + math.Sin(float64(month)) + 0.1*float64((3*month+5*allocation)%allocations) + noise
}

func table001(t *testing.T, policy string, kv ...any) agents.Agent {
	t.Helper()
	spec := &envs.Spec{
		Observation: []envs.Field{{Name: "month", Len: 1, Levels: months, High: months - 1}},
		Action:      envs.Actions{Kind: envs.Discrete, N: allocations}, Horizon: episodes,
	}
	return v("segment_tables", append([]any{"field", "month", "policy", policy}, kv...)...).agent(t, spec, nil)
}

var key001 = rng.Root(1, "seed 001/agent")

// choices plays an agent.
func choices(a agents.Agent) []int {
	a.Begin(key001, agents.Train)
	w := newMonths001()
	list := make([]int, episodes)
	in, out := envs.Step{Obs: make([]float64, 1)}, envs.Step{Obs: make([]float64, 1)}
	for t := range list {
		month, noise := w.next()
		in.T, in.Obs[0] = t, float64(month)
		var act envs.Action
		a.Act(&in, &act)
		list[t] = act.Index
		out = envs.Step{T: t + 1, Reward: reward001(month, act.Index, noise), Done: t+1 == episodes}
		a.Learn(&in, &act, &out)
	}
	return list
}

// differ returns at how many episodes two lists differ, and the first of them.
func differ(x, y []int) (n, first int) {
	first = -1
	for i := range x {
		if x[i] != y[i] {
			if n++; first < 0 {
				first = i
			}
		}
	}
	return n, first
}

// TestSeed001UCB: argmax Q(c,a) + c sqrt(ln t / N(c,a)) with t over all contexts
// and Q an incremental mean, written out, chooses what segment_tables with ucb
// does, each time.
func TestSeed001UCB(t *testing.T) {
	t.Parallel()
	var q, n [months][allocations]float64
	w := newMonths001()
	want := make([]int, episodes)
	for e := range want {
		month, noise := w.next()
		best, most := 0, math.Inf(-1)
		for a := range allocations {
			bound := math.Inf(1)
			if n[month][a] > 0 {
				bound = q[month][a] + 1.5*math.Sqrt(math.Log(float64(e+1))/n[month][a])
			}
			if bound > most {
				best, most = a, bound
			}
		}
		want[e] = best
		n[month][best]++
		q[month][best] += (reward001(month, best, noise) - q[month][best]) / n[month][best]
	}
	group := mapping("c", 1.5)
	if n, first := differ(choices(table001(t, "ucb", "clock", "all", "ucb", group)), want); n > 0 {
		t.Errorf("%d of %d choices differ, the first at episode %d", n, episodes, first)
	}
	if n, _ := differ(choices(table001(t, "ucb", "ucb", group)), want); n < 100 {
		t.Errorf("with a t for each month %d choices differ, want many: the clock changes nothing", n)
	}
}

// TestSeed001Tabular: Q <- Q + .1 (r - Q) from 0, epsilon from 1 by .9995 an
// episode down to .01, gamma 0, written out, chooses what segment_tables with
// epsilon_greedy does, each time. The numbers drawn are the table's.
func TestSeed001Tabular(t *testing.T) {
	t.Parallel()
	var q [months][allocations]float64
	w := newMonths001()
	want := make([]int, episodes)
	epsilon := 1.0
	for e := range want {
		month, noise := w.next()
		key := key001.At(uint64(month))
		d := drawsAt(&key, &envs.Step{T: e})
		best := 0
		for a := range allocations {
			if q[month][a] > q[month][best] {
				best = a
			}
		}
		if d.Float64() < epsilon {
			best = d.IntN(allocations)
		}
		want[e] = best
		q[month][best] += 0.1 * (reward001(month, best, noise) - q[month][best])
		epsilon = max(0.01, epsilon*0.9995)
	}
	kv := []any{"epsilon", 1.0, "schedule", "exponential", "decay", 0.9995, "final", 0.01, "step_size", 0.1}
	a := table001(t, "epsilon_greedy", "clock", "all", "epsilon_greedy", mapping(kv...))
	if n, first := differ(choices(a), want); n > 0 {
		t.Errorf("%d of %d choices differ, the first at episode %d", n, episodes, first)
	}
	for m := range q {
		for i, x := range a.(*segments).list[m].policy.(*epsilonGreedy).q {
			if math.Abs(x-q[m][i]) > 1e-12 {
				t.Errorf("Q of month %d and allocation %d is %v, want %v", m, i, x, q[m][i])
			}
		}
	}
	if n, _ := differ(choices(table001(t, "epsilon_greedy", "epsilon_greedy", mapping(kv...))), want); n < 100 {
		t.Errorf("with an epsilon for each month %d choices differ, want many: the clock changes nothing", n)
	}
	for i := range kv {
		if kv[i] == "step_size" {
			kv = append(kv[:i], kv[i+2:]...)
			break
		}
	}
	if n, _ := differ(choices(table001(t, "epsilon_greedy", "clock", "all", "epsilon_greedy", mapping(kv...))), want); n < 100 {
		t.Errorf("with the sample mean %d choices differ, want many: the step size changes nothing", n)
	}
}

// TestStepSize: after n outcomes r the weight (1 - alpha)^n of where Q began is
// left, and nothing is played only because it is unknown.
func TestStepSize(t *testing.T) {
	t.Parallel()
	spec := &envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 3}, Horizon: 100}
	test := mapping("successes", []param.Value{1.0, 2.0, 0.0}, "failures", []param.Value{3.0, 0.0, 0.0})
	for _, c := range []struct {
		kv    []any
		begin []float64
	}{
		{[]any{"step_size", 0.25}, []float64{0, 0, 0}},
		{[]any{"step_size", 0.25, "initial", 5.0}, []float64{5, 5, 5}},
		{[]any{"step_size", 0.25, "initial", 5.0, "prior", test}, []float64{.25, 1, 5}},
	} {
		e := v("epsilon_greedy", append(c.kv, "epsilon", 0.0)...).agent(t, spec, nil).(*epsilonGreedy)
		e.Begin(key001, agents.Train)
		best := 0
		for i, x := range c.begin {
			if e.q[i] != x {
				t.Errorf("%v: Q of arm %d begins at %v, want %v", c.kv, i, e.q[i], x)
			}
			if x > c.begin[best] {
				best = i
			}
		}
		var act envs.Action
		e.Act(&envs.Step{}, &act)
		if act.Index != best || act.Prob != 1 {
			t.Errorf("%v: plays %d with probability %v first, want %d", c.kv, act.Index, act.Prob, best)
		}
		for n := range 20 {
			e.Learn(&envs.Step{T: n}, &envs.Action{Index: 1}, &envs.Step{T: n + 1, Reward: 2})
			want := 2 + (c.begin[1]-2)*math.Pow(.75, float64(n+1))
			if math.Abs(e.q[1]-want) > 1e-14 || e.q[0] != c.begin[0] {
				t.Fatalf("%v: after %d outcomes Q is %v, want %v", c.kv, n+1, e.q, want)
			}
		}
	}
}

// TestClock: with `clock: all` each policy's t is that of the whole run, and a
// table saved in the middle goes on as it would have.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, f := range stationary() {
		a := table001(t, f.Name(), "clock", "all").(*segments)
		b := table001(t, f.Name(), "clock", "all").(*segments)
		a.Begin(key001, agents.Train)
		b.Begin(key001, agents.Train)
		w := newMonths001()
		in := envs.Step{Obs: make([]float64, 1)}
		for e := range 600 {
			month, noise := w.next()
			in.T, in.Obs[0] = e, float64(month)
			var act, other envs.Action
			a.Act(&in, &act)
			if e > 300 {
				b.Act(&in, &other)
			}
			if got := a.list[month].policy.(interface{ round() float64 }).round(); got != float64(e+1) {
				t.Fatalf("%s: t is %v at send %d", f.Name(), got, e+1)
			}
			if e > 300 && (act.Index != other.Index || act.Prob != other.Prob) {
				t.Fatalf("%s: restored it plays %+v at send %d, want %+v", f.Name(), other, e+1, act)
			}
			out := envs.Step{T: e + 1, Reward: reward001(month, act.Index, noise) / 6}
			a.Learn(&in, &act, &out)
			if e > 300 {
				b.Learn(&in, &act, &out)
			}
			if e == 300 {
				state, err := a.AppendBinary(nil)
				if err != nil || b.UnmarshalBinary(state) != nil {
					t.Fatalf("%s: can't be restored: %v", f.Name(), err)
				}
				if again, _ := b.AppendBinary(nil); !bytes.Equal(again, state) {
					t.Errorf("%s: restored it is another", f.Name())
				}
			}
		}
	}
}
