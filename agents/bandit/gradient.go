package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// GradientParams are the parameters of the policy `gradient`.
type GradientParams struct {
	StepSize    float64 `param:"step_size" default:"0.1" above:"0" doc:"How far one outcome moves the preferences."`
	Baseline    bool    `param:"baseline" default:"true" doc:"Compare rewards with their mean so far; false: with 0."`
	RewardScale float64 `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it."`
}

// gradient is the gradient bandit (Sutton and Barto 2018, section 2.8,
// equations 2.11 and 2.12): probabilities are the softmax of preferences, which
// go up the gradient of the expected reward. The baseline is the mean of the
// outcomes before. Under delay the probabilities in the update are those of the
// moment at which the outcome is known.
type gradient struct {
	arms
	closed
	params      *GradientParams
	preferences []float64
}

func gradientFactory() agents.Factory {
	return &factory[GradientParams]{
		name:   "gradient",
		doc:    "Preferences that follow the gradient of the reward, as a policy gradient does without a state. Relative, so the level of rewards does not matter; sensitive to its step size.",
		traits: explores[GradientParams],
		build: func(p *GradientParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			g := recycle[gradient](reuse)
			g.shape("gradient", s, 1, 2)
			g.params, g.preferences, g.scale = p, g.extra(0), p.RewardScale
			return g
		},
	}
}

// Act draws from the softmax; Greedy plays the highest preference.
func (g *gradient) Act(in *envs.Step, a *envs.Action) {
	copy(g.score, g.preferences)
	if g.mode == agents.Greedy {
		g.highest(in, a)
		return
	}
	boltzmann(in, g.score)
	d := drawsAt(&g.key, in)
	d.choose(in, g.score, a)
}

// Propensities are the softmax of the preferences.
func (g *gradient) Propensities(in *envs.Step, into []float64) {
	if g.mode == agents.Greedy {
		sure(argmax(in, g.preferences), into)
		return
	}
	copy(g.score, g.preferences)
	boltzmann(in, g.score)
	shares(g.score, into)
}

// Learn moves the preferences.
func (g *gradient) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	g.send(a)
	known := g.more() // outcomes and their sum
	for _, c := range g.outcomes(in, a, out) {
		r := c.Reward / g.scale
		g.n[c.Index]++
		g.sum[c.Index] += r
		ahead := r
		if g.params.Baseline && known[0] > 0 {
			ahead -= known[1] / known[0]
		} else if g.params.Baseline {
			ahead = 0 // nothing to compare the first outcome with
		}
		known[0]++
		known[1] += r
		copy(g.score, g.preferences)
		boltzmann(in, g.score)
		total := 0.0
		for _, w := range g.score {
			total += w
		}
		step := float64(g.params.StepSize * ahead)
		for i, w := range g.score {
			g.preferences[i] -= float64(step * (w / total))
		}
		g.preferences[c.Index] += step
	}
}
