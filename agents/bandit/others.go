package bandit

import "overnight/agents"

// others returns the policies for worlds that change, for delayed outcomes, and
// those that use a context.
func others() []agents.Factory {
	return []agents.Factory{
		slidingWindowUCBFactory(), discountedUCBFactory(), discountedThompsonFactory(), cusumUCBFactory(), glrKLUCBFactory(),
		delayedUCBFactory(), delayedThompsonFactory(),
		linUCBFactory(), linThompsonFactory(), logisticThompsonFactory(), epsilonGreedyRegressionFactory(), segmentTables{},
	}
}
