package nn

import "overnight/internal/fp"

// affine is the kernel under Forward: one panel of a layer for one row. Lane j of
// y becomes bias[j] plus the sum of values[i]*panel[indices[i]][j], added one
// after the other for i ascending. Only the first width lanes are wanted; the
// others are left alone or become what their lanes of the parameters say, which
// is zero.
//
// Of the sixteen lanes, eight go at a time: their sums, four products and a
// value fill the registers there are. One function with a loop over panels was
// slower: it ran out of them.
func affine[T fp.Float](y, bias *Block[T], panel []Block[T], values []T, indices []int32, width int) {
	values = values[:len(indices)]
	switch {
	case width > 8:
		affineLow(y, bias, panel, panel, values, indices)
		affineHigh(y, bias, panel, panel, values, indices)
	case width > 4:
		affineLow(y, bias, panel, panel, values, indices)
	default:
		affineFour(y, bias, panel, values, indices)
	}
}

// affineFour computes lanes 0 to 3.
func affineFour[T fp.Float](y, bias *Block[T], panel []Block[T], values []T, indices []int32) {
	values = values[:len(indices)]
	a0, a1, a2, a3 := bias[0], bias[1], bias[2], bias[3]
	for i, k := range indices {
		x, w := values[i], &panel[k]
		a0 = T(x*w[0]) + a0
		a1 = T(x*w[1]) + a1
		a2 = T(x*w[2]) + a2
		a3 = T(x*w[3]) + a3
	}
	y[0], y[1], y[2], y[3] = a0, a1, a2, a3
}

// affineLow computes lanes 0 to 7. It is given the panel twice: the second bounds
// check ends a basic block. In one block the compiler would do all products
// before the first sum, and run out of registers.
//
//go:noinline
func affineLow[T fp.Float](y, bias *Block[T], panel, again []Block[T], values []T, indices []int32) {
	values = values[:len(indices)]
	a0, a1, a2, a3, a4, a5, a6, a7 := bias[0], bias[1], bias[2], bias[3], bias[4], bias[5], bias[6], bias[7]
	for i, k := range indices {
		x, w := values[i], &panel[k]
		a0 = T(x*w[0]) + a0
		a1 = T(x*w[1]) + a1
		a2 = T(x*w[2]) + a2
		a3 = T(x*w[3]) + a3
		w = &again[k]
		a4 = T(x*w[4]) + a4
		a5 = T(x*w[5]) + a5
		a6 = T(x*w[6]) + a6
		a7 = T(x*w[7]) + a7
	}
	y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7] = a0, a1, a2, a3, a4, a5, a6, a7
}

// affineHigh computes lanes 8 to 15.
//
//go:noinline
func affineHigh[T fp.Float](y, bias *Block[T], panel, again []Block[T], values []T, indices []int32) {
	values = values[:len(indices)]
	a0, a1, a2, a3, a4, a5, a6, a7 := bias[8], bias[9], bias[10], bias[11], bias[12], bias[13], bias[14], bias[15]
	for i, k := range indices {
		x, w := values[i], &panel[k]
		a0 = T(x*w[8]) + a0
		a1 = T(x*w[9]) + a1
		a2 = T(x*w[10]) + a2
		a3 = T(x*w[11]) + a3
		w = &again[k]
		a4 = T(x*w[12]) + a4
		a5 = T(x*w[13]) + a5
		a6 = T(x*w[14]) + a6
		a7 = T(x*w[15]) + a7
	}
	y[8], y[9], y[10], y[11], y[12], y[13], y[14], y[15] = a0, a1, a2, a3, a4, a5, a6, a7
}
