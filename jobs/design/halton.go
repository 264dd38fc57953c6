package design

import (
	"fmt"
	"math"

	"overnight/internal/rng"
)

// Halton is the kind of design whose column j is the van der Corput sequence in
// the j-th prime, scrambled.
const Halton = "halton"

type halton []radical

// radical is one dimension: a prime base, how many digits are scrambled one by
// one, and the key.
type radical struct {
	base, digits uint64
	key          rng.Key
	plain        bool // not scrambled, for tests
}

func newHalton(seed uint64, names []string) (halton, error) {
	if len(names) > MaxDimensions {
		return nil, fmt.Errorf("%w, not %d", ErrDimensions, len(names))
	}
	h := make(halton, len(names))
	primes := firstPrimes(len(names))
	for i, name := range names {
		h[i] = radical{base: primes[i], key: rng.Root(seed, "design/halton/"+name)}
		for n := uint64(1); n < MaxSequence; n *= primes[i] {
			h[i].digits++
		}
	}
	return h, nil
}

func firstPrimes(n int) []uint64 {
	var primes []uint64
next:
	for k := uint64(2); len(primes) < n; k++ {
		for _, p := range primes {
			if p*p > k {
				break
			}
			if k%p == 0 {
				continue next
			}
		}
		primes = append(primes, k)
	}
	return primes
}

// At returns a coordinate of a row below MaxSequence. Digit by digit, from the
// lowest of the row's number, the highest of the coordinate, x becomes ax + b
// modulo the base, with a and b that belong to the digits before it. Two digits
// then are mapped as a random permutation would map them, so that means have the
// variance of Owen's nested scrambling (Matousek, J. Complexity 14, 1998). What
// comes below the digits of MaxSequence rows is random.
func (h halton) At(row uint64, column int) float64 {
	r := &h[column]
	rest, out, size, node := row, uint64(0), uint64(1), r.key
	for range r.digits {
		digit := rest % r.base
		rest /= r.base
		a, b := 1+scale(node[0], r.base-1), scale(node[1], r.base)
		if r.plain {
			a, b = 1, 0
		}
		out = out*r.base + (a*digit+b)%r.base
		size *= r.base
		node = node.At(digit)
	}
	x := (float64(out) + Unit(node[0])) / float64(size)
	return min(x, math.Nextafter(1, 0))
}

// scale maps the upper half of random bits to 0, ..., n-1.
func scale(bits, n uint64) uint64 { return bits >> 32 * n >> 32 }
