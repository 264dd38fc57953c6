package nn

import (
	"unsafe"

	"overnight/internal/fp"
)

// Backward sets the layers' part of grad, a vector like Params, to the gradient of a
// loss whose gradient with respect to the outputs of rows 0 to rows-1 is in
// t.Gradient, and returns the length of grad, extra parameters included. Forward must
// have run on those rows with the parameters as they are. Rows are added in ascending
// order.
func (n *Net[T]) Backward(t *Tape[T], rows int, grad []Block[T]) (norm T) {
	flat := lanes(grad[:len(n.Params)]) // kernels check no bounds
	clear(grad[:n.extra])
	if n.kernels != nil && rows > 0 {
		n.backward(t, rows, flat)
		if norm := n.Norm(grad); norm-norm == 0 { // finite, as all that it was made of
			return norm
		}
		clear(grad[:n.extra])
		for i := range n.layers {
			t.acts[i].list(rows)
		}
	}
	for row := range rows {
		n.backRow(t, row, flat)
	}
	if last := &n.layers[len(n.layers)-1]; last.out < 4 { // backFour has written there
		clearPadding(last, flat)
	}
	return n.Norm(grad)
}

// backRow adds the gradient of one row. A layer's deltas are the gradient with
// respect to its sums. A weight's gradient is input*delta; a hidden unit's delta
// is the sum over the next layer's outputs, in ascending order, of weight*delta,
// times the derivative of its activation. Zero inputs and idle ReLUs are passed
// over: nothing but zeros would be added.
func (n *Net[T]) backRow(t *Tape[T], row int, grad []T) {
	last := len(n.layers)
	g := t.sums[:n.layers[last-1].out]
	copy(g, t.Gradient(row))
	derive(n.layers[last-1].act, g, t.Output(row))
	outs := t.outs[:len(g)]
	for i := last; i > 0; i-- {
		l, in := &n.layers[i-1], &t.acts[i-1]
		// What the kernels walk: the deltas of the active outputs, and where the
		// weights to them lie from those of output 0. A bias is the weight of an
		// input that is always 1.
		deltas, offsets := t.deltas[:len(outs)], t.offsets[:len(outs)]
		at := l.first * Lanes
		span := (l.panels-1)*(l.in+1)*Lanes + Lanes
		bias := grad[at+l.in*Lanes:][:span]
		sums, places := t.sums[:l.out], l.lanes[:l.out]
		for e, j := range outs {
			d, o := sums[j], places[j]
			deltas[e], offsets[e] = d, o
			bias[o] += d
		}
		units := in.active[row*in.stride:][:in.counts[row]]
		values := in.values[row*in.stride:][:in.size]
		switch {
		case i == 1:
			outer(grad[at:], values, units, deltas, offsets, span)
		case i == last && l.out <= 4:
			clear(t.deltas[l.out:4])
			backFour(grad[at:], n.flat[at:], values, t.sums, units, t.deltas)
		default:
			back(grad[at:], n.flat[at:], values, t.sums, units, deltas, offsets, span)
		}
		if i == 1 {
			return
		}
		outs = in.active[row*in.stride:][:in.counts[row]]
		if act := n.layers[i-2].act; act != ReLU { // the derivative of an active ReLU is 1
			derive(act, t.sums[:in.size], values)
		}
	}
}

// lanes is a vector of blocks, lane by lane.
func lanes[T fp.Float](v []Block[T]) []T { return unsafe.Slice(&v[0][0], len(v)*Lanes) }
