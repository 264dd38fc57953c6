package sensitivity

import (
	"math"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// halves returns the shares of forests on halves of the rows, with shadows beside
// the columns.
func (f *fanova) halves() []*portions {
	grid := f.grid()
	reps := 0
	if len(f.runs) > 0 {
		reps = len(f.runs[0])
	}
	if grid && reps < 3 || !grid && len(f.units) < 8 {
		return nil
	}
	d := len(f.columns)
	pairs := f.pairs
	for i := range d {
		for k := range d { // a shadow with each other column, as the column itself
			if k != i {
				pairs = append(pairs[:len(pairs):len(pairs)], [2]int{k, d + i})
			}
		}
	}
	times := make([]int32, len(f.y))
	var out []*portions
	for b := range bags {
		key := f.o.Key.At(5).At(uint64(b))
		columns, y := append([]Column(nil), f.columns...), f.y
		for c := range d {
			order := shuffled(key.At(uint64(c)), len(f.y))
			columns = append(columns, f.columns[c].sub(order))
		}
		var grown []*tree
		if grid {
			y = f.half(key.At(1<<32), reps)
			for p := range times {
				times[p] = 1
			}
			grown = []*tree{newForest(columns, y, 1).grow(times)}
		} else {
			half := shuffled(key.At(1<<32), len(f.units))[:len(f.units)/2]
			trees := newForest(columns, y, minLeaf)
			rows := make([]int32, len(half))
			for k := range bagged {
				clear(times)
				draw(key.At(1<<32+1), k, len(rows), rows)
				for u, w := range rows {
					for _, p := range f.units[half[u]] {
						times[p] = w
					}
				}
				grown = append(grown, trees.grow(times))
			}
		}
		s := f.shares(grown, columns, pairs)
		s.shadow = make([]float64, d)
		for i := range d {
			s.shadow[i] = s.main[d+i]
			for k, p := range pairs {
				if p[1] == d+i {
					s.shadow[i] += s.two[k]
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// half returns the points' means over half of the replications.
func (f *fanova) half(key rng.Key, reps int) []float64 {
	in := shuffled(key, reps)[:reps/2]
	y := make([]float64, len(f.y))
	for p := range y {
		var there []float64
		for _, r := range in {
			if v := f.runs[p][r]; !math.IsNaN(v) {
				there = append(there, v)
			}
		}
		y[p] = stats.Mean(there)
		if len(there) == 0 {
			y[p] = f.y[p]
		}
	}
	return y
}

// shuffled returns 0..n-1 in another order.
func shuffled(key rng.Key, n int) []int {
	s := rng.New(key)
	all := upTo(n)
	for i := n - 1; i > 0; i-- {
		k := s.IntN(i + 1)
		all[i], all[k] = all[k], all[i]
	}
	return all
}
