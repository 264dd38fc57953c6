package sensitivity

import "slices"

// box is a leaf: its value, its share of the space, and by column the cells that
// it covers, as ranges [from, to).
type box struct {
	value, volume float64
	side          []float64 // by column, the share that it covers
	cover         [][][2]int
}

// boxes returns the leaves of a tree, and the width of each column's cells: a
// level, or what lies between two cuts of a range.
func (t *tree) boxes(columns []Column) (leaves []box, widths [][]float64) {
	cuts := make([][]float64, len(columns))
	for i := range t.nodes {
		if n := &t.nodes[i]; n.column >= 0 && columns[n.column].Levels == 0 {
			cuts[n.column] = append(cuts[n.column], n.cut)
		}
	}
	widths = make([][]float64, len(columns))
	start := make([][]bool, len(columns)) // by column, the cells of the space
	for c := range columns {
		if l := columns[c].Levels; l > 0 {
			widths[c] = slices.Repeat([]float64{1 / float64(l)}, l)
		} else {
			slices.Sort(cuts[c])
			cuts[c] = slices.Compact(cuts[c])
			low := 0.0
			for _, u := range append(slices.Clone(cuts[c]), 1) {
				widths[c] = append(widths[c], u-low)
				low = u
			}
		}
		start[c] = slices.Repeat([]bool{true}, len(widths[c]))
	}
	var walk func(k int, cells [][]bool)
	walk = func(k int, cells [][]bool) {
		n := &t.nodes[k]
		if n.column < 0 {
			leaves = append(leaves, newBox(n.value, cells, widths))
			return
		}
		old := cells[n.column]
		for side := range 2 {
			part := slices.Clone(old)
			if n.left != nil {
				for l := range part {
					part[l] = part[l] && n.left[l] == (side == 0)
				}
			} else {
				at, _ := slices.BinarySearch(cuts[n.column], n.cut)
				for i := range part {
					part[i] = part[i] && (i <= at) == (side == 0)
				}
			}
			cells[n.column] = part
			walk(n.kids[side], cells)
		}
		cells[n.column] = old
	}
	walk(0, start)
	return leaves, widths
}

func newBox(value float64, cells [][]bool, widths [][]float64) box {
	b := box{value: value, volume: 1, side: make([]float64, len(cells)), cover: make([][][2]int, len(cells))}
	for c, there := range cells {
		for i, yes := range there {
			if !yes {
				continue
			}
			b.side[c] += widths[c][i]
			if k := len(b.cover[c]); k > 0 && b.cover[c][k-1][1] == i {
				b.cover[c][k-1][1] = i + 1
			} else {
				b.cover[c] = append(b.cover[c], [2]int{i, i + 1})
			}
		}
		b.volume *= b.side[c]
	}
	return b
}

// importance splits the variance of a tree's prediction over the whole space:
// main holds V_i of each column, pairs V_ij of each pair, both as variances, from
// marginal predictions (Hutter, Hoos and Leyton-Brown, ICML 2014, algorithm 2).
func (t *tree) importance(columns []Column, pairs [][2]int) (main, two []float64, variance float64) {
	leaves, widths := t.boxes(columns)
	mean := 0.0
	for _, b := range leaves {
		mean += float64(b.volume * b.value)
	}
	for _, b := range leaves {
		variance += float64(b.volume * float64((b.value-mean)*(b.value-mean)))
	}
	main = make([]float64, len(columns))
	for c := range columns {
		steps := make([]float64, len(widths[c])+1)
		for _, b := range leaves {
			if b.volume == 0 {
				continue
			}
			add := (b.value - mean) * b.volume / b.side[c]
			for _, r := range b.cover[c] {
				steps[r[0]] += add
				steps[r[1]] -= add
			}
		}
		at := 0.0
		for i, w := range widths[c] {
			at += steps[i]
			main[c] += float64(w * float64(at*at))
		}
	}
	for _, p := range pairs {
		two = append(two, pairVariance(leaves, widths, p, mean)-main[p[0]]-main[p[1]])
	}
	return main, two, variance
}

// pairVariance returns the variance of the marginal prediction of two columns.
func pairVariance(leaves []box, widths [][]float64, p [2]int, mean float64) float64 {
	rows, cols := len(widths[p[0]])+1, len(widths[p[1]])+1
	steps := make([]float64, rows*cols) // differences in both directions
	for _, b := range leaves {
		if b.volume == 0 {
			continue
		}
		add := (b.value - mean) * b.volume / b.side[p[0]] / b.side[p[1]]
		for _, r := range b.cover[p[0]] {
			for _, s := range b.cover[p[1]] {
				steps[r[0]*cols+s[0]] += add
				steps[r[0]*cols+s[1]] -= add
				steps[r[1]*cols+s[0]] -= add
				steps[r[1]*cols+s[1]] += add
			}
		}
	}
	v := 0.0
	above := make([]float64, cols)
	for i := range rows - 1 {
		at := 0.0
		for k := range cols - 1 {
			above[k] += steps[i*cols+k]
			at += above[k]
			v += float64(widths[p[0]][i] * widths[p[1]][k] * float64(at*at))
		}
	}
	return v
}
