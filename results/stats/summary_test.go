package stats

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// sample is the data that the values from scipy 1.10.1 and NumPy below are of.
func sample() []float64 {
	return []float64{3.1, 0.2, 4.7, 1.9, 2.2, 8.8, 0.9, 2.5, 5.1, 1.4, 3.3, 2.0}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s = %v, want %v within %v", what, got, want, within)
	}
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	nan, x := math.NaN(), sample()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"mean, numpy.mean", Mean(x), 3.008333333333333},
		{"mean of nothing", Mean(nil), nan},
		{"mean of one", Mean([]float64{7}), 7},
		{"mean of an infinity", Mean([]float64{1, math.Inf(1)}), math.Inf(1)},
		{"sd, numpy.std ddof=1", SD(x), 2.314954675909477},
		{"sd of one", SD([]float64{1}), nan},
		{"median, numpy.median", Median(x), 2.35},
		{"median of an odd number", Median([]float64{3, 1, 2}), 2},
		{"median with a NaN", Median([]float64{3, nan, 2}), nan},
		{"quantile .1, numpy.quantile", Quantile(x, .1), 0.9500000000000001},
		{"quantile .9, numpy.quantile", Quantile(x, .9), 5.06},
		{"quantile 0", Quantile(x, 0), 0.2},
		{"quantile 1", Quantile(x, 1), 8.8},
		{"quantile of nothing", Quantile(nil, .5), nan},
		{"iqm of 12, scipy.stats.trim_mean(x, .25)", IQM(x), 2.5},
		{"iqm of 10: third and eighth count half", IQM([]float64{100, 1, 2, 3, 4, 5, 6, 7, 8, -100}), (.5*2 + 3 + 4 + 5 + 6 + .5*7) / 5},
		{"iqm of 3", IQM([]float64{0, 3, 10}), (.25*0 + 3 + .25*10) / 1.5},
		{"iqm of 2", IQM([]float64{1, 2}), 1.5},
		{"iqm of 1", IQM([]float64{4}), 4},
		{"iqm of nothing", IQM(nil), nan},
		{"iqm with a NaN", IQM([]float64{1, nan, 2}), nan},
		{"mad, scipy.stats.median_abs_deviation(scale='normal')", MAD(x), 1.4084721075803217},
		{"cutoff", LowCutoff(x, 2), 2.35 - 2*1.4084721075803217},
		{"cutoff where more than half are equal", LowCutoff([]float64{1, 1, 1, 0}, 1), 1 - 1.2533141373155003/4},
	} {
		if c.got != c.want && !(math.Abs(c.got-c.want) < 1e-14) && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}

// TestOfEqualScores: equal scores must give that very number, so that an arm
// that never varies shows no interval and no difference from itself.
func TestOfEqualScores(t *testing.T) {
	t.Parallel()
	for n := 1; n < 50; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = 0.1
		}
		if m, d, q := Mean(x), Median(x), IQM(x); m != .1 || d != .1 || q != .1 {
			t.Errorf("of %d times 0.1: mean %v, median %v, iqm %v", n, m, d, q)
		}
		if n < MinBootstrap {
			continue
		}
		for _, o := range []Options{{}, {Method: BCa}, {Method: Percentile}} {
			if e := Estimate(Scores{x}, ByMean, o); e.Low != .1 || e.High != .1 {
				t.Errorf("%q interval of %d times 0.1 is %v", o.Method, n, e.Interval)
			}
		}
	}
}

// TestPoolAgrees checks the statistics of the pool, which work with weights on
// sorted runs, against the plain ones on random samples.
func TestPoolAgrees(t *testing.T) {
	t.Parallel()
	s := rng.New(rng.Root(1, "pool"))
	for n := 1; n < 60; n++ {
		x := make([]float64, n)
		s.Normals(x)
		times := make([]int32, n)
		var drawn []float64
		for range n {
			i := s.IntN(n)
			times[i]++
			drawn = append(drawn, x[i])
		}
		p := newPool(Scores{x})
		near(t, "mean", p.eval(ByMean, times), Mean(drawn), 1e-13)
		near(t, "median", p.eval(ByMedian, times), Median(drawn), 1e-13)
		near(t, "iqm", p.eval(ByIQM, times), IQM(drawn), 1e-13)
	}
}

// TestPointsWeighAlike: a point with a run missing must not weigh less.
func TestPointsWeighAlike(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	x := Scores{{1, 1, 1, 1}, {nan, 3, nan, 3}, {nan, nan, nan, nan}}
	for _, s := range []Statistic{ByMean, ByIQM, ByMedian} {
		if got := s.Of(x); got != 2 {
			t.Errorf("%s = %v, want 2", s, got)
		}
	}
}
