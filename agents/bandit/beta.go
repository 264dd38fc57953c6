package bandit

import (
	"math"

	"overnight/internal/fp"
)

// beta draws from Beta(a, b): Joehnk's method where both are at most 1, in
// logarithms so that small ones do not underflow (Devroye, Non-Uniform Random
// Variate Generation, 1986, section IX.3.5), else from two gammas.
func (d *draws) beta(a, b float64) float64 {
	if a <= 1 && b <= 1 {
		for {
			x, y := d.LogUniform()/a, d.LogUniform()/b
			top := max(x, y)
			sum := top + fp.Log(fp.Exp64(x-top)+fp.Exp64(y-top))
			if sum <= 0 {
				return fp.Exp64(x - sum)
			}
		}
	}
	x, y := d.Normals()
	g, h := d.gamma(a, x), d.gamma(b, y)
	return g / (g + h)
}

// gamma draws from Gamma(shape, 1) by the method of Marsaglia and Tsang (A
// simple method for generating gamma variables, ACM TOMS 26, 2000), and from
// G(shape+1) U^(1/shape) below 1. x is the normal of the first proposal, which
// is accepted more than 95 times in 100.
func (d *draws) gamma(shape, x float64) float64 {
	if shape < 1 {
		less := d.LogUniform() / shape
		return float64(d.gamma(shape+1, x) * fp.Exp64(less))
	}
	third := shape - 1.0/3
	c := 1 / math.Sqrt(9*third)
	for {
		if t := 1 + float64(c*x); t > 0 {
			v := float64(float64(t*t) * t)
			square := float64(x * x)
			u := float64(d.Uint64()>>11+1) * 0x1p-53
			if u < 1-float64(0.0331*float64(square*square)) ||
				fp.LogUnit(u) < float64(0.5*square)+float64(third*(1-v+fp.Log(v))) {
				return float64(third * v)
			}
		}
		x, _ = d.Normals()
	}
}

// logGamma returns ln Gamma(x) for x > 0: Stirling's series from 10 up, and
// Gamma(x+1) = x Gamma(x) below. The absolute error is below 1e-13 for x to
// 100, the relative error below 1e-14 beyond (the first term left out is below
// 1e-15).
func logGamma(x float64) float64 {
	product := 1.0
	for x < 10 {
		product *= x
		x++
	}
	r := 1 / x
	r2 := float64(r * r)
	s := -691.0 / 360360
	s = float64(s*r2) + 1.0/1188
	s = float64(s*r2) - 1.0/1680
	s = float64(s*r2) + 1.0/1260
	s = float64(s*r2) - 1.0/360
	s = float64(s*r2) + 1.0/12
	const halfLogTwoPi = 0.91893853320467274178
	return float64((x-0.5)*fp.Log(x)) - x + halfLogTwoPi + float64(s*r) - fp.Log(product)
}

// logBeta returns ln B(a, b).
func logBeta(a, b float64) float64 { return logGamma(a) + logGamma(b) - logGamma(a+b) }

// betaTails returns P(X <= x) and P(X > x) of X ~ Beta(a, b), each with its own
// digits, for x in [0, 1]. logB is logBeta(a, b).
//
// It is the continued fraction of DLMF 8.17.22, by Lentz's method, on the side
// of (a+1) / (a+b+2) where it converges fast.
func betaTails(a, b, x, logB float64) (below, above float64) {
	switch {
	case x <= 0:
		return 0, 1
	case x >= 1:
		return 1, 0
	}
	front := fp.Exp64(float64(a*fp.Log(x)) + float64(b*fp.Log(1-x)) - logB)
	if x < (a+1)/(a+b+2) {
		below = float64(front*betaFraction(a, b, x)) / a
		return below, 1 - below
	}
	above = float64(front*betaFraction(b, a, 1-x)) / b
	return 1 - above, above
}

// betaFraction evaluates the continued fraction. Its terms are needed to about
// the square root of max(a, b); 10,000 are enough for 10^8 outcomes.
func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	c, f := 1.0, 1-float64((a+b)*x)/(a+1)
	if math.Abs(f) < tiny {
		f = tiny
	}
	f = 1 / f
	h := f
	for m := 1.0; m < 10_000; m++ {
		am := a + float64(2*m)
		num := float64(float64(m*(b-m))*x) / float64((am-1)*am)
		h, c, f = lentz(num, h, c, f, tiny)
		num = -float64(float64((a+m)*(a+b+m))*x) / float64(am*(am+1))
		before := h
		h, c, f = lentz(num, h, c, f, tiny)
		if !(math.Abs(h-before) > 4e-16*math.Abs(h)) { // or it is no number
			break
		}
	}
	return h
}

// betaAbove returns P(X > x) of X ~ Beta(a, b) and the density at x, for x in
// (0, 1): betaTails without a division in the chain of terms, to about 1e-10 of
// themselves.
func betaAbove(a, b, x, logB float64) (above, density float64) {
	front := fp.Exp64(float64(a*fp.Log(x)) + float64(b*fp.Log(1-x)) - logB)
	density = front / float64(x*(1-x))
	if x < (a+1)/(a+b+2) {
		return 1 - float64(front*betaRatio(a, b, x))/a, density
	}
	return float64(front*betaRatio(b, a, 1-x)) / b, density
}

// betaRatio evaluates the fraction of betaFraction as a ratio of two sums, by the
// forward recurrence, and looks at it every four terms.
func betaRatio(a, b, x float64) float64 {
	top0, top := 1.0, 1.0
	low0, low := 1.0, 1-float64((a+b)*x)/(a+1)
	before := 0.0
	for m := 1.0; m < 10_000; m++ {
		am := a + float64(2*m)
		even := float64(float64(m*(b-m))*x) / float64((am-1)*am)
		odd := float64(float64((a+m)*(a+b+m))*x) / float64(am*(am+1))
		top0 = top + float64(even*top0)
		low0 = low + float64(even*low0)
		top = top0 - float64(odd*top)
		low = low0 - float64(odd*low)
		if int(m)&3 != 0 {
			continue
		}
		scale := 1 / low // the sums grow or shrink without end
		top0, low0 = float64(top0*scale), float64(low0*scale)
		top, low = float64(top*scale), 1
		if !(math.Abs(top-before) > 1e-14*math.Abs(before)) {
			break
		}
		before = top
	}
	return top / low
}

// lentz adds a term to the fraction h.
func lentz(num, h, c, f, tiny float64) (h1, c1, f1 float64) {
	f = 1 + float64(num*f)
	if math.Abs(f) < tiny {
		f = tiny
	}
	c = 1 + num/c
	if math.Abs(c) < tiny {
		c = tiny
	}
	f = 1 / f
	return float64(h * float64(c*f)), c, f
}

// betaRough returns betaUpper(a, b, p) to a few hundredths of itself: of n
// outcomes, the tail beyond q is about exp(-n kl(mean, q)) over a factor that
// grows with n, here about 9.
func betaRough(a, b, p float64) float64 {
	n := a + b
	q := klBound(a/n, max(0.05, -fp.Log(p)-2.2)/n)
	return min(q, 1-0x1p-52)
}

// betaUpper returns the x with P(X > x) = p of X ~ Beta(a, b), for p in (0, 1).
// Newton's method on the logarithm of the tail in the logit of x, between
// bounds that close in and are halved where it leaves them; the result is exact
// to about 1e-10 of x.
func betaUpper(a, b, p, logB float64) float64 {
	logP := fp.Log(p)
	low, high := -700.0, 700.0 // logits
	rough := betaRough(a, b, p)
	y := fp.Log(rough / (1 - rough))
	for range 200 {
		y = min(max(y, low), high)
		x := fp.Sigmoid(y)
		if x >= 1 {
			high = y
			y = (low + high) / 2
			continue
		}
		_, above := betaTails(a, b, x, logB)
		gap := fp.Log(above) - logP
		if gap > 0 {
			low = y
		} else {
			high = y
		}
		// d ln above / dy = -density x (1-x) / above
		slope := fp.Exp64(float64(a*fp.Log(x))+float64(b*fp.Log(1-x))-logB) / above
		step := gap / slope
		if math.Abs(step) < 1e-6 { // what is left is about its square
			return fp.Sigmoid(y + step)
		}
		next := y + step
		if !(next > low && next < high) { // also where it is no number
			next = (low + high) / 2
		}
		if high-low < 1e-12 {
			break
		}
		y = next
	}
	return fp.Sigmoid(y)
}
