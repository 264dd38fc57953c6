package stats

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// TestImprovementWithout compares the shares with one replication left out, and
// with none, with those by their definition (wins.share).
func TestImprovementWithout(t *testing.T) {
	t.Parallel()
	key, nan := rng.Root(2, "without"), math.NaN()
	var x, y Scores
	for p := range 5 {
		a, b := normals(key.At(uint64(p)), 8), normals(key.At(uint64(20+p)), 6)
		for i := range a {
			a[i] = math.Round(2 * a[i])
		}
		for i := range b {
			b[i] = math.Round(2 * b[i])
		}
		a[p], b[(p+3)%6] = nan, nan
		x, y = append(x, a), append(y, b)
	}
	x = append(x, []float64{nan, nan})
	y = append(y, []float64{1, 2})
	j, w := improvements(x, y), newWins(x, y)
	near(t, "share", j.value(), w.share(nil), 1e-14)
	for r := range 8 {
		times := []int32{1, 1, 1, 1, 1, 1, 1, 1}
		times[r] = 0
		near(t, "share without one", j.without(int32(r)), w.share(times), 1e-14)
	}
}

// TestImprovementOverPoints: the share of each point counts alike, whatever runs
// it has, and points are the units.
func TestImprovementOverPoints(t *testing.T) {
	t.Parallel()
	var x, y Scores
	shares := []float64{1, .5, 0, .75, 1, 1}
	for p, runs := range [][]float64{{3, 3}, {3, 0}, {0, 0}, {3, 1}, {3, 3}, {3, math.NaN()}} {
		x, y = append(x, runs), append(y, []float64{1, 2})
		if p == 3 {
			y[p] = []float64{1, 1}
		}
	}
	e := ImprovementOverPoints(x, y, .95)
	near(t, "share", e.Value, Mean(shares), 1e-14)
	left := make([]float64, len(shares))
	for i, v := range shares {
		left[i] = (6*Mean(shares) - v) / 5
	}
	want := sharesInterval(Mean(shares), left, 6, .95)
	near(t, "low", e.Low, want.Low, 1e-12)
	near(t, "high", e.High, want.High, 1e-12)
	if e := ImprovementOverPoints(x[:4], y[:4], .95); e.Known() {
		t.Errorf("of four points the interval is [%v, %v], want not known", e.Low, e.High)
	}
}

// TestManyUnits: with 50,000 replications, of which groups are left out instead of
// each in turn, intervals have the width that theory gives.
func TestManyUnits(t *testing.T) {
	t.Parallel()
	const n = 50_000
	key := rng.Root(3, "many")
	x, y := normals(key.At(1), n), normals(key.At(2), n)
	e := Improvement(Scores{x}, Scores{y}, Options{})
	near(t, "P(X > Y)", e.Value, .5, .01)
	near(t, "its half-width", e.Half(), 1.96/math.Sqrt(6*n), .0002) // U has variance N^2(2N+1)/12
	f := ProfileOf(Scores{x}, []float64{0}, Options{Resamples: 10})
	near(t, "half-width of the share above 0", Interval{f.Low[0], f.High[0]}.Half(), 1.96*.5/math.Sqrt(n), .0004)
	noise := CommonNoiseOf(Scores{x}, Scores{y}, .95)
	near(t, "half-width of the correlation", noise.Correlation.Half(), 1.96/math.Sqrt(n), .0008)
	b := Estimate(Scores{x}, ByIQM, Options{Resamples: 200})
	if !b.Known() || !b.Contains(b.Value) {
		t.Errorf("IQM %v [%v, %v]", b.Value, b.Low, b.High)
	}
}

// BenchmarkManyUnits is P(X > Y) and the IQM's interval of 50,000 runs: they grow
// as n log n and n, where pairs and one left out at a time would take n squared.
func BenchmarkManyUnits(b *testing.B) {
	const n = 50_000
	key := rng.Root(3, "many")
	x, y := Scores{normals(key.At(1), n)}, Scores{normals(key.At(2), n)}
	for b.Loop() {
		Improvement(x, y, Options{})
		Estimate(x, ByIQM, Options{Resamples: 200})
	}
}

// TestGroupedJackknife: up to maxJackknife units each is left out by itself, and
// beyond, groups give the standard error of a mean within its own scatter.
func TestGroupedJackknife(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 7, maxJackknife, maxJackknife + 1, 1500, 10_007} {
		x := normals(rng.Root(4, "grouped").At(uint64(n)), n)
		units := make([]int32, n)
		for i := range units {
			units[i] = int32(i)
		}
		var left []float64
		covered := 0
		leaveOneOut(units, n, func(times []int32) {
			kept, s := 0.0, 0.0
			for i, w := range times {
				kept += float64(w)
				s += float64(w) * x[i]
			}
			covered += n - int(kept)
			left = append(left, s/kept)
		})
		if covered != n || len(left) != min(n, maxJackknife) {
			t.Errorf("%d units: %d left out in %d turns", n, covered, len(left))
		}
		if n < 100 {
			continue
		}
		g := float64(len(left))
		se := math.Sqrt(squaresAbout(left, Mean(left)) * (g - 1) / g)
		near(t, "standard error of the mean", se*math.Sqrt(float64(n))/SD(x), 1, .1)
	}
}
