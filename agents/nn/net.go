// Package nn holds the kernels of small multilayer perceptrons: forward,
// backward and Adam, fused and without allocation. Start with New and Tape.
//
// It promises the same bits on every machine. Every output is a sum in one
// stated order - the bias first, then the inputs in ascending order; gradients
// over rows in ascending order - and every product is rounded before it is
// added, so kernels that put outputs into lanes may replace these and change
// nothing. Inputs that are exactly zero, as ReLU leaves half of them, are passed
// over, which keeps the bits as long as weights are finite; whoever trains
// watches the norm that Backward returns.
package nn

import (
	"fmt"
	"math"
	"slices"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// Lanes is the number of outputs that stand side by side in a Block.
const Lanes = 16

// Block is a stretch of the parameter vector: the weights from one input to
// Lanes neighbouring outputs, or the biases of these.
type Block[T fp.Float] = [Lanes]T

// Shape is what a network looks like.
type Shape struct {
	// Sizes are the widths of the layers: inputs, hidden layers, outputs.
	Sizes []int
	// Hidden is the activation of every hidden layer.
	Hidden Activation
	// Output is the activation of the last layer.
	Output Activation
	// Extra parameters of no layer lie at the end of the vector, say the
	// log standard deviations of a policy.
	Extra int
}

// Equal tells whether two shapes are the same.
func (s Shape) Equal(o Shape) bool {
	return s.Hidden == o.Hidden && s.Output == o.Output && s.Extra == o.Extra && slices.Equal(s.Sizes, o.Sizes)
}

// Net is a network of one Shape. It may be used by one goroutine at a time.
//
// Params holds the layers one after the other. A layer is cut into panels of
// Lanes outputs; a panel of a layer with n inputs is n blocks of weights, input
// by input, and one block of biases. The extra parameters are last. Lanes
// beyond the last output are zero and stay zero.
type Net[T fp.Float] struct {
	Shape  Shape
	Params []Block[T]

	layers []layer
	parts  []part // all of Params, in order
	extra  int    // first block of the extra parameters

	kernels *kernels[T] // nil: plain Go
	turned  [][]T       // of layer i, the weights by output; see turn
	lanesOf [][]T       // of each part, all bits set in its lanes
	valid   [][]T       // of layer i, all bits set in the lanes of its outputs

	flat   []T // Params, lane by lane
	values []T // the nonzero elements of a row
	square Block[T]
}

// layer is where a layer's parameters lie.
type layer struct {
	in, out int
	first   int // block of the first panel
	panels  int
	act     Activation
	lanes   []int32 // where the weights to each output lie from those to output 0
}

// clearPadding zeroes what lies behind the outputs of a layer in a vector like
// Params. A product with the zeros there is NaN where the other factor is infinite,
// and Norm and Descend take all lanes.
func clearPadding[T fp.Float](l *layer, v []T) {
	used := l.out % Lanes
	if used == 0 {
		return
	}
	first := l.first + (l.panels-1)*(l.in+1)
	for i := first; i <= first+l.in; i++ {
		clear(v[i*Lanes+used : (i+1)*Lanes])
	}
}

// part is a stretch of blocks of which only the first lanes are in use.
type part struct{ from, to, width int }

// add adds a part at the end, to the one before it where both are whole.
func (n *Net[T]) add(p part) {
	if last := len(n.parts) - 1; last >= 0 && p.width == Lanes && n.parts[last].width == Lanes {
		n.parts[last].to = p.to
		return
	}
	n.parts = append(n.parts, p)
	n.lanesOf = append(n.lanesOf, validLanes[T](1, p.width))
}

// New returns a network of a shape, all of its parameters zero. It panics where
// the shape has fewer than two sizes or one below 1.
func New[T fp.Float](s Shape) *Net[T] {
	if len(s.Sizes) < 2 || slices.Min(s.Sizes) < 1 || s.Extra < 0 {
		panic(fmt.Sprintf("nn: impossible shape %v, extra %d", s.Sizes, s.Extra))
	}
	s.Sizes = slices.Clone(s.Sizes)
	n := &Net[T]{Shape: s}
	at := 0
	for i, in := range s.Sizes[:len(s.Sizes)-1] {
		l := layer{in: in, out: s.Sizes[i+1], first: at, panels: blocks(s.Sizes[i+1]), act: s.Hidden}
		if i == len(s.Sizes)-2 {
			l.act = s.Output
		}
		for p := range l.panels {
			n.add(part{at, at + in + 1, min(Lanes, l.out-p*Lanes)})
			at += in + 1
		}
		for j := range l.out {
			l.lanes = append(l.lanes, int32(j/Lanes*(in+1)*Lanes+j%Lanes))
		}
		n.layers = append(n.layers, l)
		n.valid = append(n.valid, validLanes[T](l.panels, l.out))
		n.turned = append(n.turned, make([]T, min(i, 1)*l.panels*Lanes*blocks(l.in)*Lanes))
	}
	n.extra = at
	for e := s.Extra; e > 0; e -= Lanes {
		n.add(part{at, at + 1, min(Lanes, e)})
		at++
	}
	n.Params = make([]Block[T], at)
	n.flat = lanes(n.Params)
	widest := blocks(slices.Max(s.Sizes)) * Lanes // as long as a row of a Tape
	n.values = make([]T, widest)
	n.Use(simd.Best())
	return n
}

// blocks is the number of blocks that hold n lanes.
func blocks(n int) int { return (n + Lanes - 1) / Lanes }

// Vector returns a zero vector with the layout of Params, say for a gradient.
func (n *Net[T]) Vector() []Block[T] { return make([]Block[T], len(n.Params)) }

// Extra returns the i-th extra parameter's place in a vector like Params.
func (n *Net[T]) Extra(v []Block[T], i int) *T { return &v[n.extra+i/Lanes][i%Lanes] }

// Init draws weights and biases as PyTorch's nn.Linear does, uniformly within
// 1/sqrt(inputs) of zero, each layer from its own stream, and sets the extra
// parameters to zero.
func (n *Net[T]) Init(key rng.Key) {
	clear(n.Params)
	var s rng.Stream
	for i := range n.layers {
		l := &n.layers[i]
		s.Seed(key.At(uint64(i)))
		bound := 1 / math.Sqrt(float64(l.in))
		for j := range l.out {
			for k := range l.in {
				*n.weight(n.Params, l, j, k) = T((2*float64(s.Float64()) - 1) * bound)
			}
		}
		for j := range l.out {
			*n.weight(n.Params, l, j, l.in) = T((2*float64(s.Float64()) - 1) * bound)
		}
	}
}

// weight is the place of the weight from input k to output j, or for k = l.in
// of the bias of j.
func (n *Net[T]) weight(v []Block[T], l *layer, j, k int) *T {
	return &v[l.first+j/Lanes*(l.in+1)+k][j%Lanes]
}

// Len is the number of parameters without padding.
func (n *Net[T]) Len() int {
	sum := n.Shape.Extra
	for _, l := range n.layers {
		sum += (l.in + 1) * l.out
	}
	return sum
}

// each calls f with the place of every parameter in PyTorch's order: layer by
// layer the weights, [out, in] row by row, then the biases; last the extra ones.
func (n *Net[T]) each(v []Block[T], f func(*T)) {
	for i := range n.layers {
		l := &n.layers[i]
		for j := range l.out {
			for k := range l.in {
				f(n.weight(v, l, j, k))
			}
		}
		for j := range l.out {
			f(n.weight(v, l, j, l.in))
		}
	}
	for i := range n.Shape.Extra {
		f(n.Extra(v, i))
	}
}

// Export appends the vector v, which has the layout of Params, in PyTorch's
// order to dst.
func (n *Net[T]) Export(dst []T, v []Block[T]) []T {
	n.each(v, func(p *T) { dst = append(dst, *p) })
	return dst
}

// Import fills v from Len numbers in PyTorch's order.
func (n *Net[T]) Import(v []Block[T], src []T) {
	n.each(v, func(p *T) { *p, src = src[0], src[1:] })
}
