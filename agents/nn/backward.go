package nn

import "overnight/internal/fp"

// Backward adds to grad, a vector like Params, the gradient of a loss whose
// gradient with respect to the outputs of rows 0 to rows-1 is in t.Gradient.
// Forward must have run on those rows with the parameters as they are. Rows are
// added in ascending order, whatever the chunks.
func (n *Net[T]) Backward(t *Tape[T], rows int, grad []Block[T]) {
	for from := 0; from < rows; from += chunk {
		n.backChunk(t, from, min(from+chunk, rows), grad)
	}
}

func (n *Net[T]) backChunk(t *Tape[T], from, to int, grad []Block[T]) {
	last := len(n.layers)
	n.backOutputs(t, from, to)
	for i := last; i > 0; i-- {
		if i > 1 {
			n.backInputs(t, i, from, to)
		}
		n.backWeights(t, i, from, to, grad)
	}
}

// backOutputs fills the last layer's deltas from the gradient with respect to
// its outputs.
func (n *Net[T]) backOutputs(t *Tape[T], from, to int) {
	last := len(n.layers)
	for row := from; row < to; row++ {
		g := t.Gradient(row)
		sums := t.sums[:len(g)]
		copy(sums, g)
		derive(n.layers[last-1].act, sums, t.Output(row))
		t.spread(last, row-from, sums)
	}
}

// spread writes one row of deltas into the panels of layer i.
func (t *Tape[T]) spread(i, row int, sums []T) {
	d := t.deltas[i][row:]
	for len(sums) > Lanes {
		d[0] = Block[T](sums)
		d, sums = d[chunk:], sums[Lanes:]
	}
	copy(d[0][:], sums)
}

// backInputs fills the deltas of layer i-1 from those of layer i. A unit's is
// the sum over the outputs in ascending order of delta*weight, times the
// derivative of its activation.
func (n *Net[T]) backInputs(t *Tape[T], i, from, to int) {
	l := &n.layers[i-1]
	in, out := &t.acts[i-1], &t.acts[i]
	weights := n.flat[l.first*Lanes:][:l.panels*(l.in+1)*Lanes]
	span := len(weights) - (l.in-1)*Lanes
	for row := from; row < to; row++ {
		count := n.offsets(t, i, row, row-from)
		deltas, offsets := n.values[:count], n.indices[:count]
		sums := t.sums[:in.stride]
		clear(sums)
		active := in.activeOf(row)[:in.counts[row]]
		for len(active) > 0 {
			// Four units at once; the last may stand for several.
			k0 := int(active[0])
			k1, k2, k3 := k0, k0, k0
			switch {
			case len(active) > 3:
				k1, k2, k3 = int(active[1]), int(active[2]), int(active[3])
			case len(active) > 2:
				k1, k2 = int(active[1]), int(active[2])
			case len(active) > 1:
				k1 = int(active[1])
			}
			active = active[min(4, len(active)):]
			sums[k0], sums[k1], sums[k2], sums[k3] = dots(
				weights[k0*Lanes:][:span], weights[k1*Lanes:][:span], weights[k2*Lanes:][:span], weights[k3*Lanes:][:span],
				deltas, offsets)
		}
		sums = sums[:in.size]
		if l := &n.layers[i-2]; l.act != ReLU { // the derivative of an active ReLU is 1
			derive(l.act, sums, in.row(row))
		}
		t.spread(i-1, row-from, sums)
	}
	_ = out
}

// offsets lists the nonzero deltas of a row of layer i, and where the weights of
// these outputs lie from the first one's.
func (n *Net[T]) offsets(t *Tape[T], i, row, at int) int {
	l := &n.layers[i-1]
	deltas := t.deltas[i]
	if i < len(n.layers) {
		out := &t.acts[i]
		active := out.activeOf(row)[:out.counts[row]]
		values, indices := n.values[:len(active)], n.indices[:len(active)]
		for i, j := range active {
			p := int(j) / Lanes
			values[i] = deltas[p*chunk+at][j%Lanes]
			indices[i] = int32(p*(l.in+1)*Lanes) + j%Lanes
		}
		return len(active)
	}
	for j := range l.out {
		p := j / Lanes
		n.values[j] = deltas[p*chunk+at][j%Lanes]
		n.indices[j] = int32(p*(l.in+1)*Lanes + j%Lanes)
	}
	return l.out
}

// dots returns the sums of deltas[i]*w[offsets[i]], i ascending, for four rows of
// weights of one length.
func dots[T fp.Float](w0, w1, w2, w3, deltas []T, offsets []int32) (a0, a1, a2, a3 T) {
	w1, w2, w3 = w1[:len(w0)], w2[:len(w0)], w3[:len(w0)]
	deltas = deltas[:len(offsets)]
	for i, o := range offsets {
		d := deltas[i]
		a0 = T(d*w0[o]) + a0
		a1 = T(d*w1[o]) + a1
		a2 = T(d*w2[o]) + a2
		a3 = T(d*w3[o]) + a3
	}
	return a0, a1, a2, a3
}

// backWeights adds the gradient of layer i's weights and biases.
func (n *Net[T]) backWeights(t *Tape[T], i, from, to int, grad []Block[T]) {
	l := &n.layers[i-1]
	t.transpose(i-1, from, to)
	for p := range l.panels {
		panel := grad[l.first+p*(l.in+1):][:l.in+1]
		deltas := t.deltas[i][p*chunk:][:chunk]
		width := l.out - p*Lanes
		for k := range l.in {
			count := int(t.counts[k])
			affine(&panel[k], &panel[k], deltas, t.columns[k*chunk:][:count], t.at[k*chunk:][:count], width)
		}
		// A bias is the weight of an input that is always 1.
		affine(&panel[l.in], &panel[l.in], deltas, t.ones[:to-from], t.all[:to-from], width)
	}
}

// transpose lists, for every unit of layer i, its nonzero activations in a chunk
// of rows and the rows.
func (t *Tape[T]) transpose(i, from, to int) {
	a := &t.acts[i]
	counts, columns, at := t.counts[:a.size], t.columns, t.at
	clear(counts)
	at = at[:len(columns)]
	for row := from; row < to; row++ {
		values := a.values[row*a.stride:][:len(counts)]
		for _, k := range a.activeOf(row)[:a.counts[row]] {
			c := counts[k]
			counts[k] = c + 1
			place := int(k)*chunk + int(c)
			columns[place] = values[k]
			at[place] = int32(row - from)
		}
	}
}
