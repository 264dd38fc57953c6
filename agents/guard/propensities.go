package guard

import (
	"math"

	"overnight/agents"
	"overnight/envs"
)

// propensity returns the probability of an action of n that are open, of which
// the policy's is known; negative where it would have to be known and is not.
func (g *guarded) propensity(known float64, n int, held bool) float64 {
	each := 1 / float64(n)
	if g.book.stopped > 0 || held && g.recipient >= 0 {
		return each
	}
	if known < 0 {
		return -1
	}
	p := g.p.Floor + float64((1-float64(float64(n)*g.p.Floor))*known)
	if g.recipient >= 0 || g.p.Holdout == 0 {
		return p
	}
	return float64(g.p.Holdout*each) + float64((1-g.p.Holdout)*p)
}

// Propensities writes the guarded propensities; NaN where those of the policy
// are not known and matter.
func (g *guarded) Propensities(in *envs.Step, into []float64) {
	open, mine := g.masks(in)
	s := *in
	s.Allowed = mine
	if !agents.PropensitiesOf(g.policy, &s, into, &g.scratch) {
		for i := range into {
			into[i] = -1
		}
	}
	n, held := count(open, g.k), g.held(in)
	for i := range into {
		p := 0.0
		if allows(open, i) {
			p = g.propensity(into[i], n, held)
		}
		if into[i] = p; p < 0 {
			into[i] = math.NaN()
		}
	}
}
