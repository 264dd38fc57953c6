package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// DiscountedThompsonParams are the parameters of the policy
// `discounted_thompson`.
type DiscountedThompsonParams struct {
	Discount    *float64 `param:"discount" above:"0" max:"1" doc:"What an outcome still counts after each later one. Not given: 1 - sqrt(changes / T) / 4, T = horizon."`
	Changes     int      `param:"changes" default:"1" min:"1" doc:"Changes to expect within the horizon; sets the discount where it is not given."`
	A           float64  `param:"a" default:"1" min:"0.001" max:"1000000000" doc:"Conversions that every arm is thought to have had, in a Beta(a, b) prior, which does not fade."`
	B           float64  `param:"b" default:"1" min:"0.001" max:"1000000000" doc:"Sends without conversion that every arm is thought to have had."`
	RewardScale float64  `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; scaled rewards lie between 0 and 1."`
}

// discountedThompson is Thompson sampling whose conversions and failures fade
// with every outcome, the prior staying (Raj and Kalyani, Taming non-stationary
// bandits: a Bayesian approach, arXiv 1707.09727, 2017, dTS). The default
// discount is that of D-UCB.
type discountedThompson struct {
	arms
	discount, a, b float64
}

func discountedThompsonFactory() agents.Factory {
	return &factory[DiscountedThompsonParams]{
		name:   "discounted_thompson",
		doc:    "Thompson sampling that forgets: what was seen fades with every outcome, so arms that were not played for a while are tried again. For rates that drift or jump.",
		traits: random[DiscountedThompsonParams],
		build: func(p *DiscountedThompsonParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			h := recycle[discountedThompson](reuse)
			h.shape("discounted_thompson", s, 0, 0)
			h.discount = fading(p.Discount, p.Changes, s.Horizon)
			h.a, h.b, h.scale = p.A, p.B, p.RewardScale
			return h
		},
	}
}

// Act draws in every mode.
func (h *discountedThompson) Act(in *envs.Step, a *envs.Action) {
	d := drawsAt(&h.key, in)
	for i := range h.score {
		h.score[i] = d.beta(h.posterior(i, h.a, h.b))
	}
	h.highest(in, a)
	a.Prob = 0
}

// belief returns what is believed of arm i's scaled rate.
func (h *discountedThompson) belief(i int) posterior {
	return betaPosterior(h.posterior(i, h.a, h.b))
}

// Propensities are the chances that an arm's draw is the highest; see contest.
func (h *discountedThompson) Propensities(in *envs.Step, into []float64) {
	newContest(in, h.k, h.belief).best(-1, into)
}

// Beliefs are the posteriors of the rates.
func (h *discountedThompson) Beliefs(_ *envs.Step, mean, low, high []float64) {
	h.believe(h.belief, mean, low, high)
}

// Learn fades what is known before each outcome.
func (h *discountedThompson) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	h.send(a)
	for _, c := range h.outcomes(in, a, out) {
		h.fade(h.discount)
		h.n[c.Index]++
		h.sum[c.Index] += c.Reward / h.scale
	}
}
