package bandit

// cusum is the two-sided CUSUM detector of one arm (Liu, Lee and Shroff, A
// change-detection based framework for piecewise-stationary multi-armed bandit
// problem, AAAI 2018, section 4): the mean of the first outcomes, then two
// random walks with a drift towards 0, which a change of the mean by more than
// the drift makes climb.
type cusum []float64

// What a cusum holds: outcomes since the last restart, the mean of the first
// ones (their sum until there are enough), and the walks.
const (
	cusumCount = iota
	cusumMean
	cusumUp
	cusumDown
	cusumSize
)

func (c cusum) restart() { clear(c) }

// observe adds an outcome and tells whether a walk is above the threshold.
func (c cusum) observe(y, samples, drift, threshold float64) bool {
	c[cusumCount]++
	if c[cusumCount] <= samples {
		c[cusumMean] += y
		if c[cusumCount] == samples {
			c[cusumMean] /= samples
		}
		return false
	}
	d := y - c[cusumMean]
	c[cusumUp] = max(0, c[cusumUp]+d-drift)
	c[cusumDown] = max(0, c[cusumDown]-d-drift)
	return c[cusumUp] > threshold || c[cusumDown] > threshold
}
