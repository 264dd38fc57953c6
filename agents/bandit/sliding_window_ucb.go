package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// SlidingWindowUCBParams are the parameters of the policy `sliding_window_ucb`.
type SlidingWindowUCBParams struct {
	Window      *int    `param:"window" min:"1" max:"1000000" doc:"Outcomes that are remembered. Not given: 2 sqrt(T ln T / changes), at least two for each arm, at most T = horizon."`
	Changes     int     `param:"changes" default:"1" min:"1" doc:"Changes to expect within the horizon; sets the window where it is not given."`
	Xi          float64 `param:"xi" default:"0.6" min:"0" doc:"Exploration: the bonus is sqrt(xi ln(min(t, window)) / n). The regret bound needs more than 0.5."`
	RewardScale float64 `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; the bonus is meant for rewards from 0 to 1."`
}

// slidingWindowUCB is UCB1 on the last outcomes alone (Garivier and Moulines, On
// upper-confidence bound policies for switching bandit problems, ALT 2011,
// SW-UCB). The window counts outcomes in the order in which they become known;
// without delay these are the last sends, as in the paper. An arm that the window
// has lost is played again.
type slidingWindowUCB struct {
	arms
	window int
	xi     float64
	// next is where the ring of the last outcomes (arm + 1, reward) goes on.
	next *float64
	ring []float64
}

func slidingWindowUCBFactory() agents.Factory {
	return &factory[SlidingWindowUCBParams]{
		name:   "sliding_window_ucb",
		doc:    "UCB1 that remembers only the last outcomes. For rates that jump: it forgets within a window, whatever the change, and pays for that by exploring for ever.",
		traits: explores[SlidingWindowUCBParams],
		build: func(p *SlidingWindowUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[slidingWindowUCB](reuse)
			u.window, u.xi = p.window(s), p.Xi
			u.shape("sliding_window_ucb", s, 0, 1+2*u.window)
			u.scale = p.RewardScale
			u.next, u.ring = &u.more()[0], u.more()[1:]
			return u
		},
	}
}

func (p *SlidingWindowUCBParams) window(s *envs.Spec) int {
	if p.Window != nil {
		return *p.Window
	}
	t := float64(max(s.Horizon, 2))
	w := int(2 * math.Sqrt(float64(t*fp.Log(t))/float64(p.Changes)))
	return max(min(w, s.Horizon), 2*s.Action.N)
}

// Act plays each arm that the window does not hold, then the highest index.
func (u *slidingWindowUCB) Act(in *envs.Step, a *envs.Action) {
	if u.mode == agents.Greedy {
		u.greedy(in, a)
		return
	}
	if u.first(in, a) {
		return
	}
	u.indices()
	u.highest(in, a)
}

// indices writes the index of each arm.
func (u *slidingWindowUCB) indices() {
	bonus := float64(u.xi * fp.Log(min(u.round(), float64(u.window))))
	for i, n := range u.n {
		u.score[i] = u.sum[i]/n + math.Sqrt(bonus/n)
	}
}

// Beliefs are means and indices.
func (u *slidingWindowUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.indices()
	u.toIndex(in, mean, low, high)
}

// Learn replaces the oldest outcome by each new one. The sums of arms are made
// again from the ring each time that it is full, so rounding does not pile up.
func (u *slidingWindowUCB) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	u.send(a)
	for _, c := range u.outcomes(in, a, out) {
		at := u.ring[2*int(*u.next):][:2]
		if old := int(at[0]) - 1; old >= 0 {
			u.n[old]--
			u.sum[old] -= at[1]
		}
		at[0], at[1] = float64(c.Index+1), c.Reward/u.scale
		u.n[c.Index]++
		u.sum[c.Index] += at[1]
		if *u.next++; int(*u.next) == u.window {
			*u.next = 0
			clear(u.sum)
			for j := 0; j < len(u.ring); j += 2 {
				u.sum[int(u.ring[j])-1] += u.ring[j+1]
			}
		}
	}
}
