package bandit

import (
	"math"

	"overnight/envs"
)

// Beliefs are means and indices.
func (u *klUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	budget := u.budget()
	for i, n := range u.n {
		if u.score[i] = math.NaN(); n > 0 {
			u.score[i] = klBound(u.share(i), budget/n)
		}
	}
	u.toIndex(in, mean, low, high)
}

// Beliefs are the means of the posteriors and indices. Of an arm without
// outcomes, which is played at once, there is the prior's mean alone.
func (u *bayesUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	p := 1 / float64(u.round()*u.factor)
	for i, n := range u.n {
		alpha, beta := u.posterior(i, u.a, u.b)
		if u.score[i] = math.NaN(); n > 0 && p < 1 {
			u.score[i] = betaUpper(alpha, beta, p, logBeta(alpha, beta))
		}
	}
	u.toIndex(in, mean, low, high)
	for i := range mean {
		alpha, beta := u.posterior(i, u.a, u.b)
		mean[i] = float64(u.scale * (alpha / (alpha + beta)))
		low[i] = mean[i]
	}
}
