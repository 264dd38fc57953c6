package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// UniformParams are the parameters of the policy `uniform`: none.
type UniformParams struct{}

// uniform is the classical A/B test: every allowed arm is equally likely,
// whatever was seen. Its expected regret is T times the mean gap, exactly.
type uniform struct {
	arms
	closed
}

func uniformFactory() agents.Factory {
	return &factory[UniformParams]{
		name:   "uniform",
		doc:    "The A/B test: each send goes to an arm at random, all equally likely, to the end. What every bandit has to beat.",
		traits: func(*UniformParams) agents.Traits { return agents.Traits{} },
		build: func(_ *UniformParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[uniform](reuse)
			u.shape("uniform", s, 0, 0)
			return u
		},
	}
}

// Act draws in every mode.
func (u *uniform) Act(in *envs.Step, a *envs.Action) {
	d := drawsAt(&u.key, in)
	n := count(in, u.k)
	a.Index = nth(in, u.k, d.IntN(n))
	a.Prob = 1 / float64(n)
}

// Propensities are equal.
func (u *uniform) Propensities(in *envs.Step, into []float64) { spread(in, lowest(in, u.k), 1, into) }
