package nn

import "overnight/internal/fp"

// affine is the kernel under Forward: all panels of one layer for one row. Lane j
// of a panel becomes its bias, lane j of the panel's last block, plus the sum of
// values[i]*weights, added one after the other for i ascending; indices says
// which blocks the weights are in. blocks are the layer's parameters, in+1 a
// panel; out is the number of lanes wanted. Lanes beyond it are left alone or
// become what their lanes of the parameters say, which is zero.
//
// Of the sixteen lanes, eight go at a time: their sums, four products and a
// value fill the registers there are. The parameters are given twice because the
// second bounds check ends a basic block; in one block the compiler would do all
// eight products before the first sum, and run out of registers.
//
//go:noinline
func affine[T fp.Float](y []T, blocks, again []Block[T], in, out int, values []T, indices []int32) {
	values = values[:len(indices)]
	for out > 0 {
		panel, second := blocks[:in+1], again[:in+1]
		blocks, again = blocks[in+1:], again[in+1:]
		start := &panel[in]
		sums := (*Block[T])(y)
		y = y[Lanes:]
		if out <= 4 {
			a0, a1, a2, a3 := start[0], start[1], start[2], start[3]
			for i, k := range indices {
				x, w := values[i], &panel[k]
				a0 = T(x*w[0]) + a0
				a1 = T(x*w[1]) + a1
				a2 = T(x*w[2]) + a2
				a3 = T(x*w[3]) + a3
			}
			sums[0], sums[1], sums[2], sums[3] = a0, a1, a2, a3
			return
		}
		a0, a1, a2, a3, a4, a5, a6, a7 := start[0], start[1], start[2], start[3], start[4], start[5], start[6], start[7]
		for i, k := range indices {
			x, w := values[i], &panel[k]
			a0 = T(x*w[0]) + a0
			a1 = T(x*w[1]) + a1
			a2 = T(x*w[2]) + a2
			a3 = T(x*w[3]) + a3
			w = &second[k]
			a4 = T(x*w[4]) + a4
			a5 = T(x*w[5]) + a5
			a6 = T(x*w[6]) + a6
			a7 = T(x*w[7]) + a7
		}
		sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7] = a0, a1, a2, a3, a4, a5, a6, a7
		if out > 8 {
			a0, a1, a2, a3, a4, a5, a6, a7 = start[8], start[9], start[10], start[11], start[12], start[13], start[14], start[15]
			for i, k := range indices {
				x, w := values[i], &panel[k]
				a0 = T(x*w[8]) + a0
				a1 = T(x*w[9]) + a1
				a2 = T(x*w[10]) + a2
				a3 = T(x*w[11]) + a3
				w = &second[k]
				a4 = T(x*w[12]) + a4
				a5 = T(x*w[13]) + a5
				a6 = T(x*w[14]) + a6
				a7 = T(x*w[15]) + a7
			}
			sums[8], sums[9], sums[10], sums[11], sums[12], sums[13], sums[14], sums[15] = a0, a1, a2, a3, a4, a5, a6, a7
		}
		out -= Lanes
	}
}
