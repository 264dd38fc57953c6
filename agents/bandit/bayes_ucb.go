package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// BayesUCBParams are the parameters of the policy `bayes_ucb`.
type BayesUCBParams struct {
	C           float64   `param:"c" default:"0" min:"0" doc:"The bound is the quantile at 1 - 1 / (t (ln T)^c). 5 is what the proof needs, 0 what does best."`
	RewardScale float64   `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; scaled rewards lie between 0 and 1."`
	Prior       BetaPrior `param:"prior" doc:"What is believed before the first send."`
}

// BetaPrior is what a Bayesian believes of every arm before the first send:
// Beta(a, b), updated by what an earlier A/B test has shown.
type BetaPrior struct {
	A         float64   `param:"a" default:"1" min:"0.001" max:"1000000000" doc:"Conversions that every arm is thought to have had, in a Beta(a, b) distribution of its rate."`
	B         float64   `param:"b" default:"1" min:"0.001" max:"1000000000" doc:"Sends without conversion that every arm is thought to have had."`
	Successes []float64 `param:"successes" min:"0" doc:"Conversions of each arm in an earlier test. Not given: there was none."`
	Failures  []float64 `param:"failures" min:"0" doc:"Sends of each arm in that test that did not convert."`
}

// test returns the earlier test.
func (p *BetaPrior) test() *Prior { return &Prior{p.Successes, p.Failures} }

// bayesUCB plays the highest quantile, at 1 - 1 / (t (ln T)^c), of the arms'
// Beta posteriors (Kaufmann, Cappe and Garivier, On Bayesian upper confidence
// bounds for bandit problems, AISTATS 2012, algorithm 1). Each arm is played
// once first.
type bayesUCB struct {
	arms
	a, b, factor float64
	leader       leader
}

func bayesUCBFactory() agents.Factory {
	return &factory[BayesUCBParams]{
		name:   "bayes_ucb",
		doc:    "The highest quantile of what is believed of each arm: an upper confidence bound that takes a prior.",
		traits: explores[BayesUCBParams],
		fits:   func(p *BayesUCBParams, s *envs.Spec) error { return p.Prior.test().fits(s) },
		build: func(p *BayesUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[bayesUCB](reuse)
			u.shape("bayes_ucb", s, 0, 0)
			u.earlier(p.Prior.test())
			u.a, u.b, u.scale, u.factor = p.Prior.A, p.Prior.B, p.RewardScale, 1
			if log := fp.Log(float64(s.Horizon)); p.C > 0 && log > 1 {
				u.factor = fp.Pow(log, p.C)
			}
			u.leader.forget(u.k)
			return u
		},
	}
}

// posterior returns the parameters of arm i's Beta distribution.
func (b *arms) posterior(i int, priorA, priorB float64) (alpha, beta float64) {
	s := max(b.sum[i], 0)
	return priorA + s, priorB + max(b.n[i]-s, 0)
}

// Act plays the highest quantile.
func (u *bayesUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.greedy(in, a)
		return
	}
	if u.first(in, a) {
		return
	}
	p := u.tail()
	if a.Index = u.leader.find(in, u.n, u.sum, u.all(-fp.Log(p)), quantiles{u}); a.Index < 0 {
		a.Index = u.search(in, p)
	}
	a.Prob = 1
}

// tail returns 1 / (t (ln T)^c).
func (u *bayesUCB) tail() float64 { return 1 / float64(u.round()*u.factor) }

// search returns the arm with the highest quantile, above which it lies with
// probability p. It begins with the arm whose quantile is the highest by a rough
// formula; that of another is only worked out where it is above the highest so
// far, which one tail tells.
func (u *bayesUCB) search(in *envs.Step, p float64) int {
	for i := range u.n {
		alpha, beta := u.posterior(i, u.a, u.b)
		u.score[i] = betaRough(alpha, beta, p)
	}
	at := argmax(in, u.score)
	alpha0, beta0 := u.posterior(at, u.a, u.b)
	bound := betaUpper(alpha0, beta0, p, logBeta(alpha0, beta0))
	for i := range u.n {
		if i == at || !allowed(in, i) {
			continue
		}
		alpha, beta := u.posterior(i, u.a, u.b)
		if alpha == alpha0 && beta == beta0 {
			at = min(at, i) // equal quantiles, whatever rounding says of them
			continue
		}
		logB := logBeta(alpha, beta)
		if _, above := betaTails(alpha, beta, bound, logB); above > p {
			at, bound, alpha0, beta0 = i, betaUpper(alpha, beta, p, logB), alpha, beta
		}
	}
	return at
}

// quantiles are the indices of Bayes-UCB: q costs -ln P(rate > q), which is
// convex where the density is log-concave.
type quantiles struct{ *bayesUCB }

func (u quantiles) cost(i int, q float64) (cost, slope float64) {
	alpha, beta := u.posterior(i, u.a, u.b)
	if alpha < 1 || beta < 1 {
		return math.NaN(), 0
	}
	above, density := betaAbove(alpha, beta, q, logBeta(alpha, beta))
	if above < 1e-290 {
		return math.NaN(), 0
	}
	return -fp.Log(above), density / above
}

func (u quantiles) guess(i int, budget float64) float64 {
	alpha, beta := u.posterior(i, u.a, u.b)
	return betaRough(alpha, beta, fp.Exp64(-budget))
}
