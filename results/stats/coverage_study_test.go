package stats

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"overnight/internal/rng"
)

// runsIn lists the numbers of runs that a study tries: 5, 10, 20 and 30, or 20
// alone in the short form.
func runsIn() []int {
	if *long {
		return []int{5, 10, 20, 30}
	}
	return []int{20}
}

func normals(key rng.Key, n int) []float64 {
	s := rng.New(key)
	x := make([]float64, n)
	s.Normals(x)
	return x
}

// skewed draws 1 - exponential, the shape of a share of the optimum.
func skewed(key rng.Key, n int) []float64 {
	s := rng.New(key)
	x := make([]float64, n)
	for i := range x {
		x[i] = 1 - s.Exponential()
	}
	return x
}

// study is one row for each number of runs: what its intervals cover.
type study struct {
	name string
	want map[int]float64 // by the number of runs
	hit  func(key rng.Key, n int) bool
}

func (s study) run(t *testing.T) {
	for _, n := range runsIn() {
		want, ok := s.want[n]
		if !ok {
			continue
		}
		t.Run(fmt.Sprintf("%s %d", s.name, n), func(t *testing.T) {
			t.Parallel()
			covers(t, fmt.Sprintf("%-42s n = %2d", s.name, n), want, func(key rng.Key) bool { return s.hit(key, n) })
		})
	}
}

// all is a coverage at each number of runs.
func all(five, ten, twenty, thirty float64) map[int]float64 {
	m := map[int]float64{5: five, 10: ten, 20: twenty, 30: thirty}
	for n, v := range m {
		if math.IsNaN(v) {
			delete(m, n)
		}
	}
	return m
}

// wilsonCovers adds up what Wilson's interval covers: wins are whole numbers, so
// it jumps about 95 %.
func wilsonCovers(share float64) map[int]float64 {
	want := map[int]float64{}
	for _, n := range runsIn() {
		wins := distuv.Binomial{N: float64(n), P: share}
		for k := range n + 1 {
			if Wilson(float64(k), float64(n), .95).Contains(share) {
				want[n] += wins.Prob(float64(k))
			}
		}
	}
	return want
}

// TestCoverageStudy states what nominal 95 % intervals cover at 5, 10, 20 and 30
// runs, of a normal metric and of a skewed one.
func TestCoverageStudy(t *testing.T) {
	t.Parallel()
	estimate := func(draw func(rng.Key, int) []float64, s Statistic, truth float64) func(rng.Key, int) bool {
		return func(key rng.Key, n int) bool {
			return Estimate(Scores{draw(key, n)}, s, Options{Key: key.At(1), Resamples: 500}).Contains(truth)
		}
	}
	quarter, three := math.Log(4./3), math.Log(4.)
	skewedIQM := 1 - 2*((quarter+1)*.75-(three+1)*.25)
	for _, s := range []study{
		{"mean, t, normal", all(.95, .95, .95, .95), estimate(normals, ByMean, 0)},
		{"mean, t, skewed", all(.885, .90, .92, .92), estimate(skewed, ByMean, 0)},
		{"IQM, BCa, normal", all(.89, .93, .935, .94), estimate(normals, ByIQM, 0)},
		{"IQM, BCa, skewed", all(.89, .925, .935, .94), estimate(skewed, ByIQM, skewedIQM)},
		{"P(X > Y) of .64, normal", all(.99, .967, .962, .957), func(key rng.Key, n int) bool {
			x, y := normals(key.At(1), n), normals(key.At(2), n)
			for i := range x {
				x[i] += .5
			}
			e := Improvement(Scores{x}, Scores{y}, Options{})
			return e.Contains(distuv.UnitNormal.CDF(.5 / math.Sqrt2))
		}},
		{"P(X > Y) of .60, skewed", all(.988, .966, .959, .955), func(key rng.Key, n int) bool {
			x, y := skewed(key.At(1), n), skewed(key.At(2), n)
			for i := range y {
				y[i] = 1 - 1.5*(1-y[i]) // P(E < 1.5 E') = 1.5/2.5
			}
			e := Improvement(Scores{x}, Scores{y}, Options{})
			return e.Contains(.6)
		}},
		{"P(X > Y) over 12 points, common noise", all(.937, .947, .95, .954), func(key rng.Key, n int) bool {
			x, y := commonArms(key, n)
			e := Improvement(x, y, Options{})
			return e.Contains(distuv.UnitNormal.CDF(1 / math.Sqrt(2.5)))
		}},
		{"P(X > Y), the same by BCa", all(.66, .84, .90, .92), func(key rng.Key, n int) bool {
			x, y := commonArms(key, n)
			e := Improvement(x, y, Options{Method: BCa, Key: key.At(3), Resamples: 500})
			return e.Contains(distuv.UnitNormal.CDF(1 / math.Sqrt(2.5)))
		}},
		{"optimality gap at 0, t, normal", all(.85, .895, .925, .93), func(key rng.Key, n int) bool {
			return OptimalityGap(Scores{normals(key, n)}, 0, Options{}).Contains(1 / math.Sqrt(2*math.Pi))
		}},
		{"profile at .5, Wilson and jackknife, normal", all(.998, .961, .976, .97), func(key rng.Key, n int) bool {
			f := ProfileOf(Scores{normals(key, n)}, []float64{.5}, Options{Key: key.At(1), Resamples: 500})
			return Interval{f.Low[0], f.High[0]}.Contains(distuv.UnitNormal.CDF(-.5))
		}},
		{"profile at 25 taus at once, normal", all(math.NaN(), math.NaN(), .94, .93), func(key rng.Key, n int) bool {
			var taus []float64
			for i := range 25 {
				taus = append(taus, float64(i-12)/4)
			}
			f := ProfileOf(Scores{normals(key, n)}, taus, Options{Key: key.At(1), Resamples: 500})
			for i, tau := range taus {
				if math.Abs(f.Share[i]-distuv.UnitNormal.CDF(-tau)) > f.Around+1e-12 {
					return false
				}
			}
			return true
		}},
		{"profile at 13 taus at once, 12 points", all(math.NaN(), math.NaN(), .93, .94), func(key rng.Key, n int) bool {
			x, _ := commonArms(key, n)
			var taus []float64
			for i := range 13 {
				taus = append(taus, float64(i))
			}
			f := ProfileOf(x, taus, Options{Key: key.At(3), Resamples: 500})
			for i, tau := range taus {
				truth := 0.0
				for p := range 12 {
					truth += distuv.UnitNormal.CDF((float64(p)+1-tau)/math.Sqrt(1.25)) / 12
				}
				if math.Abs(f.Share[i]-truth) > f.Around+1e-12 {
					return false
				}
			}
			return true
		}},
		{"share of paired wins of .7, Wilson", wilsonCovers(.7), func(key rng.Key, n int) bool {
			s := rng.New(key)
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				if x[i] = 1; s.Float64() >= .7 {
					x[i] = -1
				}
			}
			return WinsOf(Scores{x}, Scores{y}, .95).Contains(.7)
		}},
		{"variance-reduction factor of 3, normal", all(.925, .935, .94, .945), func(key rng.Key, n int) bool {
			return CommonNoiseOf(Scores{normals(key.At(1), n)}, Scores{both(key, n, normals)}, .95).Factor.Contains(3)
		}},
		{"variance-reduction factor of 3, skewed", all(.90, .87, .885, .90), func(key rng.Key, n int) bool {
			return CommonNoiseOf(Scores{skewed(key.At(1), n)}, Scores{both(key, n, skewed)}, .95).Factor.Contains(3)
		}},
		{"median time to a threshold, skewed", all(math.NaN(), .979, .959, .957), func(key rng.Key, n int) bool {
			times := skewed(key, n)
			for i := range times {
				times[i] = 1 - times[i]
				if times[i] > 1 {
					times[i] = math.Inf(1) // the run ends before
				}
			}
			return TimesTo(times, .95).Median.Contains(math.Ln2)
		}},
	} {
		s.run(t)
	}
}

// commonArms draws 12 points in n replications of two arms; noise correlates at
// one half over points and over arms, and x is 1 better: x - y of independent
// replications is normal with mean 1 and variance 2.5.
func commonArms(key rng.Key, n int) (x, y Scores) {
	common := normals(key.At(0), n)
	for p := range 12 {
		a, b := normals(key.At(uint64(10+p)), n), normals(key.At(uint64(100+p)), n)
		for r := range n {
			a[r] = float64(p) + 1 + .5*a[r] + common[r]
			b[r] = float64(p) + .5*b[r] + common[r]
		}
		x, y = append(x, a), append(y, b)
	}
	return x, y
}

// both draws the arm beside draw(key.At(1)): the same noise and its own. With
// variances 1 and 1+v and a covariance of 1, the factor (2+v)/v is 3 for v = 1.
func both(key rng.Key, n int, draw func(rng.Key, int) []float64) []float64 {
	x, own := draw(key.At(1), n), draw(key.At(2), n)
	for i := range x {
		x[i] += own[i]
	}
	return x
}

// TestCoverageTolerance states how often tolerance intervals hold their share of
// 0.9 at the level 0.95.
func TestCoverageTolerance(t *testing.T) {
	t.Parallel()
	normalHeld := func(i Interval) float64 { return distuv.UnitNormal.CDF(i.High) - distuv.UnitNormal.CDF(i.Low) }
	skewedHeld := func(i Interval) float64 { // of 1 - exponential
		return math.Exp(min(i.High, 1)-1) - math.Exp(i.Low-1)
	}
	factor := map[int]float64{} // NormalTolerance works it out each time
	for _, n := range runsIn() {
		factor[n] = ToleranceFactor(n, .9, .95)
		x := normals(rng.Root(1, "tolerance"), n)
		near(t, "high", NormalTolerance(x, .9, .95).High, Mean(x)+factor[n]*SD(x), 1e-12)
	}
	around := func(x []float64) Interval {
		m, half := Mean(x), factor[len(x)]*SD(x)
		return Interval{m - half, m + half}
	}
	for _, s := range []study{
		{"tolerance, normal k, normal", all(.95, .95, .95, .95), func(key rng.Key, n int) bool {
			return normalHeld(around(normals(key, n))) >= .9
		}},
		{"tolerance, normal k, skewed", all(.85, .86, .88, .89), func(key rng.Key, n int) bool {
			return skewedHeld(around(skewed(key, n))) >= .9
		}},
		{"lowest to highest run, RangeHolds, skewed", all(.95, .95, .95, .95), func(key rng.Key, n int) bool {
			x := skewed(key, n)
			return skewedHeld(Interval{slices.Min(x), slices.Max(x)}) >= RangeHolds(n, .95)
		}},
	} {
		s.run(t)
	}
	for _, n := range []int{46, 93, 200} {
		// Exactly what the Beta distribution of the order statistics says.
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i + 1)
		}
		i := Tolerance(x, .9, .95)
		want := holds(n, int(i.High-i.Low), .9)
		covers(t, fmt.Sprintf("tolerance, order statistics, skewed        n = %d", n), want, func(key rng.Key) bool {
			return skewedHeld(Tolerance(skewed(key, n), .9, .95)) >= .9
		})
	}
}

// watched tells whether the interval of the runs so far holds 0 after each run
// from one on.
func watched(x []float64, from int, interval func(n int, mean, sd, level float64) Interval) bool {
	var mean, squares float64
	for i, v := range x {
		n := float64(i + 1)
		off := v - mean
		mean += off / n
		squares += float64(off * (v - mean))
		if i+1 < from {
			continue
		}
		at := interval(i+1, mean, math.Sqrt(squares/(n-1)), .95)
		if at.Known() && !at.Contains(0) {
			return false
		}
	}
	return true
}

// TestCoverageLive: the live interval must hold the mean at every n up to 300.
// It is looked at 300 times and not infinitely often, so it covers more. A t
// interval watched the same way is what it is for.
func TestCoverageLive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		draw     func(rng.Key, int) []float64
		interval func(n int, mean, sd, level float64) Interval
		from     int
		want     float64
	}{
		{"live, watched from 5 to 300 runs, normal", normals, LiveFromMoments, 5, .966},
		{"live, watched from 5 to 300 runs, skewed", skewed, LiveFromMoments, 5, .87},
		{"live, watched from 20 to 300 runs, skewed", skewed, LiveFromMoments, 20, .93},
		{"t, watched from 5 to 300 runs, normal", normals, TFromMoments, 5, .58},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			covers(t, c.name, c.want, func(key rng.Key) bool { return watched(c.draw(key, 300), c.from, c.interval) })
		})
	}
}
