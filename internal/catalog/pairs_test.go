package catalog_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// variants are the parameters that are played beside every factory's defaults.
func variants(f factory) []*param.Map {
	list := []*param.Map{{}}
	add := func(key string, v param.Value) {
		list = append(list, &param.Map{Entries: []param.Entry{{Key: key, Value: v}}})
	}
	for _, field := range f.Schema() {
		if field.Name == "faithful" && field.Kind == param.Bool {
			add("faithful", true)
		}
	}
	switch f.Name() {
	case "function":
		add("noise", 1.0)
	case "marketing":
		add("unspent", true)
		add("reward", "ltv")
		add("response", "hill")
		add("cap", 0.6)
		add("hold", int64(7))
		add("observe", &param.Map{Entries: []param.Entry{{Key: "noise", Value: 0.5}, {Key: "lag", Value: int64(3)}}})
		add("observe", &param.Map{Entries: []param.Entry{{Key: "effectiveness", Value: false}, {Key: "pending", Value: "none"}}})
	case "email":
		list = nil // an episode is a run of 10,000 sends
		for _, e := range []param.Entry{
			{Key: "world", Value: "stationary"}, {Key: "world", Value: "fatigue"}, {Key: "world", Value: "abrupt"},
			{Key: "contexts", Value: []param.Value{"segment", "device", "hour"}},
			{Key: "delay", Value: "geometric"}, {Key: "batch", Value: int64(100)}, {Key: "revenue", Value: "lognormal"},
		} {
			list = append(list, &param.Map{Entries: []param.Entry{{Key: "horizon", Value: int64(300)}, e}})
		}
	case "epsilon_greedy":
		add("schedule", "harmonic")
		add("guard", &param.Map{Entries: []param.Entry{
			{Key: "holdout", Value: 0.1}, {Key: "floor", Value: 0.02}, {Key: "share_cap", Value: 0.6},
			{Key: "stop", Value: &param.Map{Entries: []param.Entry{{Key: "drop", Value: 0.2}}}},
		}})
	case "thompson":
		add("top_two", true)
	case "dirichlet":
		add("concentration", 0.5)
	case "reinforce":
		add("credit", "own")
		add("head", "gaussian_clipped")
		add("precision", "float64")
	case "static":
		add("weights", []param.Value{0.2, 0.3, 0.5})
	}
	return list
}

// pair is an environment and an agent that fits it.
type pair struct {
	name   string
	env    envs.Env
	agent  agents.Agent
	traits agents.Traits
	steps  [2]envs.Step
	action envs.Action
}

// pairs returns every environment with every agent that fits it, in all
// variants, and which names go together.
func pairs(t *testing.T) (all []*pair, fits map[[2]string]bool) {
	t.Helper()
	fits = map[[2]string]bool{}
	complete := func(f factory, m *param.Map) *param.Map {
		p, err := f.Schema().Complete(m)
		if err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		return p
	}
	c := catalog.New()
	for _, ef := range c.Envs {
		for _, em := range variants(ef) {
			ep := complete(ef, em)
			for _, af := range c.Agents {
				for _, am := range variants(af) {
					env, err := ef.New(ep, nil)
					if err != nil {
						t.Fatalf("%s %s: %v", ef.Name(), param.FormatValue(em), err)
					}
					ap := complete(af, am)
					if af.Fits(ap, env.Spec()) != nil {
						continue
					}
					fits[[2]string{af.Name(), ef.Name()}] = true
					p := &pair{
						name:   fmt.Sprintf("%s%s on %s%s", af.Name(), param.FormatValue(am), ef.Name(), param.FormatValue(em)),
						env:    env,
						traits: af.Traits(ap),
						action: envs.Action{Values: make([]float64, env.Spec().Action.N)},
					}
					if p.agent, err = af.New(ap, env.Spec(), rng.Root(1, "agent/init"), nil); err != nil {
						t.Fatalf("%s: fits, but is not made: %v", p.name, err)
					}
					all = append(all, p)
				}
			}
		}
	}
	return all, fits
}

// play plays an episode as the trial runner does and returns its total reward.
func (p *pair) play(episode uint64, m agents.Mode) float64 {
	if o, ok := p.agent.(agents.NeedsOracle); ok {
		o.Bind(p.env.(envs.Oracle))
	}
	attributed, _ := p.agent.(agents.NeedsAttribution)
	if attributed != nil && !attributed.UsesAttribution() {
		attributed = nil
	}
	in, out := &p.steps[0], &p.steps[1]
	p.env.Reset(rng.Root(1, "env/train").At(episode), in)
	p.agent.Begin(rng.Root(1, "agent/train").At(episode), m)
	total := 0.0
	for !in.Done {
		p.agent.Act(in, &p.action)
		p.env.Step(&p.action, out)
		if m == agents.Train {
			if attributed != nil {
				attributed.Attribute(p.env.(envs.Attributor).Generated())
			}
			p.agent.Learn(in, &p.action, out)
		}
		total += out.Reward
		in, out = out, in
	}
	return total
}

// TestPairs plays every pair in every mode: it doesn't panic, gives finite
// numbers, and acting is a function of the episode's keys.
func TestPairs(t *testing.T) {
	t.Parallel()
	all, fits := pairs(t)
	c := catalog.New()
	for _, a := range c.Agents {
		some := false
		for _, e := range c.Envs {
			some = some || fits[[2]string{a.Name(), e.Name()}]
		}
		if !some {
			t.Errorf("%s fits no environment", a.Name())
		}
	}
	for _, e := range c.Envs {
		if !fits[[2]string{"random", e.Name()}] {
			t.Errorf("random does not fit %s", e.Name())
		}
	}
	for _, p := range all {
		for episode := range uint64(3) {
			train := p.play(episode, agents.Train)
			greedy, again := p.play(episode, agents.Greedy), p.play(episode, agents.Greedy)
			sample := p.play(episode, agents.Sample)
			if math.IsNaN(train+greedy+sample) || math.IsInf(train+greedy+sample, 0) {
				t.Errorf("%s: returns %v, %v, %v", p.name, train, greedy, sample)
			}
			if greedy != again {
				t.Errorf("%s: the same episode returns %v and %v", p.name, greedy, again)
			}
			if !p.traits.Stochastic && greedy != sample {
				t.Errorf("%s: not stochastic, but returns %v and %v", p.name, greedy, sample)
			}
		}
		spec := p.env.Spec()
		last := &p.steps[0]
		if last.T < p.steps[1].T {
			last = &p.steps[1]
		}
		if last.T != spec.Horizon || !last.Done || len(last.Obs) != spec.Size() {
			t.Errorf("%s: ends at step %d of %d with %d observed numbers of %d", p.name, last.T, spec.Horizon, len(last.Obs), spec.Size())
		}
		metrics := slices.Repeat([]float64{math.Inf(1)}, len(spec.Metrics))
		p.env.Metrics(metrics)
		for i, v := range metrics {
			if math.IsInf(v, 0) {
				t.Errorf("%s: metric %s is not written, or infinite", p.name, spec.Metrics[i].Name)
			}
		}
		if spec.Optimum != envs.NoOptimum {
			if _, ok := p.env.(envs.Oracle); !ok {
				t.Errorf("%s: says that it knows the best policy and is no Oracle", p.name)
			}
		}
	}
}

// TestNoAllocation plays whole episodes, training and not, after a warm-up of
// more than a batch.
func TestNoAllocation(t *testing.T) {
	all, _ := pairs(t)
	for _, p := range all {
		for _, m := range []agents.Mode{agents.Train, agents.Sample, agents.Greedy} {
			episode := uint64(0)
			play := func() { episode++; p.play(episode, m) }
			for range 40 {
				play()
			}
			if n := testing.AllocsPerRun(40, play); n > 0 {
				t.Errorf("%s, mode %d: %v allocations an episode", p.name, m, n)
			}
		}
	}
}
