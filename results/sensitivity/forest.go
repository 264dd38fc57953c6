package sensitivity

import (
	"cmp"
	"math"
	"slices"
)

// Column is a factor of a forest: levels, numbered from 0 in Level, or a range.
type Column struct {
	Levels int       // how many levels; 0 of a range
	Level  []int     // by point
	U      []float64 // of a range: by point, the share of its values that lie below, in [0, 1]
}

// forest grows trees on points.
type forest struct {
	columns []Column
	order   [][]int // of ranges: points by U
	y       []float64
	minLeaf int
}

// tree is a regression tree: nodes, the root first.
type tree struct{ nodes []node }

type node struct {
	column int // -1 of a leaf
	cut    float64
	left   []bool // of levels: those that go left
	kids   [2]int
	value  float64
}

func newForest(columns []Column, y []float64, minLeaf int) *forest {
	f := &forest{columns: columns, y: y, minLeaf: minLeaf, order: make([][]int, len(columns))}
	for c := range columns {
		if columns[c].Levels == 0 {
			f.order[c] = upTo(len(y))
			slices.SortStableFunc(f.order[c], func(a, b int) int { return cmp.Compare(columns[c].U[a], columns[c].U[b]) })
		}
	}
	return f
}

// grow grows a tree on the points, each counted times[p] times: the split of
// least squares of all columns at every node (Breiman et al., Classification and
// Regression Trees, 1984), until a side would hold fewer than minLeaf. Levels are
// split in the order of their means, which is the best of all splits.
func (f *forest) grow(times []int32) *tree {
	t := &tree{}
	var points []int
	for p := range f.y {
		if times[p] > 0 {
			points = append(points, p)
		}
	}
	sorted := make([][]int, len(f.columns))
	for c := range sorted {
		for _, p := range f.order[c] {
			if times[p] > 0 {
				sorted[c] = append(sorted[c], p)
			}
		}
	}
	f.node(t, times, points, sorted, make([]bool, len(f.y)))
	return t
}

// cut is a way to part a node.
type cut struct {
	gain   float64
	column int
	at     float64
	left   []bool
}

func (f *forest) node(t *tree, times []int32, points []int, sorted [][]int, goes []bool) int {
	var n, sum float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		w := float64(times[p])
		n += w
		sum += float64(w * f.y[p])
		low, high = min(low, f.y[p]), max(high, f.y[p])
	}
	id := len(t.nodes)
	t.nodes = append(t.nodes, node{column: -1, value: sum / n})
	if n < 2*float64(f.minLeaf) || low == high {
		return id
	}
	best := cut{column: -1}
	for c := range f.columns {
		if f.columns[c].Levels == 0 {
			f.cutRange(c, times, sorted[c], n, sum, &best)
		} else {
			f.cutLevels(c, times, points, n, sum, &best)
		}
	}
	if best.column < 0 {
		return id
	}
	for _, p := range points {
		col := &f.columns[best.column]
		if col.Levels == 0 {
			goes[p] = col.U[p] <= best.at
		} else {
			goes[p] = best.left[col.Level[p]]
		}
	}
	t.nodes[id].column, t.nodes[id].cut, t.nodes[id].left = best.column, best.at, best.left
	side := func(x []int, left bool) []int {
		var out []int
		for _, p := range x {
			if goes[p] == left {
				out = append(out, p)
			}
		}
		return out
	}
	var parts [2][]int
	var orders [2][][]int
	for k, left := range []bool{true, false} {
		parts[k] = side(points, left)
		for c := range sorted {
			orders[k] = append(orders[k], side(sorted[c], left))
		}
	}
	for k := range parts {
		kid := f.node(t, times, parts[k], orders[k], goes)
		t.nodes[id].kids[k] = kid
	}
	return id
}

// better takes a cut whose left side has so much weight and sum, if it is the best
// so far: the fall of squares is sl^2/nl + sr^2/nr - s^2/n.
func (f *forest) better(best *cut, nl, sl, n, sum float64) bool {
	nr, sr := n-nl, sum-sl
	if nl < float64(f.minLeaf) || nr < float64(f.minLeaf) {
		return false
	}
	gain := float64(sl*sl)/nl + float64(sr*sr)/nr - float64(sum*sum)/n
	if gain <= best.gain*(1+1e-12) {
		return false
	}
	best.gain = gain
	return true
}

func (f *forest) cutRange(c int, times []int32, sorted []int, n, sum float64, best *cut) {
	u := f.columns[c].U
	var nl, sl float64
	for i := 0; i+1 < len(sorted); i++ {
		p, q := sorted[i], sorted[i+1]
		w := float64(times[p])
		nl += w
		sl += float64(w * f.y[p])
		if u[p] < u[q] && f.better(best, nl, sl, n, sum) {
			best.column, best.at, best.left = c, u[p]+(u[q]-u[p])/2, nil
		}
	}
}

func (f *forest) cutLevels(c int, times []int32, points []int, n, sum float64, best *cut) {
	col := &f.columns[c]
	weight, total := make([]float64, col.Levels), make([]float64, col.Levels)
	for _, p := range points {
		w := float64(times[p])
		weight[col.Level[p]] += w
		total[col.Level[p]] += float64(w * f.y[p])
	}
	var there []int
	for l, w := range weight {
		if w > 0 {
			there = append(there, l)
		}
	}
	slices.SortStableFunc(there, func(a, b int) int { return cmp.Compare(total[a]/weight[a], total[b]/weight[b]) })
	var nl, sl float64
	for i := 0; i+1 < len(there); i++ {
		nl += weight[there[i]]
		sl += total[there[i]]
		if !f.better(best, nl, sl, n, sum) {
			continue
		}
		best.column, best.at = c, 0
		best.left = make([]bool, col.Levels)
		for l, w := range weight { // a level not seen goes to the larger side
			best.left[l] = w == 0 && 2*nl > n
		}
		for _, l := range there[:i+1] {
			best.left[l] = true
		}
	}
}

// predict returns the value of a point's leaf.
func (t *tree) predict(columns []Column, p int) float64 {
	k := 0
	for t.nodes[k].column >= 0 {
		n := &t.nodes[k]
		c := &columns[n.column]
		left := c.Levels == 0 && c.U[p] <= n.cut || c.Levels > 0 && n.left[c.Level[p]]
		k = n.kids[1]
		if left {
			k = n.kids[0]
		}
	}
	return t.nodes[k].value
}
