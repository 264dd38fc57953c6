package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// LinUCBParams are the parameters of the policy `lin_ucb`.
type LinUCBParams struct {
	Alpha       float64       `param:"alpha" default:"1" min:"0" doc:"Exploration: how many posterior standard deviations are added to the predicted outcome."`
	Ridge       float64       `param:"ridge" default:"1" above:"0" doc:"Precision of the prior of each coefficient, in outcomes."`
	RewardScale float64       `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; the bonus is meant for rewards from 0 to 1."`
	Context     ContextParams `param:"context" doc:"What of the observation is used."`
}

// linUCB is LinUCB with disjoint linear models (Li, Chu, Langford and Schapire, A
// contextual-bandit approach to personalized news article recommendation, WWW
// 2010, algorithm 1): the arm with the highest x'theta + alpha sqrt(x'A^-1 x),
// theta = A^-1 sum x r.
type linUCB struct {
	contextual
	alpha float64
}

func linUCBFactory() agents.Factory {
	return &factory[LinUCBParams]{
		name:   "lin_ucb",
		doc:    "LinUCB: a linear regression of the outcome on the context for each arm, and its prediction plus alpha standard deviations as index.",
		traits: explores[LinUCBParams],
		fits:   func(p *LinUCBParams, s *envs.Spec) error { return p.Context.check("lin_ucb", s) },
		build: func(p *LinUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[linUCB](reuse)
			u.build("lin_ucb", &p.Context, p.Ridge, s)
			u.alpha, u.scale = p.Alpha, p.RewardScale
			return u
		},
	}
}

// Act plays the highest index.
func (u *linUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.bestPrediction(in, a)
		return
	}
	u.features.fill(u.x, in.Obs)
	for i := range u.models {
		mean, variance := u.models[i].predict(u.x, u.scratch)
		u.score[i] = mean + float64(u.alpha*math.Sqrt(variance))
	}
	u.highest(in, a)
}

// Beliefs are predictions and indices.
func (u *linUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.predictions(in, u.alpha, mean, low, high)
	copy(low, mean)
}
