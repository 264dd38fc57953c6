package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// ThompsonParams are the parameters of the policy `thompson`.
type ThompsonParams struct {
	Form        string        `param:"form" default:"beta" enum:"beta,gaussian" doc:"What is believed of an arm: beta for conversions, gaussian for any reward, such as revenue."`
	Prior       ThompsonPrior `param:"prior" doc:"What is believed before the first send."`
	Noise       float64       `param:"noise" default:"1" above:"0" unit:"scaled reward" doc:"Standard deviation of one outcome, in the gaussian form."`
	RewardScale float64       `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; in the beta form scaled rewards lie between 0 and 1."`
	TopTwo      bool          `param:"top_two" default:"false" doc:"Play the runner-up as often as leader says, to find the best arm surely rather than to earn while looking."`
	Leader      float64       `param:"leader" default:"0.5" above:"0" max:"1" doc:"With top_two: the probability of the arm that leads."`
}

// ThompsonPrior is a prior of either form.
type ThompsonPrior struct {
	A         float64   `param:"a" default:"1" min:"0.001" max:"1000000000" doc:"Beta form: conversions that every arm is thought to have had, in a Beta(a, b) distribution of its rate."`
	B         float64   `param:"b" default:"1" min:"0.001" max:"1000000000" doc:"Beta form: sends without conversion that every arm is thought to have had."`
	Mean      float64   `param:"mean" default:"0" unit:"scaled reward" doc:"Gaussian form: expected reward of every arm."`
	SD        float64   `param:"sd" default:"1" above:"0" unit:"scaled reward" doc:"Gaussian form: standard deviation of that expectation."`
	Successes []float64 `param:"successes" min:"0" doc:"Conversions of each arm in an earlier test. Not given: there was none."`
	Failures  []float64 `param:"failures" min:"0" doc:"Sends of each arm in that test that did not convert."`
}

func (p *ThompsonPrior) test() *Prior { return &Prior{p.Successes, p.Failures} }

// thompson draws a rate for each arm from its posterior and plays the highest
// (Thompson, Biometrika 25, 1933; Chapelle and Li, An empirical evaluation of
// Thompson sampling, NeurIPS 2011). The gaussian form with its defaults is
// N(sum / (n+1), 1 / (n+1)) of Agrawal and Goyal, Further optimal regret bounds
// for Thompson sampling, AISTATS 2013, section 2. Top-two is algorithm 3 of
// Russo, Simple Bayesian algorithms for best arm identification, COLT 2016.
//
// It draws in every mode. Propensities have no closed form; see contest.
type thompson struct {
	arms
	params *ThompsonParams
}

func thompsonFactory() agents.Factory {
	return &factory[ThompsonParams]{
		name:   "thompson",
		doc:    "A draw of each arm's rate from what is believed of it; the highest is played, so an arm is played as often as it is thought to be the best. The usual choice: strong, nothing to tune, at ease with batches and delay.",
		traits: random[ThompsonParams],
		fits:   func(p *ThompsonParams, s *envs.Spec) error { return p.Prior.test().fits(s) },
		build: func(p *ThompsonParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			h := recycle[thompson](reuse)
			h.shape("thompson", s, 0, 0)
			h.earlier(p.Prior.test())
			h.params, h.scale = p, p.RewardScale
			return h
		},
	}
}

// Act plays the highest draw; top-two often plays the highest of a later draw
// that differs.
func (h *thompson) Act(in *envs.Step, a *envs.Action) {
	d := drawsAt(&h.key, in)
	h.draw(&d)
	leader := argmax(in, h.score)
	a.Index, a.Prob = leader, 0
	if !h.params.TopTwo || d.Float64() < h.params.Leader || count(in, h.k) < 2 {
		return
	}
	// A sure posterior hardly ever draws another arm, so after a while the
	// runner-up of the last draw has to do.
	for range 100 {
		h.draw(&d)
		if a.Index = argmax(in, h.score); a.Index != leader {
			return
		}
	}
	h.score[leader] = math.Inf(-1)
	a.Index = argmax(in, h.score)
}

// draw draws a rate for each arm.
func (h *thompson) draw(d *draws) {
	p := h.params
	if p.Form == "beta" {
		for i := range h.score {
			h.score[i] = d.beta(h.posterior(i, p.Prior.A, p.Prior.B))
		}
		return
	}
	for i := range h.score {
		mean, sd := h.normal(i)
		x, _ := d.Normals()
		h.score[i] = mean + float64(sd*x)
	}
}

// belief returns what is believed of arm i's scaled rate.
func (h *thompson) belief(i int) posterior {
	if h.params.Form == "beta" {
		return betaPosterior(h.posterior(i, h.params.Prior.A, h.params.Prior.B))
	}
	return normalPosterior(h.normal(i))
}

// Propensities are the chances that an arm's draw is the highest, and with
// top-two those of the leader and the runner-up.
func (h *thompson) Propensities(in *envs.Step, into []float64) {
	c := newContest(in, h.k, h.belief)
	c.best(-1, into)
	if h.params.TopTwo && count(in, h.k) > 1 {
		c.topTwo(h.params.Leader, into)
	}
}

// Beliefs are the posteriors of the rates.
func (h *thompson) Beliefs(_ *envs.Step, mean, low, high []float64) {
	h.believe(h.belief, mean, low, high)
}

// normal returns the mean and the standard deviation of what is believed of arm
// i in the gaussian form.
func (h *thompson) normal(i int) (mean, sd float64) {
	p := h.params
	prior, each := 1/float64(p.Prior.SD*p.Prior.SD), 1/float64(p.Noise*p.Noise)
	precision := prior + float64(each*h.n[i])
	mean = (float64(prior*p.Prior.Mean) + float64(each*h.sum[i])) / precision
	return mean, math.Sqrt(1 / precision)
}
