package nn

import "overnight/internal/fp"

// chunk is how many rows Backward takes at a time, so that what it works on
// stays in the first-level cache.
const chunk = 32

// Tape keeps the inputs and the activations of rows that went forward through a
// network, so that Backward needs no second pass.
type Tape[T fp.Float] struct {
	rows    int
	sizes   []int // of the layers, inputs first
	strides []int
	acts    [][]T // one a layer; rows*stride, the lanes beyond a layer's width zero
	grad    []T   // with respect to the outputs; rows*stride of the last layer

	deltas [][]Block[T] // one a layer but the first, panel by panel, chunk blocks each
	list   []entry[T]   // the nonzero elements of a column or a row
	dx     []T
}

// entry is a nonzero element and where it stood.
type entry[T fp.Float] struct {
	value T
	index int32
}

// NewTape returns a tape for up to rows rows of networks of n's shape.
func (n *Net[T]) NewTape(rows int) *Tape[T] {
	t := &Tape[T]{rows: rows, sizes: n.Shape.Sizes}
	widest := chunk
	for _, size := range t.sizes {
		stride := blocks(size) * Lanes
		widest = max(widest, stride)
		t.strides = append(t.strides, stride)
		t.acts = append(t.acts, make([]T, rows*stride))
		t.deltas = append(t.deltas, make([]Block[T], blocks(size)*chunk))
	}
	t.grad = make([]T, len(t.acts[len(t.acts)-1]))
	t.list = make([]entry[T], widest)
	t.dx = make([]T, widest)
	return t
}

// Rows is the number of rows the tape holds.
func (t *Tape[T]) Rows() int { return t.rows }

// Input returns the place for the inputs of a row.
func (t *Tape[T]) Input(row int) []T {
	at := row * t.strides[0]
	return t.acts[0][at : at+t.sizes[0]]
}

// Output returns the outputs that Forward left for a row.
func (t *Tape[T]) Output(row int) []T { return t.last(t.acts[len(t.acts)-1], row) }

// Gradient returns the place for the gradient of the loss with respect to the
// outputs of a row. Backward writes over it.
func (t *Tape[T]) Gradient(row int) []T { return t.last(t.grad, row) }

func (t *Tape[T]) last(v []T, row int) []T {
	l := len(t.sizes) - 1
	at := row * t.strides[l]
	return v[at : at+t.sizes[l]]
}

// row is one row of a layer with its padding.
func (t *Tape[T]) row(l, row int) []T {
	at := row * t.strides[l]
	return t.acts[l][at : at+t.strides[l]]
}
