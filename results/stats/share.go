package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ShareUpper returns the one-sided upper confidence bound of a share that k of
// n independent runs showed, after Clopper and Pearson, Biometrika 26 (1934):
// the quantile at level of Beta(k+1, n-k), so 0 of 10 may be up to 26 % at level
// 0.95. It covers at least level. k and n need not be whole: where runs come in
// clusters that share their noise, n is the number of clusters and k the
// clusters' sum of shares. NaN for n of 0.
func ShareUpper(k, n, level float64) float64 {
	switch {
	case n <= 0 || math.IsNaN(k):
		return math.NaN()
	case k >= n:
		return 1
	}
	return mathext.InvRegIncBeta(k+1, n-k, level)
}
