package nn

import (
	"fmt"

	"overnight/internal/fp"
)

// Batch keeps the inputs and the activations of rows that go forward together,
// for learners that update from many rows at once. It differs from a Tape in how
// it is computed, layer by layer, and in that zeros are not passed over.
type Batch[T fp.Float] struct {
	rows   int
	acts   []matrix[T] // one a layer, the inputs first
	deltas []matrix[T] // of each, the gradient with respect to it
}

// matrix is rows of numbers, each with padding to whole blocks.
type matrix[T fp.Float] struct {
	size, stride int
	values       []T
}

func (m *matrix[T]) row(r int) []T { return m.values[r*m.stride:][:m.size] }

// NewBatch returns a batch of up to rows rows of networks of n's shape.
func (n *Net[T]) NewBatch(rows int) *Batch[T] {
	b := &Batch[T]{rows: rows}
	for _, size := range n.Shape.Sizes {
		stride := blocks(size) * Lanes
		b.acts = append(b.acts, matrix[T]{size, stride, make([]T, rows*stride)})
		b.deltas = append(b.deltas, matrix[T]{size, stride, make([]T, rows*stride)})
	}
	return b
}

// Rows is the number of rows the batch holds.
func (b *Batch[T]) Rows() int { return b.rows }

// holds tells whether there are rows at all. It panics where there are more than
// the batch holds: kernels check no bounds.
func (b *Batch[T]) holds(rows int) bool {
	if rows > b.rows {
		panic(fmt.Sprintf("nn: %d rows of a batch of %d", rows, b.rows))
	}
	return rows > 0
}

// Input returns the place for the inputs of a row.
func (b *Batch[T]) Input(row int) []T { return b.acts[0].row(row) }

// Output returns the outputs that ForwardBatch left for a row.
func (b *Batch[T]) Output(row int) []T { return b.acts[len(b.acts)-1].row(row) }

// Gradient returns the place for the gradient of the loss with respect to the
// outputs of a row, which BackwardBatch starts from and writes over.
func (b *Batch[T]) Gradient(row int) []T { return b.deltas[len(b.deltas)-1].row(row) }

// ForwardBatch sends the first rows rows through the network. A unit's sum is its
// bias plus input*weight, one input after the other.
func (n *Net[T]) ForwardBatch(b *Batch[T], rows int) {
	if !b.holds(rows) {
		return
	}
	for i := range n.layers {
		l, in, out := &n.layers[i], &b.acts[i], &b.acts[i+1]
		weights := n.flat[l.first*Lanes:]
		stride := (l.in + 1) * Lanes
		n.multiply(product[T]{
			c: out.values, cRow: out.stride, cPanel: Lanes,
			init: weights[l.in*Lanes:], iPanel: stride,
			a: in.values, aRow: in.stride, aStep: 1,
			b: weights, bPanel: stride, bStep: Lanes,
			rows: rows, columns: l.out, depth: l.in,
		})
		n.applyRows(i, out.values, rows)
	}
}

// BackwardBatch sets the layers' part of grad, a vector like Params, to the gradient of
// a loss whose gradient with respect to the outputs of rows 0 to rows-1 is in
// b.Gradient. ForwardBatch must have run on those rows with the parameters as they are.
// Rows are added in ascending order, and a unit's delta is the sum over the next
// layer's outputs, in ascending order.
func (n *Net[T]) BackwardBatch(b *Batch[T], rows int, grad []Block[T]) {
	flat := lanes(grad[:len(n.Params)])
	if !b.holds(rows) {
		clear(grad[:n.extra])
		return
	}
	n.turn()
	for i := len(n.layers) - 1; i >= 0; i-- {
		l, in, delta := &n.layers[i], &b.acts[i], &b.deltas[i+1]
		n.deriveRows(i, delta.values, b.acts[i+1].values, rows)
		g, stride := flat[l.first*Lanes:], (l.in+1)*Lanes
		p := product[T]{
			c: g, cRow: Lanes, cPanel: stride,
			a: in.values, aRow: 1, aStep: in.stride,
			b: delta.values, bPanel: Lanes, bStep: delta.stride,
			rows: l.in, columns: l.out, depth: rows,
		}
		n.multiply(p)
		for p := range l.panels {
			clear(g[p*stride+l.in*Lanes:][:Lanes])
		}
		n.addRows(g[l.in*Lanes:], stride, delta, l.out, rows)
		clearPadding(l, flat)
		if i == 0 {
			return
		}
		below := &b.deltas[i]
		n.multiply(product[T]{
			c: below.values, cRow: below.stride, cPanel: Lanes,
			a: delta.values, aRow: delta.stride, aStep: 1,
			b: n.turned[i], bPanel: Lanes, bStep: below.stride,
			rows: rows, columns: l.in, depth: l.out,
		})
	}
}

// addRows adds the rows of m to the panels of c, stride apart.
func (n *Net[T]) addRows(c []T, stride int, m *matrix[T], columns, rows int) {
	if n.kernels != nil {
		n.kernels.columns(&c[0], sizeof[T](stride), &m.values[0], sizeof[T](m.stride), blocks(columns), rows)
		return
	}
	for r := range rows {
		for j, d := range m.row(r) {
			c[j/Lanes*stride+j%Lanes] += d
		}
	}
}
