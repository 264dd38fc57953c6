package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// GLRKLUCBParams are the parameters of the policy `glr_kl_ucb`.
type GLRKLUCBParams struct {
	Delta       *float64 `param:"delta" above:"0" below:"1" doc:"Rate of false alarms of an arm's test. Not given: 1 / sqrt(T), T = horizon."`
	Restart     string   `param:"restart" default:"local" enum:"local,global" doc:"What an alarm forgets: the arm whose rate has changed, or all arms."`
	CheckEvery  int      `param:"check_every" default:"10" min:"1" unit:"outcomes" doc:"How often an arm is tested, in its own outcomes."`
	Exploration *float64 `param:"exploration" min:"0" max:"1" doc:"Share of sends that go through the arms in turn, without which a change of an arm that is not played is never seen. Not given: sqrt(changes ln(T / changes) / T)."`
	Changes     int      `param:"changes" default:"1" min:"1" doc:"Changes to expect within the horizon; sets exploration where it is not given."`
	RewardScale float64  `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; scaled rewards are cut to [0, 1]."`
}

// glrKLUCB is KL-UCB restarted by a generalised-likelihood-ratio test (Besson,
// Kaufmann, Maillard and Seznec, JMLR 23, 2022, algorithm 1; arXiv 1902.01575,
// 2019): an arm's index is the highest q with n kl(mean, q) <= ln(t - its last
// restart), and of every floor(K / exploration) sends the first K go through the
// arms in turn. The test costs at most 64 splits every check_every outcomes; see
// glr.
type glrKLUCB struct {
	arms
	delta  float64
	every  float64
	global bool
	period int       // of the turns; 0: none
	since  []float64 // sends before the arm's last restart
	tests  []float64 // glrSize an arm
	leader leader
}

func glrKLUCBFactory() agents.Factory {
	return &factory[GLRKLUCBParams]{
		name:   "glr_kl_ucb",
		doc:    "KL-UCB that forgets when a likelihood-ratio test sees a rate change, whose size need not be known. For rare jumps.",
		traits: explores[GLRKLUCBParams],
		build: func(p *GLRKLUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[glrKLUCB](reuse)
			u.shape("glr_kl_ucb", s, 1, glrSize*s.Action.N)
			u.since, u.tests, u.scale = u.extra(0), u.more(), p.RewardScale
			u.delta = given(p.Delta, 1/math.Sqrt(float64(max(s.Horizon, 2))))
			u.every, u.global, u.period = float64(p.CheckEvery), p.Restart == "global", 0
			if share := given(p.Exploration, lookAround(p.Changes, s.Horizon)); share > 0 {
				u.period = max(s.Action.N, int(min(float64(s.Action.N)/share, 1e9)))
			}
			u.leader.forget(u.k)
			for i := range s.Action.N {
				u.test(i).restart()
			}
			return u
		},
	}
}

func (u *glrKLUCB) test(i int) glr { return u.tests[i*glrSize:][:glrSize] }

// Act takes a turn where one is due and allowed, else plays an arm of which
// nothing is known, else the highest bound.
func (u *glrKLUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.greedy(in, a)
		return
	}
	if u.period > 0 {
		if turn := int(u.vec[0]) % u.period; turn < u.k && allowed(in, turn) {
			a.Index, a.Prob = turn, 1
			return
		}
	}
	if u.first(in, a) {
		return
	}
	budgets := u.budgets()
	if a.Index = u.leader.find(in, u.n, u.sum, budgets, bernoulli{&u.arms}); a.Index < 0 {
		a.Index = u.search(in, budgets)
	}
	a.Prob = 1
}

// budgets returns ln(t - an arm's last restart), arm by arm.
func (u *glrKLUCB) budgets() []float64 {
	last, budget := -1.0, 0.0
	for i, since := range u.since {
		if since != last { // most arms have restarted together, or never
			last, budget = since, fp.Log(max(u.round()-since, 2))
		}
		u.score[i] = budget
	}
	return u.score
}

// search returns the allowed arm with the highest bound for its budget.
func (u *glrKLUCB) search(in *envs.Step, budget []float64) int {
	at, bound := -1, 0.0
	for i, n := range u.n {
		if !allowed(in, i) {
			continue
		}
		m := u.share(i)
		if at >= 0 && m < bound && float64(n*divergence(m, bound)) >= budget[i] {
			continue
		}
		if q := klBound(m, budget[i]/n); at < 0 || q > bound {
			at, bound = i, q
		}
	}
	return at
}

// Beliefs are means and indices.
func (u *glrKLUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	for i, n := range u.n {
		budget := fp.Log(max(u.round()-u.since[i], 2))
		if u.score[i] = math.NaN(); n > 0 {
			u.score[i] = klBound(min(max(u.sum[i]/n, 0), 1), budget/n)
		}
	}
	u.toIndex(in, mean, low, high)
}

// Learn tests an arm at every so many of its outcomes.
func (u *glrKLUCB) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	u.send(a)
	for _, c := range u.outcomes(in, a, out) {
		i := int(c.Index)
		y := min(max(c.Reward/u.scale, 0), 1)
		u.n[i]++
		u.sum[i] += y
		test := u.test(i)
		test.add(y)
		if math.Mod(u.n[i], u.every) != 0 || !test.changed(u.delta) {
			continue
		}
		for j := range u.k {
			if j == i || u.global {
				u.test(j).restart()
				u.n[j], u.sum[j], u.since[j] = 0, 0, u.vec[0]
			}
		}
	}
}
