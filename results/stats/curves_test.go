package stats

import (
	"math"
	"slices"
	"testing"

	"overnight/internal/rng"
)

// TestCurvesAnyGrid: runs whose X differ meet on one grid, and none has a value
// beyond its own ends.
func TestCurvesAnyGrid(t *testing.T) {
	t.Parallel()
	var c Curves
	c.Add(0, []float64{10, 20, 30}, []float64{1, 2, 3})
	c.Add(2, []float64{0, 15, 25, 40}, []float64{0, 1.5, 2.5, 4})
	c.Add(2, []float64{20, math.NaN(), 30}, []float64{4, 9, math.NaN()})
	c.Add(1, nil, nil)
	b := c.Band(.95)
	if want := []float64{0, 10, 20, 30, 40}; !slices.Equal(b.X, want) {
		t.Fatalf("grid %v, want %v", b.X, want)
	}
	if want := []int{1, 2, 2, 2, 1}; !slices.Equal(b.N, want) {
		t.Errorf("replications %v, want %v", b.N, want)
	}
	for i, want := range []float64{0, 1, 2.5, 3, 4} {
		near(t, "mean", b.Y[i], want, 1e-12)
	}
	if !math.IsNaN(b.Low[0]) || math.IsNaN(b.Low[1]) {
		t.Errorf("band from %v: known of one replication or unknown of two", b.Low)
	}
	if c.Replication(1) != nil || c.Replication(7) != nil || c.Replications() != 3 {
		t.Errorf("replication 1 has %v of %d", c.Replication(1), c.Replications())
	}
	// Replication 0 has no value at 0 and 40, so one area is left.
	if a := c.Area(.95); a.Known() {
		t.Errorf("area of one whole replication has the interval %v", a.Interval)
	}
}

// TestCurvesKeepTheirSize: grid and memory don't grow with runs, and what is
// kept are exact values.
func TestCurvesKeepTheirSize(t *testing.T) {
	t.Parallel()
	var c Curves
	for run := range 40 {
		var x, y []float64
		for i := range 300 * (1 + run%5) {
			x, y = append(x, float64(i)), append(y, float64(i*i))
		}
		c.Add(run%2, x, y)
	}
	b := c.Band(.95)
	if len(b.X) > MaxGrid || len(b.X) < MaxGrid/2-1 {
		t.Fatalf("grid of %d, want up to %d", len(b.X), MaxGrid)
	}
	if b.X[0] != 0 || b.X[len(b.X)-1] != 1499 {
		t.Errorf("grid from %v to %v, want 0 to 1499", b.X[0], b.X[len(b.X)-1])
	}
	for i, x := range b.X {
		near(t, "mean", b.Y[i], x*x, 1e-9*x*x)
	}
}

func TestAreaAndTime(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	x, y := []float64{0, 10, 20, 40}, []float64{0, 1, 1, 3}
	near(t, "area", Area(x, y), (5+10+40)/40., 1e-12)
	near(t, "area with a NaN", Area([]float64{0, 10, 20, 30, 40}, []float64{0, 1, 1, nan, 3}), (5+10+40)/40., 1e-12)
	near(t, "area of a point", Area(x[:1], y[:1]), nan, 0)
	for _, c := range []struct{ threshold, want float64 }{{0, 0}, {.5, 10}, {1, 10}, {1.1, 40}, {4, inf}} {
		if got := TimeTo(x, y, c.threshold); got != c.want {
			t.Errorf("time to %v is %v, want %v", c.threshold, got, c.want)
		}
	}
	if got := TimesTo([]float64{inf, 5, nan, inf, inf}, .95); got.Runs != 4 || got.Reached != 1 || !math.IsInf(got.Median.Value, 1) || got.Median.Known() {
		t.Errorf("one of four reached: %+v", got)
	}
	if got := TimesTo(nil, .95); got.Runs != 0 || got.Share.Known() {
		t.Errorf("no runs: %+v", got)
	}
	var c Curves
	for r := range 8 {
		c.Add(r, x, []float64{0, float64(r), float64(r), 9})
	}
	got := c.TimesTo(4, .95)
	if got.Reached != 8 || got.Median.Value != 25 || got.Median.Interval != (Interval{10, 40}) {
		t.Errorf("times of curves: %+v, want a median of 25 from 10 to 40", got)
	}
}

// BenchmarkCurves adds runs of 200 points, as 100,000 trials of a report do.
func BenchmarkCurves(b *testing.B) {
	s := rng.New(rng.Root(1, "curves"))
	x, y := make([]float64, 200), make([]float64, 200)
	s.Normals(y)
	for i := range x {
		x[i] = float64(5 * i)
	}
	var c Curves
	for r := 0; b.Loop(); r++ {
		c.Add(r%30, x, y)
	}
}
