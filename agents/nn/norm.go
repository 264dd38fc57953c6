package nn

import (
	"math"

	"overnight/internal/fp"
)

// Norm is the Euclidean length of a vector like n's parameters. Lane l of a block
// adds the squares of lane l of all blocks in order; the sixteen sums are then
// added in halves: 0 and 8, 1 and 9, ...; 0 and 4, ...; and so on.
func (n *Net[T]) Norm(v []Block[T]) T {
	s := &n.square
	*s = Block[T]{}
	if n.kernels != nil {
		n.kernels.squares(&s[0], &v[0][0], len(v))
	} else {
		squaresLow(s, v, v)
		squaresHigh(s, v, v)
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			s[l] += s[l+half]
		}
	}
	return T(math.Sqrt(float64(s[0])))
}

// ClipScale is what a gradient of length norm is multiplied by so that it is no
// longer than limit, as PyTorch's clip_grad_norm_ has it: limit/(norm + 1e-6),
// at most 1. A limit of 0 means none.
func ClipScale[T fp.Float](norm, limit T) T {
	if limit == 0 {
		return 1
	}
	return min(1, limit/(norm+1e-6))
}

// squaresLow adds the squares of lanes 0 to 7. It gets the vector twice for the
// reason that affineLow gets its panel twice.
//
//go:noinline
func squaresLow[T fp.Float](s *Block[T], v, again []Block[T]) {
	a0, a1, a2, a3, a4, a5, a6, a7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for i := range v {
		x := &v[i]
		a0 = T(x[0]*x[0]) + a0
		a1 = T(x[1]*x[1]) + a1
		a2 = T(x[2]*x[2]) + a2
		a3 = T(x[3]*x[3]) + a3
		x = &again[i]
		a4 = T(x[4]*x[4]) + a4
		a5 = T(x[5]*x[5]) + a5
		a6 = T(x[6]*x[6]) + a6
		a7 = T(x[7]*x[7]) + a7
	}
	s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = a0, a1, a2, a3, a4, a5, a6, a7
}

// squaresHigh adds the squares of lanes 8 to 15.
//
//go:noinline
func squaresHigh[T fp.Float](s *Block[T], v, again []Block[T]) {
	a0, a1, a2, a3, a4, a5, a6, a7 := s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]
	for i := range v {
		x := &v[i]
		a0 = T(x[8]*x[8]) + a0
		a1 = T(x[9]*x[9]) + a1
		a2 = T(x[10]*x[10]) + a2
		a3 = T(x[11]*x[11]) + a3
		x = &again[i]
		a4 = T(x[12]*x[12]) + a4
		a5 = T(x[13]*x[13]) + a5
		a6 = T(x[14]*x[14]) + a6
		a7 = T(x[15]*x[15]) + a7
	}
	s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15] = a0, a1, a2, a3, a4, a5, a6, a7
}
