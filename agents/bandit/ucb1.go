package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// UCB1Params are the parameters of the policy `ucb1`.
type UCB1Params struct {
	RewardScale float64 `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; its guarantee needs scaled rewards from 0 to 1."`
	Prior       Prior   `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// ucb1Factory makes UCB1 of Auer, Cesa-Bianchi and Fischer 2002, figure 1:
// m + sqrt(2 ln t / n). Theorem 1 bounds its regret by
// 8 sum ln T / gap + (1 + pi^2/3) sum gap.
func ucb1Factory() agents.Factory {
	return &factory[UCB1Params]{
		name:   "ucb1",
		doc:    "The highest upper confidence bound m + sqrt(2 ln t / n), without a parameter to choose. It is made for any reward from 0 to 1, and so explores far too long where conversions are rare.",
		traits: explores[UCB1Params],
		fits:   func(p *UCB1Params, s *envs.Spec) error { return p.Prior.fits(s) },
		build: func(p *UCB1Params, s *envs.Spec, reuse agents.Agent) agents.Agent {
			return newUCB("ucb1", math.Sqrt2, p.RewardScale, &p.Prior, s, reuse)
		},
	}
}
