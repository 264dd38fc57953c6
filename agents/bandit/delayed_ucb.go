package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// DelayedUCBParams are the parameters of the policy `delayed_ucb`.
type DelayedUCBParams struct {
	C           float64     `param:"c" default:"1.4142135623730951" min:"0" doc:"Exploration: the bonus is c sqrt(ln t / sends), sends whose outcome is pending included. The default is UCB1's."`
	Delay       DelayParams `param:"delay" doc:"What is known of the delay."`
	RewardScale float64     `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; the bonus is meant for rewards from 0 to 1."`
}

// delayedUCB is UCB for delayed feedback. Its mean is of what is known, as in
// Delayed-UCB1 (Joulani, Gyorgy and Szepesvari, Online learning under delayed
// feedback, ICML 2013, section 4), with exposure in place of a count; its bonus
// counts pending sends as well, as batches do in Desautels, Krause and Burdick
// (JMLR 15, 2014), so that an arm is not sent again and again only because its
// outcomes are on their way. That bonus has no proof of its own.
type delayedUCB struct {
	delayed
	c float64
}

func delayedUCBFactory() agents.Factory {
	return &factory[DelayedUCBParams]{
		name:   "delayed_ucb",
		doc:    "UCB that knows that outcomes come late: pending sends narrow its bonus at once, and its rates are conversions over the sends that should have converted by now.",
		traits: explores[DelayedUCBParams],
		build: func(p *DelayedUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[delayedUCB](reuse)
			u.build("delayed_ucb", &p.Delay, s)
			u.c, u.scale = p.C, p.RewardScale
			return u
		},
	}
}

// Act plays the highest index; an arm of which nothing can be known has rate 1.
func (u *delayedUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.bestRate(in, a)
		return
	}
	u.indices()
	u.highest(in, a)
}

// indices writes the index of each arm.
func (u *delayedUCB) indices() {
	bonus := fp.Log(u.round())
	for i, sent := range u.sent {
		switch {
		case sent == 0:
			u.score[i] = math.Inf(1)
			continue
		case u.exposure[i] == 0:
			u.score[i] = 1
		default:
			u.score[i] = u.rate(i)
		}
		u.score[i] += float64(u.c * math.Sqrt(bonus/sent))
	}
}

// Beliefs are the rates of arms with exposure, and indices.
func (u *delayedUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.indices()
	u.toIndex(in, mean, low, high)
	for i, e := range u.exposure {
		if mean[i] = math.NaN(); e > 0 {
			mean[i] = float64(u.scale * u.rate(i))
		}
		low[i] = mean[i]
	}
}
