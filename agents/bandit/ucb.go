package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// UCBParams are the parameters of the policy `ucb`.
type UCBParams struct {
	C           float64 `param:"c" default:"1" min:"0" doc:"Width of the bonus: 0 is greedy, sqrt(2) is UCB1. Conversions are rare and vary little, so values well below sqrt(2) do better."`
	RewardScale float64 `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it. The bonus is in units of scaled rewards, so it should be near the largest reward."`
	Prior       Prior   `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// ucb plays the highest m + c sqrt(ln t / n) (Auer, Cesa-Bianchi and Fischer,
// Finite-time analysis of the multiarmed bandit problem, Machine Learning 47,
// 2002, figure 1, with c in place of sqrt 2). Each arm is played once first.
type ucb struct {
	arms
	c float64
}

func ucbFactory() agents.Factory {
	return &factory[UCBParams]{
		name:   "ucb",
		doc:    "The highest upper confidence bound m + c sqrt(ln t / n), with the width c and the reward's scale as parameters.",
		traits: explores[UCBParams],
		fits:   func(p *UCBParams, s *envs.Spec) error { return p.Prior.fits(s) },
		build: func(p *UCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			return newUCB("ucb", p.C, p.RewardScale, &p.Prior, s, reuse)
		},
	}
}

func newUCB(name string, c, scale float64, prior *Prior, s *envs.Spec, reuse agents.Agent) *ucb {
	u := recycle[ucb](reuse)
	u.shape(name, s, 0, 0)
	u.earlier(prior)
	u.c, u.scale = c, scale
	return u
}

// Act plays the highest bound.
func (u *ucb) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.greedy(in, a)
		return
	}
	if u.first(in, a) {
		return
	}
	u.indices()
	u.highest(in, a)
}

// indices writes the index of each arm.
func (u *ucb) indices() {
	logT := fp.Log(u.round())
	for i, n := range u.n {
		u.score[i] = u.sum[i]/n + float64(u.c*math.Sqrt(logT/n))
	}
}

// Beliefs are means and indices.
func (u *ucb) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.indices()
	u.toIndex(in, mean, low, high)
}
