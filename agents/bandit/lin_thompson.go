package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// LinThompsonParams are the parameters of the policy `lin_thompson`.
type LinThompsonParams struct {
	Scale       float64       `param:"scale" default:"0.5" min:"0" doc:"Standard deviation of an outcome about its prediction, which scales the posterior; 0.5 is the most that one between 0 and 1 can have."`
	Ridge       float64       `param:"ridge" default:"1" above:"0" doc:"Precision of the prior of each coefficient, in outcomes."`
	RewardScale float64       `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it."`
	Context     ContextParams `param:"context" doc:"What of the observation is used."`
}

// linThompson is Thompson sampling with linear payoffs (Agrawal and Goyal, ICML
// 2013, algorithm 1; v is scale): coefficients are drawn from
// Normal(theta, v^2 A^-1) and the arm with the highest prediction is played.
// Each arm has coefficients of its own, so its prediction is drawn at once, from
// Normal(x'theta, v^2 x'A^-1 x): the same distribution, one normal an arm.
type linThompson struct {
	contextual
	v float64
}

func linThompsonFactory() agents.Factory {
	return &factory[LinThompsonParams]{
		name:   "lin_thompson",
		doc:    "Thompson sampling with a Bayesian linear regression of the outcome on the context for each arm.",
		traits: random[LinThompsonParams],
		fits:   func(p *LinThompsonParams, s *envs.Spec) error { return p.Context.check("lin_thompson", s) },
		build: func(p *LinThompsonParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[linThompson](reuse)
			u.build("lin_thompson", &p.Context, p.Ridge, s)
			u.v, u.scale = p.Scale, p.RewardScale
			return u
		},
	}
}

// Act draws in every mode.
func (u *linThompson) Act(in *envs.Step, a *envs.Action) { u.draw(in, a, u.v) }

// Propensities are the chances that an arm's draw is the highest.
func (u *linThompson) Propensities(in *envs.Step, into []float64) { u.chances(in, u.v, into) }

// Beliefs are predictions and the middle 90 % of what is drawn.
func (u *linThompson) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.predictions(in, float64(normal95*u.v), mean, low, high)
}

// draw plays the arm whose prediction, drawn from its posterior of standard
// deviation v sqrt(x'A^-1 x), is the highest. Normals are drawn in pairs, for
// every arm whether it is allowed or not.
func (c *contextual) draw(in *envs.Step, a *envs.Action, v float64) {
	c.features.fill(c.x, in.Obs)
	d := drawsAt(&c.key, in)
	var z, spare float64
	for i := range c.models {
		if z = spare; i%2 == 0 {
			z, spare = d.Normals()
		}
		mean, variance := c.models[i].predict(c.x, c.scratch)
		c.score[i] = mean + float64(float64(v*math.Sqrt(variance))*z)
	}
	c.highest(in, a)
	a.Prob = 0
}

// chances writes how likely each arm is to have the highest draw; see contest.
func (c *contextual) chances(in *envs.Step, v float64, into []float64) {
	c.features.fill(c.x, in.Obs)
	newContest(in, c.k, func(i int) posterior {
		mean, variance := c.models[i].predict(c.x, c.scratch)
		return normalPosterior(mean, float64(v*math.Sqrt(variance)))
	}).best(-1, into)
}
