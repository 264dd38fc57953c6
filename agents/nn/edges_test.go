package nn

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// TestEdges holds networks of up to six layers, of widths around those of registers,
// panels and words of masks, against plain Go. Numbers are near 1, of all sizes, such
// that squares overflow or all are subnormal, or any bits at all, with more or fewer
// zeros of both signs between.
func TestEdges(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels()[1:] {
		for i := range uint64(100) {
			edges[float32](t, l, i, 120)
			edges[float64](t, l, i, 1000)
		}
	}
}

// edges is for one network; numbers are within 2^-size and 2^size.
func edges[T fp.Float](t *testing.T, l simd.Level, number uint64, size int) {
	t.Helper()
	s := rng.New(rng.Root(71, "nn/edges", number))
	shape := Shape{Hidden: Activation(s.IntN(5)), Output: Activation(s.IntN(5)), Extra: s.IntN(20)}
	if s.IntN(2) == 0 {
		shape.Hidden = ReLU
	}
	widths := []int{1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 32, 33, 48, 49, 63, 64, 65, 112, 127, 128, 129, 193}
	for range 2 + s.IntN(6) {
		shape.Sizes = append(shape.Sizes, widths[s.IntN(len(widths))])
	}
	rows, form, zeros := 1+s.IntN(13), s.IntN(5), s.IntN(10)
	exponent, left := 0, 0 // of the next numbers, and how many these are
	twins(t, l, shape, rows, func() T {
		if left--; left < 0 {
			left = s.IntN(200)
			exponent = []int{0, s.IntN(2*size) - size, size/2 - s.IntN(6), -size, 0}[form]
		}
		switch pick := s.IntN(1000); {
		case pick < 50*zeros:
			return T(math.Copysign(0, float64(s.IntN(2))-.5))
		case form == 4 && pick > 990:
			return anyBits[T](s.Uint64())
		}
		return T(s.Normal() * math.Exp2(float64(exponent)))
	}, nil)
}

// TestSharedTape sends two networks in turns over one tape.
func TestSharedTape(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels() {
		shape := Shape{Sizes: []int{10, 64, 32, 3}, Hidden: ReLU}
		first, tape := filled[float32](shape, 7, 1)
		second, _ := filled[float32](shape, 7, 2)
		var gradients [2][]float32
		for i := range 4 {
			n := []*Net[float32]{first, second}[i%2]
			n.Use(l)
			for r := range tape.Rows() {
				n.Forward(tape, r)
			}
			grad := n.Vector()
			n.Backward(tape, tape.Rows(), grad)
			own := n.NewTape(tape.Rows())
			for r := range tape.Rows() {
				copy(own.Input(r), tape.Input(r))
				copy(own.Gradient(r), tape.Gradient(r))
				same(t, fmt.Sprintf("%v: output of row %d", l, r), tape.Output(r), n.Forward(own, r))
			}
			want := n.Vector()
			n.Backward(own, own.Rows(), want)
			same(t, fmt.Sprintf("%v: gradient", l), lanes(grad), lanes(want))
			gradients[i%2] = n.Export(nil, grad)
		}
		if gradients[0][0] == gradients[1][0] {
			t.Errorf("%v: both networks have the gradient %v", l, gradients[0][0])
		}
	}
}

// TestTooManyRows wants a panic, not what lies behind the tape.
func TestTooManyRows(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels() {
		n, tape := filled[float32](Shape{Sizes: []int{3, 16, 16}, Hidden: ReLU}, 2, 1)
		n.Use(l)
		for what, f := range map[string]func(){
			"forward":  func() { n.Forward(tape, 2) },
			"backward": func() { n.Backward(tape, 3, n.Vector()) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%v: %s did not panic", l, what)
					}
				}()
				f()
			}()
		}
	}
}

// TestNoRows wants zeros, whatever was there, and the length of the extra parameters.
func TestNoRows(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels() {
		n, tape := filled[float32](Shape{Sizes: []int{3, 16, 16}, Extra: 2}, 2, 1)
		n.Use(l)
		grad := n.Vector()
		grad[0][0], *n.Extra(grad, 0), *n.Extra(grad, 1) = 1, 3, 4
		if norm := n.Backward(tape, 0, grad); norm != 5 || grad[0][0] != 0 {
			t.Errorf("%v: norm %v of a gradient that begins with %v, want 5 and 0", l, norm, grad[0][0])
		}
	}
}

// TestWork wants the same counts at every level, and those that one layer after the
// other has by hand.
func TestWork(t *testing.T) {
	t.Parallel()
	const rows = 5
	for _, l := range simd.Levels() {
		n, tape := filled[float64](Shape{Sizes: []int{10, 64, 32, 3}, Hidden: ReLU}, rows, 3)
		n.Use(l)
		want := [2]int{}
		for r := range rows {
			n.Forward(tape, r)
			active := [4]int{3: 3}
			for i := range 3 {
				for _, x := range tape.acts[i].row(r) {
					if x != 0 {
						active[i]++
					}
				}
			}
			products := active[0]*64 + active[1]*32 + active[2]*3
			want[0] += 2 * products
			want[1] += 2 * (products + active[2]*64 + active[3]*32)
		}
		if forward, backward := n.Work(tape, rows); [2]int{forward, backward} != want {
			t.Errorf("%v: %d operations forward, %d backward, want %d", l, forward, backward, want)
		}
	}
}
