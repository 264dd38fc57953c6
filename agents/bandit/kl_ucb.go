package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// KLUCBParams are the parameters of the policy `kl_ucb`.
type KLUCBParams struct {
	C           float64 `param:"c" default:"0" min:"0" doc:"The bonus allows ln t + c ln ln t of divergence. 3 is what the proof needs, 0 what does best."`
	RewardScale float64 `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; scaled rewards lie between 0 and 1."`
	Prior       Prior   `param:"prior" doc:"An earlier A/B test, counted as the first sends."`
}

// klUCB plays the highest q with n kl(m, q) <= ln t + c ln ln t, kl the
// divergence of Bernoulli distributions (Garivier and Cappe, The KL-UCB
// algorithm for bounded stochastic bandits and beyond, COLT 2011, algorithm 1).
// Its regret reaches the constant of Lai and Robbins 1985. Each arm is played
// once first.
type klUCB struct {
	arms
	c      float64
	leader leader
}

func klUCBFactory() agents.Factory {
	return &factory[KLUCBParams]{
		name:   "kl_ucb",
		doc:    "The highest upper confidence bound that fits conversions exactly. In the long run no policy that works everywhere does better.",
		traits: explores[KLUCBParams],
		fits:   func(p *KLUCBParams, s *envs.Spec) error { return p.Prior.fits(s) },
		build: func(p *KLUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[klUCB](reuse)
			u.shape("kl_ucb", s, 0, 0)
			u.earlier(&p.Prior)
			u.c, u.scale = p.C, p.RewardScale
			u.leader.forget(u.k)
			return u
		},
	}
}

// Act plays the highest bound.
func (u *klUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.greedy(in, a)
		return
	}
	if u.first(in, a) {
		return
	}
	budget := u.budget()
	if a.Index = u.leader.find(in, u.n, u.sum, u.all(budget), bernoulli{&u.arms}); a.Index < 0 {
		a.Index = u.search(in, budget)
	}
	a.Prob = 1
}

// budget returns ln t + c ln ln t.
func (u *klUCB) budget() float64 {
	budget := fp.Log(u.round())
	if u.c > 0 && budget > 1 {
		budget += float64(u.c * fp.Log(budget))
	}
	return budget
}

// search returns the arm with the highest bound. It begins with the arm whose
// bound is the highest by a rough formula (Bernstein's); that of another is only
// worked out where it is above the best so far, which one divergence tells.
func (u *klUCB) search(in *envs.Step, budget float64) int {
	for i, n := range u.n {
		m := u.share(i)
		u.score[i] = bernstein(m, budget/n)
	}
	at := argmax(in, u.score)
	mean := u.share(at)
	bound := klBound(mean, budget/u.n[at])
	for i, n := range u.n {
		m := u.share(i)
		switch {
		case i == at || !allowed(in, i):
			continue
		case m == mean && n == u.n[at]: // equal bounds, whatever rounding says of them
			at = min(at, i)
			continue
		case m < bound && float64(n*divergence(m, bound)) >= budget:
			continue
		}
		at, bound, mean = i, klBound(m, budget/n), m
	}
	return at
}

// all gives every arm the same budget.
func (b *arms) all(budget float64) []float64 {
	for i := range b.score {
		b.score[i] = budget
	}
	return b.score
}

// share returns the mean of arm i's outcomes, cut to [0, 1].
func (b *arms) share(i int) float64 { return min(max(b.sum[i]/b.n[i], 0), 1) }

// bernstein returns roughly the highest q with kl(m, q) <= d.
func bernstein(m, d float64) float64 {
	return m + math.Sqrt(float64(2*m)*float64((1-m)*d)) + d
}

// bernoulli is the index of KL-UCB: q costs n kl(m, q).
type bernoulli struct{ *arms }

func (b bernoulli) cost(i int, q float64) (cost, slope float64) {
	n, m := b.n[i], b.share(i)
	if q <= m {
		return 0, 0
	}
	return float64(n * divergence(m, q)), float64(n*(q-m)) / float64(q*(1-q))
}

func (b bernoulli) guess(i int, budget float64) float64 {
	m := b.share(i)
	return min(bernstein(m, budget/b.n[i]), (1+m)/2)
}

// divergence returns kl(m, q) for m in [0, 1] and q in (0, 1): between
// Bernoulli distributions, in nats.
func divergence(m, q float64) float64 {
	d := 0.0
	if m > 0 {
		d = float64(m * fp.Log(m/q))
	}
	if m < 1 {
		d += float64((1 - m) * fp.Log((1-m)/(1-q)))
	}
	return d
}

// klBound returns the highest q with kl(m, q) <= d, for d > 0. Newton's method
// begins above it and, kl being convex in q, never falls below, so that it ends
// where a step no longer matters: after 4 to 8.
func klBound(m, d float64) float64 {
	switch {
	case m >= 1:
		return 1
	case m <= 0:
		return 1 - fp.Exp64(-d)
	}
	// kl(m, q) >= 2 (q-m)^2, and kl(m, q) >= -h(m) - (1-m) ln(1-q).
	h := -float64(m*fp.Log(m)) - float64((1-m)*fp.Log(1-m))
	q := min(m+math.Sqrt(0.5*d), 1-fp.Exp64(-(d+h)/(1-m)))
	for range 32 {
		if q >= 1 { // the bound is 1 to all digits
			return 1
		}
		step := float64((divergence(m, q)-d)*float64(q*(1-q))) / (q - m)
		q -= step
		if step < 1e-9*q {
			break
		}
	}
	return q
}
