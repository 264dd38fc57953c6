package bandit

import (
	"overnight/agents"
	"overnight/envs"
)

// Policies that draw know their propensities; of the others the action is sure.
// Those of the first list have a closed form.
var (
	_ = []agents.CheapPropensities{
		(*uniform)(nil), (*exploreThenCommit)(nil), (*epsilonGreedy)(nil), (*softmax)(nil), (*gradient)(nil), (*exp3)(nil),
		(*cusumUCB)(nil), (*epsilonGreedyRegression)(nil), (*segments)(nil),
	}
	_ = []agents.Propensities{
		(*thompson)(nil), (*discountedThompson)(nil), (*delayedThompson)(nil), (*linThompson)(nil), (*logisticThompson)(nil),
	}
)

// closed is embedded by policies whose propensities have a closed form.
type closed struct{}

// CheapPropensities says that Propensities may be asked for at every step.
func (closed) CheapPropensities() bool { return true }

// sure writes the propensities of a policy that plays an arm and no other.
func sure(at int, into []float64) {
	clear(into)
	into[at] = 1
}

// spread writes the propensities of mostly, bit for bit.
func spread(in *envs.Step, best int, epsilon float64, into []float64) {
	clear(into)
	each := epsilon / float64(count(in, len(into)))
	for i := range into {
		if allowed(in, i) {
			into[i] = each
		}
	}
	into[best] += 1 - epsilon
}

// shares writes the propensities of choose, bit for bit.
func shares(weight, into []float64) {
	total := 0.0
	for _, w := range weight {
		total += w
	}
	for i, w := range weight {
		into[i] = w / total
	}
}
