package design

import (
	"cmp"
	"math"
	"slices"
)

// Starts is how many Latin hypercubes Choose looks at.
const Starts = 50

// MaxMaximin is up to how many points a Latin hypercube is the best of Starts, if
// it has at most sixteen columns; of more columns, up to as many points as take the
// same time. Above it, it is the first one.
const MaxMaximin = 4096

// maxWork bounds points times points times columns in Choose.
const maxWork = 16 * MaxMaximin * MaxMaximin

// Choose returns the number of the Latin hypercube among the first Starts whose
// two nearest points are farthest apart (Johnson, Moore and Ylvisaker, 1990), the
// first of equal ones; 0 above MaxMaximin points. It may take a second or two, so a
// study stores it.
func Choose(seed uint64, names []string, points uint64) (start uint64) {
	if points > MaxMaximin || points < 2 || len(names) == 0 || points*points*uint64(len(names)) > maxWork {
		return 0
	}
	best := -1.0
	for s := range uint64(Starts) {
		if d := nearest(newLHS(seed, names, points, s), best); d > best {
			best, start = d, s
		}
	}
	return start
}

// nearest returns the squared distance of the two nearest points; it may stop at
// one that is not above enough.
func nearest(l *lhs, enough float64) float64 {
	d := len(l.columns)
	rows := make([][]float64, l.points)
	for r := range rows {
		rows[r] = make([]float64, d)
		for c := range d {
			rows[r][c] = l.At(uint64(r), c)
		}
	}
	// In the order of the first column, those farther on than the least distance so
	// far can't be nearer.
	slices.SortFunc(rows, func(a, b []float64) int { return cmp.Compare(a[0], b[0]) })
	least := math.Inf(1)
	for i, a := range rows {
		for _, b := range rows[i+1:] {
			if x := b[0] - a[0]; float64(x*x) >= least {
				break
			}
			sum := 0.0
			for c := range d {
				x := b[c] - a[c]
				if sum += float64(x * x); sum >= least {
					break
				}
			}
			if sum < least {
				least = sum
				if least <= enough {
					return least
				}
			}
		}
	}
	return least
}
