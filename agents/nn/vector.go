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
	affine    func(y, init, weights *T, panels, panelStride, rowStride int, values *T, indices *int32, count int)
	rectify   func(y *T, n int, values *T, indices *int32) (count int)
	outer     func(grad, bias *T, panels, panelStride int, values *T, units *int32, count int, deltas, valid, y *T)
	squares   func(sums, v *T, blocks int)
	adam      func(params, grads, first, second *T, blocks int, valid, c *T)
	transpose func(to, from *T, rowStride, inputs, outputs int)
	panel     panelKernel[T]
	panels    panelKernel[T] // two at once; nil: there is none

	// By Activation; nil: there is none.
	apply  [5]func(y *T, panels int)
	derive [5]func(g, y *T, panels int)
}

type panelKernel[T fp.Float] func(c *T, cRow, cPanel int, init *T, iRow, iPanel int, a *T, aRow, aStep int, b *T, bPanel, bStep int, rows, depth int)

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
			n.kernels.transpose(&n.turned[i][p*Lanes*stride], &from[0], sizeof[T](stride), l.in, Lanes)
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

// backward is backRow with vector instructions, after turn.
func (n *Net[T]) backward(t *Tape[T], row int, grad []T) {
	last := len(n.layers)
	g := t.sums[:n.layers[last-1].out]
	copy(g, t.Gradient(row))
	n.derive(n.layers[last-1].act, g, t.Output(row))
	outs := t.outs[:len(g)]
	for i := last; i > 0; i-- {
		l, in, out := &n.layers[i-1], &t.acts[i-1], &t.acts[i]
		at := l.first * Lanes
		var y *T
		if i < last && l.act == ReLU {
			y = &out.values[row*out.stride]
		}
		n.kernels.outer(&grad[at], &grad[at+l.in*Lanes], l.panels, sizeof[T]((l.in+1)*Lanes),
			&in.values[row*in.stride], &in.active[row*in.stride], int(in.counts[row]), &t.sums[0], &n.valid[i-1][0], y)
		if i == 1 {
			return
		}
		deltas := t.deltas[:len(outs)]
		for e, j := range outs {
			deltas[e] = t.sums[j]
		}
		which := t.outs
		if len(outs) > 0 {
			which = outs
		}
		n.kernels.affine(&t.sums[0], nil, &n.turned[i-1][0], in.stride/Lanes, sizeof[T](Lanes), sizeof[T](in.stride), &t.deltas[0], &which[0], len(outs))
		outs = in.active[row*in.stride:][:in.counts[row]]
		if act := n.layers[i-2].act; act != ReLU {
			n.derive(act, t.sums[:in.size], in.values[row*in.stride:][:in.size])
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
