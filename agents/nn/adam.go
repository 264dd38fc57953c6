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
	// Epsilon keeps a step finite where the second moment is zero.
	Epsilon float64

	power1, power2 float64 // Beta1 and Beta2 to the number of steps
	first, second  []Block[T]
	now            adam[T]
}

// Reset forgets all steps and gets ready for vectors as long as n's parameters.
func (a *Adam[T]) Reset(n *Net[T]) {
	a.power1, a.power2 = 1, 1
	if len(a.first) != len(n.Params) {
		a.first, a.second = n.Vector(), n.Vector()
		return
	}
	clear(a.first)
	clear(a.second)
}

// Step moves n's parameters against the gradient times scale.
func (a *Adam[T]) Step(n *Net[T], grad []Block[T], scale T) {
	a.power1 = float64(a.power1 * a.Beta1)
	a.power2 = float64(a.power2 * a.Beta2)
	a.now = adam[T]{
		scale: scale,
		rate:  T(a.LearningRate / (1 - a.power1)), root: T(1 / math.Sqrt(1-a.power2)), epsilon: T(a.Epsilon),
		keep1: T(a.Beta1), keep2: T(a.Beta2), add1: T(1 - a.Beta1), add2: T(1 - a.Beta2),
	}
	c := &a.now
	grad, first, second := grad[:len(n.Params)], a.first[:len(n.Params)], a.second[:len(n.Params)] // kernels check no bounds
	for i, p := range n.parts {
		if n.kernels != nil {
			n.kernels.stepOf(p.width)(&n.Params[p.from][0], &grad[p.from][0], &first[p.from][0], &second[p.from][0], p.to-p.from, &n.lanesOf[i][0], &c.scale)
			continue
		}
		adamStep(n.Params[p.from:p.to], grad[p.from:p.to], first[p.from:p.to], second[p.from:p.to], p.width, c)
	}
}

// adam holds one step's numbers, rounded to T once.
type adam[T fp.Float] struct{ scale, rate, root, epsilon, keep1, keep2, add1, add2 T }

// adamStep is the kernel under Step: lanes 0 to width-1 of every block. It stands
// apart so that the registers suffice.
//
//go:noinline
func adamStep[T fp.Float](params, grads, first, second []Block[T], width int, c *adam[T]) {
	grads, first, second = grads[:len(params)], first[:len(params)], second[:len(params)]
	width = min(width, Lanes)
	for i := range params {
		p, g, m, v := params[i][:width], grads[i][:width], first[i][:width], second[i][:width]
		for l := range p {
			d := T(c.scale * g[l])
			u := T(c.add1*d) + T(c.keep1*m[l])
			w := T(T(c.add2*d)*d) + T(c.keep2*v[l])
			m[l], v[l] = u, w
			p[l] -= T(c.rate*u) / (T(T(math.Sqrt(float64(w)))*c.root) + c.epsilon)
		}
	}
}

// Descend moves n's parameters against the gradient times rate: plain stochastic
// gradient descent.
func (n *Net[T]) Descend(grad []Block[T], rate T) {
	g := lanes(grad)
	for i, p := range n.flat {
		n.flat[i] = p - T(rate*g[i])
	}
}
