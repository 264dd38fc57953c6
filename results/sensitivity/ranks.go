package sensitivity

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"overnight/results/stats"
)

// ranks holds the columns of a sample, the scores last, with the order of each.
type ranks struct {
	columns [][]float64
	order   [][]int
	units   [][]int
	points  int
}

func ranked(s *Sample, y []float64) *ranks {
	k := &ranks{columns: append(slices.Clone(s.X), y), units: s.units(), points: len(y)}
	for _, c := range k.columns {
		order := upTo(len(c))
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c[a], c[b]) })
		k.order = append(k.order, order)
	}
	return k
}

// value returns the partial rank correlations with point p counted times[p]
// times, nil for once.
func (k *ranks) value(times []int32) []float64 {
	d := len(k.columns) - 1
	n := 0.0
	rank := make([][]float64, d+1)
	for c := range k.columns {
		rank[c] = make([]float64, k.points)
		n = k.middle(c, times, rank[c])
	}
	out := make([]float64, d)
	r := mat.NewSymDense(d+1, nil)
	for a := range rank {
		for b := a; b <= d; b++ {
			sum := 0.0
			for p := range k.points {
				w := 1.0
				if times != nil {
					w = float64(times[p])
				}
				sum += float64(w * float64((rank[a][p]-(n+1)/2)*(rank[b][p]-(n+1)/2)))
			}
			r.SetSym(a, b, sum)
		}
	}
	// Scaled to correlations, so that a column's own length is 1.
	size := make([]float64, d+1)
	for a := range size {
		size[a] = math.Sqrt(r.At(a, a))
	}
	for a := range size {
		for b := a; b <= d; b++ {
			r.SetSym(a, b, r.At(a, b)/size[a]/size[b])
		}
	}
	var chol mat.Cholesky
	var inverse mat.SymDense
	ok := size[d] > 0 && chol.Factorize(r) && chol.Cond() < 1e12 && chol.InverseTo(&inverse) == nil
	for i := range out {
		out[i] = math.NaN() // some column is a constant or a sum of others
		if ok {
			out[i] = -inverse.At(i, d) / math.Sqrt(inverse.At(i, i)*inverse.At(d, d))
		}
	}
	return out
}

// middle writes the middle rank of each point by column c and returns how many
// points count.
func (k *ranks) middle(c int, times []int32, into []float64) float64 {
	x, below := k.columns[c], 0.0
	for i := 0; i < len(k.order[c]); {
		first, tied := i, 0.0
		for ; i < len(k.order[c]) && x[k.order[c][i]] == x[k.order[c][first]]; i++ {
			if times == nil {
				tied++
			} else {
				tied += float64(times[k.order[c][i]])
			}
		}
		for _, p := range k.order[c][first:i] {
			into[p] = below + (tied+1)/2
		}
		below += tied
	}
	return below
}

// estimate returns the correlations with percentile intervals over resamples of
// rows.
func (k *ranks) estimate(o Options) []stats.Estimated {
	value := k.value(nil)
	draws := make([][]float64, len(value))
	times, rows := make([]int32, k.points), make([]int32, len(k.units))
	for b := range o.Resamples {
		draw(o.Key.At(2), b, len(rows), rows)
		for u, n := range rows {
			for _, p := range k.units[u] {
				times[p] = n
			}
		}
		for i, v := range k.value(times) {
			draws[i] = append(draws[i], v)
		}
	}
	out := make([]stats.Estimated, len(value))
	for i := range out {
		out[i] = stats.Estimated{Value: value[i], Interval: stats.Unknown()}
		if !math.IsNaN(value[i]) && len(k.units) > len(value)+2 {
			out[i].Interval = percentiles(draws[i], o.Level)
		}
	}
	return out
}
