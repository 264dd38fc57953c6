package guard

import (
	"fmt"
	"testing"

	"overnight/agents"
	"overnight/agents/bandit"
	"overnight/envs"
	"overnight/envs/email"
	"overnight/internal/param"
	"overnight/internal/rng"
)

func mapping(kv ...any) *param.Map {
	m := &param.Map{}
	for i := 0; i < len(kv); i += 2 {
		m.Set(kv[i].(string), kv[i+1])
	}
	return m
}

func list(v ...float64) []param.Value {
	var l []param.Value
	for _, x := range v {
		l = append(l, x)
	}
	return l
}

// fiveRates have the mean .3.
var fiveRates = list(.1, .2, .3, .4, .5)

// world returns an email environment.
func world(t testing.TB, kv ...any) envs.Env {
	t.Helper()
	p, err := email.Factory{}.Schema().Complete(mapping(kv...))
	if err != nil {
		t.Fatal(err)
	}
	e, err := email.Factory{}.New(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// policy returns a bandit's factory, or that of an agent that plays one arm.
func policy(t testing.TB, name string) agents.Factory {
	t.Helper()
	for _, f := range append(bandit.Factories(), constant{"first", 0}, constant{"fifth", 4}, constant{"sixth", 5}) {
		if f.Name() == name {
			return f
		}
	}
	t.Fatalf("no policy %q", name)
	return nil
}

// guardOf returns a guarded policy.
func guardOf(t testing.TB, e envs.Env, name string, rails *param.Map, own ...any) agents.Agent {
	t.Helper()
	f := Around(policy(t, name))
	m := mapping(own...)
	m.Set(Group, rails)
	p, err := f.Schema().Complete(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Fits(p, e.Spec()); err != nil {
		t.Fatal(err)
	}
	a, err := f.New(p, e.Spec(), rng.Root(1, "agent/init"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// again returns an untrained guarded policy in the memory of an earlier one.
func again(t testing.TB, e envs.Env, a agents.Agent, name string, rails *param.Map) agents.Agent {
	t.Helper()
	f := Around(policy(t, name))
	p, err := f.Schema().Complete(mapping(Group, rails))
	if err != nil {
		t.Fatal(err)
	}
	if a, err = f.New(p, e.Spec(), rng.Root(1, "agent/init"), a); err != nil {
		t.Fatal(err)
	}
	return a
}

// run is an agent that learns online.
type run struct {
	env     envs.Env
	agent   agents.Agent
	in, out envs.Step
	act     envs.Action
	// lost, where given, says that the log of a send is lost: the agent is not
	// told of it.
	lost func(r *run) bool
}

func start(e envs.Env, a agents.Agent, number uint64) *run {
	r := &run{env: e, agent: a}
	r.begin(number)
	return r
}

func (r *run) begin(number uint64) {
	r.env.Reset(rng.Root(3, "guard/world").At(number), &r.in)
	r.agent.Begin(rng.Root(3, "guard/agent").At(number), agents.Train)
}

func (r *run) step() {
	r.agent.Act(&r.in, &r.act)
	r.env.Step(&r.act, &r.out)
	if r.lost == nil || !r.lost(r) {
		r.agent.Learn(&r.in, &r.act, &r.out)
	}
	r.in, r.out = r.out, r.in
}

func (r *run) finish() *run {
	for !r.in.Done {
		r.step()
	}
	return r
}

// report returns what a guard measured, by name.
func (r *run) report() map[string]float64 {
	g := unwrap(r.agent)
	list := g.p.metrics()
	values := make([]float64, len(list))
	g.Report(values)
	m := map[string]float64{}
	for i, v := range values {
		m[list[i].Name] = v
	}
	return m
}

// constant makes agents that play one arm.
type constant struct {
	name string
	arm  int
}

func (c constant) Name() string                                     { return c.name }
func (c constant) Doc() string                                      { return "Plays one arm." }
func (c constant) Schema() param.Schema                             { return nil }
func (c constant) Traits(*param.Map) agents.Traits                  { return agents.Traits{} }
func (c constant) Fits(*param.Map, *envs.Spec) error                { return nil }
func (c constant) Begin(rng.Key, agents.Mode)                       {}
func (c constant) Act(in *envs.Step, a *envs.Action)                { a.Index, a.Prob = c.arm, 1; c.mask(in, a) }
func (c constant) Learn(_ *envs.Step, _ *envs.Action, _ *envs.Step) {}
func (c constant) AppendBinary(b []byte) ([]byte, error)            { return b, nil }
func (c constant) UnmarshalBinary(b []byte) error {
	if len(b) > 0 {
		return fmt.Errorf("state of %s has %d bytes too many", c.name, len(b))
	}
	return nil
}
func (c constant) New(*param.Map, *envs.Spec, rng.Key, agents.Agent) (agents.Agent, error) {
	return c, nil
}

func (c constant) mask(in *envs.Step, a *envs.Action) {
	for !allows(in.Allowed, a.Index) {
		a.Index = (a.Index + 1) % len(in.Allowed)
	}
}
