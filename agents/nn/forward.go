package nn

import (
	"math"
	"unsafe"

	"overnight/internal/fp"
)

// Forward sends the inputs of one row of the tape through the network and
// returns the outputs, which stay on the tape with all activations between. A
// unit's sum is its bias plus input*weight, one input after the other.
func (n *Net[T]) Forward(t *Tape[T], row int) []T {
	if n.kernels != nil {
		return n.forward(t, row)
	}
	in := &t.acts[0]
	count := compact(in.row(row), n.values, in.activeOf(row))
	for i := range n.layers {
		in.counts[row] = int32(count)
		l, out := &n.layers[i], &t.acts[i+1]
		y := out.values[row*out.stride:][:out.stride]
		n.sums(l, y, in.activeOf(row), count)
		switch y := y[:l.out]; {
		case i == len(n.layers)-1:
			apply(l.act, y)
		case l.act != ReLU:
			apply(l.act, y)
			count = every(y, n.values, out.activeOf(row))
		default:
			count = rectify(y, n.values, out.activeOf(row))
		}
		in = out
	}
	return in.row(row)
}

// sums sets y, which is as long as the panels of a layer, to the sums of its units
// from the first count inputs of n.values, which are those numbered in active.
func (n *Net[T]) sums(l *layer, y []T, active []int32, count int) {
	panel := n.Params[l.first:][:l.panels*(l.in+1)]
	for p := range l.panels {
		affine((*Block[T])(y[p*Lanes:]), &panel[l.in], panel[:l.in], n.values[:count], active[:count], l.out-p*Lanes)
		panel = panel[l.in+1:]
	}
}

// compact lists the nonzero elements of the inputs x and returns how many there are. There
// is no branch on a value: half of them would be mispredicted.
func compact[T fp.Float](x, values []T, indices []int32) int {
	count := 0
	values = values[:len(indices)]
	for k, v := range x {
		values[count], indices[count] = v, int32(k)
		if unsafe.Sizeof(v) == 4 {
			b := math.Float32bits(float32(v)) << 1
			count += int((b | -b) >> 31)
		} else {
			b := math.Float64bits(float64(v)) << 1
			count += int((b | -b) >> 63)
		}
	}
	return count
}

// every lists all of x. A unit that is not a ReLU may be zero and yet learn.
func every[T fp.Float](x, values []T, indices []int32) int {
	for k, v := range x {
		values[k], indices[k] = v, int32(k)
	}
	return len(x)
}

// rectify replaces y by its ReLU and lists what is not zero, as compact does. A
// NaN stays, so that divergence shows in the outputs on every machine alike.
func rectify[T fp.Float](y, values []T, indices []int32) int {
	count := 0
	values = values[:len(indices)]
	for k, v := range y {
		drop := uint64(0)
		if v <= 0 {
			drop = 1
		}
		keep := drop - 1 // all ones or all zeros
		if unsafe.Sizeof(v) == 4 {
			v = T(math.Float32frombits(math.Float32bits(float32(v)) & uint32(keep)))
		} else {
			v = T(math.Float64frombits(math.Float64bits(float64(v)) & keep))
		}
		y[k], values[count], indices[count] = v, v, int32(k)
		count += int(keep & 1)
	}
	return count
}
