package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// EpsilonGreedyRegressionParams are the parameters of the policy
// `epsilon_greedy_regression`.
type EpsilonGreedyRegressionParams struct {
	Epsilon     float64       `param:"epsilon" default:"0.1" min:"0" max:"1" doc:"Share of sends to an arm at random."`
	Ridge       float64       `param:"ridge" default:"1" above:"0" doc:"Precision of the prior of each coefficient, in outcomes."`
	RewardScale float64       `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it."`
	Context     ContextParams `param:"context" doc:"What of the observation is used."`
}

// epsilonGreedyRegression plays the arm of the highest prediction of a ridge
// regression for each arm, and with probability epsilon an arm at random
// (Langford and Zhang, The epoch-greedy algorithm, NIPS 2007, with a fixed
// epsilon; Bietti, Agarwal and Langford, A contextual bandit bake-off, JMLR 22,
// 2021).
type epsilonGreedyRegression struct {
	contextual
	closed
	epsilon float64
}

func epsilonGreedyRegressionFactory() agents.Factory {
	return &factory[EpsilonGreedyRegressionParams]{
		name:   "epsilon_greedy_regression",
		doc:    "Epsilon-greedy on a linear regression of the outcome on the context for each arm. Its propensities are exact, so its logs can be used again.",
		traits: explores[EpsilonGreedyRegressionParams],
		fits: func(p *EpsilonGreedyRegressionParams, s *envs.Spec) error {
			return p.Context.check("epsilon_greedy_regression", s)
		},
		build: func(p *EpsilonGreedyRegressionParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[epsilonGreedyRegression](reuse)
			u.build("epsilon_greedy_regression", &p.Context, p.Ridge, s)
			u.epsilon, u.scale = p.Epsilon, p.RewardScale
			return u
		},
	}
}

// Act plays the highest prediction, but for the share at random.
func (u *epsilonGreedyRegression) Act(in *envs.Step, a *envs.Action) {
	u.bestPrediction(in, a)
	if u.mode != agents.Greedy {
		d := drawsAt(&u.key, in)
		d.mostly(in, a.Index, u.epsilon, u.k, a)
	}
}

// Propensities are epsilon spread over the arms, and the rest on the highest
// prediction.
func (u *epsilonGreedyRegression) Propensities(in *envs.Step, into []float64) {
	var a envs.Action
	u.bestPrediction(in, &a)
	epsilon := u.epsilon
	if u.mode == agents.Greedy {
		epsilon = 0
	}
	spread(in, a.Index, epsilon, into)
}

// Beliefs are the predictions. There is no range: the policy does not ask how
// sure they are.
func (u *epsilonGreedyRegression) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.predictions(in, 0, mean, low, high)
	for i := range low {
		low[i], high[i] = math.NaN(), math.NaN()
	}
}
