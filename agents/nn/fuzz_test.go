package nn

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// FuzzLevels gives networks any bits at all, as parameters, inputs and gradients,
// and holds each set of vector instructions against plain Go.
func FuzzLevels(f *testing.F) {
	for i := range uint8(8) {
		f.Add([]byte{i, 3 + 9*i, 1 + 14*i, 16 * i, i, i * 3}, []byte{0, 0, 0x80, 0x7f, 0, 0, 0xc0, 0xff, 1, 0, 0, 0x80})
	}
	f.Add([]byte{0, 2, 8, 0, 0, 0}, []byte{0, 0, 0x80, 0x7f}) // an infinite input, which meets the padding
	f.Fuzz(func(t *testing.T, form, bits []byte) {
		if len(form) < 6 {
			return
		}
		shape := Shape{Hidden: Activation(form[0] & 3), Output: Activation(form[0] >> 2 % 5), Extra: int(form[5] % 20)}
		for _, width := range form[1:4] {
			if width > 0 {
				shape.Sizes = append(shape.Sizes, 1+int(width)%130)
			}
		}
		if len(shape.Sizes) < 2 {
			return
		}
		rows := 1 + int(form[4])%20
		for _, l := range simd.Levels()[1:] {
			twins(t, l, shape, rows, raw[float32](bits), nil)
			twins(t, l, shape, rows, raw[float64](bits), nil)
		}
	})
}

// raw yields the numbers whose bits are given, then normals with zeros and some of
// those numbers again between.
func raw[T fp.Float](b []byte) func() T {
	s := rng.New(rng.Root(41, "nn/raw", uint64(len(b))))
	size := sizeof[T](1)
	var given []T
	for ; len(b) >= size; b = b[size:] {
		if size == 4 {
			given = append(given, T(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		} else {
			given = append(given, T(math.Float64frombits(binary.LittleEndian.Uint64(b))))
		}
	}
	return func() T {
		switch pick := s.IntN(400); {
		case pick < len(given):
			return given[pick]
		case pick > 300:
			return 0
		}
		return T(s.Normal())
	}
}

// twins sends the same numbers through a network of plain Go and one of a level,
// on tapes and in batches, and compares all that comes out, padding too where it
// counts. place, where it is not nil, moves the memory of the second.
func twins[T fp.Float](t *testing.T, l simd.Level, shape Shape, rows int, number func() T, place func(n *Net[T], tape *Tape[T], b *Batch[T], a *Adam[T], grad *[]Block[T])) {
	t.Helper()
	what := fmt.Sprintf("%v, %T, %+v, %d rows: ", l, number(), shape, rows)
	plain, fast := New[T](shape), New[T](shape)
	plain.Use(simd.Off)
	fast.Use(l)
	nets := [2]*Net[T]{plain, fast}
	var tapes [2]*Tape[T]
	var batches [2]*Batch[T]
	var adams [2]Adam[T]
	var grads [2][]Block[T]
	for i, n := range nets {
		tapes[i], batches[i], grads[i] = n.NewTape(rows), n.NewBatch(rows), n.Vector()
		adams[i] = Adam[T]{LearningRate: .01, Beta1: .9, Beta2: .999}
		adams[i].Reset(n)
	}
	if place != nil {
		place(fast, tapes[1], batches[1], &adams[1], &grads[1])
	}
	fill := func(places ...[]T) {
		for i := range places[0] {
			x := number()
			for _, p := range places {
				p[i] = x
			}
		}
	}
	for r := range rows {
		fill(tapes[0].Input(r), tapes[1].Input(r), batches[0].Input(r), batches[1].Input(r))
	}
	params := make([]T, plain.Len())
	fill(params)
	for _, n := range nets {
		n.Import(n.Params, params)
	}
	rest := plain.Vector() // of which the gradient's extra parameters are
	for step := range 2 {
		for r := range rows {
			fill(tapes[0].Gradient(r), tapes[1].Gradient(r), batches[0].Gradient(r), batches[1].Gradient(r))
		}
		var norms, sums [2]T
		for i, n := range nets {
			for r := range rows {
				n.Forward(tapes[i], r)
			}
			n.ForwardBatch(batches[i], rows)
		}
		for r := range rows {
			same(t, what+"tape output", tapes[1].Output(r), tapes[0].Output(r))
			same(t, what+"batch output", batches[1].Output(r), batches[0].Output(r))
		}
		for i, n := range nets {
			dirty(grads[i][:n.extra])
			clear(grads[i][n.extra:])
			n.BackwardBatch(batches[i], rows, grads[i])
			sums[i] = n.Norm(grads[i])
		}
		same(t, what+"batch gradient", lanes(grads[1]), lanes(grads[0]))
		same(t, what+"norm of it", sums[1:], sums[:1])
		for i, n := range nets {
			dirty(grads[i][:n.extra])
			n.Import(rest, params)
			copy(grads[i][n.extra:], rest[n.extra:])
			norms[i] = n.Backward(tapes[i], rows, grads[i])
			sums[i] = n.Norm(grads[i])
		}
		same(t, what+"gradient", lanes(grads[1]), lanes(grads[0]))
		same(t, what+"norm", norms[:], sums[:])
		same(t, what+"norm beside plain Go", norms[1:], norms[:1])
		for i, n := range nets {
			if step == 0 {
				adams[i].Step(n, grads[i], ClipScale(norms[i], 1))
			} else {
				n.Descend(grads[i], .1)
			}
		}
		same(t, what+"parameters", lanes(fast.Params), lanes(plain.Params))
		same(t, what+"moments", lanes(adams[1].first), lanes(adams[0].first))
		same(t, what+"second moments", lanes(adams[1].second), lanes(adams[0].second))
		if t.Failed() {
			t.FailNow()
		}
	}
}

// dirty leaves numbers that have to be written over.
func dirty[T fp.Float](v []Block[T]) {
	for b := range v {
		v[b] = Block[T]{T(math.NaN()), T(math.Copysign(0, -1)), 1, 14: 1, T(math.Inf(1))}
	}
}
