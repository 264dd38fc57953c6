package nn

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// TestPages puts everything that kernels are given right before pages that may not
// be touched, then right behind them: a kernel that reads or writes one number too
// many faults.
func TestPages(t *testing.T) { //nolint:paralleltest // faults become panics for this goroutine only
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, l := range simd.Levels()[1:] {
		for i := range uint64(30) {
			for _, before := range []bool{true, false} {
				pages[float32](t, l, i, before)
				pages[float64](t, l, i, before)
			}
		}
	}
}

func pages[T fp.Float](t *testing.T, l simd.Level, number uint64, before bool) {
	t.Helper()
	s := rng.New(rng.Root(51, "nn/pages", number))
	shape := Shape{Hidden: Activation(s.IntN(4)), Output: Activation(s.IntN(5)), Extra: s.IntN(20)}
	for range 2 + s.IntN(3) {
		shape.Sizes = append(shape.Sizes, 1+s.IntN(130))
	}
	if number == 0 {
		shape = Shape{Sizes: []int{1, 1}}
	}
	rows := 1 + s.IntN(20)
	if number%5 == 0 {
		rows = 1
	}
	x := func() T {
		if number%7 == 3 || s.IntN(4) == 0 { // nothing active, or some
			return 0
		}
		return T(s.Normal())
	}
	var mapped [][]byte
	twins(t, l, shape, rows, x, func(n *Net[T], tape *Tape[T], b *Batch[T], a *Adam[T], grad *[]Block[T]) {
		m := fence{t, before, &mapped}
		n.Params = fenced(m, n.Params)
		n.flat = lanes(n.Params)
		n.values = fenced(m, n.values)
		for _, all := range [][][]T{n.turned, n.lanesOf, n.valid} {
			for i := range all {
				all[i] = fenced(m, all[i])
			}
		}
		for i := range tape.acts {
			c := &tape.acts[i]
			c.values, c.active, c.counts, c.masks = fenced(m, c.values), fenced(m, c.active), fenced(m, c.counts), fenced(m, c.masks)
		}
		tape.grads, tape.layer, tape.below, tape.outs = fenced(m, tape.grads), fenced(m, tape.layer), fenced(m, tape.below), fenced(m, tape.outs)
		for _, all := range [][]matrix[T]{b.acts, b.deltas} {
			for i := range all {
				all[i].values = fenced(m, all[i].values)
			}
		}
		a.first, a.second, *grad = fenced(m, a.first), fenced(m, a.second), fenced(m, *grad)
	})
	for _, b := range mapped {
		if err := unix.Munmap(b); err != nil {
			t.Fatal(err)
		}
	}
}

type fence struct {
	t      *testing.T
	before bool
	mapped *[][]byte
}

// fenced returns a copy of v that ends, or begins, at a page that faults.
func fenced[E any](f fence, v []E) []E {
	f.t.Helper()
	if len(v) == 0 {
		return v
	}
	page, size := unix.Getpagesize(), len(v)*int(unsafe.Sizeof(v[0]))
	whole := (size + page - 1) / page * page
	b, err := unix.Mmap(-1, 0, whole+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		f.t.Fatal(err)
	}
	*f.mapped = append(*f.mapped, b)
	for _, edge := range [][]byte{b[:page], b[page+whole:]} {
		if err := unix.Mprotect(edge, unix.PROT_NONE); err != nil {
			f.t.Fatal(err)
		}
	}
	at := page
	if f.before {
		at += whole - size
	}
	moved := unsafe.Slice((*E)(unsafe.Pointer(&b[at])), len(v))
	copy(moved, v)
	return moved
}
