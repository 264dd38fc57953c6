package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// EXP3Params are the parameters of the policy `exp3`.
type EXP3Params struct {
	Eta         *float64 `param:"eta" above:"0" doc:"Learning rate. Not given: sqrt(2 ln K / (T K))."`
	RewardScale float64  `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; its guarantee needs scaled rewards from 0 to 1."`
}

// exp3 draws an arm in proportion to exp(-eta L), L the arm's estimated loss:
// the sum of (1 - reward) / (probability + gamma) over its outcomes (Auer,
// Cesa-Bianchi, Freund and Schapire 2002; here Lattimore and Szepesvari 2020,
// algorithm 9 with equation 11.6, gamma 0: regret at most sqrt(2 T K ln K),
// theorem 11.2). Exp3-IX is its form with gamma above 0.
//
// The probability is the one that the send had (Action.Prob, so that of a
// guarded policy where there is a guard), remembered until its outcome is known.
// It draws in every mode: its promise is that of its draws.
type exp3 struct {
	arms
	closed
	eta, gamma float64
	losses     []float64
	probs      []float64 // of the sends of this episode, by step
}

func exp3Factory() agents.Factory {
	return &factory[EXP3Params]{
		name:   "exp3",
		doc:    "Exponential weights of estimated losses. It promises something even where outcomes are chosen by an adversary, and pays for that where they are not.",
		traits: random[EXP3Params],
		build: func(p *EXP3Params, s *envs.Spec, reuse agents.Agent) agents.Agent {
			k := float64(s.Action.N)
			eta := math.Sqrt(float64(2*fp.Log(k)) / float64(max(s.Horizon, 1)*s.Action.N))
			if p.Eta != nil {
				eta = *p.Eta
			}
			return newEXP3("exp3", eta, 0, p.RewardScale, s, reuse)
		},
	}
}

func newEXP3(name string, eta, gamma, scale float64, s *envs.Spec, reuse agents.Agent) *exp3 {
	e := recycle[exp3](reuse)
	steps := max(s.Horizon, 1)
	e.shape(name, s, 1, steps)
	e.eta, e.gamma, e.scale, e.losses, e.probs = eta, gamma, scale, e.extra(0), e.more()
	return e
}

// Act draws.
func (e *exp3) Act(in *envs.Step, a *envs.Action) {
	e.weigh(in)
	d := drawsAt(&e.key, in)
	d.choose(in, e.score, a)
}

// weigh writes the weights of the draw.
func (e *exp3) weigh(in *envs.Step) {
	for i, l := range e.losses {
		e.score[i] = -float64(e.eta * l)
	}
	boltzmann(in, e.score)
}

// Propensities are the exponential weights of the losses, in every mode.
func (e *exp3) Propensities(in *envs.Step, into []float64) {
	e.weigh(in)
	shares(e.score, into)
}

// Beliefs are the estimates that it plays by: 1 less the estimated loss an
// outcome, in units of reward. They are without bias where every arm may be
// played (but for gamma) and spread far where an arm is hardly ever played, also
// beyond any reward. There is no range.
func (e *exp3) Beliefs(_ *envs.Step, mean, low, high []float64) {
	known := 0.0
	for _, n := range e.n {
		known += n
	}
	for i, l := range e.losses {
		mean[i], low[i], high[i] = math.NaN(), math.NaN(), math.NaN()
		if known > 0 {
			mean[i] = float64(e.scale * (1 - l/known))
		}
	}
}

// Learn adds the estimated losses of what has become known.
func (e *exp3) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	e.send(a)
	e.probs[in.T] = a.Prob
	for _, c := range e.outcomes(in, a, out) {
		r := c.Reward / e.scale
		e.n[c.Index]++
		e.sum[c.Index] += r
		e.losses[c.Index] += (1 - r) / (e.probs[c.Step] + e.gamma)
	}
}
