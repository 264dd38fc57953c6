package stats

import (
	"math"
	"slices"
)

// Present returns the scores that are there: x itself where none is NaN.
func Present(x []float64) []float64 {
	for i, v := range x {
		if math.IsNaN(v) {
			kept := append([]float64(nil), x[:i]...)
			for _, v := range x[i+1:] {
				if !math.IsNaN(v) {
					kept = append(kept, v)
				}
			}
			return kept
		}
	}
	return x
}

// Mean returns the mean, NaN of nothing. The second pass takes out the first
// one's rounding error, so the mean of equal numbers is that number.
func Mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	m := sum(x) / float64(len(x))
	if math.IsInf(m, 0) || math.IsNaN(m) {
		return m
	}
	rest := 0.0
	for _, v := range x {
		rest += v - m
	}
	return m + rest/float64(len(x))
}

// SD returns the standard deviation with divisor n-1, NaN below two numbers.
func SD(x []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	m := Mean(x)
	squares := 0.0
	for _, v := range x {
		squares += float64((v - m) * (v - m))
	}
	return math.Sqrt(squares / float64(len(x)-1))
}

// Median returns the median: of an even number of scores, the mean of the two
// in the middle. NaN of nothing and where a score is NaN.
func Median(x []float64) float64 { return Quantile(x, 0.5) }

// Quantile returns the q-quantile, q in [0, 1], of type 7 of Hyndman and Fan,
// "Sample quantiles in statistical packages", American Statistician 50 (1996):
// linear between order statistics, with x_(1) at 0 and x_(n) at 1; the default
// of R, NumPy and Julia. NaN of nothing and where a score is NaN.
func Quantile(x []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	if len(sorted) == 0 || math.IsNaN(sorted[0]) { // NaN sorts first
		return math.NaN()
	}
	return quantile(sorted, q)
}

// quantile is Quantile of ascending numbers.
func quantile(sorted []float64, q float64) float64 {
	at := float64(float64(len(sorted)-1) * min(max(q, 0), 1))
	i := int(at)
	if i == len(sorted)-1 {
		return sorted[i]
	}
	low, high, part := sorted[i], sorted[i+1], at-float64(i)
	if low == high || part == 0 { // also where both are the same infinity
		return low
	}
	return float64(low*(1-part)) + float64(high*part)
}

// IQM returns the interquartile mean, the mean of the middle half: one quarter
// of the scores is cut off at each end. A quarter that is no whole number of
// scores cuts the next score in part: of n = 10 the two lowest and the two
// highest go, and the third from each end weighs one half. Where n is a multiple
// of 4 that is scipy's trim_mean(x, 0.25), which rliable uses (Agarwal et al.,
// NeurIPS 2021); elsewhere trim_mean rounds the cut down. NaN of nothing and
// where a score is NaN.
func IQM(x []float64) float64 {
	for _, v := range x {
		if math.IsNaN(v) {
			return v
		}
	}
	p := newPool(Scores{x})
	return p.eval(ByIQM, nil)
}

// MAD returns the median absolute deviation from the median, times 1.4826,
// which makes it the standard deviation of normal scores.
func MAD(x []float64) float64 {
	return 1.482602218505602 * Median(deviations(x))
}

// LowCutoff returns the median less k robust standard deviations: scores below
// lie apart from the rest. The robust standard deviation is MAD; where more than
// half of the scores are equal, so that MAD is 0, it is the mean absolute
// deviation times 1.2533 (Iglewicz and Hoaglin, How to Detect and Handle
// Outliers, 1993), or a score a rounding error away would lie apart.
func LowCutoff(x []float64, k float64) float64 {
	spread := MAD(x)
	if spread == 0 {
		spread = 1.2533141373155003 * Mean(deviations(x))
	}
	return Median(x) - float64(k*spread)
}

func deviations(x []float64) []float64 {
	m := Median(x)
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = math.Abs(v - m)
	}
	return d
}

func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}
