package function

import (
	"fmt"
	"math"
	"strconv"

	"overnight/internal/fp"
	"overnight/internal/param"
)

const maxInputs = 12

// interval is the closed domain of an input.
type interval struct{ low, high float64 }

func (i interval) contains(x float64) bool { return x >= i.low && x <= i.high }

// value checks the inputs and evaluates the function.
func (p *Params) value() (float64, error) {
	switch p.Function {
	case "ishigami":
		x, err := p.take(3, 3, interval{-math.Pi, math.Pi})
		return ishigami(x[0], x[1], x[2]), err
	case "sobol_g":
		x, err := p.take(1, maxInputs, interval{0, 1})
		return sobolG(x[:p.given()]), err
	case "branin":
		x, err := p.take(2, 2, interval{-5, 10}, interval{0, 15})
		return branin(x[0], x[1]), err
	case "sphere":
		return sphere(p.inputs()), nil
	case "noop":
		return 0, nil
	}
	panic(fmt.Sprintf("function: the schema lets %q through", p.Function))
}

// given returns how many inputs, from x1 on, are given without a gap.
func (p *Params) given() int {
	for i, x := range p.inputs() {
		if x == nil {
			return i
		}
	}
	return maxInputs
}

// take returns the inputs after checking that the first least are given, none
// beyond the first most and none after a gap, and that each lies in its domain;
// the last domain holds for all that follow.
func (p *Params) take(least, most int, domains ...interval) (x [maxInputs]float64, err error) {
	given := p.given()
	for i, v := range p.inputs() {
		d := domains[min(i, len(domains)-1)]
		switch {
		case v == nil && i < least:
			return x, p.fail(i, "is not given", fmt.Sprintf("%s needs %s; write a number from %v to %v",
				p.Function, span(least), d.low, d.high))
		case v == nil:
			continue
		case i >= most:
			return x, p.fail(i, "is given", fmt.Sprintf("%s takes only %s; leave it out", p.Function, span(most)))
		case i > given:
			return x, p.fail(given, "is not given", fmt.Sprintf("x%d is, and %s takes its inputs without a gap; write a number from %v to %v",
				i+1, p.Function, d.low, d.high))
		case !d.contains(*v):
			return x, p.fail(i, fmt.Sprintf("is %v, outside the domain of %s", *v, p.Function),
				fmt.Sprintf("write a number from %v to %v", d.low, d.high))
		}
		x[i] = *v
	}
	return x, nil
}

func (p *Params) fail(input int, what, instead string) error {
	return &param.Error{Path: "x" + strconv.Itoa(input+1), What: what, Instead: instead}
}

func span(n int) string {
	if n == 1 {
		return "x1"
	}
	return fmt.Sprintf("x1 to x%d", n)
}

// ishigami is sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 (Ishigami and Homma, An
// importance quantification technique in uncertainty analysis for computer
// models, ISUMA 1990). For uniform inputs its mean is 3.5 and its first-order
// indices are .3139, .4424 and 0.
func ishigami(x1, x2, x3 float64) float64 {
	const a, b = 7, 0.1
	s1, _ := fp.SinCos(x1)
	s2, _ := fp.SinCos(x2)
	square := float64(x3 * x3)
	fourth := float64(square * square)
	return s1 + float64(a*float64(s2*s2)) + float64(float64(b*fourth)*s1)
}

// sobolG is the product of (|4 x_i - 2| + a_i) / (1 + a_i) (Saltelli and Sobol',
// About the use of rank transformation in sensitivity analysis of model output,
// Reliability Engineering and System Safety 50, 1995) with the coefficients most
// used, a = (0, 1, 4.5, 9, 99, 99, 99, 99), as in sobol.fun of the R package
// sensitivity, and 99 beyond. For uniform inputs its mean is 1.
func sobolG(x []float64) float64 {
	product := 1.0
	for i, xi := range x {
		a := sobolA(i)
		product = float64(product * ((math.Abs(float64(4*xi)-2) + a) / (1 + a)))
	}
	return product
}

func sobolA(i int) float64 {
	switch i {
	case 0:
		return 0
	case 1:
		return 1
	case 2:
		return 4.5
	case 3:
		return 9
	}
	return 99
}

// branin is (x2 - b x1^2 + c x1 - 6)^2 + 10 (1 - t) cos x1 + 10 with
// b = 5.1/(4 pi^2), c = 5/pi and t = 1/(8 pi) (Branin, Widely convergent method
// for finding multiple solutions of simultaneous nonlinear equations, IBM
// Journal of Research and Development 16, 1972; the domain is Dixon and Szego,
// Towards Global Optimisation 2, 1978). Its minimum is 0.397887, at (-pi,
// 12.275), (pi, 2.275) and (3 pi, 2.475).
func branin(x1, x2 float64) float64 {
	const (
		b = 5.1 / (4 * math.Pi * math.Pi)
		c = 5 / math.Pi
		s = 10 * (1 - 1/(8*math.Pi))
	)
	_, cos := fp.SinCos(x1)
	square := float64(x1 * x1)
	u := x2 - float64(b*square) + float64(c*x1) - 6
	return float64(u*u) + float64(s*cos) + 10
}

// sphere is the sum of the squares of the inputs that are given.
func sphere(x [maxInputs]*float64) float64 {
	sum := 0.0
	for _, v := range x {
		if v != nil {
			sum += float64(*v * *v)
		}
	}
	return sum
}
