package nn

import (
	"math"
	"testing"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// TestBatchIsTape holds batches against rows one at a time: the same sums, but
// for zeros, which a tape passes over.
func TestBatchIsTape(t *testing.T) {
	t.Parallel()
	for i := range uint64(40) {
		s := rng.New(rng.Root(21, "nn/batch", i))
		shape := Shape{Sizes: []int{1 + s.IntN(40), 1 + s.IntN(70), 1 + s.IntN(70), 1 + s.IntN(20)}, Hidden: Activation(s.IntN(4)), Output: Activation(s.IntN(5)), Extra: s.IntN(3)}
		rows := 1 + s.IntN(70)
		n := New[float64](shape)
		n.Init(rng.Root(22, "nn/batch", i))
		tape, batch := n.NewTape(rows), n.NewBatch(rows)
		fillRows(&s, rows, tape.Input, batch.Input)
		fillRows(&s, rows, tape.Gradient, batch.Gradient)
		want, got := n.Vector(), n.Vector()
		for r := range rows {
			n.Forward(tape, r)
		}
		n.ForwardBatch(batch, rows)
		for r := range rows {
			same(t, "output", batch.Output(r), tape.Output(r))
		}
		n.Backward(tape, rows, want)
		n.BackwardBatch(batch, rows, got)
		same(t, "gradient", n.Export(nil, got), n.Export(nil, want))
		if t.Failed() {
			t.Fatalf("net %d: %+v, %d rows", i, shape, rows)
		}
	}
}

func fillRows[T fp.Float](s *rng.Stream, rows int, places ...func(int) []T) {
	for r := range rows {
		for i := range places[0](r) {
			x := T(s.Normal())
			for _, p := range places {
				p(r)[i] = x
			}
		}
	}
}

// TestBatchLevels holds vector instructions against plain Go, bit for bit.
func TestBatchLevels(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels()[1:] {
		for i := range uint64(40) {
			batchLevels[float32](t, l, i)
			batchLevels[float64](t, l, i)
		}
	}
}

func batchLevels[T fp.Float](t *testing.T, l simd.Level, number uint64) {
	t.Helper()
	s := rng.New(rng.Root(23, "nn/batch", number))
	shape := Shape{Hidden: Activation(s.IntN(4)), Output: Activation(s.IntN(5))}
	for range 2 + s.IntN(3) {
		shape.Sizes = append(shape.Sizes, 1+s.IntN(90))
	}
	rows := 1 + s.IntN(70)
	plain, fast := New[T](shape), New[T](shape)
	plain.Use(simd.Off)
	fast.Use(l)
	plain.Init(rng.Root(24, "nn/batch", number))
	copy(fast.Params, plain.Params)
	a, b := plain.NewBatch(rows), fast.NewBatch(rows)
	fillRows(&s, rows, a.Input, b.Input)
	fillRows(&s, rows, a.Gradient, b.Gradient)
	if number%4 == 3 {
		odd := [...]T{T(math.Inf(1)), T(math.NaN()), T(math.Copysign(0, -1)), 0, T(1e-40)}
		for range rows {
			r, x := s.IntN(rows), odd[s.IntN(len(odd))]
			i := s.IntN(len(a.Input(r)))
			a.Input(r)[i], b.Input(r)[i] = x, x
		}
	}
	ga, gb := plain.Vector(), fast.Vector()
	plain.ForwardBatch(a, rows)
	fast.ForwardBatch(b, rows)
	for r := range rows {
		same(t, "output", b.Output(r), a.Output(r))
	}
	plain.BackwardBatch(a, rows, ga)
	fast.BackwardBatch(b, rows, gb)
	same(t, "gradient", fast.Export(nil, gb), plain.Export(nil, ga))
	if t.Failed() {
		t.Fatalf("%v, net %d: %+v, %d rows", l, number, shape, rows)
	}
}

// BenchmarkBatch measures the forward and the backward pass of 64 rows: 10-64-64-8,
// with its share of a multiply-add count of 2 per weight forward and 4 backward.
func BenchmarkBatch(b *testing.B) {
	for _, l := range simd.Levels() {
		b.Run(l.String(), func(b *testing.B) {
			b.Run("float32", func(b *testing.B) { benchBatch[float32](b, l) })
			b.Run("float64", func(b *testing.B) { benchBatch[float64](b, l) })
		})
	}
}

func benchBatch[T fp.Float](b *testing.B, l simd.Level) {
	const rows = 64
	n := New[T](Shape{Sizes: []int{10, 64, 64, 8}, Hidden: ReLU})
	n.Use(l)
	n.Init(rng.Key{1})
	batch := n.NewBatch(rows)
	s := rng.New(rng.Key{2})
	fillRows(&s, rows, batch.Input)
	fillRows(&s, rows, batch.Gradient)
	grad := n.Vector()
	flops := float64(2 * rows * n.Len())
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			n.ForwardBatch(batch, rows)
		}
		b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
	b.Run("backward", func(b *testing.B) {
		for b.Loop() {
			n.BackwardBatch(batch, rows, grad)
		}
		b.ReportMetric(2*flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}

// TestBatchRows refuses more rows than there are, which kernels would not, and has
// no gradient for none.
func TestBatchRows(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels() {
		n := New[float32](Shape{Sizes: []int{3, 5}, Output: Tanh})
		n.Use(l)
		b, grad := n.NewBatch(2), n.Vector()
		n.ForwardBatch(b, 0)
		dirty(grad)
		n.BackwardBatch(b, 0, grad)
		if grad[0] != (Block[float32]{}) {
			t.Errorf("%v: no rows have the gradient %v", l, grad[0])
		}
		for what, f := range map[string]func(){
			"forward":  func() { n.ForwardBatch(b, 3) },
			"backward": func() { n.BackwardBatch(b, 3, grad) },
			"gradient": func() { n.BackwardBatch(b, 2, grad[:1:1]) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%v %s: no panic", l, what)
					}
				}()
				f()
			}()
		}
	}
}
