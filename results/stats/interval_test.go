package stats

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// TestTQuantiles checks the quantiles by the interval of {-1, 1}-like moments
// against scipy.stats.t.ppf(.975, n) of scipy 1.10.1.
func TestTQuantiles(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]float64{1: 12.706204736432095, 2: 4.302652729911275, 9: 2.2621571627409915, 29: 2.045229642132703, 199: 1.971956544249395} {
		i := TFromMoments(n+1, 0, math.Sqrt(float64(n+1)), .95)
		near(t, "t", i.High, want, 1e-9*want)
		near(t, "-t", i.Low, -want, 1e-9*want)
	}
}

// TestIntervals compares with scipy 1.10.1: t.interval, and bootstrap with
// 400,000 resamples. Ours has 200,000; both scatter by up to 0.01. BCa of mean
// and IQM is compared with Efron's formulas written out in NumPy (a million
// resamples, ties counted as half), since scipy before 1.12 counts no ties.
func TestIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s         Statistic
		o         Options
		low, high float64
		within    float64
	}{
		{ByMean, Options{}, 1.5374813047219333, 4.479185361944732, 1e-8},
		{ByMean, Options{Level: .99}, 0.9328164723865773, 5.083850194280089, 1e-8},
		{ByMean, Options{Method: BCa}, 2.0417, 4.7083, .02},
		{ByMean, Options{Method: Percentile}, 1.8833, 4.3667, .02},
		{ByMedian, Options{}, 1.65, 4.0, 1e-9},
		{ByMedian, Options{Method: Percentile}, 1.65, 4.0, 1e-9},
		{ByIQM, Options{}, 1.6333, 3.9333, .02},
		{ByIQM, Options{Method: Percentile}, 1.65, 3.95, .02},
	} {
		c.o.Resamples, c.o.Key = 200_000, rng.Root(1, "intervals")
		e := Estimate(Scores{sample()}, c.s, c.o)
		if math.Abs(e.Low-c.low) > c.within || math.Abs(e.High-c.high) > c.within {
			t.Errorf("%s %+v: %v, want %v to %v within %v", c.s, c.o, e.Interval, c.low, c.high, c.within)
		}
	}
	if i := TInterval(append(sample(), math.NaN()), .95); math.Abs(i.Low-1.5374813047219333) > 1e-9 {
		t.Errorf("TInterval with a NaN starts at %v", i.Low)
	}
}

// TestPairedDifference compares with scipy 1.10.1: the t interval of the
// differences, and its paired bootstrap of the difference of trimmed means.
func TestPairedDifference(t *testing.T) {
	t.Parallel()
	x, y := Scores{sample()}, Scores{{2.1, 0.6, 3.0, 1.2, 2.5, 6.1, 0.1, 2.2, 4.4, 1.9, 2.0, 1.6}}
	d := Difference(x, y, ByMean, Options{})
	near(t, "difference", d.Value, 0.7, 1e-12)
	near(t, "low", d.Low, 0.11390492344158298, 1e-9)
	near(t, "high", d.High, 1.2860950765584171, 1e-9)
	d = Difference(x, y, ByIQM, Options{Resamples: 200_000})
	near(t, "iqm difference", d.Value, 0.45, 1e-12)
	near(t, "low", d.Low, -0.1, .02)
	near(t, "high", d.High, 1.05, .02)
}

// TestMissingRuns: with runs missing, the difference between points must not
// enter the interval, and a run of one side alone still counts.
func TestMissingRuns(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	full := Estimate(Scores{{1, 2, 3, 4, 5, 6}, {101, 102, 103, 104, 105, 106}}, ByMean, Options{})
	holed := Estimate(Scores{{1, 2, 3, 4, 5, 6}, {101, nan, 103, 104, nan, 106}}, ByMean, Options{})
	if holed.Half() > 1.3*full.Half() || holed.Half() < full.Half()/1.3 {
		t.Errorf("half-width %v with two runs missing, %v without", holed.Half(), full.Half())
	}
	d := Difference(Scores{{1, 2, nan, 4, 5, 6}}, Scores{{1, 2, 3, nan, 5, 6}}, ByMean, Options{})
	if !d.Known() || !d.Contains(0) {
		t.Errorf("difference with holes on both sides: %+v", d)
	}
	for _, s := range []Statistic{ByIQM, ByMedian} {
		if e := Estimate(Scores{{1, 2, 3, 4, 5, 6}, {11, nan, 13, 14, nan, 16}}, s, Options{}); !e.Known() || !e.Contains(e.Value) {
			t.Errorf("%s with two runs missing: %+v", s, e)
		}
	}
}

func TestUnknownIntervals(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for name, e := range map[string]Estimated{
		"no scores":                      Estimate(nil, ByMean, Options{}),
		"no points":                      Estimate(Scores{}, ByIQM, Options{}),
		"no runs":                        Estimate(Scores{{nan, nan}}, ByMean, Options{}),
		"one run":                        Estimate(Scores{{1}}, ByMean, Options{}),
		"one run at a point":             Estimate(Scores{{1, 2}, {3, nan}}, ByMean, Options{}),
		"an infinite run":                Estimate(Scores{{1, math.Inf(1), 2}}, ByMean, Options{}),
		"four runs of a bootstrap":       Estimate(Scores{{1, 2, 3, 4}}, ByIQM, Options{}),
		"one run at a point, bootstrap":  Estimate(Scores{{1, 2, 3, 4, 5}, {3, nan, nan, nan, nan}}, ByIQM, Options{}),
		"difference from nothing":        Difference(Scores{{1, 2, 3, 4, 5}}, nil, ByMean, Options{}),
		"difference from nothing, iqm":   Difference(Scores{{1, 2, 3, 4, 5}}, nil, ByIQM, Options{}),
		"difference from a single run":   Difference(Scores{{1, 2}}, Scores{{1, nan}}, ByMean, Options{}),
		"difference of nothing, iqm, xy": Difference(nil, nil, ByIQM, Options{}),
	} {
		if e.Known() {
			t.Errorf("%s: interval %v is known", name, e.Interval)
		}
	}
}

// TestSeeded: an interval is a function of scores and key alone.
func TestSeeded(t *testing.T) {
	t.Parallel()
	x := Scores{sample()}
	a := Estimate(x, ByIQM, Options{Key: rng.Root(1, "a"), Resamples: 300})
	b := Estimate(x, ByIQM, Options{Key: rng.Root(1, "a"), Resamples: 300})
	if a != b {
		t.Errorf("the same key gave %v and %v", a, b)
	}
	m := Estimate(Scores{{3.13, 0.27, 4.71, 1.93, 2.29, 8.87, 0.9, 2.53}}, ByMean, Options{Method: BCa, Key: rng.Root(1, "a"), Resamples: 300})
	n := Estimate(Scores{{3.13, 0.27, 4.71, 1.93, 2.29, 8.87, 0.9, 2.53}}, ByMean, Options{Method: BCa, Key: rng.Root(1, "b"), Resamples: 300})
	if m == n {
		t.Error("another key gave the same interval")
	}
}

// TestShareUpper checks against scipy.stats.beta.ppf(.95, k+1, n-k).
func TestShareUpper(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ k, n, want float64 }{
		{0, 10, 0.2588655508930522}, {1, 10, 0.39416330243650466}, {3, 240, 0.03198819975403926},
		{0, 240, 0.012404638050409016}, {9, 10, 0.9948838031081763}, {10, 10, 1}, {0, 0, math.NaN()},
	} {
		near(t, "upper bound", ShareUpper(c.k, c.n, .95), c.want, 1e-9)
	}
	if a, b, c := ShareUpper(1, 20, .95), ShareUpper(1.5, 20, .95), ShareUpper(2, 20, .95); a >= b || b >= c {
		t.Errorf("bounds of 1, 1.5 and 2 of 20 are %v, %v, %v", a, b, c)
	}
}

func BenchmarkPooledIQM(b *testing.B) {
	x := make(Scores, 12)
	s := rng.New(rng.Root(1, "bench"))
	for p := range x {
		x[p] = make([]float64, 20)
		s.Normals(x[p])
	}
	for b.Loop() {
		Estimate(x, ByIQM, Options{})
	}
}
