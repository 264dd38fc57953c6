package policygradient

import (
	"math"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// toy is a small environment: the best action follows the observation, the
// reward lands in two halves, and noise is a function of the key.
type toy struct {
	spec      envs.Spec
	noise     []float64
	state     []float64
	t         int
	owed      float64
	generated float64
}

func newToy(kind envs.Kind, n, horizon int) *toy {
	e := &toy{spec: envs.Spec{
		Observation: []envs.Field{{Name: "time", Len: 1, High: 1}, {Name: "target", Len: n, Low: -3, High: 3}},
		Action:      envs.Actions{Kind: kind, N: n},
		Horizon:     horizon,
	}}
	if kind == envs.Box {
		for range n {
			e.spec.Action.Low = append(e.spec.Action.Low, -1)
			e.spec.Action.High = append(e.spec.Action.High, 3)
		}
	}
	e.noise, e.state = make([]float64, n*horizon), make([]float64, n)
	return e
}

func (e *toy) Spec() *envs.Spec { return &e.spec }

func (e *toy) Reset(episode rng.Key, out *envs.Step) {
	s := rng.New(episode)
	s.Normals(e.noise)
	e.t, e.owed = 0, 0
	clear(e.state)
	e.show(out)
}

func (e *toy) show(out *envs.Step) {
	out.T, out.Obs = e.t, append(out.Obs[:0], float64(e.t)/float64(e.spec.Horizon))
	out.Obs = append(out.Obs, e.state...)
}

func (e *toy) Step(a *envs.Action, out *envs.Step) {
	e.generated = 0
	for i, v := range a.Values {
		e.generated -= math.Abs(v - fp.Sigmoid(e.state[i]))
		e.state[i] = float64(0.8*e.state[i]) + e.noise[e.t*len(e.state)+i]
	}
	out.Reward = e.owed + float64(0.5*e.generated)
	e.owed = float64(0.5 * e.generated)
	e.t++
	out.Done = e.t == e.spec.Horizon
	e.show(out)
}

func (e *toy) Metrics([]float64)  {}
func (e *toy) Generated() float64 { return e.generated }

var _ envs.Env = (*toy)(nil)

// settings are parameters by name; groups are nested.
type settings map[string]any

func tree(s settings) *param.Map {
	m := &param.Map{}
	for key, v := range s {
		switch x := v.(type) {
		case settings:
			v = tree(x)
		case int:
			v = int64(x)
		case []int:
			list := []param.Value{}
			for _, n := range x {
				list = append(list, int64(n))
			}
			v = list
		case []float64:
			list := []param.Value{}
			for _, f := range x {
				list = append(list, f)
			}
			v = list
		}
		m.Set(key, v)
	}
	return m
}

func complete(t testing.TB, s settings) *param.Map {
	t.Helper()
	m, err := Factory{}.Schema().Complete(tree(s))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newAgent(t testing.TB, s settings, spec *envs.Spec, seed uint64) agents.Agent {
	t.Helper()
	p := complete(t, s)
	if err := (Factory{}).Fits(p, spec); err != nil {
		t.Fatal(err)
	}
	a, err := Factory{}.New(p, spec, rng.Root(seed, "agent/init"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// player is what the trial runner does, and no more.
type player struct {
	env     envs.Env
	agent   agents.Agent
	action  envs.Action
	in, out envs.Step
}

func newPlayer(e envs.Env, a agents.Agent) *player {
	return &player{env: e, agent: a, action: envs.Action{Values: make([]float64, e.Spec().Action.N)}}
}

// episode plays one and returns its return.
func (p *player) episode(env, agent rng.Key, m agents.Mode) float64 {
	own, _ := p.agent.(agents.NeedsAttribution)
	in, out := &p.in, &p.out
	p.env.Reset(env, in)
	p.agent.Begin(agent, m)
	sum := 0.0
	for {
		p.agent.Act(in, &p.action)
		p.env.Step(&p.action, out)
		if m == agents.Train {
			if own.UsesAttribution() {
				own.Attribute(p.env.(envs.Attributor).Generated())
			}
			p.agent.Learn(in, &p.action, out)
		}
		sum += out.Reward
		if out.Done {
			return sum
		}
		in, out = out, in
	}
}

// train plays training episodes from to to-1 and returns their returns.
func (p *player) train(seed uint64, from, to int) []float64 {
	env, agent := rng.Root(seed, "env/train"), rng.Root(seed, "agent/train")
	var returns []float64
	for e := from; e < to; e++ {
		returns = append(returns, p.episode(env.At(uint64(e)), agent.At(uint64(e)), agents.Train))
	}
	return returns
}

// evaluate returns the mean return of episodes.
func (p *player) evaluate(seed uint64, episodes int, m agents.Mode) float64 {
	env, agent := rng.Root(seed, "env/eval"), rng.Root(seed, "agent/eval")
	sum := 0.0
	for e := range uint64(episodes) {
		sum += p.episode(env.At(e), agent.At(e), m)
	}
	return sum / float64(episodes)
}
