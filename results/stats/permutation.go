package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/combin"

	"overnight/internal/rng"
)

// Permutation tests count all outcomes up to these sizes; beyond, they draw
// PermutationDraws of them.
const (
	MaxExactFlips    = 20        // pairs: 2^20 signs
	MaxExactSplits   = 1_000_000 // ways to split two samples: 11 and 11 runs
	PermutationDraws = 9_999
)

// SignFlip is Fisher's permutation test of paired differences (The Design of
// Experiments, 1935): whether they lie symmetrically about 0. The statistic is
// their mean. Up to MaxExactFlips differences P is the exact share of all signs;
// beyond, of b drawn signs at least as far out among PermutationDraws it is
// (b+1)/(PermutationDraws+1) on each side (Phipson and Smyth 2010), which keeps
// the level too.
func SignFlip(d []float64, key rng.Key) Test {
	d = Present(d)
	n := len(d)
	if n == 0 {
		return untestable(0)
	}
	t := Test{Statistic: Mean(d), N: n}
	seen, slack := margins(d, d)
	if n <= MaxExactFlips {
		all := math.Ldexp(1, n)
		t.Least = 2 / all
		t.P = fromTails(flipsUpTo(d, seen+slack)/all, flipsUpTo(negative(d), -seen+slack)/all)
		return t
	}
	low, high := 1, 1
	stream := rng.New(key)
	for range PermutationDraws {
		s := 0.0
		var bits uint64
		for i, v := range d {
			if i%64 == 0 {
				bits = stream.Uint64()
			}
			if bits&1 == 1 {
				v = -v
			}
			bits >>= 1
			s += v
		}
		low, high = count(low, high, s, seen, slack)
	}
	return t.drawn(low, high)
}

// flipsUpTo returns for how many signs of d the sum is at most bound.
func flipsUpTo(d []float64, bound float64) float64 {
	n := 0
	var walk func(i int, s float64)
	walk = func(i int, s float64) {
		if i == len(d) {
			if s <= bound {
				n++
			}
			return
		}
		walk(i+1, s+d[i])
		walk(i+1, s-d[i])
	}
	walk(0, 0)
	return float64(n)
}

// Split is the permutation test of two independent samples (Pitman 1937):
// whether they have the same distribution. The statistic is the difference of
// means. Where there are at most MaxExactSplits ways to split the pooled runs, P
// is exact; beyond, it is drawn as in SignFlip. Samples of unequal size and
// spread may be told apart by their spread: use Welch to compare means alone.
func Split(x, y []float64, key rng.Key) Test {
	x, y = Present(x), Present(y)
	n := len(x) + len(y)
	if len(x) == 0 || len(y) == 0 {
		return untestable(n)
	}
	t := Test{Statistic: Mean(x) - Mean(y), N: n}
	pooled := slices.Concat(x, y)
	seen, slack := margins(x, pooled)
	if combin.LogGeneralizedBinomial(float64(n), float64(len(x))) <= math.Log(MaxExactSplits) {
		all := float64(combin.Binomial(n, len(x)))
		t.Least = min(1, 2/all)
		t.P = fromTails(splitsUpTo(pooled, len(x), seen+slack)/all, splitsUpTo(negative(pooled), len(x), -seen+slack)/all)
		return t
	}
	low, high := 1, 1
	shuffled := make([]float64, n)
	stream := rng.New(key)
	for range PermutationDraws {
		copy(shuffled, pooled)
		s := 0.0
		for i := range x {
			j := i + stream.IntN(n-i)
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
			s += shuffled[i]
		}
		low, high = count(low, high, s, seen, slack)
	}
	return t.drawn(low, high)
}

// splitsUpTo returns for how many choices of k of x the sum is at most bound.
func splitsUpTo(x []float64, k int, bound float64) float64 {
	n := 0
	var walk func(i, left int, s float64)
	walk = func(i, left int, s float64) {
		if left == 0 {
			if s <= bound {
				n++
			}
			return
		}
		for ; i <= len(x)-left; i++ {
			walk(i+1, left-1, s+x[i])
		}
	}
	walk(0, k, 0)
	return float64(n)
}

// margins returns the sum of x and how far another sum of such numbers may lie
// from it and still be equal but for rounding.
func margins(x, all []float64) (seen, slack float64) {
	for _, v := range all {
		slack += math.Abs(v)
	}
	return sum(x), 1e-12 * slack
}

func negative(x []float64) []float64 {
	n := make([]float64, len(x))
	for i, v := range x {
		n[i] = -v
	}
	return n
}

// count adds a drawn sum to the counts of those at most and at least as large as
// the one seen.
func count(low, high int, s, seen, slack float64) (int, int) {
	if s <= seen+slack {
		low++
	}
	if s >= seen-slack {
		high++
	}
	return low, high
}

// drawn is the test from counts among PermutationDraws, the one seen counted in.
func (t Test) drawn(low, high int) Test {
	const all = PermutationDraws + 1
	t.Least = 2. / all
	t.P = fromTails(float64(low)/all, float64(high)/all)
	return t
}
