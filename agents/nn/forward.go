package nn

import "overnight/internal/fp"

// Forward sends the inputs of one row of the tape through the network and
// returns the outputs, which stay on the tape with all activations between.
func (n *Net[T]) Forward(t *Tape[T], row int) []T {
	x := t.row(0, row)[:n.layers[0].in]
	count := n.compact(x)
	for i := range n.layers {
		l := &n.layers[i]
		y := t.row(i+1, row)
		panel := n.Params[l.first:]
		for p := range l.panels {
			affine((*Block[T])(y[p*Lanes:]), panel[:l.in+1], n.values[:count], n.indices[:count], l.out-p*Lanes)
			panel = panel[l.in+1:]
		}
		y = y[:l.out]
		if i == len(n.layers)-1 {
			apply(l.act, y)
			return y
		}
		if l.act == ReLU {
			count = n.reluCompact(y)
			continue
		}
		apply(l.act, y)
		count = n.compact(y)
	}
	panic("unreachable")
}

// compact lists the nonzero elements of x and returns how many there are.
func (n *Net[T]) compact(x []T) int {
	count := 0
	values, indices := n.values, n.indices[:len(n.values)]
	for k, v := range x {
		values[count], indices[count] = v, int32(k)
		count += nonzero(v)
	}
	return count
}

// reluCompact replaces y by its ReLU and lists what is not zero.
func (n *Net[T]) reluCompact(y []T) int {
	count := 0
	values, indices := n.values, n.indices[:len(n.values)]
	for k, v := range y {
		v = relu(v)
		y[k] = v
		values[count], indices[count] = v, int32(k)
		count += nonzero(v)
	}
	return count
}

// affine computes one panel's outputs from the nonzero inputs: the bias, which
// is the panel's last block, plus the products in the inputs' order. Only the
// first width lanes are wanted.
func affine[T fp.Float](y *Block[T], panel []Block[T], values []T, indices []int32, width int) {
	if width <= 4 {
		affine4(y, panel, values, indices)
		return
	}
	affineLow(y, panel, panel, values, indices)
	if width > 8 {
		affineHigh(y, panel, panel, values, indices)
	}
}

func affine4[T fp.Float](y *Block[T], panel []Block[T], values []T, indices []int32) {
	bias := &panel[len(panel)-1]
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
// check ends a basic block, and without that the compiler does all products
// before the first sum and runs out of registers.
//
//go:noinline
func affineLow[T fp.Float](y *Block[T], panel, again []Block[T], values []T, indices []int32) {
	bias := &panel[len(panel)-1]
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
func affineHigh[T fp.Float](y *Block[T], panel, again []Block[T], values []T, indices []int32) {
	bias := &panel[len(panel)-1]
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
