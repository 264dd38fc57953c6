package nn

import (
	"unsafe"

	"overnight/internal/fp"
	"overnight/internal/simd"
)

// kernels are the vector forms of what a network spends its time on, each with the
// bits of the plain Go beside it. What they do is said in kernels_amd64.go. Strides
// are in bytes.
type kernels[T fp.Float] struct {
	affine    func(y, init, weights *T, panels, panelStride int, values *T, indices *int32, count int)
	rectified func(y, init, weights *T, panels, panelStride int, values *T, indices *int32, count int, valid, kept *T, places *int32) (left int)
	list      func(y *T, panels int, kept *T, places *int32) (left int)
	transfer  func(y *T, yRow, panels int, weights *T, rowStride int, deltas *T, dRow int, units *int32, uRow int, counts *int32, rows int)
	outer     func(grad *T, bias, panels, panelStride int, values *T, vRow int, units *int32, uRow int, counts *int32, deltas *T, dRow int, valid, y *T, yRow, rows int)
	squares   func(sums, v *T, blocks int)
	adam      func(params, grads, first, second *T, blocks int, valid, c *T)
	adamFour  func(params, grads, first, second *T, blocks int, valid, c *T)
	transpose func(to, from *T, rowStride, inputs, outputs int)
	columns   func(c *T, cPanel int, b *T, bStep, panels, rows int)
	panel     panelKernel[T]
	half      panelKernel[T] // its first half; nil: there is none
	panels    panelKernel[T] // two at once; nil: there is none

	// By Activation; nil: there is none.
	apply  [5]func(y *T, panels int)
	derive [5]func(g, y *T, panels int)
}

type panelKernel[T fp.Float] func(c *T, cRow, cPanel int, init *T, iRow, iPanel int, a *T, aRow, aStep int, b *T, bPanel, bStep int, rows, depth int)

// stepOf returns the step of Adam for blocks with width lanes in use.
func (k *kernels[T]) stepOf(width int) func(params, grads, first, second *T, blocks int, valid, c *T) {
	if width <= 4 {
		return k.adamFour
	}
	return k.adam
}

// sizeof is the size of n numbers.
func sizeof[T fp.Float](n int) int {
	var v T
	return n * int(unsafe.Sizeof(v))
}

// validLanes returns panels blocks whose first width lanes have all bits set.
func validLanes[T fp.Float](panels, width int) []T {
	v := make([]T, panels*Lanes)
	for i := range v[:width] {
		v[i] = allBits[T]()
	}
	return v
}

// allBits is a number all of whose bits are set.
func allBits[T fp.Float]() T {
	var v T
	if sizeof[T](1) == 4 {
		*(*uint32)(unsafe.Pointer(&v)) = 1<<32 - 1
	} else {
		*(*uint64)(unsafe.Pointer(&v)) = 1<<64 - 1
	}
	return v
}

// Use makes the network use the vector instructions of a level, which must be one
// of this machine's. New uses the best that OVERNIGHT_SIMD allows.
func (n *Net[T]) Use(l simd.Level) { n.kernels = kernelsOf[T](l) }

// turn writes what backward needs of the weights: of every layer but the first,
// the weights to output j one after the other, in rows as long as the inputs with
// their padding.
func (n *Net[T]) turn() {
	for i := 1; i < len(n.layers); i++ {
		l := &n.layers[i]
		stride := blocks(l.in) * Lanes
		for p := range l.panels {
			from := n.flat[(l.first+p*(l.in+1))*Lanes:]
			if n.kernels == nil {
				turnPlain(n.turned[i][p*Lanes*stride:], from, stride, l.in)
				continue
			}
			n.kernels.transpose(&n.turned[i][p*Lanes*stride], &from[0], sizeof[T](stride), l.in, min(Lanes, l.out-p*Lanes))
		}
	}
}

func turnPlain[T fp.Float](to, from []T, stride, inputs int) {
	for k := range inputs {
		for j, w := range (*[Lanes]T)(from[k*Lanes:]) {
			to[j*stride+k] = w
		}
	}
}

// forward is Forward with vector instructions.
func (n *Net[T]) forward(t *Tape[T], row int) []T {
	k, in := n.kernels, &t.acts[0]
	active, kept, spare := &in.active[row*in.stride], &n.values[0], &n.spare[0]
	var values *T
	var count int
	// A vector load of what was just stored number by number waits for it, so inputs
	// are listed only where there are zeros among them.
	if x := in.row(row); hasZero(x) {
		values, count = kept, k.list(&x[0], in.stride/Lanes, kept, active)
	} else {
		values, count = &x[0], in.all(row, t.outs)
	}
	for i := range n.layers {
		in.counts[row] = int32(count)
		l, out := &n.layers[i], &t.acts[i+1]
		weights := n.flat[l.first*Lanes:]
		bias, stride := &weights[l.in*Lanes], sizeof[T]((l.in+1)*Lanes)
		y, next := &out.values[row*out.stride], &out.active[row*out.stride]
		switch last := i == len(n.layers)-1; {
		case l.act == ReLU && !last:
			kept, spare = spare, kept
			count = k.rectified(y, bias, &weights[0], l.panels, stride, values, active, count, &n.valid[i][0], kept, next)
			values = kept
		default:
			k.affine(y, bias, &weights[0], l.panels, stride, values, active, count)
			n.apply(l.act, out.row(row))
			if !last {
				values, count = y, out.all(row, t.outs)
			}
		}
		in, active = out, next
	}
	return in.row(row)
}

func hasZero[T fp.Float](x []T) bool {
	for _, v := range x {
		if v == 0 {
			return true
		}
	}
	return false
}

// backward is backRow with vector instructions, for all rows and layer by layer.
func (n *Net[T]) backward(t *Tape[T], rows int, grad []T) {
	n.turn()
	top := &t.acts[len(n.layers)]
	deltas, below := t.layer, t.below
	copy(deltas, t.grads[:rows*top.stride])
	n.deriveTape(n.layers[len(n.layers)-1].act, deltas, top, rows)
	for i := len(n.layers); i > 0; i-- {
		l, in, out := &n.layers[i-1], &t.acts[i-1], &t.acts[i]
		g := grad[l.first*Lanes:]
		var y *T
		if i < len(n.layers) && l.act == ReLU {
			y = &out.values[0]
		}
		width := sizeof[T](out.stride)
		n.kernels.outer(&g[0], sizeof[T](l.in*Lanes), l.panels, sizeof[T]((l.in+1)*Lanes), &in.values[0], sizeof[T](in.stride),
			&in.active[0], 4*in.stride, &in.counts[0], &deltas[0], width, &n.valid[i-1][0], y, width, rows)
		if i == 1 {
			return
		}
		n.kernels.transfer(&below[0], sizeof[T](in.stride), in.stride/Lanes, &n.turned[i-1][0], sizeof[T](in.stride),
			&deltas[0], width, &out.active[0], 4*out.stride, &out.counts[0], rows)
		deltas, below = below, deltas
		if act := n.layers[i-2].act; act != ReLU {
			n.deriveTape(act, deltas, in, rows)
		}
	}
}

// deriveTape replaces the gradient with respect to outputs by that with respect to
// sums, for the rows of one layer.
func (n *Net[T]) deriveTape(a Activation, g []T, y *activations[T], rows int) {
	switch {
	case a == Identity:
	case n.kernels.derive[a] != nil:
		n.kernels.derive[a](&g[0], &y.values[0], rows*y.stride/Lanes)
	default:
		for r := range rows {
			derive(a, g[r*y.stride:][:y.size], y.row(r))
		}
	}
}

// apply replaces sums by outputs. Padding follows y to the end of its last panel,
// and may be written over.
func (n *Net[T]) apply(a Activation, y []T) {
	if n.kernels != nil && n.kernels.apply[a] != nil {
		n.kernels.apply[a](&y[0], blocks(len(y)))
		return
	}
	apply(a, y)
}

// derive is the function of that name, with padding as apply has it.
func (n *Net[T]) derive(a Activation, g, y []T) {
	if n.kernels != nil && n.kernels.derive[a] != nil {
		n.kernels.derive[a](&g[0], &y[0], blocks(len(y)))
		return
	}
	derive(a, g, y)
}
