package figure

import (
	"fmt"
	"math"
	"slices"

	"overnight/results/report"
)

const (
	contourSide = 40    // columns and rows of a smoothed surface
	contourMost = 10000 // points that a surface is smoothed over
	contourNeed = 12    // points below which there is no surface
)

// Contours shows an arm's summary over each pair of continuous factors as a
// smoothed surface with isolines and the points it was made of: a panel an arm, a
// pair and a task, those that explain most first.
func Contours(m *report.Model) (Figure, bool) {
	f := Figure{ID: "contours", Title: "The surface over two factors"}
	s, ok := read(m)
	if !ok {
		return f, false
	}
	var notes []string
	var caption string
	all := 0
	s.pairs(func(task int, a *armLine, x, y *levels) {
		if !x.ranged || !y.ranged || a.Arm == oracle(m) {
			return
		}
		if all++; len(f.Panels) == maxPanels {
			return
		}
		p, c, note, ok := s.contourPanel(task, a, x, y)
		if !ok {
			all--
			return
		}
		if caption == "" {
			caption = c
		}
		f.Panels = append(f.Panels, p)
		if note != "" {
			notes = append(notes, note)
		}
	})
	if len(f.Panels) == 0 {
		return f, false
	}
	s.onePanel(&f)
	f.Caption = caption
	slices.Sort(notes)
	f.Note = sentences(append([]string{fmt.Sprintf("A smoothed surface, not data: local linear regression over the points' %ss on a %d x %d grid, with the points within a ball around each place weighted by Epanechnikov's kernel; other factors vary along. Blank where too few points are near.", s.by, contourSide, contourSide)},
		append(slices.Compact(notes), leftOut(len(f.Panels), all, "pair of factors and arm"), s.incomplete())...)...)
	return f, true
}

func (s *study) contourPanel(task int, a *armLine, x, y *levels) (p Panel, caption, note string, ok bool) {
	p = Panel{Name: s.on(task, fmt.Sprintf("%s: %s by %s", a.arm, y.name, x.name)), Kind: Contour,
		X: Axis{Label: x.name, Log: x.log}, Y: Axis{Label: y.name, Log: y.log}, GridLabel: s.label(), Better: s.better()}
	var at []int
	for i, v := range a.value {
		if !math.IsNaN(v) {
			at = append(at, i)
		}
	}
	total := len(at)
	if total < contourNeed {
		return p, "", "", false
	}
	key := s.m.Key("figure/contour", uint64(task), uint64(a.Arm), uint64(x.factor), uint64(y.factor))
	var px, py, v []float64
	for _, k := range sampleOf(total, contourMost, key) {
		point := a.Points[at[k]]
		px, py = append(px, x.place(x.exact[point])), append(py, y.place(y.exact[point]))
		v = append(v, a.value[at[k]])
	}
	if slices.Min(px) == slices.Max(px) || slices.Min(py) == slices.Max(py) {
		return p, "", "", false
	}
	gx, gy := places(px), places(py)
	grid := smooth(px, py, v, gx, gy)
	low, high, top := math.Inf(1), math.Inf(-1), [2]int{-1}
	for i := range grid {
		for j, z := range grid[i] {
			if math.IsNaN(z) {
				continue
			}
			if top[0] < 0 || s.m.Worse(grid[top[0]][top[1]], z) {
				top = [2]int{i, j}
			}
			low, high = min(low, z), max(high, z)
		}
	}
	if top[0] < 0 {
		return p, "", "", false
	}
	for _, level := range niceLevels(low, high, 7) {
		for _, l := range isolines(gx, gy, grid, level) {
			for k := range l.X {
				l.X[k], l.Y[k] = Num(x.unplace(float64(l.X[k]))), Num(y.unplace(float64(l.Y[k])))
			}
			p.Isolines = append(p.Isolines, l)
		}
	}
	for i := range grid {
		p.Grid = append(p.Grid, Nums(grid[i]))
	}
	for i := range gx {
		p.GridX, p.GridY = append(p.GridX, Num(x.unplace(gx[i]))), append(p.GridY, Num(y.unplace(gy[i])))
	}
	dots := Series{Name: "points", Color: -1}
	for _, k := range sampleOf(len(px), maxDots/4, key.At(1)) {
		dots.X, dots.Y = append(dots.X, Num(x.unplace(px[k]))), append(dots.Y, Num(y.unplace(py[k])))
		dots.Text = append(dots.Text, number(v[k]))
	}
	p.Series = []Series{dots}
	caption = fmt.Sprintf("%s is best near %s %s and %s %s, with %s on the smoothed surface, which lies between %s and %s.", s.on(task, a.arm),
		x.name, number(float64(p.GridX[top[1]])), y.name, number(float64(p.GridY[top[0]])), number(grid[top[0]][top[1]]), number(low), number(high))
	return p, caption, sampled(len(dots.Y), total, "points as dots in a panel"), true
}

// places returns contourSide places from the least to the largest value.
func places(v []float64) []float64 {
	low, high := slices.Min(v), slices.Max(v)
	out := make([]float64, contourSide)
	for i := range out {
		out[i] = low + float64((high-low)*float64(i)/float64(contourSide-1))
	}
	out[contourSide-1] = high
	return out
}

// smooth returns a surface through values v at (px, py), by row of gy and column
// of gx: at each place the local linear regression (Fan and Gijbels, Local
// Polynomial Modelling, 1996) over the points within a radius, weighted
// by Epanechnikov's kernel 1 - d^2. Axes are scaled to 1; the radius shrinks with
// the number of points n as 1.1 n^(-1/6), the rate that balances bias and noise in
// two dimensions, within [0.12, 0.5]. It stays within the values of the points
// near, and is NaN where there are fewer than four, where they lie on a line or
// to one side (their centre is more than 0.6 radii away).
func smooth(px, py, v, gx, gy []float64) [][]float64 {
	sx, sy := 1/(gx[len(gx)-1]-gx[0]), 1/(gy[len(gy)-1]-gy[0])
	radius := min(max(1.1*math.Pow(float64(len(v)), -1.0/6), 0.12), 0.5)
	// Points are sorted by x: a place looks only at those within its radius.
	order := make([]int, len(px))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case px[a] < px[b]:
			return -1
		case px[a] > px[b]:
			return 1
		}
		return 0
	})
	x, y, z := make([]float64, len(px)), make([]float64, len(px)), make([]float64, len(px))
	for i, k := range order {
		x[i], y[i], z[i] = px[k]*sx, py[k]*sy, v[k]
	}
	grid := make([][]float64, len(gy))
	for i := range grid {
		grid[i] = make([]float64, len(gx))
	}
	for j := range gx {
		cx := gx[j] * sx
		from, _ := slices.BinarySearch(x, cx-radius)
		to, _ := slices.BinarySearch(x, cx+radius)
		for i := range gy {
			grid[i][j] = local(x[from:to], y[from:to], z[from:to], cx, gy[i]*sy, radius)
		}
	}
	return grid
}

// local returns the local linear regression at one place.
func local(x, y, z []float64, cx, cy, radius float64) float64 {
	var n int
	low, high := math.Inf(1), math.Inf(-1)
	var s0, sx, sy, sxx, sxy, syy, t0, tx, ty float64
	for i := range x {
		dx, dy := (x[i]-cx)/radius, (y[i]-cy)/radius
		w := 1 - dx*dx - dy*dy
		if w <= 0 {
			continue
		}
		n++
		low, high = min(low, z[i]), max(high, z[i])
		s0, sx, sy = s0+w, sx+w*dx, sy+w*dy
		sxx, sxy, syy = sxx+w*dx*dx, sxy+w*dx*dy, syy+w*dy*dy
		t0, tx, ty = t0+w*z[i], tx+w*dx*z[i], ty+w*dy*z[i]
	}
	if n < 4 {
		return math.NaN()
	}
	// Centre the places: the value at 0 is the mean less the slopes' part.
	mx, my, mz := sx/s0, sy/s0, t0/s0
	cxx, cxy, cyy := sxx/s0-mx*mx, sxy/s0-mx*my, syy/s0-my*my
	det := cxx*cyy - cxy*cxy
	if det < 1e-6 || mx*mx+my*my > 0.36 {
		return math.NaN()
	}
	czx, czy := tx/s0-mx*mz, ty/s0-my*mz
	bx, by := (cyy*czx-cxy*czy)/det, (cxx*czy-cxy*czx)/det
	return min(max(mz-bx*mx-by*my, low), high)
}
