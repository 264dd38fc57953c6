package trial

import (
	"fmt"
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/rng"
)

// play runs one episode in which nothing is learned and returns its total
// reward.
func (r *Runner) play(env, agent rng.Key, mode agents.Mode) float64 {
	in, out := &r.in, &r.out
	r.env.Reset(env, in)
	r.agent.Begin(agent, mode)
	total := 0.0
	for {
		r.agent.Act(in, &r.act)
		r.env.Step(&r.act, out)
		total += out.Reward
		if out.Done {
			return total
		}
		in, out = out, in
	}
}

// learn runs one training episode and returns its total reward and length.
func (r *Runner) learn(env, agent rng.Key) (total float64, steps int) {
	in, out := &r.in, &r.out
	own, generated := r.attribution()
	r.env.Reset(env, in)
	r.agent.Begin(agent, agents.Train)
	for {
		r.agent.Act(in, &r.act)
		r.env.Step(&r.act, out)
		total += out.Reward
		steps++
		if own != nil {
			own.Attribute(generated.Generated())
		}
		r.agent.Learn(in, &r.act, out)
		if out.Done {
			return total, steps
		}
		in, out = out, in
	}
}

// attribution returns the two ends of `credit: own`, or nil.
func (r *Runner) attribution() (agents.NeedsAttribution, envs.Attributor) {
	a, ok := r.agent.(agents.NeedsAttribution)
	if !ok || !a.UsesAttribution() {
		return nil, nil
	}
	e, ok := r.env.(envs.Attributor)
	if !ok {
		return nil, nil // Fits has refused this pair
	}
	return a, e
}

// finite refuses numbers that are not: they are how most learners break.
func finite(what string, v float64) error {
	if isFinite(v) {
		return nil
	}
	return fmt.Errorf("%s is %v", what, v)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
