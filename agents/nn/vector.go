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
	forward   func(steps *uint64, count, row int) // of step
	transfer  func(below *T, bRow, panels int, weights *T, wRow int, deltas *T, dRow int, masks *uint64, mRow, words int, y *T, rows int)
	outer     func(grad *T, bias, panels, panelStride int, values *T, vRow int, masks *uint64, mRow, words int, deltas *T, dRow, rows int)
	squares   func(sums, v *T, blocks int)
	adam      func(params, grads, first, second *T, blocks int, valid, c *T)
	adamFour  func(params, grads, first, second *T, blocks int, valid, c *T)
	transpose func(to, from *T, rowStride, inputs, outputs int)
	columns   func(c *T, cPanel int, b *T, bStep, panels, rows int)
	panel     panelKernel[T]
	half      panelKernel[T] // its first half
	panels    panelKernel[T] // two at once; nil: there is none

	softmax     func(y *T, row, panels, width int, valid *T, rows int)
	softmaxBack func(g, y *T, row, panels, width, rows int)

	// By Activation; Identity and Softmax have none.
	apply  [4]func(y *T, panels int)
	derive [4]func(g, y *T, panels int)
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
// of this machine's. New uses the best that OVERNIGHT_SIMD allows. What Forward leaves
// on a tape, only Backward of the same level understands, or of another but Off.
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

// step is a layer as the forward kernel is told of it. Strides are in bytes.
type step[T fp.Float] struct {
	weights *T      // of the first panel
	bias    int     // how many bytes after them
	stride  int     // from panel to panel
	panels  int     //
	words   int     // of a row's masks
	x       *T      // the inputs of row 0
	xRow    int     //
	masks   *uint64 // theirs
	y       *T      // the outputs of row 0
	yRow    int     //
	next    *uint64 // their masks, for ReLU
	nextRow int     //
	valid   *T      // nil: y is the sums
}

// steps returns the layers of n on the tape.
func (t *Tape[T]) steps(n *Net[T]) []step[T] {
	if len(t.path) > 0 && t.path[0].weights == &n.flat[0] {
		return t.path
	}
	t.path = t.path[:0]
	for i := range n.layers {
		l, in, out := &n.layers[i], &t.acts[i], &t.acts[i+1]
		s := step[T]{
			weights: &n.flat[l.first*Lanes], bias: sizeof[T](l.in * Lanes), stride: sizeof[T]((l.in + 1) * Lanes), panels: l.panels,
			words: in.words, x: &in.values[0], xRow: sizeof[T](in.stride), masks: &in.masks[0],
			y: &out.values[0], yRow: sizeof[T](out.stride), next: &out.masks[0], nextRow: 8 * out.words,
		}
		if i < len(n.layers)-1 && l.act == ReLU {
			s.valid = &n.valid[i][0]
		}
		t.path = append(t.path, s)
	}
	return t.path
}

// forward is Forward with vector instructions.
func (n *Net[T]) forward(t *Tape[T], row int) []T {
	in := &t.acts[0]
	nonzero(in.row(row), in.masks[row*in.words:][:in.words])
	steps := t.steps(n)
	first := 0
	for i := range steps {
		if steps[i].valid == nil {
			n.kernels.forward((*uint64)(unsafe.Pointer(&steps[first])), i+1-first, row)
			out := &t.acts[i+1]
			n.applyRows(i, out.values[row*out.stride:], 1)
			first = i + 1
		}
	}
	return t.Output(row)
}

// nonzero sets the bits of what is not zero. There is no branch on a value.
//
//go:noinline
func nonzero[T fp.Float](x []T, masks []uint64) {
	for w := range masks {
		m, bit := uint64(0), uint64(1)
		for _, v := range x[:min(64, len(x))] {
			b := uint64(0)
			if v != 0 {
				b = bit
			}
			m |= b
			bit <<= 1
		}
		masks[w] = m
		x = x[min(64, len(x)):]
	}
}

// backward is backRow with vector instructions, for all rows and layer by layer. It
// does not pass over every zero that backRow does, which makes no difference while
// all numbers are finite.
func (n *Net[T]) backward(t *Tape[T], rows int, grad []T) {
	n.turn()
	top := &t.acts[len(n.layers)]
	deltas, below := t.layer, t.below
	copy(deltas, t.grads[:rows*top.stride])
	n.deriveRows(len(n.layers)-1, deltas, top.values, rows)
	for i := len(n.layers); i > 0; i-- {
		l, in, out := &n.layers[i-1], &t.acts[i-1], &t.acts[i]
		inRow, outRow := sizeof[T](in.stride), sizeof[T](out.stride)
		n.kernels.outer(&grad[l.first*Lanes], sizeof[T](l.in*Lanes), l.panels, sizeof[T]((l.in+1)*Lanes),
			&in.values[0], inRow, &in.masks[0], 8*in.words, in.words, &deltas[0], outRow, rows)
		if i == 1 {
			return
		}
		act := n.layers[i-2].act
		var y *T
		if act == ReLU {
			y = &in.values[0]
		}
		n.kernels.transfer(&below[0], inRow, in.stride/Lanes, &n.turned[i-1][0], inRow,
			&deltas[0], outRow, &out.masks[0], 8*out.words, out.words, y, rows)
		deltas, below = below, deltas
		if act != ReLU {
			n.deriveRows(i-2, deltas, in.values, rows)
		}
	}
}

// applyRows replaces the sums of layer i by its outputs. Padding may be written over.
func (n *Net[T]) applyRows(i int, y []T, rows int) {
	l, k := &n.layers[i], n.kernels
	switch stride := l.panels * Lanes; {
	case l.act == Identity:
	case k == nil:
		for r := range rows {
			apply(l.act, y[r*stride:][:l.out])
		}
	case l.act == Softmax:
		k.softmax(&y[0], sizeof[T](stride), l.panels, l.out, &n.valid[i][0], rows)
	default:
		k.apply[l.act](&y[0], rows*l.panels)
	}
}

// deriveRows replaces the gradient with respect to the outputs y of layer i by that
// with respect to its sums.
func (n *Net[T]) deriveRows(i int, g, y []T, rows int) {
	l, k := &n.layers[i], n.kernels
	switch stride := l.panels * Lanes; {
	case l.act == Identity:
	case k == nil:
		for r := range rows {
			derive(l.act, g[r*stride:][:l.out], y[r*stride:][:l.out])
		}
	case l.act == Softmax:
		k.softmaxBack(&g[0], &y[0], sizeof[T](stride), l.panels, l.out, rows)
	default:
		k.derive[l.act](&g[0], &y[0], rows*l.panels)
	}
}
