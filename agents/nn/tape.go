package nn

import (
	"math/bits"

	"overnight/internal/fp"
)

// Tape keeps the inputs and the activations of rows that went forward through a
// network, so that Backward needs no second pass.
type Tape[T fp.Float] struct {
	rows  int
	acts  []activations[T] // one a layer, the inputs first
	grads []T              // with respect to the outputs; a row is as long as one of the last acts

	// The row that Backward is at.
	sums    []T     // the gradient with respect to one layer's outputs or sums
	outs    []int32 // 0, 1, 2, ...: all outputs of the last layer
	deltas  []T     // what of sums is not zero
	offsets []int32 // and where the weights lie

	path         []step[T] // the network's layers on the tape, for vector instructions
	layer, below []T       // with vector instructions: of all rows, the gradient with respect to a layer and to that below
}

// activations are the rows of one layer. What is in lanes beyond its width counts for
// nothing.
type activations[T fp.Float] struct {
	size, stride int
	values       []T
	// Of each row, the units that matter, ascending: all but zero inputs and idle ReLUs.
	active []int32  // in plain Go: their numbers
	counts []int32  // and how many
	masks  []uint64 // with vector instructions: a bit each
	words  int      // of a row's masks
}

// NewTape returns a tape for up to rows rows of networks of n's shape.
func (n *Net[T]) NewTape(rows int) *Tape[T] {
	t := &Tape[T]{rows: rows}
	widest := 0
	for _, size := range n.Shape.Sizes {
		stride := blocks(size) * Lanes
		words := (size + 63) / 64
		widest = max(widest, stride)
		t.acts = append(t.acts, activations[T]{
			size: size, stride: stride,
			values: make([]T, rows*stride), active: make([]int32, rows*stride), counts: make([]int32, rows),
			masks: make([]uint64, rows*words), words: words,
		})
	}
	last := &t.acts[len(t.acts)-1]
	t.grads = make([]T, len(last.values))
	t.layer, t.below = make([]T, rows*widest), make([]T, rows*widest)
	t.sums, t.deltas = make([]T, widest), make([]T, widest)
	t.outs, t.offsets = make([]int32, widest), make([]int32, widest)
	for j := range t.outs {
		t.outs[j] = int32(j)
	}
	for i := range t.acts { // Forward changes what is said of inputs and ReLUs
		t.acts[i].markAll(rows)
	}
	last.list(rows)
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

// markAll sets the masks of the first rows rows to all units.
func (a *activations[T]) markAll(rows int) {
	for row := range rows {
		for k := range a.size {
			a.masks[row*a.words+k/64] |= 1 << (k % 64)
		}
	}
}

// list makes the lists of the first rows rows from their masks.
func (a *activations[T]) list(rows int) {
	for row := range rows {
		list, count := a.activeOf(row), 0
		for w, m := range a.masks[row*a.words:][:a.words] {
			for ; m != 0; m &= m - 1 {
				list[count] = int32(64*w + bits.TrailingZeros64(m))
				count++
			}
		}
		a.counts[row] = int32(count)
	}
}
