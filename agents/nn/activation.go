package nn

import "overnight/internal/fp"

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

// apply replaces sums by outputs, in place.
func apply[T fp.Float](a Activation, row []T) {
	switch a {
	case ReLU:
		for i, x := range row {
			row[i] = max(x, 0)
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
