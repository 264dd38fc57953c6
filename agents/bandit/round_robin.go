package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// RoundRobinParams are the parameters of the policy `round_robin`: none.
type RoundRobinParams struct{}

// roundRobin plays the arms in turn: the A/B test with equal groups.
type roundRobin struct{ arms }

func roundRobinFactory() agents.Factory {
	return &factory[RoundRobinParams]{
		name:   "round_robin",
		doc:    "The arms in turn, to the end: an A/B test whose groups are equal to within one send.",
		traits: func(*RoundRobinParams) agents.Traits { return agents.Traits{} },
		build: func(_ *RoundRobinParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			r := recycle[roundRobin](reuse)
			r.shape("round_robin", s, 0, 0)
			return r
		},
	}
}

// Act plays arm T mod K, or the next one that is allowed.
func (r *roundRobin) Act(in *envs.Step, a *envs.Action) {
	at := in.T % r.k
	for range r.k {
		if allowed(in, at) {
			a.Index, a.Prob = at, 1
			return
		}
		at = (at + 1) % r.k
	}
	panic("bandit: the environment allows no arm")
}
