package nn

import (
	"math"
	"unsafe"

	"overnight/internal/fp"
)

// Activation is the function between a layer's sums and its outputs.
type Activation uint8

// The activations. Softmax is meant for the last layer.
const (
	Identity Activation = iota
	ReLU
	Tanh
	Sigmoid
	Softmax
)

func (a Activation) String() string {
	return [...]string{"identity", "relu", "tanh", "sigmoid", "softmax"}[a]
}

// is32 tells whether T is float32; the compiler folds it.
func is32[T fp.Float]() bool {
	var t T
	return unsafe.Sizeof(t) == 4
}

// apply replaces sums by outputs, in place.
func apply[T fp.Float](a Activation, row []T) {
	switch a {
	case ReLU:
		for i, x := range row {
			row[i] = relu(x)
		}
	case Tanh:
		for i, x := range row {
			row[i] = fp.Tanh(x)
		}
	case Sigmoid:
		for i, x := range row {
			row[i] = fp.Sigmoid(x)
		}
	case Softmax:
		SoftmaxOf(row, row)
	}
}

// relu returns x, or +0 where the sign bit of x is set, without a branch: half
// of them would be mispredicted.
func relu[T fp.Float](x T) T {
	if is32[T]() {
		b := math.Float32bits(float32(x))
		return T(math.Float32frombits(b &^ uint32(int32(b)>>31)))
	}
	b := math.Float64bits(float64(x))
	return T(math.Float64frombits(b &^ uint64(int64(b)>>63)))
}

// nonzero is 1 where x is neither +0 nor -0, else 0.
func nonzero[T fp.Float](x T) int {
	if is32[T]() {
		b := math.Float32bits(float32(x)) << 1
		return int((b | -b) >> 31)
	}
	b := math.Float64bits(float64(x)) << 1
	return int((b | -b) >> 63)
}

// derive replaces the gradient g with respect to the outputs y by the one with
// respect to the sums they were made of.
func derive[T fp.Float](a Activation, g, y []T) {
	g = g[:len(y)]
	switch a {
	case ReLU:
		for i, v := range y {
			if v == 0 {
				g[i] = 0
			}
		}
	case Tanh:
		for i, v := range y {
			g[i] *= 1 - T(v*v)
		}
	case Sigmoid:
		for i, v := range y {
			g[i] *= T(v * (1 - v))
		}
	case Softmax:
		var dot T
		for i, v := range y {
			dot = T(g[i]*v) + dot
		}
		for i, v := range y {
			g[i] = v * (g[i] - dot)
		}
	}
}

// SoftmaxOf writes exp(x)/sum(exp(x)) to y, which may be x itself. The largest x
// is subtracted first, and the sum runs in ascending order.
func SoftmaxOf[T fp.Float](y, x []T) {
	top := x[0]
	for _, v := range x[1:] {
		if v > top {
			top = v
		}
	}
	y = y[:len(x)]
	var sum T
	for i, v := range x {
		e := fp.Exp(v - top)
		y[i] = e
		sum += e
	}
	for i := range y {
		y[i] /= sum
	}
}
