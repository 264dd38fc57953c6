package figure

import "math"

// isolines returns the lines on which a grid has a level, by marching squares
// (Lorensen and Cline's marching cubes, SIGGRAPH 1987, in the plane): ends are
// interpolated along the edges of cells, a saddle is split by the mean of its
// corners, and cells with a corner that is not finite have none. Pieces are
// joined into lines, closed ones ending where they begin.
func isolines(x, y []float64, grid [][]float64, level float64) []Line {
	// An edge is known by its cell's corner and direction: 2*(row*columns+column),
	// plus 0 for the edge to the right and 1 for the one upwards.
	columns := len(x)
	next := map[int][]int{} // the edges that pieces join an edge to
	var order []int
	join := func(a, b int) {
		for _, e := range []int{a, b} {
			if len(next[e]) == 0 {
				order = append(order, e)
			}
		}
		next[a], next[b] = append(next[a], b), append(next[b], a)
	}
	for i := range len(y) - 1 {
		for j := range columns - 1 {
			c := [4]float64{grid[i][j], grid[i][j+1], grid[i+1][j+1], grid[i+1][j]}
			code, sum := 0, 0.0
			for k, v := range c {
				sum += v
				if v >= level {
					code |= 1 << k
				}
			}
			if math.IsNaN(sum) || math.IsInf(sum, 0) {
				continue
			}
			at := i*columns + j
			bottom, right, top, left := 2*at, 2*(at+1)+1, 2*(at+columns), 2*at+1
			switch code {
			case 1, 14:
				join(left, bottom)
			case 2, 13:
				join(bottom, right)
			case 3, 12:
				join(left, right)
			case 4, 11:
				join(right, top)
			case 6, 9:
				join(bottom, top)
			case 7, 8:
				join(left, top)
			case 5, 10:
				if (sum/4 >= level) == (code == 5) {
					join(left, top)
					join(bottom, right)
				} else {
					join(left, bottom)
					join(right, top)
				}
			}
		}
	}
	place := func(e int) (float64, float64) {
		i, j := e/2/columns, e/2%columns
		i2, j2 := i, j+1
		if e%2 == 1 {
			i2, j2 = i+1, j
		}
		part := (level - grid[i][j]) / (grid[i2][j2] - grid[i][j])
		return x[j] + float64(part*(x[j2]-x[j])), y[i] + float64(part*(y[i2]-y[i]))
	}
	return trace(order, next, level, place)
}

// trace follows pieces from edge to edge: open lines from their ends, then what
// is left, which is closed.
func trace(order []int, next map[int][]int, level float64, place func(int) (float64, float64)) []Line {
	var lines []Line
	follow := func(from int) {
		l := Line{Level: Num(level)}
		for at, ok := from, true; ok; {
			px, py := place(at)
			l.X, l.Y = append(l.X, Num(px)), append(l.Y, Num(py))
			if ok = len(next[at]) > 0; ok {
				to := next[at][0]
				next[at] = next[at][1:]
				next[to] = without(next[to], at)
				at = to
			}
		}
		lines = append(lines, l)
	}
	for _, e := range order {
		if len(next[e]) == 1 {
			follow(e)
		}
	}
	for _, e := range order {
		if len(next[e]) > 0 {
			follow(e)
		}
	}
	return lines
}

// without removes the first v.
func without(list []int, v int) []int {
	for i, x := range list {
		if x == v {
			return append(append([]int(nil), list[:i]...), list[i+1:]...)
		}
	}
	return list
}

// niceLevels returns about n round numbers inside a range.
func niceLevels(low, high float64, n int) []float64 {
	if !(high > low) || math.IsInf(high-low, 0) {
		return nil
	}
	rough := (high - low) / float64(n)
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, k := range []float64{1, 2, 5} {
		if k*unit >= rough {
			step = k * unit
			break
		}
	}
	var out []float64
	from := math.Floor(low/step) + 1
	for i := range 2 * n { // never more, also where steps are lost in rounding
		v := (from + float64(i)) * step
		if v > low && v < high {
			out = append(out, v)
		}
	}
	return out
}
