package baseline_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/agents"
	"overnight/agents/baseline"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Specs of three spaces; shares shows an effectiveness of each channel after
// one other number.
func shares(n int) *envs.Spec {
	return &envs.Spec{
		Observation: []envs.Field{{Name: "day", Len: 1}, {Name: "effectiveness", Len: n}},
		Action:      envs.Actions{Kind: envs.Simplex, N: n},
	}
}

func choices(n int) *envs.Spec { return &envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: n}} }

func bounded(low, high []float64) *envs.Spec {
	return &envs.Spec{Action: envs.Actions{Kind: envs.Box, N: len(low), Low: low, High: high}}
}

// factory returns the baseline factory of a name.
func factory(t testing.TB, name string) agents.Factory {
	t.Helper()
	for _, f := range baseline.Factories() {
		if f.Name() == name {
			return f
		}
	}
	t.Fatalf("no factory %q", name)
	return nil
}

func complete(t testing.TB, f agents.Factory, kv ...any) *param.Map {
	t.Helper()
	m := &param.Map{}
	for i := 0; i < len(kv); i += 2 {
		m.Set(kv[i].(string), kv[i+1])
	}
	p, err := f.Schema().Complete(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin returns an agent at the start of an episode.
func begin(t testing.TB, s *envs.Spec, mode agents.Mode, name string, kv ...any) agents.Agent {
	t.Helper()
	f := factory(t, name)
	a, err := f.New(complete(t, f, kv...), s, rng.Key{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.Begin(rng.Root(1, "baseline"), mode)
	return a
}

func TestFixedActions(t *testing.T) {
	t.Parallel()
	weights := []param.Value{1.0, 0.0, 3.0}
	for _, c := range []struct {
		agent string
		kv    []any
		spec  *envs.Spec
		obs   []float64
		want  []float64
	}{
		{"equal", nil, shares(4), nil, []float64{0.25, 0.25, 0.25, 0.25}},
		{"static", []any{"weights", weights}, shares(3), nil, []float64{1, 0, 3}},
		{"static", []any{"weights", weights}, bounded([]float64{0, -1, 3}, []float64{1, 0, 3}), nil, []float64{1, 0, 3}},
		{"heuristic", nil, shares(2), []float64{9, 0.3, 0.5}, []float64{0.3, 0.5}},
		{"heuristic", nil, shares(2), []float64{9, -0.1, 0.5}, []float64{0, 0.5}},
		{"heuristic", nil, shares(2), []float64{9, -0.1, 0}, []float64{1, 1}},
	} {
		a := envs.Action{Values: make([]float64, c.spec.Action.N)}
		begin(t, c.spec, agents.Greedy, c.agent, c.kv...).Act(&envs.Step{Obs: c.obs}, &a)
		if diff := cmp.Diff(c.want, a.Values); diff != "" {
			t.Errorf("%s on %v (-want +got):\n%s", c.agent, c.obs, diff)
		}
	}
}

type best struct{}

func (best) Best(a *envs.Action) float64 { a.Values[0] = 7; return 1 }

func TestOracle(t *testing.T) {
	t.Parallel()
	spec := shares(1)
	spec.Optimum = envs.Exact
	agent := begin(t, spec, agents.Greedy, "oracle")
	agent.(agents.NeedsOracle).Bind(best{})
	a := envs.Action{Values: make([]float64, 1)}
	if agent.Act(&envs.Step{}, &a); a.Values[0] != 7 {
		t.Errorf("plays %v, want what Best says", a.Values)
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	blind, wide := shares(3), shares(3)
	blind.Observation = blind.Observation[:1]
	wide.Observation[1].Len = 6
	box := bounded([]float64{0}, []float64{1})
	list := func(v ...param.Value) []param.Value { return append([]param.Value{}, v...) }
	for _, c := range []struct {
		agent  string
		kv     []any
		spec   *envs.Spec
		want   string // part of the error; empty: fits
		values bool   // a value is to blame
	}{
		{"random", nil, shares(3), "", false},
		{"random", nil, choices(3), "", false},
		{"random", nil, box, "", false},
		{"dirichlet", nil, shares(3), "", false},
		{"dirichlet", nil, choices(3), "dirichlet divides a budget, and the environment's actions are one of 3 choices; use random", false},
		{"equal", nil, box, "actions are 1 numbers within bounds", false},
		{"heuristic", nil, shares(3), "", false},
		{"heuristic", nil, blind, "needs an observation field `effectiveness`", false},
		{"heuristic", nil, wide, "for each of the 3 shares, and the environment shows 6", false},
		{"heuristic", nil, choices(1), "divides a budget", false},
		{"oracle", nil, shares(3), "knows none", false},
		{"static", nil, shares(3), "weights is not given; write a list of 3 numbers", true},
		{"static", []any{"weights", list(1.0, 2.0)}, shares(3), "weights has length 2, and the environment's actions are 3 shares; write a list of 3 numbers", true},
		{"static", []any{"weights", list(1.0, -1.0)}, shares(2), "weights[1] is -1, below 0; write a share from 0 up", true},
		{"static", []any{"weights", list(0.0, 0.0)}, shares(2), "weights has the sum 0, which divides nothing; write at least one share above 0", true},
		{"static", []any{"weights", list(0.0, 1.0)}, shares(2), "", false},
		{"static", []any{"weights", list(2.0)}, box, "weights[0] is 2, outside the bounds of the action; write a number from 0 to 1", true},
		{"static", []any{"weights", list(0.0)}, box, "", false},
		{"static", []any{"weights", list(1.0)}, choices(1), "actions are one of 1 choices", false},
	} {
		f := factory(t, c.agent)
		p := complete(t, f, c.kv...)
		err := f.Fits(p, c.spec)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s%v does not fit: %v", c.agent, c.kv, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s%v: got %v\nwant %s", c.agent, c.kv, err, c.want)
		}
		if blamed := new(*param.Error); errors.As(err, blamed) != c.values {
			t.Errorf("%s%v: %T, want a *param.Error: %v", c.agent, c.kv, err, c.values)
		}
		if _, newErr := f.New(p, c.spec, rng.Key{}, nil); (newErr == nil) != (err == nil) {
			t.Errorf("%s%v: New says %v, Fits %v", c.agent, c.kv, newErr, err)
		}
	}
}

// TestState checks what checkpoints rely on, and that reused agents act like
// new ones.
func TestState(t *testing.T) {
	t.Parallel()
	spec := shares(3)
	spec.Optimum = envs.Exact
	for _, f := range baseline.Factories() {
		kv := []any{}
		if f.Name() == "static" {
			kv = []any{"weights", []param.Value{1.0, 2.0, 3.0}}
		}
		p := complete(t, f, kv...)
		if diff := cmp.Diff(agents.Traits{}, f.Traits(p)); diff != "" {
			t.Errorf("%s: traits, where it neither learns nor is stochastic (-want +got):\n%s", f.Name(), diff)
		}
		fresh, err := f.New(p, spec, rng.Key{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fresh.AppendBinary([]byte("x"))
		if err != nil || string(b) != "x\x01" {
			t.Errorf("%s: state %q, %v", f.Name(), b, err)
		}
		if err := fresh.UnmarshalBinary(b[1:]); err != nil {
			t.Errorf("%s refuses its own state: %v", f.Name(), err)
		}
		for _, bad := range []string{"", "\x02", "\x01\x01"} {
			if fresh.UnmarshalBinary([]byte(bad)) == nil {
				t.Errorf("%s accepts the state %q", f.Name(), bad)
			}
		}
		reused, err := f.New(p, spec, rng.Key{}, fresh)
		if err != nil || reused != fresh {
			t.Errorf("%s is not reused: %v", f.Name(), err)
		}
	}
}
