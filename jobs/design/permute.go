package design

import (
	"math/bits"

	"overnight/internal/rng"
)

// permutation is a permutation of 0, ..., n-1 that is computed place by place: the
// swap-or-not shuffle (Hoang, Morris and Rogaway, CRYPTO 2012). In each round
// the places x and offset - x are partners, and a bit that belongs to the two says
// whether they swap. It takes any n as it is, small ones too, where a Feistel
// network favours some permutations.
type permutation struct {
	n      uint64
	rounds []swaps
}

type swaps struct {
	offset uint64 // below n
	salt   uint64 // of the bits
}

// newPermutation makes one of n from 1 to 2^32. A round moves a place anywhere with
// probability one half, so that after 16 + log2(n) all have moved but once in 2^16.
func newPermutation(n uint64, key rng.Key) permutation {
	p := permutation{n, make([]swaps, 16+bits.Len64(n))}
	for round := range p.rounds {
		k := key.At(uint64(round))
		p.rounds[round].offset, _ = bits.Mul64(k[0], n)
		p.rounds[round].salt = k[1]
	}
	return p
}

// at has no branch that depends on x: half of them would be foretold wrong.
func (p *permutation) at(x uint64) uint64 {
	for i := range p.rounds {
		r := &p.rounds[i]
		partner, borrow := bits.Sub64(r.offset, x, 0)
		partner += p.n & -borrow
		// The bit is the highest of SplitMix64's finaliser but for its last step, which
		// does not change it.
		z := max(x, partner) ^ r.salt
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		x ^= (x ^ partner) & -(z >> 63)
	}
	return x
}
