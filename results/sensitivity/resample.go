package sensitivity

import (
	"math"
	"slices"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// table holds terms, sums of which make an estimate: rows by terms, NaN where a
// hole leaves a term out. A term's mean is over the rows that have it.
type table struct {
	terms int
	x     []float64
	holes bool
}

func (t *table) rows() int { return len(t.x) / t.terms }

func (t *table) row(j int) []float64 { return t.x[j*t.terms : (j+1)*t.terms] }

// means writes each term's mean over rows that count times[j] times, nil for
// once each.
func (t *table) means(times []int32, into []float64) {
	clear(into)
	var count []float64
	if t.holes {
		count = make([]float64, t.terms)
	}
	total := 0.0
	for j := range t.rows() {
		w := 1.0
		if times != nil {
			if times[j] == 0 {
				continue
			}
			w = float64(times[j])
		}
		total += w
		for k, v := range t.row(j) {
			if !t.holes {
				into[k] += float64(w * v)
			} else if !math.IsNaN(v) {
				into[k] += float64(w * v)
				count[k] += w
			}
		}
	}
	for k := range into {
		if t.holes {
			total = count[k]
		}
		into[k] /= total // NaN where no row has it
	}
}

// count returns how many rows have term k.
func (t *table) count(k int) int {
	n := 0
	for j := range t.rows() {
		if !math.IsNaN(t.row(j)[k]) {
			n++
		}
	}
	return n
}

// column returns term k of every row.
func (t *table) column(k int) []float64 {
	x := make([]float64, t.rows())
	for j := range x {
		x[j] = t.row(j)[k]
	}
	return x
}

// draw counts how often each of n units is drawn in resample b.
func draw(key rng.Key, b, n int, times []int32) {
	clear(times)
	s := rng.New(key.At(uint64(b)))
	for range n {
		times[s.IntN(n)]++
	}
}

// percentiles returns the interval that holds the middle share level of the
// draws, which it sorts; unknown where less than half of them are numbers.
func percentiles(draws []float64, level float64) stats.Interval {
	all := len(draws)
	draws = slices.DeleteFunc(slices.Clone(draws), math.IsNaN)
	if len(draws) == 0 || 2*len(draws) < all {
		return stats.Unknown()
	}
	slices.Sort(draws)
	return stats.Interval{Low: quantile(draws, (1-level)/2), High: quantile(draws, (1+level)/2)}
}

// quantile returns the quantile of sorted values, between two in proportion
// (type 7 of Hyndman and Fan, The American Statistician 50, 1996).
func quantile(sorted []float64, q float64) float64 {
	h := q * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + float64((h-float64(i))*(sorted[i+1]-sorted[i]))
}

// student returns the t interval of the mean of independent units.
func student(x []float64, level float64) stats.Estimated {
	return stats.Estimated{Value: stats.Mean(stats.Present(x)), Interval: stats.TInterval(x, level)}
}

// jackknife returns the t interval of an estimate from its values with each unit
// left out (Efron and Stein, Annals of Statistics 9, 1981). For estimates that
// are U-statistics, its variance errs on the large side.
func jackknife(value float64, left []float64, level float64) stats.Estimated {
	n := float64(len(left))
	pseudo := make([]float64, len(left))
	for i, v := range left {
		if math.IsNaN(v) {
			return stats.Estimated{Value: value, Interval: stats.Unknown()}
		}
		pseudo[i] = float64(n*value) - float64((n-1)*v)
	}
	e := stats.Estimated{Value: value, Interval: stats.TInterval(pseudo, level)}
	shift := value - stats.Mean(pseudo) // around the estimate itself
	e.Low, e.High = e.Low+shift, e.High+shift
	return e
}

// prefixes returns the sizes at which convergence is shown: an eighth, a quarter,
// a half and all of n, those above 1.
func prefixes(n int) []int {
	var sizes []int
	for _, k := range []int{n / 8, n / 4, n / 2, n} {
		if k > 1 && (len(sizes) == 0 || k > sizes[len(sizes)-1]) {
			sizes = append(sizes, k)
		}
	}
	return sizes
}
