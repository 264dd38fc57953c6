package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// MOSSParams are the parameters of the policy `moss`.
type MOSSParams struct {
	Horizon     *int    `param:"horizon" min:"1" unit:"sends" doc:"The T that it plans for. Not given: the environment's."`
	RewardScale float64 `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; its guarantee needs scaled rewards from 0 to 1."`
	Prior       Prior   `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// moss plays the highest m + sqrt(max(0, ln(T / (K n))) / n) (Audibert and
// Bubeck, Minimax policies for adversarial and stochastic bandits, COLT 2009).
// Lattimore and Szepesvari 2020, theorem 9.1, bound its regret by
// 39 sqrt(K T) + sum gap for a bonus twice as wide. Each arm is played once first.
type moss struct {
	arms
	perArm float64 // T / K
}

func mossFactory() agents.Factory {
	return &factory[MOSSParams]{
		name:   "moss",
		doc:    "Upper confidence bounds that knows the horizon: arms played more than their share of it get no bonus. Of all worlds, its worst is nearly as good as any policy's.",
		traits: explores[MOSSParams],
		fits:   func(p *MOSSParams, s *envs.Spec) error { return p.Prior.fits(s) },
		build: func(p *MOSSParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			m := recycle[moss](reuse)
			m.shape("moss", s, 0, 0)
			m.earlier(&p.Prior)
			horizon := s.Horizon
			if p.Horizon != nil {
				horizon = *p.Horizon
			}
			m.scale, m.perArm = p.RewardScale, float64(horizon)/float64(s.Action.N)
			return m
		},
	}
}

// Act plays the highest bound.
func (m *moss) Act(in *envs.Step, a *envs.Action) {
	if m.mode == agents.Greedy {
		m.greedy(in, a)
		return
	}
	if m.first(in, a) {
		return
	}
	m.indices()
	m.highest(in, a)
}

// indices writes the index of each arm.
func (m *moss) indices() {
	for i, n := range m.n {
		m.score[i] = m.sum[i] / n
		if m.perArm > n {
			m.score[i] += math.Sqrt(fp.Log(m.perArm/n) / n)
		}
	}
}

// Beliefs are means and indices.
func (m *moss) Beliefs(in *envs.Step, mean, low, high []float64) {
	m.indices()
	m.toIndex(in, mean, low, high)
}
