package nn

import (
	"math"

	"overnight/internal/fp"
)

// Adam is the optimiser of Kingma and Ba (2015), algorithm 1, with the bias
// corrections as PyTorch applies them: epsilon is added after the root.
type Adam[T fp.Float] struct {
	// LearningRate is the step size.
	LearningRate float64
	// Beta1 and Beta2 are the decay rates of the two moments.
	Beta1, Beta2 float64
	// Epsilon keeps the step finite where the second moment is zero.
	Epsilon float64

	steps          uint64
	power1, power2 float64 // Beta1 and Beta2 to the number of steps
	first, second  []Block[T]
}

// Reset forgets all steps and gets ready for vectors as long as n's parameters.
func (a *Adam[T]) Reset(n *Net[T]) {
	a.steps, a.power1, a.power2 = 0, 1, 1
	if len(a.first) != len(n.Params) {
		a.first, a.second = n.Vector(), n.Vector()
		return
	}
	clear(a.first)
	clear(a.second)
}

// Steps is the number of steps taken.
func (a *Adam[T]) Steps() uint64 { return a.steps }

// Step moves n's parameters against the gradient times scale.
func (a *Adam[T]) Step(n *Net[T], grad []Block[T], scale T) {
	a.steps++
	a.power1 *= a.Beta1
	a.power2 *= a.Beta2
	rate := T(a.LearningRate / (1 - a.power1))
	root := T(1 / math.Sqrt(1-a.power2))
	b1, b2 := T(a.Beta1), T(a.Beta2)
	c1, c2 := T(1-a.Beta1), T(1-a.Beta2)
	eps := T(a.Epsilon)
	for _, part := range n.parts {
		size := part.to - part.from
		params, grads := n.Params[part.from:][:size], grad[part.from:][:size]
		first, second := a.first[part.from:][:size], a.second[part.from:][:size]
		for i := range params {
			p, g, m, v := &params[i], &grads[i], &first[i], &second[i]
			for l := range min(part.width, Lanes) {
				d := T(scale * g[l])
				u := T(c1*d) + T(b1*m[l])
				w := T(T(c2*d)*d) + T(b2*v[l])
				m[l], v[l] = u, w
				p[l] -= T(rate*u) / (T(T(math.Sqrt(float64(w)))*root) + eps)
			}
		}
	}
}

// Norm is the Euclidean length of a vector like n's parameters. Lane l of a block
// adds the squares of lane l of all blocks in order; the sixteen sums are then
// added in pairs, halves together: 0 and 8, 1 and 9, ..., then 0 and 4, and on.
func (n *Net[T]) Norm(v []Block[T]) T {
	var s Block[T]
	for i := range v {
		for l, x := range &v[i] {
			s[l] = T(x*x) + s[l]
		}
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			s[l] += s[l+half]
		}
	}
	return T(math.Sqrt(float64(s[0])))
}
