package email

import (
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// pay is what conversions pay. Two numbers a send make it, whether or not it
// converts, and the amount rises with an arm's mean for the same two.
type pay struct {
	poisson, lognormal bool
	spread             float64
	start              []float64 // by arm: P(0) under poisson, median under lognormal
	stream             rng.Stream
	a, b               uint64
}

func (y *pay) prepare(p *Params, value []float64) {
	*y = pay{poisson: p.Revenue == "poisson", lognormal: p.Revenue == "lognormal", spread: p.RevenueSpread, start: y.start[:0]}
	for _, mean := range value {
		switch {
		case y.poisson:
			y.start = append(y.start, fp.Exp64(-mean))
		case y.lognormal:
			half := float64(float64(y.spread*y.spread) * 0.5)
			y.start = append(y.start, float64(mean*fp.Exp64(-half)))
		}
	}
}

func (y *pay) reset(key rng.Key) {
	if y.poisson || y.lognormal {
		y.stream.Seed(key.At(streamRevenue))
	}
}

// next takes the numbers of a send.
func (y *pay) next() {
	if y.poisson || y.lognormal {
		y.a, y.b = y.stream.Uint64(), y.stream.Uint64()
	}
}

// amount returns what this send's conversion pays under an arm of a mean.
func (y *pay) amount(arm int, mean float64) float64 {
	switch {
	case y.lognormal:
		z, _ := fp.BoxMuller(y.a, y.b)
		return float64(y.start[arm] * fp.Exp64(float64(y.spread*z)))
	case y.poisson:
		// Inversion by sequential search (Devroye 1986, X.3.3). The bound is out of
		// reach but for rounding: sums of 53 bits may stay below a number close to 1.
		u := float64(y.a>>11) * 0x1p-53
		term, n := y.start[arm], 0.0
		for sum := term; u >= sum && n < 1000; sum += term {
			n++
			term = float64(term*mean) / n
		}
		return n
	}
	return 1
}
