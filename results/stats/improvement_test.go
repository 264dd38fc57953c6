package stats

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// TestImprovementOfHoles compares with the definition written out, on scores
// with ties and missing runs, and its resamples with runs repeated.
func TestImprovementOfHoles(t *testing.T) {
	t.Parallel()
	key, nan := rng.Root(1, "holes"), math.NaN()
	var x, y Scores
	for p := range 6 {
		a, b := normals(key.At(uint64(p)), 7), normals(key.At(uint64(50+p)), 9)
		for i := range a {
			a[i] = math.Round(2*a[i]) + 1
		}
		for i := range b {
			b[i] = math.Round(2 * b[i])
		}
		a[p%3], b[p] = nan, nan
		x, y = append(x, a), append(y, b)
	}
	x[5] = []float64{nan, nan}
	times := []int32{2, 0, 1, 3, 1, 0, 2, 1, 1}
	for _, times := range [][]int32{nil, times} {
		total, points := 0.0, 0.0
		for p := range x {
			over, pairs := 0.0, 0.0
			for i, a := range x[p] {
				for j, b := range y[p] {
					if math.IsNaN(a) || math.IsNaN(b) {
						continue
					}
					w := 1.0
					if times != nil {
						w = float64(times[i] * times[j])
					}
					pairs += w
					if a > b {
						over += w
					} else if a == b {
						over += w / 2
					}
				}
			}
			if pairs > 0 {
				total += over / pairs
				points++
			}
		}
		near(t, "share", newWins(x, y).share(times), total/points, 1e-12)
	}
}

// TestOneSided: where no run is on the other side, no interval pretends that
// there is no luck.
func TestOneSided(t *testing.T) {
	t.Parallel()
	x, y := Scores{{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}, Scores{{0, 1, 2, 3, 4, 1, 2, 3, 4, 0}}
	none := 1 - math.Pow(.025, .1) // Clopper and Pearson, two-sided, 0 of 10
	up, down := Improvement(x, y, Options{}), Improvement(y, x, Options{})
	near(t, "improvement", up.Value, 1, 0)
	near(t, "low", up.Low, 1-none, 1e-9)
	near(t, "high", up.High, 1, 0)
	near(t, "high of the other", down.High, none, 1e-9)
	f := ProfileOf(x, []float64{4, 9, 20}, Options{})
	near(t, "profile low", f.Low[0], 1-none, 1e-9)
	near(t, "profile high", f.High[2], none, 1e-9)
	if !(f.Low[1] > 0 && f.High[1] < 1 && f.Low[1] < f.Share[1] && f.Share[1] < f.High[1]) {
		t.Errorf("profile at 9: %v from %v to %v", f.Share[1], f.Low[1], f.High[1])
	}
	w := WinsOf(x, y, .95)
	if w.Wins != 10 || w.Ties+w.Losses != 0 || w.Value != 1 || w.High != 1 || w.Low > .75 {
		t.Errorf("wins %+v", w)
	}
	w = WinsOf(Scores{{1, 2, math.NaN(), 3}}, Scores{{1, 1, 1, 4}}, .95)
	if w.Wins != 1 || w.Ties != 1 || w.Losses != 1 || w.Value != .5 {
		t.Errorf("wins with a tie and a run missing: %+v", w)
	}
}

// TestUnknownNumbers: what can't be had honestly is not known.
func TestUnknownNumbers(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	four, one := Scores{{1, 2, 3, 4}}, Scores{{1, nan, nan, nan, nan}}
	for name, i := range map[string]Interval{
		"improvement of four":      Improvement(four, four, Options{}).Interval,
		"improvement of one":       Improvement(one, one, Options{}).Interval,
		"improvement of nothing":   Improvement(nil, nil, Options{}).Interval,
		"gap of one":               OptimalityGap(one, 1, Options{}).Interval,
		"wins of nothing":          WinsOf(nil, nil, .95).Interval,
		"tolerance of 45":          Tolerance(make([]float64, 45), .9, .95),
		"normal tolerance of one":  NormalTolerance(one[0], .9, .95),
		"live of four":             Live(four[0], .95),
		"common noise of four":     CommonNoiseOf(four, four, .95).Correlation.Interval,
		"common noise of the same": CommonNoiseOf(Scores{{1, 2, 3, 4, 6}}, Scores{{1, 2, 3, 4, 6}}, .95).Factor.Interval,
	} {
		if i.Known() {
			t.Errorf("%s: %v is known", name, i)
		}
	}
	if f := ProfileOf(four, []float64{2}, Options{}); f.Share[0] != .5 || !math.IsNaN(f.Low[0]) || !math.IsNaN(f.Around) {
		t.Errorf("profile of four: %+v", f)
	}
	for _, c := range []struct {
		share float64
		want  int
	}{{.9, 46}, {.95, 93}, {.99, 473}, {.5, 8}} { // Wilks 1941; Conover, table A6
		if got := ToleranceRuns(c.share, .95); got != c.want {
			t.Errorf("a share of %v needs %d runs, want %d", c.share, got, c.want)
		}
	}
	near(t, "ten runs hold", RangeHolds(10, .95), .6058, 1e-4)
}

// TestUnits: the units of tests are replications, and no difference between
// points enters where a run is missing.
func TestUnits(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	x := Scores{{1, 2, nan, 4}, {101, 102, 103, nan}, {nan, nan, nan, nan}}
	y := Scores{{0, 0, 0, 0}, {100, 100, 100, 100}, {7, 7, 7, 7}}
	for r, want := range []float64{1, 2, 3, 4} {
		near(t, "difference", Differences(x, y)[r], want, 1e-12)
	}
	for r, want := range []float64{51, 52, nan, nan} {
		near(t, "mean", Means(x)[r], want, 1e-12)
	}
}
