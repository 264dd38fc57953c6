package bandit

import (
	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// SoftmaxParams are the parameters of the policy `softmax`.
type SoftmaxParams struct {
	Temperature float64 `param:"temperature" default:"0.02" above:"0" unit:"reward" doc:"How large a difference of means matters: arms that differ by it differ by a factor e in probability. Conversion rates differ by hundredths."`
	Prior       Prior   `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// softmax draws an arm in proportion to exp(m / temperature): Boltzmann
// exploration (Sutton, Integrated architectures for learning, planning, and
// reacting, ICML 1990; Cesa-Bianchi, Gentile, Lugosi and Neu, Boltzmann
// exploration done right, 2017, equation 1). The draw is by inversion, one
// number a send; Gumbel-max would take K. Each arm is played once first.
type softmax struct {
	arms
	closed
	temperature float64
}

func softmaxFactory() agents.Factory {
	return &factory[SoftmaxParams]{
		name:   "softmax",
		doc:    "An arm at random, better means more often. It never asks how sure it is of a mean, so no temperature is right early and late.",
		traits: explores[SoftmaxParams],
		fits:   func(p *SoftmaxParams, s *envs.Spec) error { return p.Prior.fits(s) },
		build: func(p *SoftmaxParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			f := recycle[softmax](reuse)
			f.shape("softmax", s, 0, 0)
			f.earlier(&p.Prior)
			f.temperature = p.Temperature
			return f
		},
	}
}

// Act draws.
func (f *softmax) Act(in *envs.Step, a *envs.Action) {
	if f.mode == agents.Greedy {
		f.greedy(in, a)
		return
	}
	if f.first(in, a) {
		return
	}
	f.weigh(in)
	d := drawsAt(&f.key, in)
	d.choose(in, f.score, a)
}

// weigh writes the weights of the draw.
func (f *softmax) weigh(in *envs.Step) {
	for i, n := range f.n {
		f.score[i] = f.sum[i] / n / f.temperature
	}
	boltzmann(in, f.score)
}

// Propensities are the softmax of the means.
func (f *softmax) Propensities(in *envs.Step, into []float64) {
	var a envs.Action
	switch {
	case f.mode == agents.Greedy:
		sure(f.bestMean(in), into)
	case f.first(in, &a):
		sure(a.Index, into)
	default:
		f.weigh(in)
		shares(f.score, into)
	}
}

// boltzmann replaces scores by weights: exp(score - highest) of the arms that
// are allowed, 0 of the others.
func boltzmann(in *envs.Step, score []float64) {
	top := score[argmax(in, score)]
	for i, s := range score {
		score[i] = 0
		if allowed(in, i) {
			score[i] = fp.Exp64(s - top)
		}
	}
}
