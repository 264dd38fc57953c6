package bandit

import (
	"math"

	"overnight/internal/fp"
)

// posterior is what is believed of one arm, as a distribution on a line where its
// density is smooth and falls off on both sides: a normal on its own line, a Beta
// on that of the log odds.
type posterior struct {
	odds          bool // a Beta(a, b), whose line is that of log odds
	a, b, logB    float64
	mean, sd      float64 // on the line
	bottom, crest float64 // where the line has all but 1e-8 of it
}

// normalPosterior is Normal(mean, sd^2); sd may be 0.
func normalPosterior(mean, sd float64) posterior {
	return posterior{mean: mean, sd: sd, bottom: mean - float64(8*sd), crest: mean + float64(8*sd)}
}

// The log odds of numbers that floating point tells from 0 and 1. Draws beyond
// are 0 and 1.
const (
	lowestOdds  = -744.0
	highestOdds = 36.7
)

// betaPosterior is Beta(a, b). Its log odds are those of two gammas; their tails
// are at most exponential with rates a and b, so 8 deviations hold all of them
// from 2 up, and 16 below.
func betaPosterior(a, b float64) posterior {
	meanA, varA := logGammaMoments(a)
	meanB, varB := logGammaMoments(b)
	p := posterior{odds: true, a: a, b: b, logB: logBeta(a, b), mean: meanA - meanB, sd: math.Sqrt(varA + varB)}
	left, right := 8.0, 8.0
	if a < 2 {
		left = 16
	}
	if b < 2 {
		right = 16
	}
	p.bottom = max(p.mean-float64(left*p.sd), lowestOdds)
	p.crest = min(p.mean+float64(right*p.sd), highestOdds)
	return p
}

// logGammaMoments returns mean and variance of the logarithm of a Gamma(x, 1)
// variable, which are digamma and trigamma of x, to about 1e-5: they only place
// the nodes of a quadrature.
func logGammaMoments(x float64) (mean, variance float64) {
	for ; x < 4; x++ {
		mean -= 1 / x
		variance += 1 / float64(x*x)
	}
	r := 1 / x
	r2 := float64(r * r)
	mean += fp.Log(x) - float64(0.5*r) - r2/12
	variance += r + float64(0.5*r2) + float64(r2*r)/6
	return mean, variance
}

// at returns the probability below y, and the density there, by y.
func (p *posterior) at(y float64) (below, density float64) {
	switch {
	case y <= p.bottom && p.bottom > lowestOdds:
		return 0, 0
	case y >= p.crest && p.crest < highestOdds:
		return 1, 0
	case p.odds:
		return p.oddsAt(y)
	}
	z := (y - p.mean) / p.sd
	below, density = normalAt(z)
	return below, density / p.sd
}

// oddsAt is at for a Beta; see betaTails. The density by y is x^a (1-x)^b / B.
func (p *posterior) oddsAt(y float64) (below, density float64) {
	e := fp.Exp64(-math.Abs(y))
	rest := fp.Log(1 + e)
	x, z, logX, logZ := 1/(1+e), e/(1+e), -rest, -math.Abs(y)-rest
	if y < 0 {
		x, z, logX, logZ = z, x, logZ, logX
	}
	density = fp.Exp64(float64(p.a*logX) + float64(p.b*logZ) - p.logB)
	if x < (p.a+1)/(p.a+p.b+2) {
		return float64(density*betaFraction(p.a, p.b, x)) / p.a, density
	}
	return 1 - float64(density*betaFraction(p.b, p.a, z))/p.b, density
}

// normalAt returns Phi(z) to 1e-7 (Abramowitz and Stegun 1964, 26.2.17) and the
// density.
func normalAt(z float64) (below, density float64) {
	t := 1 / (1 + float64(0.2316419*math.Abs(z)))
	s := 1.330274429
	for _, c := range [...]float64{-1.821255978, 1.781477937, -0.356563782, 0.319381530} {
		s = float64(s*t) + c
	}
	const perRootTwoPi = 0.39894228040143267794
	density = float64(perRootTwoPi * fp.Exp64(-0.5*float64(z*z)))
	tail := float64(density * float64(s*t))
	if z > 0 {
		tail = 1 - tail
	}
	return tail, density
}

// normal95 is the 95 % quantile of the standard normal.
const normal95 = 1.6448536269514722

// middle returns the mean and the 5 and 95 % quantiles: of a Beta those of the
// rate, not of its log odds.
func (p *posterior) middle() (mean, low, high float64) {
	if p.odds {
		return p.a / (p.a + p.b), betaUpper(p.a, p.b, 0.95, p.logB), betaUpper(p.a, p.b, 0.05, p.logB)
	}
	wide := float64(normal95 * p.sd)
	return p.mean, p.mean - wide, p.mean + wide
}
