package stats

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
)

// rejections counts how often a test at 0.05 rejects what is true, 10,000 times
// in the long form and 1,000 in the short one. The share must be at most size +
// 3 standard errors. Where the size is exact, it must not fall below either, by
// more than 4.
func rejections(t *testing.T, name string, size float64, exact bool, rejects func(key rng.Key) bool) {
	t.Helper()
	n, false_ := 1000, 0
	if *long {
		n = 10_000
	}
	for k := range n {
		if rejects(rng.Root(13, name).At(uint64(k))) {
			false_++
		}
	}
	got, se := float64(false_)/float64(n), math.Sqrt(size*(1-size)/float64(n))
	word := "at most"
	if exact {
		word = "exactly"
	}
	t.Logf("%-52s size %s %.4f: rejects %.4f of %d", name, word, size, got, n)
	if got > size+3*se {
		t.Errorf("%s: rejects %.4f, want at most %.4f + 3 * %.4f", name, got, size, se)
	}
	if exact && got < size-4*se {
		t.Errorf("%s: rejects %.4f, want %.4f", name, got, size)
	}
}

// heavy draws Student's t with 2 degrees of freedom, symmetric about 0 and
// without a variance.
func heavy(key rng.Key, n int) []float64 {
	s := rng.New(key)
	x := make([]float64, n)
	for i := range x {
		x[i] = s.Normal() / math.Sqrt(s.Exponential())
	}
	return x
}

// coarse draws rounded normals, which have zeros and ties.
func coarse(key rng.Key, n int) []float64 {
	x := normals(key, n)
	for i := range x {
		x[i] = math.Round(x[i])
	}
	return x
}

// TestTypeIPaired: paired tests of differences that are symmetric about 0.
func TestTypeIPaired(t *testing.T) {
	t.Parallel()
	flip := func(d []float64, key rng.Key) Test { return SignFlip(d, key.At(1)) }
	rank := func(d []float64, _ rng.Key) Test { return SignedRank(d) }
	student := func(d []float64, _ rng.Key) Test { return PairedT(d) }
	for _, c := range []struct {
		name  string
		draw  func(rng.Key, int) []float64
		test  func([]float64, rng.Key) Test
		n     int
		size  float64
		exact bool
	}{
		{"paired t, normal", normals, student, 5, .05, true},
		{"paired t, normal", normals, student, 20, .05, true},
		{"paired t, heavy tails", heavy, student, 10, .05, false},
		{"signed rank, normal", normals, rank, 5, 0, true},
		{"signed rank, normal", normals, rank, 6, .03125, true},
		{"signed rank, heavy tails", heavy, rank, 10, 50. / 1024, true},
		{"signed rank, zeros and ties", coarse, rank, 15, .05, false},
		{"signed rank (normal form), normal", normals, rank, 60, .05, false},
		{"sign flip, normal", normals, flip, 5, 0, true},
		{"sign flip, normal", normals, flip, 6, .03125, true},
		{"sign flip, heavy tails", heavy, flip, 10, 50. / 1024, true},
		{"sign flip, zeros and ties", coarse, flip, 10, .05, false},
		{"sign flip (drawn), heavy tails", heavy, flip, 25, .05, false},
	} {
		t.Run(fmt.Sprintf("%s %d", c.name, c.n), func(t *testing.T) {
			t.Parallel()
			rejections(t, fmt.Sprintf("%s, n = %d", c.name, c.n), c.size, c.exact, func(key rng.Key) bool {
				return c.test(c.draw(key, c.n), key).P <= .05
			})
		})
	}
}

// TestTypeITwoSamples: unpaired tests of samples from one distribution, Welch's
// also of unequal variances.
func TestTypeITwoSamples(t *testing.T) {
	t.Parallel()
	split := func(x, y []float64, key rng.Key) Test { return Split(x, y, key.At(3)) }
	rank := func(x, y []float64, _ rng.Key) Test { return RankSum(x, y) }
	welch := func(x, y []float64, _ rng.Key) Test { return Welch(x, y) }
	spread := func(x, y []float64, _ rng.Key) Test {
		for i := range x {
			x[i] *= 3
		}
		return Welch(x, y)
	}
	for _, c := range []struct {
		name  string
		draw  func(rng.Key, int) []float64
		test  func(x, y []float64, key rng.Key) Test
		n, m  int
		size  float64
		exact bool
	}{
		{"Welch, normal", normals, welch, 5, 5, .05, false},
		{"Welch, normal, sd 3 and 1", normals, spread, 10, 20, .05, false},
		{"Welch, skewed", skewed, welch, 10, 10, .05, false},
		{"rank sum, normal", normals, rank, 3, 3, 0, true},
		{"rank sum, normal", normals, rank, 4, 4, 2. / 70, true},
		{"rank sum, skewed", skewed, rank, 5, 5, 8. / 252, true},
		{"rank sum, ties", coarse, rank, 10, 12, .05, false},
		{"rank sum (normal form), skewed", skewed, rank, 30, 30, .05, false},
		{"split, normal", normals, split, 3, 3, 0, true},
		{"split, normal", normals, split, 4, 4, 2. / 70, true},
		{"split, skewed", skewed, split, 5, 6, 22. / 462, true},
		{"split, ties", coarse, split, 6, 6, .05, false},
		{"split (drawn), skewed", skewed, split, 15, 15, .05, false},
	} {
		t.Run(fmt.Sprintf("%s %d %d", c.name, c.n, c.m), func(t *testing.T) {
			t.Parallel()
			rejections(t, fmt.Sprintf("%s, n = %d and %d", c.name, c.n, c.m), c.size, c.exact, func(key rng.Key) bool {
				return c.test(c.draw(key.At(1), c.n), c.draw(key.At(2), c.m), key).P <= .05
			})
		})
	}
}

// TestTypeISequential: over all looks of a sequential test, and of a live
// interval that is watched, the chance of a false rejection stays at 0.05. A t
// test at each look would reject several times as often; the last case shows
// that the check sees it.
func TestTypeISequential(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		draw  func(rng.Key, int) []float64
		at    []int
		draws int
	}{
		{"sequential, 3 looks, normal", normals, []int{10, 20, 30}, 199},
		{"sequential, 5 looks, heavy tails", heavy, []int{5, 10, 15, 20, 30}, 199},
		{"sequential, 5 looks, ties", coarse, []int{5, 10, 15, 20, 30}, 199},
		{"sequential, 2 looks, few draws", normals, []int{8, 16}, 99},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rejections(t, c.name, .05, false, func(key rng.Key) bool {
				d := c.draw(key, c.at[len(c.at)-1])
				return Sequential(d, Looks{At: c.at, Draws: c.draws, Key: key.At(1)}).Reject
			})
		})
	}
	t.Run("live", func(t *testing.T) {
		t.Parallel()
		rejections(t, "live interval, 5 to 200 runs, normal", .05, false, func(key rng.Key) bool {
			return !watched(normals(key, 200), 5, LiveFromMoments)
		})
	})
	t.Run("t at each look", func(t *testing.T) {
		t.Parallel()
		n, rejected := 1000, 0
		for k := range n {
			d := normals(rng.Root(13, "peeking").At(uint64(k)), 30)
			for _, at := range []int{5, 10, 15, 20, 30} {
				if PairedT(d[:at]).P <= .05 {
					rejected++
					break
				}
			}
		}
		if got := float64(rejected) / float64(n); got < .10 {
			t.Errorf("t tests at five looks reject %.3f, expected above 0.10: the draws show no luck", got)
		}
	})
}

// TestTypeIFamilies: Holm keeps the chance of any false rejection, Benjamini and
// Hochberg the expected share of false ones.
func TestTypeIFamilies(t *testing.T) {
	t.Parallel()
	family := func(key rng.Key, shift float64) []float64 {
		y := normals(key.At(99), 12) // the baseline that all are compared with
		var p []float64
		for k := range 6 {
			x := normals(key.At(uint64(k)), 12)
			for i := range x {
				if k >= 3 {
					x[i] += shift
				}
			}
			p = append(p, Welch(x, y).P)
		}
		return p
	}
	t.Run("holm", func(t *testing.T) {
		t.Parallel()
		rejections(t, "Holm, 6 arms against a baseline, none better", .05, false, func(key rng.Key) bool {
			for _, p := range Holm(family(key, 0)) {
				if p <= .05 {
					return true
				}
			}
			return false
		})
	})
	t.Run("benjamini-hochberg", func(t *testing.T) {
		t.Parallel()
		n, share := 1000, 0.0
		if *long {
			n = 10_000
		}
		for k := range n {
			wrong, rejected := 0.0, 0.0
			for i, p := range BenjaminiHochberg(family(rng.Root(13, "bh").At(uint64(k)), 2)) {
				if p <= .05 {
					rejected++
					if i < 3 {
						wrong++
					}
				}
			}
			share += wrong / max(rejected, 1)
		}
		share /= float64(n)
		t.Logf("%-52s false share at most 0.05: %.4f of %d", "Benjamini-Hochberg, 3 of 6 arms better", share, n)
		if share > .05 {
			t.Errorf("Benjamini-Hochberg: false share %.4f, want at most 0.05", share)
		}
	})
}
