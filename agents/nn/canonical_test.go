package nn

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"overnight/internal/fp"
	"overnight/internal/rng"
)

// plain is a network computed as the package comment states, one number at a
// time and with nothing passed over. The kernels must agree with it to the bit.
type plain[T fp.Float] struct {
	shape   Shape
	weights [][][]T // [layer][out][in]
	biases  [][]T
}

func newPlain[T fp.Float](n *Net[T]) *plain[T] {
	p := &plain[T]{shape: n.Shape}
	flat := n.Export(nil, n.Params)
	for i, in := range n.Shape.Sizes[:len(n.Shape.Sizes)-1] {
		w := make([][]T, n.Shape.Sizes[i+1])
		for j := range w {
			w[j], flat = flat[:in], flat[in:]
		}
		p.weights = append(p.weights, w)
		p.biases = append(p.biases, flat[:len(w)])
		flat = flat[len(w):]
	}
	return p
}

func (p *plain[T]) act(layer int) Activation {
	if layer == len(p.weights)-1 {
		return p.shape.Output
	}
	return p.shape.Hidden
}

// forward returns the activations of every layer, inputs first.
func (p *plain[T]) forward(x []T) [][]T {
	acts := [][]T{x}
	for l, w := range p.weights {
		y := make([]T, len(w))
		for j := range w {
			sum := p.biases[l][j]
			for k, v := range acts[l] {
				sum = T(v*w[j][k]) + sum
			}
			y[j] = sum
		}
		apply(p.act(l), y)
		acts = append(acts, y)
	}
	return acts
}

// backward adds one row's gradient to grad, which is in PyTorch's order.
func (p *plain[T]) backward(acts [][]T, g, grad []T) {
	deltas := append([]T(nil), g...)
	starts := make([]int, len(p.weights))
	for l := 1; l < len(starts); l++ {
		starts[l] = starts[l-1] + len(p.weights[l-1])*(len(acts[l-1])+1)
	}
	for l := len(p.weights) - 1; l >= 0; l-- {
		derive(p.act(l), deltas, acts[l+1])
		in := acts[l]
		below := make([]T, len(in))
		for j, d := range deltas {
			for k, v := range in {
				grad[starts[l]+j*len(in)+k] += T(v * d)
				below[k] = T(d*p.weights[l][j][k]) + below[k]
			}
			grad[starts[l]+len(deltas)*len(in)+j] += d
		}
		deltas = below
	}
}

// shapes draws a shape with widths on both sides of the kernels' edges.
func shapes(t *rapid.T) Shape {
	sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 20), rapid.SampledFrom([]int{31, 32, 33, 48, 64, 70})), 2, 5).Draw(t, "sizes")
	return Shape{
		Sizes:  sizes,
		Hidden: rapid.SampledFrom([]Activation{ReLU, Tanh, Sigmoid, Identity}).Draw(t, "hidden"),
		Output: rapid.SampledFrom([]Activation{Identity, Sigmoid, Tanh, ReLU, Softmax}).Draw(t, "output"),
		Extra:  rapid.IntRange(0, 18).Draw(t, "extra"),
	}
}

// filled returns a network with random parameters and a tape of rows random
// inputs, some of them zero, that have gone forward.
func filled[T fp.Float](shape Shape, rows int, seed uint64) (*Net[T], *Tape[T]) {
	n := New[T](shape)
	n.Init(rng.Root(seed, "init"))
	s := rng.New(rng.Root(seed, "rows"))
	t := n.NewTape(rows)
	for r := range rows {
		for i := range t.Input(r) {
			if s.IntN(4) > 0 {
				t.Input(r)[i] = T(s.Normal())
			}
		}
		for i := range t.Gradient(r) {
			t.Gradient(r)[i] = T(s.Normal())
		}
		n.Forward(t, r)
	}
	return n, t
}

func testCanonical[T fp.Float](t *rapid.T) {
	rows := rapid.IntRange(1, 5).Draw(t, "rows")
	n, tape := filled[T](shapes(t), rows, rapid.Uint64().Draw(t, "seed"))
	p := newPlain(n)
	want := make([]T, n.Len())
	for r := range rows {
		acts := p.forward(tape.Input(r))
		for i, y := range tape.Output(r) {
			if w := acts[len(acts)-1][i]; math.Float64bits(float64(y)) != math.Float64bits(float64(w)) {
				t.Fatalf("output %d of row %d = %v, want the bits of %v", i, r, y, w)
			}
		}
		p.backward(acts, tape.Gradient(r), want)
	}
	grad := n.Vector()
	n.Backward(tape, rows, grad)
	for i, g := range n.Export(nil, grad) {
		if g != want[i] {
			t.Fatalf("gradient %d = %v, want the bits of %v", i, g, want[i])
		}
	}
	for i := range grad {
		for l, v := range grad[i] {
			if v != 0 && !inUse(n, i, l) {
				t.Fatalf("padding lane %d of block %d = %v, want 0", l, i, v)
			}
		}
	}
}

// inUse tells whether a lane of a block holds a parameter.
func inUse[T fp.Float](n *Net[T], block, lane int) bool {
	for _, p := range n.parts {
		if block >= p.from && block < p.to {
			return lane < p.width
		}
	}
	return false
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	t.Run("float32", func(t *testing.T) { t.Parallel(); rapid.Check(t, testCanonical[float32]) })
	t.Run("float64", func(t *testing.T) { t.Parallel(); rapid.Check(t, testCanonical[float64]) })
}
