package nn

import "overnight/internal/fp"

// chunk is how many rows Backward takes at a time, so that what it works on
// stays in the first-level cache.
const chunk = 32

// Tape keeps the inputs and the activations of rows that went forward through a
// network, so that Backward needs no second pass.
type Tape[T fp.Float] struct {
	rows  int
	acts  []activations[T] // one a layer, the inputs first
	grads []T              // with respect to the outputs; a row is as long as one of the last acts

	deltas  [][]Block[T] // the same for a chunk of each layer but the inputs: panel by panel, row by row
	sums    []T          // one row of deltas
	columns []T          // the nonzero activations of a chunk, unit by unit
	at      []int32      // the rows they belong to
	counts  []int32      // how many a unit has
	ones    []T          // chunk ones
	all     []int32      // 0, 1, 2, ... chunk-1
}

// activations are the rows of one layer. Lanes beyond its width are zero.
type activations[T fp.Float] struct {
	size, stride int
	values       []T
	active       []int32 // of each row, which units are not zero, ascending
	counts       []int32 // and how many
}

// NewTape returns a tape for up to rows rows of networks of n's shape.
func (n *Net[T]) NewTape(rows int) *Tape[T] {
	t := &Tape[T]{rows: rows}
	widest := 0
	for _, size := range n.Shape.Sizes {
		stride := blocks(size) * Lanes
		widest = max(widest, stride)
		t.acts = append(t.acts, activations[T]{
			size: size, stride: stride,
			values: make([]T, rows*stride), active: make([]int32, rows*stride), counts: make([]int32, rows),
		})
		t.deltas = append(t.deltas, make([]Block[T], blocks(size)*chunk))
	}
	last := &t.acts[len(t.acts)-1]
	t.grads = make([]T, len(last.values))
	t.sums = make([]T, widest)
	t.columns, t.at, t.counts = make([]T, widest*chunk), make([]int32, widest*chunk), make([]int32, widest)
	for i := range int32(chunk) {
		t.ones, t.all = append(t.ones, 1), append(t.all, i)
	}
	return t
}

// Rows is the number of rows the tape holds.
func (t *Tape[T]) Rows() int { return t.rows }

// Input returns the place for the inputs of a row.
func (t *Tape[T]) Input(row int) []T { return t.acts[0].row(row) }

// Output returns the outputs that Forward left for a row.
func (t *Tape[T]) Output(row int) []T { return t.acts[len(t.acts)-1].row(row) }

// Gradient returns the place for the gradient of the loss with respect to the
// outputs of a row, which Backward starts from.
func (t *Tape[T]) Gradient(row int) []T {
	last := &t.acts[len(t.acts)-1]
	return t.grads[row*last.stride:][:last.size]
}

// row returns a row without its padding.
func (a *activations[T]) row(row int) []T { return a.values[row*a.stride:][:a.size] }

// activeOf returns the room for a row's list of active units.
func (a *activations[T]) activeOf(row int) []int32 { return a.active[row*a.stride:][:a.stride] }
