package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// Every policy has beliefs: those of an arms, or its own.
var _ = []agents.Beliefs{(*arms)(nil), (*segments)(nil)}

// Beliefs are the means of known outcomes, in units of reward; NaN for an arm of
// which nothing is known. There is no range. Policies that believe more say so.
func (b *arms) Beliefs(_ *envs.Step, mean, low, high []float64) {
	for i, n := range b.n {
		mean[i], low[i], high[i] = math.NaN(), math.NaN(), math.NaN()
		if n > 0 {
			mean[i] = float64(b.scale * (b.sum[i] / n))
		}
	}
}

// toIndex writes means, and as range what lies between a mean and the index of
// the arm, which is its score. An arm without outcomes, whose index is infinite
// or none, has no range.
func (b *arms) toIndex(in *envs.Step, mean, low, high []float64) {
	b.Beliefs(in, mean, low, high)
	for i, s := range b.score {
		low[i] = mean[i]
		if high[i] = math.NaN(); !math.IsInf(s, 0) {
			high[i] = float64(b.scale * s)
		}
	}
}

// believe writes mean and middle 90 % of each arm's posterior, in units of
// reward.
func (b *arms) believe(of func(i int) posterior, mean, low, high []float64) {
	for i := range mean {
		p := of(i)
		m, l, h := p.middle()
		mean[i], low[i], high[i] = float64(b.scale*m), float64(b.scale*l), float64(b.scale*h)
	}
}

// predictions writes the prediction of each arm for a context, in units of
// reward, and it less and plus so many standard deviations.
func (c *contextual) predictions(in *envs.Step, deviations float64, mean, low, high []float64) {
	c.features.fill(c.x, in.Obs)
	for i := range c.models {
		m, variance := c.models[i].predict(c.x, c.scratch)
		wide := float64(deviations * math.Sqrt(variance))
		mean[i], low[i], high[i] = float64(c.scale*m), float64(c.scale*(m-wide)), float64(c.scale*(m+wide))
	}
}
