package nn

import "overnight/internal/fp"

// outer adds to the gradient of the weights: values[k]*deltas[i] at offsets[i]
// from the first lane of unit k, for every k of units. span is what offsets stay
// below.
//
//go:noinline
func outer[T fp.Float](grad, values []T, units []int32, deltas []T, offsets []int32, span int) {
	deltas = deltas[:len(offsets)]
	for ; len(units) > 3; units = units[4:] {
		k0, k1, k2, k3 := int(units[0]), int(units[1]), int(units[2]), int(units[3])
		x0, x1, x2, x3 := values[k0], values[k1], values[k2], values[k3]
		g0, g1, g2, g3 := grad[k0*Lanes:][:span], grad[k1*Lanes:][:span], grad[k2*Lanes:][:span], grad[k3*Lanes:][:span]
		for i, o := range offsets {
			d := deltas[i]
			g0[o] += T(d * x0)
			g1[o] += T(d * x1)
			g2[o] += T(d * x2)
			g3[o] += T(d * x3)
		}
	}
	for _, k := range units {
		x, g := values[k], grad[int(k)*Lanes:][:span]
		for i, o := range offsets {
			g[o] += T(deltas[i] * x)
		}
	}
}

// back does what outer does and leaves in sums[k] the sum of unit k's weights
// times the deltas, i ascending.
//
//go:noinline
func back[T fp.Float](grad, weights, values, sums []T, units []int32, deltas []T, offsets []int32, span int) {
	deltas = deltas[:len(offsets)]
	for ; len(units) > 1; units = units[2:] {
		k0, k1 := int(units[0]), int(units[1])
		x0, x1 := values[k0], values[k1]
		g0, g1 := grad[k0*Lanes:][:span], grad[k1*Lanes:][:span]
		w0, w1 := weights[k0*Lanes:][:span], weights[k1*Lanes:][:span]
		var a0, a1 T
		for i, o := range offsets {
			d := deltas[i]
			a0 = T(d*w0[o]) + a0
			g0[o] += T(d * x0)
			a1 = T(d*w1[o]) + a1
			g1[o] += T(d * x1)
		}
		sums[k0], sums[k1] = a0, a1
	}
	for _, k := range units {
		x, g, w := values[k], grad[int(k)*Lanes:][:span], weights[int(k)*Lanes:][:span]
		var a T
		for i, o := range offsets {
			d := deltas[i]
			a = T(d*w[o]) + a
			g[o] += T(d * x)
		}
		sums[k] = a
	}
}

// backFour is back for a layer of at most four outputs, whose deltas it gets
// with zeros after the last.
//
//go:noinline
func backFour[T fp.Float](grad, weights, values, sums []T, units []int32, deltas []T) {
	d0, d1, d2, d3 := deltas[0], deltas[1], deltas[2], deltas[3]
	for _, k := range units {
		x := values[k]
		g, w := (*[4]T)(grad[int(k)*Lanes:]), (*[4]T)(weights[int(k)*Lanes:])
		sums[k] = T(d3*w[3]) + (T(d2*w[2]) + (T(d1*w[1]) + T(d0*w[0])))
		g[0] += T(d0 * x)
		g[1] += T(d1 * x)
		g[2] += T(d2 * x)
		g[3] += T(d3 * x)
	}
}
