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
	c := adam[T]{
		scale: scale,
		rate:  T(a.LearningRate / (1 - a.power1)), root: T(1 / math.Sqrt(1-a.power2)), epsilon: T(a.Epsilon),
		keep1: T(a.Beta1), keep2: T(a.Beta2), add1: T(1 - a.Beta1), add2: T(1 - a.Beta2),
	}
	for _, part := range n.parts {
		size := part.to - part.from
		adamStep(n.Params[part.from:][:size], grad[part.from:][:size], a.first[part.from:][:size], a.second[part.from:][:size], part.width, &c)
	}
}

// adam holds one step's numbers, rounded to T once.
type adam[T fp.Float] struct{ scale, rate, root, epsilon, keep1, keep2, add1, add2 T }

// adamStep is the kernel under Step: lanes 0 to width-1 of every block. It is
// apart so that the registers suffice.
//
//go:noinline
func adamStep[T fp.Float](params, grads, first, second []Block[T], width int, c *adam[T]) {
	grads, first, second = grads[:len(params)], first[:len(params)], second[:len(params)]
	for i := range params {
		p, g, m, v := &params[i], &grads[i], &first[i], &second[i]
		for l := range width & (2*Lanes - 1) {
			if l >= Lanes {
				break
			}
			d := T(c.scale * g[l])
			u := T(c.add1*d) + T(c.keep1*m[l])
			w := T(T(c.add2*d)*d) + T(c.keep2*v[l])
			m[l], v[l] = u, w
			p[l] -= T(c.rate*u) / (T(T(math.Sqrt(float64(w)))*c.root) + c.epsilon)
		}
	}
}

// Norm is the Euclidean length of a vector like n's parameters. Lane l of a block
// adds the squares of lane l of all blocks in order; the sixteen sums are then
// added in pairs, halves together: 0 and 8, 1 and 9, ..., then 0 and 4, and on.
func (n *Net[T]) Norm(v []Block[T]) T {
	var s Block[T]
	squares(&s, v, v)
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			s[l] += s[l+half]
		}
	}
	return T(math.Sqrt(float64(s[0])))
}

// squares adds the squares of the blocks of v, which is given twice as affineLow
// is its panel.
//
//go:noinline
func squares[T fp.Float](s *Block[T], v, again []Block[T]) {
	a0, a1, a2, a3, a4, a5, a6, a7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for i := range v {
		x := &v[i]
		a0 = T(x[0]*x[0]) + a0
		a1 = T(x[1]*x[1]) + a1
		a2 = T(x[2]*x[2]) + a2
		a3 = T(x[3]*x[3]) + a3
		x = &again[i]
		a4 = T(x[4]*x[4]) + a4
		a5 = T(x[5]*x[5]) + a5
		a6 = T(x[6]*x[6]) + a6
		a7 = T(x[7]*x[7]) + a7
	}
	s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = a0, a1, a2, a3, a4, a5, a6, a7
	a0, a1, a2, a3, a4, a5, a6, a7 = s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15]
	for i := range v {
		x := &v[i]
		a0 = T(x[8]*x[8]) + a0
		a1 = T(x[9]*x[9]) + a1
		a2 = T(x[10]*x[10]) + a2
		a3 = T(x[11]*x[11]) + a3
		x = &again[i]
		a4 = T(x[12]*x[12]) + a4
		a5 = T(x[13]*x[13]) + a5
		a6 = T(x[14]*x[14]) + a6
		a7 = T(x[15]*x[15]) + a7
	}
	s[8], s[9], s[10], s[11], s[12], s[13], s[14], s[15] = a0, a1, a2, a3, a4, a5, a6, a7
}
