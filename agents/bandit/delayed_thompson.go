package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// DelayedThompsonParams are the parameters of the policy `delayed_thompson`.
type DelayedThompsonParams struct {
	Delay       DelayParams `param:"delay" doc:"What is known of the delay."`
	A           float64     `param:"a" default:"1" min:"0.001" max:"1000000000" doc:"Conversions that every arm is thought to have had, in a Beta(a, b) prior."`
	B           float64     `param:"b" default:"1" min:"0.001" max:"1000000000" doc:"Sends without conversion that every arm is thought to have had."`
	RewardScale float64     `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; scaled rewards lie between 0 and 1."`
}

// delayedThompson is Thompson sampling with a model of the delay (Chapelle,
// Modeling delayed feedback in display advertising, KDD 2014): a send of age a
// has shown no conversion with probability 1 - p F(a), F the share of delays up
// to a. It takes that for (1-p)^F(a), which is exact for F = 0 and 1 and close
// where p is small, so that the posterior stays
// Beta(a + conversions, b + exposure - conversions); see delayed.
type delayedThompson struct {
	delayed
	a, b float64
}

func delayedThompsonFactory() agents.Factory {
	return &factory[DelayedThompsonParams]{
		name:   "delayed_thompson",
		doc:    "Thompson sampling that tells a send that did not convert from one that has not converted yet, by a model of the delay that it can learn from the conversions it sees.",
		traits: random[DelayedThompsonParams],
		build: func(p *DelayedThompsonParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			h := recycle[delayedThompson](reuse)
			h.build("delayed_thompson", &p.Delay, s)
			h.a, h.b, h.scale = p.A, p.B, p.RewardScale
			return h
		},
	}
}

// Act draws in every mode.
func (h *delayedThompson) Act(in *envs.Step, a *envs.Action) {
	d := drawsAt(&h.key, in)
	for i, e := range h.exposure {
		h.score[i] = d.beta(h.a+h.sum[i], h.b+max(0, e-h.sum[i]))
	}
	h.highest(in, a)
	a.Prob = 0
}

// belief returns what is believed of arm i's scaled rate.
func (h *delayedThompson) belief(i int) posterior {
	return betaPosterior(h.a+h.sum[i], h.b+max(0, h.exposure[i]-h.sum[i]))
}

// Propensities are the chances that an arm's draw is the highest; see contest.
func (h *delayedThompson) Propensities(in *envs.Step, into []float64) {
	newContest(in, h.k, h.belief).best(-1, into)
}

// Beliefs are the posteriors of the rates.
func (h *delayedThompson) Beliefs(_ *envs.Step, mean, low, high []float64) {
	h.believe(h.belief, mean, low, high)
}
