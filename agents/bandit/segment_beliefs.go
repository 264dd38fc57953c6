package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// undoing is implemented by the policies of segments. save appends what Learn of
// the send of step t may change, and undo puts it back.
type undoing interface {
	save(t int, into []float64) []float64
	undo(t int, saved []float64)
}

func (b *arms) save(_ int, into []float64) []float64 { return append(into, b.vec...) }
func (b *arms) undo(_ int, saved []float64)          { copy(b.vec, saved) }

// save leaves out the probabilities of other sends, a number for each step.
func (e *exp3) save(t int, into []float64) []float64 {
	return append(append(into, e.vec[0], e.probs[t]), e.vec[1+e.scalars:]...)
}

func (e *exp3) undo(t int, saved []float64) {
	e.vec[0], e.probs[t] = saved[0], saved[1]
	copy(e.vec[1+e.scalars:], saved[2:])
}

// asked lets ask look at the policy of in's segment as Act will find it: with
// what it has not learned of. What that changes is put back, since more may
// become known before the segment's next turn.
func (b *segments) asked(in *envs.Step, ask func(p agents.Agent)) {
	g := &b.list[int(in.Obs[b.at])]
	if !g.open {
		ask(g.policy)
		return
	}
	policy := g.policy.(undoing)
	b.before = policy.save(g.in.T, b.before[:0])
	g.out = envs.Step{T: g.in.T + 1, Reward: g.reward, Credits: g.known}
	g.policy.Learn(&g.in, &g.action, &g.out)
	ask(g.policy)
	policy.undo(g.in.T, b.before)
}

// CheapPropensities says whether those of the segments' policy are.
func (b *segments) CheapPropensities() bool {
	switch p := b.list[0].policy.(type) {
	case agents.CheapPropensities:
		return p.CheapPropensities()
	case agents.Propensities:
		return false
	}
	return true // its action is sure
}

// Propensities are those of the segment's policy.
func (b *segments) Propensities(in *envs.Step, into []float64) {
	b.asked(in, func(p agents.Agent) { agents.PropensitiesOf(p, in, into, &b.scratch) })
}

// Beliefs are those of the segment's policy.
func (b *segments) Beliefs(in *envs.Step, mean, low, high []float64) {
	b.asked(in, func(p agents.Agent) { p.(agents.Beliefs).Beliefs(in, mean, low, high) })
}
