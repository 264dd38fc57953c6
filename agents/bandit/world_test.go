package bandit

import (
	"flag"
	"math"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

var long = flag.Bool("long", false, "run the reference table with as many runs as it was made with, and the slopes")

// world is a Bernoulli bandit: recipient t draws u_t from a table and converts
// under arm i iff u_t < rates[i]. Outcomes are known after delay further sends.
type world struct {
	rates []float64
	spec  envs.Spec
	delay int
	// mask, where given, says which arms may be played at step t.
	mask func(t int, into []bool)

	u       rng.Stream
	in, out envs.Step
	act     envs.Action
	credits []envs.Credit // a ring of the last delay+1 sends
	pulls   []int
}

func newWorld(horizon int, rates ...float64) *world {
	return &world{
		rates: rates, pulls: make([]int, len(rates)),
		spec: envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: len(rates)}, Horizon: horizon, Online: true, Credited: true, NonNegative: true},
	}
}

// instances of shared/reference/bandits.md.
func worldA() *world { return newWorld(5_000, .9, .8) }
func worldC() *world { return newWorld(10_000, .02, .03, .04, .05, .06) }

// begin starts a run: its table of uniforms and the agent's draws.
func (w *world) begin(a agents.Agent, run uint64, m agents.Mode) {
	w.u.Seed(rng.Root(7, "bandit/world").At(run))
	w.in = envs.Step{Credits: make([]envs.Credit, 1)}
	w.out = envs.Step{Credits: make([]envs.Credit, 1)}
	if w.mask != nil {
		w.in.Allowed = make([]bool, len(w.rates))
		w.mask(0, w.in.Allowed)
	}
	w.credits = make([]envs.Credit, w.delay+1)
	clear(w.pulls)
	a.Begin(rng.Root(7, "bandit/agent").At(run), m)
}

// step plays one send.
func (w *world) step(a agents.Agent) {
	w.act = envs.Action{Index: -1, Prob: -1}
	a.Act(&w.in, &w.act)
	t, i := w.in.T, w.act.Index
	w.pulls[i]++
	r := 0.0
	if w.u.Float64() < w.rates[i] {
		r = 1
	}
	w.credits[t%len(w.credits)] = envs.Credit{Step: int32(t), Index: int32(i), Reward: r}
	w.out.T, w.out.Reward, w.out.Credits = t+1, 0, w.out.Credits[:0]
	if t >= w.delay {
		c := w.credits[(t-w.delay)%len(w.credits)]
		w.out.Credits, w.out.Reward = append(w.out.Credits, c), c.Reward
	}
	w.out.Done = t+1 == w.spec.Horizon
	a.Learn(&w.in, &w.act, &w.out)
	w.in.T = t + 1
	if w.mask != nil {
		w.mask(t+1, w.in.Allowed)
	}
}

// gap returns what an arm loses against the best.
func (w *world) gap(i int) float64 {
	best := 0.0
	for _, p := range w.rates {
		best = max(best, p)
	}
	return best - w.rates[i]
}

// regret returns the pseudo-regret of the sends so far.
func (w *world) regret() float64 {
	sum := 0.0
	for i, n := range w.pulls {
		sum += w.gap(i) * float64(n)
	}
	return sum
}

// variant is a policy with parameters.
type variant struct {
	policy string
	kv     []any
}

func find(t testing.TB, name string) agents.Factory {
	t.Helper()
	for _, f := range Factories() {
		if f.Name() == name {
			return f
		}
	}
	t.Fatalf("no policy %q", name)
	return nil
}

func (v variant) params(t testing.TB) *param.Map {
	t.Helper()
	p, err := find(t, v.policy).Schema().Complete(mapping(v.kv...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mapping(kv ...any) *param.Map {
	m := &param.Map{}
	for i := 0; i < len(kv); i += 2 {
		m.Set(kv[i].(string), kv[i+1])
	}
	return m
}

func (v variant) agent(t testing.TB, s *envs.Spec, reuse agents.Agent) agents.Agent {
	t.Helper()
	a, err := find(t, v.policy).New(v.params(t), s, rng.Key{}, reuse)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// mean plays runs and returns the mean pseudo-regret and its standard error.
func (v variant) mean(t testing.TB, w *world, runs int) (mean, se float64) {
	t.Helper()
	var a agents.Agent
	sum, squares := 0.0, 0.0
	for run := range runs {
		a = v.agent(t, &w.spec, a)
		w.begin(a, uint64(run), agents.Train)
		for range w.spec.Horizon {
			w.step(a)
		}
		r := w.regret()
		sum += r
		squares += r * r
	}
	n := float64(runs)
	mean = sum / n
	return mean, math.Sqrt((squares/n - mean*mean) / (n - 1))
}

// variants holds every policy of the package that needs no context and no
// changing world, in each of its forms.
func variants() []variant {
	return []variant{
		{"uniform", nil}, {"round_robin", nil},
		{"explore_then_commit", nil}, {"explore_then_commit", []any{"explore", int64(40), "holdout", 0.1}},
		{"epsilon_greedy", nil}, {"epsilon_greedy", []any{"schedule", "linear", "steps", int64(500)}},
		{"epsilon_greedy", []any{"schedule", "exponential", "epsilon", 1.0, "decay", 0.99}},
		{"epsilon_greedy", []any{"schedule", "harmonic"}}, {"epsilon_greedy", []any{"step_size", 0.1, "initial", 0.5}},
		{"ucb1", nil}, {"ucb", []any{"c", 0.5}}, {"ucb_tuned", nil}, {"moss", nil},
		{"kl_ucb", nil}, {"kl_ucb", []any{"c", 3.0}}, {"bayes_ucb", nil}, {"bayes_ucb", []any{"c", 5.0, "prior", mapping("a", 0.5, "b", 0.5)}},
		{"thompson", nil}, {"thompson", []any{"prior", mapping("a", 0.5, "b", 0.5)}},
		{"thompson", []any{"form", "gaussian"}}, {"thompson", []any{"top_two", true}},
		{"softmax", nil}, {"gradient", nil}, {"gradient", []any{"baseline", false}},
		{"exp3", nil}, {"exp3_ix", nil},
	}
}
