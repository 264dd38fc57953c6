package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm returns the adjusted P of a family of tests: rejecting those at most
// alpha keeps the chance of any false rejection at alpha, whatever the tests'
// dependence (Holm, Scandinavian Journal of Statistics 6, 1979). For "which arms
// beat the baseline". A P that is NaN stays NaN and still counts as a test.
func Holm(p []float64) []float64 {
	m, adjusted := len(p), make([]float64, len(p))
	last := 0.0
	for i, k := range ascending(p) {
		last = max(last, min(1, float64(m-i)*p[k]))
		adjusted[k] = last
	}
	return keepNaN(adjusted, p)
}

// BenjaminiHochberg returns the adjusted P (q values) of a family of tests:
// rejecting those at most alpha keeps the expected share of false rejections
// among all rejections at alpha, for tests that are independent or positively
// dependent (Journal of the Royal Statistical Society B 57, 1995). For wide
// screens. A P that is NaN stays NaN and still counts as a test.
func BenjaminiHochberg(p []float64) []float64 {
	m, adjusted := len(p), make([]float64, len(p))
	order, last := ascending(p), 1.0
	for i := len(order) - 1; i >= 0; i-- {
		last = min(last, float64(m)/float64(i+1)*p[order[i]])
		adjusted[order[i]] = last
	}
	return keepNaN(adjusted, p)
}

// ascending returns the positions of the P that are numbers, the smallest first.
func ascending(p []float64) []int {
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}

func keepNaN(adjusted, p []float64) []float64 {
	for i, v := range p {
		if math.IsNaN(v) {
			adjusted[i] = v
		}
	}
	return adjusted
}
