package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// CUSUMUCBParams are the parameters of the policy `cusum_ucb`.
type CUSUMUCBParams struct {
	Samples     int      `param:"samples" default:"100" min:"1" doc:"Outcomes of an arm whose mean the later ones are compared with."`
	Drift       float64  `param:"drift" default:"0.05" above:"0" max:"1" doc:"Changes of a rate below it are not looked for; half of the smallest that matters is usual."`
	Threshold   *float64 `param:"threshold" above:"0" doc:"Height of the walk that is a change. Not given: ln(T / changes) / (8 drift), T = horizon, at which about one false alarm is expected where outcomes vary most."`
	Exploration *float64 `param:"exploration" min:"0" max:"1" doc:"Share of sends to an arm at random, without which a change of an arm that is not played is never seen. Not given: sqrt(changes ln(T / changes) / T)."`
	Changes     int      `param:"changes" default:"1" min:"1" doc:"Changes to expect within the horizon; sets threshold and exploration where they are not given."`
	Xi          float64  `param:"xi" default:"1" min:"0" doc:"The bonus is sqrt(xi ln t / n), both counted since the last restarts; 2 is UCB1."`
	RewardScale float64  `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; the bonus is meant for rewards from 0 to 1."`
}

// cusumUCB is UCB with a CUSUM detector for each arm, which forgets the arm when
// its rate has changed (Liu, Lee and Shroff, A change-detection based framework
// for piecewise-stationary multi-armed bandit problem, AAAI 2018, CUSUM-UCB).
// The detector's outcomes begin anew with the arm's.
type cusumUCB struct {
	arms
	closed
	samples, drift, threshold, explore, xi float64
	detectors                              []float64 // cusumSize an arm
}

func cusumUCBFactory() agents.Factory {
	return &factory[CUSUMUCBParams]{
		name:   "cusum_ucb",
		doc:    "UCB that forgets an arm when a CUSUM test sees its rate change. For rare jumps: between them it converges as UCB does, but for the share of sends at random.",
		traits: explores[CUSUMUCBParams],
		build: func(p *CUSUMUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[cusumUCB](reuse)
			u.shape("cusum_ucb", s, 0, cusumSize*s.Action.N)
			u.detectors, u.scale = u.more(), p.RewardScale
			u.samples, u.drift, u.xi = float64(p.Samples), p.Drift, p.Xi
			u.threshold = given(p.Threshold, lnPerChange(p.Changes, s.Horizon)/float64(8*p.Drift))
			u.explore = given(p.Exploration, lookAround(p.Changes, s.Horizon))
			return u
		},
	}
}

// given is a parameter, or what stands for it where it is not given.
func given(p *float64, otherwise float64) float64 {
	if p != nil {
		return *p
	}
	return otherwise
}

// lnPerChange is ln(T / changes), at least 1.
func lnPerChange(changes, horizon int) float64 {
	return max(1, fp.Log(float64(max(horizon, 1))/float64(changes)))
}

// lookAround is the share of sends that look for changes, of the order of
// sqrt(changes ln(T / changes) / T) in both Liu et al. and Besson et al.
func lookAround(changes, horizon int) float64 {
	return min(1, math.Sqrt(float64(float64(changes)*lnPerChange(changes, horizon))/float64(max(horizon, 1))))
}

// Act plays an arm at random at the rate of exploration, else an arm of which
// nothing is known, else the highest index.
func (u *cusumUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.greedy(in, a)
		return
	}
	u.lead(in, a)
	d := drawsAt(&u.key, in)
	d.mostly(in, a.Index, u.explore, u.k, a)
}

// lead plays what is played but for the share at random.
func (u *cusumUCB) lead(in *envs.Step, a *envs.Action) {
	if !u.first(in, a) {
		u.indices()
		u.highest(in, a)
	}
}

// indices writes the index of each arm.
func (u *cusumUCB) indices() {
	total := 0.0
	for _, n := range u.n {
		total += n
	}
	bonus := float64(u.xi * fp.Log(total))
	for i, n := range u.n {
		u.score[i] = u.sum[i]/n + math.Sqrt(bonus/n)
	}
}

// Propensities are the exploration spread over the arms, and the rest on the
// one that leads.
func (u *cusumUCB) Propensities(in *envs.Step, into []float64) {
	if u.mode == agents.Greedy {
		sure(u.bestMean(in), into)
		return
	}
	var a envs.Action
	u.lead(in, &a)
	spread(in, a.Index, u.explore, into)
}

// Beliefs are means and indices.
func (u *cusumUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.indices()
	u.toIndex(in, mean, low, high)
}

// Learn forgets an arm at an alarm.
func (u *cusumUCB) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	u.send(a)
	for _, c := range u.outcomes(in, a, out) {
		y := c.Reward / u.scale
		u.n[c.Index]++
		u.sum[c.Index] += y
		d := cusum(u.detectors[int(c.Index)*cusumSize:][:cusumSize])
		if d.observe(y, u.samples, u.drift, u.threshold) {
			d.restart()
			u.n[c.Index], u.sum[c.Index] = 0, 0
		}
	}
}
