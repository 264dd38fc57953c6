package report

import (
	"math"
	"math/bits"
	"slices"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// halfFlips is how many independent flips each half of the differences has.
const halfFlips = 11

// signFlip is stats.SignFlip for tables of many decisions: P goes down to 2^-21
// for any number of differences and takes a fraction of a millisecond.
//
// Up to 22 differences it counts all signs. Beyond, it counts those of a random
// subgroup of 2^22 sign patterns, the one that changes nothing among them: that
// keeps the level for any distribution that is symmetric about 0, since a
// subgroup maps onto itself (Hemerik and Goeman, TEST 27, 2018, theorem 1). The
// subgroup is one of the first half of the differences times one of the second,
// so that the sums of 2^22 patterns come from two sorted lists of 2^11.
func signFlip(d []float64, key rng.Key) stats.Test {
	d = stats.Present(d)
	n := len(d)
	if n == 0 {
		return stats.Test{Statistic: math.NaN(), P: math.NaN(), Least: 1}
	}
	stream := rng.New(key)
	middle := (n + 1) / 2
	a, b := flippedSums(d[:middle], &stream), flippedSums(d[middle:], &stream)
	slices.Sort(a)
	slices.Sort(b)
	seen, size := 0.0, 0.0
	for _, v := range d {
		seen += v
		size += math.Abs(v)
	}
	all := float64(len(a)) * float64(len(b))
	// The opposite of each pattern is there too, so both tails are alike.
	tail := pairsUpTo(a, b, -math.Abs(seen)+1e-12*size) / all
	return stats.Test{Statistic: stats.Mean(d), P: min(1, 2*tail), N: n, Least: min(1, 2/all)}
}

// flippedSums returns the sum of x under each sign pattern of a subgroup that
// has the opposite of each of its patterns: all patterns up to halfFlips numbers.
// Beyond, number j < halfFlips is flipped by generator j alone, and each of the
// others by a random set of generators of odd size, so that all together flip
// everything.
func flippedSums(x []float64, stream *rng.Stream) []float64 {
	k := min(len(x), halfFlips)
	by := make([]uint64, len(x)) // the generators that flip each number
	for i := range by {
		if i < k {
			by[i] = 1 << i
			continue
		}
		by[i] = stream.Uint64() & (1<<k - 1)
		if odd(by[i]) == 0 {
			by[i] ^= 1 << (k - 1)
		}
	}
	sums := make([]float64, 1<<k)
	for pattern := range sums {
		s := 0.0
		for i, v := range x {
			if odd(by[i]&uint64(pattern)) == 1 {
				v = -v
			}
			s += v
		}
		sums[pattern] = s
	}
	return sums
}

// pairsUpTo counts the pairs of ascending a and b whose sum is at most bound.
func pairsUpTo(a, b []float64, bound float64) float64 {
	n, j := 0.0, len(b)
	for _, v := range a {
		for j > 0 && v+b[j-1] > bound {
			j--
		}
		n += float64(j)
	}
	return n
}

// odd returns 1 where an odd number of bits is set.
func odd(v uint64) int { return bits.OnesCount64(v) & 1 }
