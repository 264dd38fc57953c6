package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// EXP3IXParams are the parameters of the policy `exp3_ix`.
type EXP3IXParams struct {
	Eta         *float64 `param:"eta" above:"0" doc:"Learning rate. Not given: sqrt(2 ln(K + 1) / (T K))."`
	Gamma       *float64 `param:"gamma" min:"0" doc:"What is added to a probability before it divides. Not given: eta / 2."`
	RewardScale float64  `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; its guarantee needs scaled rewards from 0 to 1."`
}

// exp3IXFactory makes Exp3 with implicit exploration (Neu, Explore no more,
// NeurIPS 2015; rates of Lattimore and Szepesvari 2020, theorem 12.1, part 1).
func exp3IXFactory() agents.Factory {
	return &factory[EXP3IXParams]{
		name:   "exp3_ix",
		doc:    "Exp3 with estimates that are a little too small and vary far less, so that its promise holds for nearly every run and not for the average alone.",
		traits: random[EXP3IXParams],
		build: func(p *EXP3IXParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			k := float64(s.Action.N)
			eta := math.Sqrt(float64(2*fp.Log(k+1)) / float64(max(s.Horizon, 1)*s.Action.N))
			if p.Eta != nil {
				eta = *p.Eta
			}
			gamma := eta / 2
			if p.Gamma != nil {
				gamma = *p.Gamma
			}
			return newEXP3("exp3_ix", eta, gamma, p.RewardScale, s, reuse)
		},
	}
}
