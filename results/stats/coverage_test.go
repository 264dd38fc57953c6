package stats

import (
	"flag"
	"math"
	"testing"

	"overnight/internal/rng"
)

var long = flag.Bool("long", false, "run coverage with 10,000 repeats instead of 400")

// studies returns how many repeats a coverage test makes.
func studies() int {
	if *long {
		return 10_000
	}
	return 400
}

// covers counts how many of the repeats' intervals hold the truth and compares
// the share with the stated coverage, within 4 binomial standard errors and 1 %
// for the stated figure's own rounding: a right interval fails one such check of
// a random seed in 16,000.
func covers(t *testing.T, name string, want float64, hit func(key rng.Key) bool) {
	t.Helper()
	n, hits := studies(), 0
	for k := range n {
		if hit(rng.Root(11, name).At(uint64(k))) {
			hits++
		}
	}
	got := float64(hits) / float64(n)
	within := .01 + 4*math.Sqrt(want*(1-want)/float64(n))
	t.Logf("%s: %.1f %% of %d intervals hold the true value", name, 100*got, n)
	if math.Abs(got-want) > within {
		t.Errorf("%s: covers %.3f, want %.3f within %.3f", name, got, want, within)
	}
}

// TestCoverage states what nominal 95 % intervals cover: of a normal metric and
// of a skewed one, 1 - exponential, the shape of a share of the optimum. The
// figures on skewed scores and few runs are what they are, not 95 %.
func TestCoverage(t *testing.T) {
	t.Parallel()
	normal := func(s *rng.Stream) float64 { return s.Normal() }
	skewed := func(s *rng.Stream) float64 { return 1 - s.Exponential() }
	// Of IQM of n scores the truth is that of infinitely many: for the exponential
	// the mean between its quartiles, 2*[-(x+1)exp(-x)] from ln(4/3) to ln 4.
	quarter, three := math.Log(4./3), math.Log(4.)
	skewedIQM := 1 - 2*((quarter+1)*.75-(three+1)*.25)
	for _, c := range []struct {
		name  string
		draw  func(*rng.Stream) float64
		s     Statistic
		o     Options
		n     int
		truth float64
		want  float64
	}{
		{"normal mean t 10", normal, ByMean, Options{}, 10, 0, .95},
		{"normal mean t 5", normal, ByMean, Options{}, 5, 0, .95},
		{"normal mean bca 10", normal, ByMean, Options{Method: BCa}, 10, 0, .90},
		{"normal mean percentile 10", normal, ByMean, Options{Method: Percentile}, 10, 0, .90},
		{"normal iqm bca 20", normal, ByIQM, Options{}, 20, 0, .94},
		{"normal median bca 20", normal, ByMedian, Options{}, 20, 0, .94},
		{"skewed mean t 10", skewed, ByMean, Options{}, 10, 0, .90},
		{"skewed mean t 30", skewed, ByMean, Options{}, 30, 0, .925},
		{"skewed mean bca 30", skewed, ByMean, Options{Method: BCa}, 30, 0, .92},
		{"skewed iqm bca 20", skewed, ByIQM, Options{}, 20, skewedIQM, .935},
		{"skewed median bca 20", skewed, ByMedian, Options{}, 20, 1 - math.Ln2, .935},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			covers(t, c.name, c.want, func(key rng.Key) bool {
				s := rng.New(key)
				x := make([]float64, c.n)
				for i := range x {
					x[i] = c.draw(&s)
				}
				o := c.o
				o.Key, o.Resamples = key.At(0), 500
				return Estimate(Scores{x}, c.s, o).Contains(c.truth)
			})
		})
	}
}

// correlated draws 12 points in n replications whose noise correlates at one
// half, around means 0..11.
func correlated(key rng.Key, n int) Scores {
	s := rng.New(key)
	common := make([]float64, n)
	s.Normals(common)
	x := make(Scores, 12)
	for p := range x {
		x[p] = make([]float64, n)
		s.Normals(x[p])
		for r := range x[p] {
			x[p][r] = float64(p) + math.Sqrt(.5)*(x[p][r]+common[r])
		}
	}
	return x
}

// TestCoveragePooled: pooled over points that share noise, the interval must
// still cover; the same runs taken as independent cover about half.
func TestCoveragePooled(t *testing.T) {
	t.Parallel()
	const n = 20
	covers(t, "pooled mean", .95, func(key rng.Key) bool {
		return Estimate(correlated(key, n), ByMean, Options{}).Contains(5.5)
	})
	covers(t, "pooled mean, bca", .92, func(key rng.Key) bool {
		return Estimate(correlated(key, n), ByMean, Options{Method: BCa, Key: key.At(0), Resamples: 500}).Contains(5.5)
	})
	// Around equal means, each run as independent: what the joint form is for.
	covers(t, "pooled mean, taken as independent", .54, func(key rng.Key) bool {
		var all []float64
		for p, runs := range correlated(key, n) {
			for _, v := range runs {
				all = append(all, v-float64(p))
			}
		}
		return TInterval(all, .95).Contains(0)
	})
	covers(t, "pooled mean with runs missing", .95, func(key rng.Key) bool {
		x := correlated(key, n)
		for p := range x {
			x[p][p] = math.NaN()
			x[p][(3*p+1)%n] = math.NaN()
		}
		return Estimate(x, ByMean, Options{}).Contains(5.5)
	})
}

// TestCoverageDifference: arms on the same noise, one 1 better.
func TestCoverageDifference(t *testing.T) {
	t.Parallel()
	arms := func(key rng.Key) (x, y Scores) {
		x, y = correlated(key, 20), correlated(key, 20)
		own := rng.New(key.At(1))
		for p := range x {
			for r := range x[p] {
				x[p][r] += 1 + own.Normal()
			}
		}
		return x, y
	}
	covers(t, "difference of means", .95, func(key rng.Key) bool {
		x, y := arms(key)
		return Difference(x, y, ByMean, Options{}).Contains(1)
	})
}
