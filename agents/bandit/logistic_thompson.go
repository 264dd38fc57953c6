package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// LogisticThompsonParams are the parameters of the policy `logistic_thompson`.
type LogisticThompsonParams struct {
	Scale   float64       `param:"scale" default:"1" min:"0" doc:"Factor on the posterior's standard deviation; 1 samples from the posterior itself."`
	Ridge   float64       `param:"ridge" default:"1" above:"0" doc:"Precision of the prior of each coefficient: they are log odds, with mean 0."`
	Context ContextParams `param:"context" doc:"What of the observation is used."`
}

// logisticThompson is Thompson sampling with logistic regression (Chapelle and
// Li, An empirical evaluation of Thompson sampling, NIPS 2011, algorithm 3) with
// a full covariance in place of their diagonal one, learned outcome by outcome:
// each is one Newton step from the mean m so far, with p = sigmoid(x'm),
//
//	A += p (1-p) x x',  m += A^-1 x (y - p),
//
// the Laplace approximation about a moving mean (online Newton; an extended
// Kalman filter without drift). On the regression this is a row sqrt(p(1-p)) x
// with the working response of iterated least squares. Rewards above 0 are
// conversions.
type logisticThompson struct {
	contextual
	v float64
}

func logisticThompsonFactory() agents.Factory {
	return &factory[LogisticThompsonParams]{
		name:   "logistic_thompson",
		doc:    "Thompson sampling with a Bayesian logistic regression of conversion on the context for each arm. It learns whether there was a reward, not how much.",
		traits: random[LogisticThompsonParams],
		fits:   func(p *LogisticThompsonParams, s *envs.Spec) error { return p.Context.check("logistic_thompson", s) },
		build: func(p *LogisticThompsonParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[logisticThompson](reuse)
			u.build("logistic_thompson", &p.Context, p.Ridge, s)
			u.v = p.Scale
			return u
		},
	}
}

// Act draws in every mode. The log odds decide: the sigmoid keeps their order.
func (u *logisticThompson) Act(in *envs.Step, a *envs.Action) { u.draw(in, a, u.v) }

// Propensities are the chances that an arm's draw is the highest.
func (u *logisticThompson) Propensities(in *envs.Step, into []float64) { u.chances(in, u.v, into) }

// Beliefs are probabilities of conversion: the median of what is drawn, and its
// middle 90 %.
func (u *logisticThompson) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.predictions(in, float64(normal95*u.v), mean, low, high)
	for i := range mean {
		mean[i], low[i], high[i] = fp.Sigmoid(mean[i]), fp.Sigmoid(low[i]), fp.Sigmoid(high[i])
	}
}

// Learn makes one Newton step for each outcome.
func (u *logisticThompson) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	u.remember(in, a)
	for _, o := range u.outcomes(in, a, out) {
		y := 0.0
		if o.Reward > 0 {
			y = 1
		}
		u.n[o.Index]++
		u.sum[o.Index] += y
		u.newton(&u.models[o.Index], u.context(o), y)
	}
}

// newton writes over u.x, which only Act needs.
func (u *logisticThompson) newton(r *regression, x []float64, y float64) {
	odds, _ := r.predict(x, u.scratch)
	p := fp.Sigmoid(max(-15, min(odds, 15))) // beyond, p(1-p) would be lost in rounding
	g := math.Sqrt(float64(p * (1 - p)))
	for i, v := range x {
		u.x[i] = float64(g * v)
	}
	r.observe(u.x, float64(g*odds)+(y-p)/g, u.scratch)
}
