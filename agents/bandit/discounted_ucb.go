package bandit

import (
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
)

// DiscountedUCBParams are the parameters of the policy `discounted_ucb`.
type DiscountedUCBParams struct {
	Discount    *float64 `param:"discount" above:"0" max:"1" doc:"What an outcome still counts after each later one. Not given: 1 - sqrt(changes / T) / 4, T = horizon."`
	Changes     int      `param:"changes" default:"1" min:"1" doc:"Changes to expect within the horizon; sets the discount where it is not given."`
	Xi          float64  `param:"xi" default:"0.6" min:"0" doc:"Exploration: the bonus is 2 sqrt(xi ln N / n), N and n discounted counts. The regret bound needs more than 0.5; at 0.15 the bonus is that of sliding_window_ucb, and over some thousand sends only such values pay."`
	RewardScale float64  `param:"reward_scale" default:"1" above:"0" doc:"Rewards are divided by it; the bonus is meant for rewards from 0 to 1."`
}

// discountedUCB is UCB1 on counts and sums that fade (Kocsis and Szepesvari
// 2006; Garivier and Moulines, On upper-confidence bound policies for switching
// bandit problems, ALT 2011, D-UCB with B = 1). Under delay they fade with each
// outcome that becomes known.
type discountedUCB struct {
	arms
	discount, xi float64
}

func discountedUCBFactory() agents.Factory {
	return &factory[DiscountedUCBParams]{
		name:   "discounted_ucb",
		doc:    "UCB1 whose counts and sums fade with every outcome. For rates that drift; its bonus is twice that of sliding_window_ucb at the same xi, so with the default, that of its proof, it loses about as much as UCB1 over 5,000 sends even where the best arm falls.",
		traits: explores[DiscountedUCBParams],
		build: func(p *DiscountedUCBParams, s *envs.Spec, reuse agents.Agent) agents.Agent {
			u := recycle[discountedUCB](reuse)
			u.shape("discounted_ucb", s, 0, 0)
			u.scale, u.xi = p.RewardScale, p.Xi
			u.discount = fading(p.Discount, p.Changes, s.Horizon)
			return u
		},
	}
}

// fading is a discount, or that of Garivier and Moulines for so many changes.
func fading(discount *float64, changes, horizon int) float64 {
	if discount != nil {
		return *discount
	}
	return 1 - float64(math.Sqrt(min(1, float64(changes)/float64(max(horizon, 1))))/4)
}

// fade multiplies counts and sums.
func (b *arms) fade(discount float64) {
	for i := range b.n {
		b.n[i] = float64(b.n[i] * discount)
		b.sum[i] = float64(b.sum[i] * discount)
	}
}

// Act plays each arm once, then the highest index.
func (u *discountedUCB) Act(in *envs.Step, a *envs.Action) {
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
func (u *discountedUCB) indices() {
	total := 0.0
	for _, n := range u.n {
		total += n
	}
	bonus := float64(4 * float64(u.xi*fp.Log(max(1, total))))
	for i, n := range u.n {
		u.score[i] = u.sum[i]/n + math.Sqrt(bonus/n)
	}
}

// Beliefs are means and indices.
func (u *discountedUCB) Beliefs(in *envs.Step, mean, low, high []float64) {
	u.indices()
	u.toIndex(in, mean, low, high)
}

// Learn fades what is known before each outcome.
func (u *discountedUCB) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	u.send(a)
	for _, c := range u.outcomes(in, a, out) {
		u.fade(u.discount)
		u.n[c.Index]++
		u.sum[c.Index] += c.Reward / u.scale
	}
}
