package guard

import (
	"math/bits"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/rng"
)

// guarded is a policy with rails.
type guarded struct {
	policy agents.Agent
	cheap  agents.CheapPropensities // the policy, where it tells them at every step; else nil
	p      Params
	book   book

	credited  bool // outcomes come as credits
	k         int  // actions
	none      int  // the action "no mail"; -1: there is none
	recipient int  // where the observation tells the recipient; -1: it does not
	mode      agents.Mode
	groups    rng.Key // of draws of the holdout
	choices   rng.Key // of draws of floor and actions

	step     envs.Step // what the policy sees
	mask     []bool    // of the policy under the share cap
	only     []bool    // "no mail" alone
	probs    []float64
	scratch  envs.Action
	low      float64  // the holdout's lower bound
	lowOf    [2]int64 // for these sends and conversions
	believer believer
}

// believer is a guarded policy that has beliefs.
type believer struct{ *guarded }

var (
	_ agents.Propensities = (*guarded)(nil)
	_ agents.Reporter     = (*guarded)(nil)
	_ agents.Beliefs      = (*believer)(nil)
)

// Beliefs are the policy's.
func (b *believer) Beliefs(in *envs.Step, mean, low, high []float64) {
	b.policy.(agents.Beliefs).Beliefs(in, mean, low, high)
}

// build makes g the guard of an untrained policy. It returns g, or g as a
// believer.
func (g *guarded) build(p Params, s *envs.Spec, policy agents.Agent) agents.Agent {
	g.policy, g.p, g.credited, g.k = policy, p, s.Credited, s.Action.N
	g.cheap = nil
	if c, ok := policy.(agents.CheapPropensities); ok && c.CheapPropensities() {
		g.cheap = c
	}
	at, people := recipientOf(s)
	g.recipient, g.none = at, -1
	for i, name := range s.Action.Names {
		if name == noMail {
			g.none = i
		}
	}
	steps, capped, units := 0, 0, 0
	if p.measures() {
		steps = max(s.Horizon, 1)
	}
	if p.Frequency.Cap > 0 {
		capped = people
	}
	if p.Holdout > 0 {
		units = people
	}
	g.book.shape(g.k, steps, capped, p.Frequency.Cap, units)
	g.mask, g.only, g.probs = grow(g.mask, g.k), grow(g.only, g.k), grow(g.probs, g.k)
	if g.none >= 0 {
		g.only[g.none] = true
	}
	g.mode, g.groups, g.choices = agents.Train, rng.Key{}, rng.Key{}
	g.step, g.lowOf = envs.Step{}, [2]int64{-1, -1}
	if _, ok := policy.(agents.Beliefs); ok {
		g.believer.guarded = g
		return &g.believer
	}
	return g
}

// keys is the part of an episode's key that the rails draw from: no step has so
// high a number.
const keys = 0x6775617264 << 16 // "guard"

// Begin starts an episode.
func (g *guarded) Begin(episode rng.Key, m agents.Mode) {
	own := episode.At(keys)
	g.mode, g.groups, g.choices = m, own.At(0), own.At(1)
	g.policy.Begin(episode, m)
}

// uniform returns a number in [0, 1) from one word of a key.
func uniform(word uint64) float64 { return float64(word>>11) * 0x1p-53 }

// held says whether a send is the holdout's: by recipient where there are some,
// else by step.
func (g *guarded) held(in *envs.Step) bool {
	if g.p.Holdout == 0 {
		return false
	}
	unit := in.T
	if g.recipient >= 0 {
		unit = int(in.Obs[g.recipient])
	}
	return uniform(g.groups.At(uint64(unit))[0]) < g.p.Holdout
}

// Act fills a.
func (g *guarded) Act(in *envs.Step, a *envs.Action) {
	open, mine := g.masks(in)
	g.step = *in
	g.step.Allowed = mine
	a.Prob = 0
	g.policy.Act(&g.step, a)
	n := count(open, g.k)
	k := g.choices.At(uint64(in.T))
	index, known := a.Index, a.Prob
	held := g.held(in)
	if g.book.stopped > 0 || held || uniform(k[0]) < float64(float64(n)*g.p.Floor) {
		j, _ := bits.Mul64(k[1], uint64(n))
		a.Index = nth(open, int(j))
	}
	// The policy's propensity of what is sent, below 0 where it can't be told.
	switch {
	case a.Index == index && known > 0:
	case a.Index != index && known == 1:
		known = 0
	case g.cheap != nil:
		g.cheap.Propensities(&g.step, g.probs)
		known = g.probs[a.Index]
	default:
		known = -1
	}
	a.Prob = max(0, g.propensity(known, n, held))
	if g.mode != agents.Train && int64(in.T) == g.book.t {
		g.count(in, a)
	}
}

// count keeps that a was sent.
func (g *guarded) count(in *envs.Step, a *envs.Action) {
	b := &g.book
	b.t = int64(in.T) + 1
	b.sends[a.Index]++
	if cap := g.p.Frequency.Cap; cap > 0 && a.Index != g.none {
		b.mail(int(in.Obs[g.recipient]), in.T, cap)
	}
}

// Learn keeps the send and what has become known, applies the stop rule, and
// lets the policy learn.
func (g *guarded) Learn(in *envs.Step, a *envs.Action, out *envs.Step) {
	mine := g.step.Allowed
	g.count(in, a)
	if g.p.measures() {
		g.measure(in, a, out)
	}
	g.step = *in
	g.step.Allowed = mine
	g.policy.Learn(&g.step, a, out)
}

// measure keeps groups and outcomes.
func (g *guarded) measure(in *envs.Step, a *envs.Action, out *envs.Step) {
	b := &g.book
	s := isSent
	b.total++
	if g.held(in) {
		s |= isHoldout
		b.held++
	}
	switch {
	case g.recipient < 0:
		b.units[group(s)]++
	case len(b.met) > 0:
		if who := &b.met[int(in.Obs[g.recipient])]; *who == 0 {
			*who = 1
			b.units[group(s)]++
		}
	}
	b.steps[in.T] = s
	if g.credited {
		for _, c := range out.Credits {
			b.outcome(c, in.T)
		}
	} else {
		b.outcome(envs.Credit{Step: int32(in.T), Index: int32(a.Index), Reward: out.Reward}, in.T)
	}
	b.ripen()
	if g.p.stops() && b.stopped == 0 && g.dropped() {
		b.stopped, b.limit = b.total, b.t
	}
}
