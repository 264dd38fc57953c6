package figure

import (
	"math"
	"slices"
	"testing"

	"overnight/internal/rng"
)

// TestIsolinesCircle: the line on which x^2 + y^2 is a quarter is a closed circle
// of radius one half, off by less than the second-order error of its cells.
func TestIsolinesCircle(t *testing.T) {
	t.Parallel()
	axis, grid := make([]float64, 41), make([][]float64, 41)
	for i := range axis {
		axis[i] = -1 + .05*float64(i)
	}
	for i := range grid {
		for _, x := range axis {
			grid[i] = append(grid[i], x*x+axis[i]*axis[i])
		}
	}
	lines := isolines(axis, axis, grid, .25)
	if len(lines) != 1 {
		t.Fatalf("%d lines, want one", len(lines))
	}
	l := lines[0]
	if n := len(l.X) - 1; l.X[0] != l.X[n] || l.Y[0] != l.Y[n] || n < 60 {
		t.Errorf("the circle of %d places is open", n)
	}
	for i := range l.X {
		if r := math.Hypot(float64(l.X[i]), float64(l.Y[i])); math.Abs(r-.5) > .05*.05/2 {
			t.Errorf("a place at radius %v", r)
		}
	}
}

// TestIsolinesCells: a saddle gives two lines, a hole in the data cuts a line, and
// a level that no cell crosses has none.
func TestIsolinesCells(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	axis := []float64{0, 1, 2, 3}
	for name, c := range map[string]struct {
		grid  [][]float64
		lines int
	}{
		"saddle": {[][]float64{{1, 0, 0, 0}, {0, 1, 1, 1}, {0, 1, 1, 1}, {0, 1, 1, 1}}, 2},
		"plain":  {[][]float64{{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 1}, {1, 1, 1, 1}}, 1},
		"hole":   {[][]float64{{0, 0, 0, 0}, {0, nan, 0, 0}, {1, 1, 1, 1}, {1, 1, 1, 1}}, 1},
		"flat":   {[][]float64{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}}, 0},
		"island": {[][]float64{{0, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}, 1},
	} {
		lines := isolines(axis, axis, c.grid, .4)
		if len(lines) != c.lines {
			t.Errorf("%s: %d lines %v, want %d", name, len(lines), lines, c.lines)
		}
		for _, l := range lines {
			for i := range l.X {
				if !finite(l.X[i]) || !finite(l.Y[i]) {
					t.Errorf("%s: a place at %v, %v", name, l.X[i], l.Y[i])
				}
			}
		}
	}
}

func TestNiceLevels(t *testing.T) {
	t.Parallel()
	if got := niceLevels(.13, .98, 7); !slices.EqualFunc(got, []float64{.2, .4, .6, .8}, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("levels %v", got)
	}
	if got := niceLevels(1, math.Nextafter(1, 2), 7); len(got) > 14 {
		t.Errorf("levels between neighbours: %v", got)
	}
	for _, r := range [][2]float64{{1, 1}, {2, 1}, {math.NaN(), 1}, {-math.MaxFloat64, math.MaxFloat64}} {
		if got := niceLevels(r[0], r[1], 7); got != nil {
			t.Errorf("levels of %v: %v", r, got)
		}
	}
}

// TestSmoothPlane: a plane is kept exactly by local linear regression, also where
// points are few and at the border.
func TestSmoothPlane(t *testing.T) {
	t.Parallel()
	draw := rng.New(rng.Root(5, "plane"))
	var px, py, v []float64
	for range 200 {
		x, y := draw.Float64(), 10*draw.Float64()
		px, py, v = append(px, x), append(py, y), append(v, 3+2*x-y)
	}
	gx, gy := places(px), places(py)
	blank := 0
	for i, row := range smooth(px, py, v, gx, gy) {
		for j, z := range row {
			if math.IsNaN(z) {
				blank++
				continue
			}
			// Where the plane leaves the values nearby it is cut off at them.
			if want := 3 + 2*gx[j] - gy[i]; math.Abs(z-want) > 1e-9 && i > 2 && i < 37 && j > 2 && j < 37 {
				t.Errorf("at %v, %v: %v, want %v", gx[j], gy[i], z, want)
			}
		}
	}
	if blank > 40 {
		t.Errorf("%d of 1600 places are blank", blank)
	}
}

// TestSampleOf: a sample has its size, ascends, and takes every number equally
// often: of 200 draws of 50 of 100 each number is in 100, standard deviation 7;
// five of these are left 1e-4 of the time over 100 numbers.
func TestSampleOf(t *testing.T) {
	t.Parallel()
	count := make([]int, 100)
	for k := range 200 {
		s := sampleOf(100, 50, rng.Root(uint64(k), "sample"))
		if len(s) != 50 || !slices.IsSorted(s) || len(slices.Compact(slices.Clone(s))) != 50 {
			t.Fatalf("sample %v", s)
		}
		for _, i := range s {
			count[i]++
		}
	}
	for i, n := range count {
		if n < 65 || n > 135 {
			t.Errorf("%d is in %d of 200 samples", i, n)
		}
	}
	if got := sampleOf(3, 50, rng.Key{}); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("a sample of all: %v", got)
	}
	if got := shareOut([]int{100, 3, 50}, 60); !slices.Equal(got, []int{29, 3, 28}) && !slices.Equal(got, []int{28, 3, 29}) {
		t.Errorf("shares %v", got)
	}
}
