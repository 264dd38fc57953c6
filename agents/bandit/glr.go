package bandit

import "overnight/internal/fp"

// glrGrid is the most places where a history is split: a check costs four
// logarithms for each.
const glrGrid = 64

// glr is the Bernoulli generalised-likelihood-ratio detector of one arm (Besson,
// Kaufmann, Maillard and Seznec, Efficient change-point detection for tackling
// piecewise-stationary bandits, JMLR 23, 2022; arXiv 1902.01575): a change is
// seen when for some split s of the n outcomes
//
//	s kl(mean of the first s, mean) + (n-s) kl(mean of the rest, mean) >= ln(3 n^1.5 / delta)
//
// The paper tries every s. Here the history is kept as sums at the ends of at
// most glrGrid blocks of equal length, a power of two that doubles when they are
// full, so memory and the cost of a check are bounded; a change is placed to
// within a block, between n/64 and n/32 outcomes.
type glr []float64

// What a glr holds: outcomes and their sum since the last restart, the length of
// a block, the number of full ones, and the sums at their ends.
const (
	glrCount = iota
	glrSum
	glrBlock
	glrFull
	glrPrefix
	glrSize = glrPrefix + glrGrid
)

func (g glr) restart() {
	clear(g)
	g[glrBlock] = 1
}

// add appends an outcome in [0, 1].
func (g glr) add(y float64) {
	prefix := g[glrPrefix:glrSize]
	if g[glrFull] == glrGrid {
		for j := range glrGrid / 2 {
			prefix[j] = prefix[2*j+1]
		}
		g[glrFull], g[glrBlock] = glrGrid/2, 2*g[glrBlock]
	}
	g[glrCount]++
	g[glrSum] += y
	if g[glrCount] == float64((g[glrFull]+1)*g[glrBlock]) {
		prefix[int(g[glrFull])] = g[glrSum]
		g[glrFull]++
	}
}

// statistic returns the greatest ratio over the splits of the grid.
func (g glr) statistic() float64 {
	n, sum := g[glrCount], g[glrSum]
	whole := entropy(sum, n)
	most := 0.0
	for j, before := range g[glrPrefix : glrPrefix+int(g[glrFull])] {
		s := float64(float64(j+1) * g[glrBlock])
		if s >= n {
			break
		}
		most = max(most, entropy(before, s)+entropy(sum-before, n-s)-whole)
	}
	return most
}

// changed tells whether the statistic is above the threshold.
//
// Most splits are dismissed without a logarithm: kl(p, q) <= (p-q)^2 / (q (1-q)),
// so that with d the excess of the first s outcomes over s means, a split's ratio
// is at most d^2 n / (s (n-s) mean (1-mean)).
func (g glr) changed(delta float64) bool {
	n, sum := g[glrCount], g[glrSum]
	if n < 2 {
		return false
	}
	threshold := fp.Log(3/delta) + float64(1.5*fp.Log(n))
	mean := sum / n
	enough := float64(float64(float64(threshold*(1-1e-9))*mean) * (1 - mean) / n)
	whole, known := 0.0, false
	for j, before := range g[glrPrefix : glrPrefix+int(g[glrFull])] {
		s := float64(float64(j+1) * g[glrBlock])
		if s >= n {
			break
		}
		d := before - float64(s*mean)
		if float64(d*d) < float64(float64(enough*s)*(n-s)) {
			continue
		}
		if !known {
			whole, known = entropy(sum, n), true
		}
		if entropy(before, s)+entropy(sum-before, n-s)-whole >= threshold {
			return true
		}
	}
	return false
}

// entropy returns sum ln(sum/n) + (n-sum) ln(1-sum/n), the log-likelihood of n
// Bernoulli outcomes at their mean.
func entropy(sum, n float64) float64 {
	p := sum / n
	if p <= 0 || p >= 1 {
		return 0
	}
	return float64(sum*fp.Log(p)) + float64(float64(n-sum)*fp.Log(1-p))
}
