package marketing

import "overnight/internal/fp"

// euler is e, the base of natural logarithms.
const euler = 2.71828182845904523536028747135266250

// lambertW0 replaces each x in [0, e] by the w with w exp(w) = x, which is in
// [0, 1], with a relative error below 4 ulp. What it makes of other x means
// nothing. rest is scratch, as long as x.
//
// It begins with the rational function of degrees 3 and 2 that equals W0(x)/x at
// the six Chebyshev nodes of [0, e] (relative error 2.3e-4) and takes one step of
// the fourth-order iteration of Fritsch, Shafer and Crowley (CACM 16, 1973,
// algorithm 443), which would leave 2.1e-17 without rounding.
//
// Nearly all of it is one chain of operations, longer than a processor looks
// ahead. In three loops it works on several numbers at once.
func lambertW0(x, rest []float64) {
	rest = rest[:len(x)]
	for i, x := range x {
		p := float64(x*-0.0036370468113164727) + 0.084128029068749792
		p = float64(x*p) + 1.1994528066226207
		p = float64(x*p) + 0.99976846418343573
		q := float64(x*0.82715055189333496) + 2.1924918793157025
		q = float64(x*q) + 1
		rest[i] = p / q
	}
	for i, r := range rest {
		w := float64(x[i] * r)
		if w != 0 {
			rest[i] = fp.LogUnit(x[i]/w) - w
		}
		x[i] = w
	}
	for i, r := range rest {
		w := x[i]
		a := 1 + w
		b := float64(a * (a + float64(r*(2.0/3))))
		x[i] = float64(w * (1 + float64((r/a)*((b-float64(0.5*r))/(b-r)))))
	}
}
