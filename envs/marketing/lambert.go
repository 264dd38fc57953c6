package marketing

import "overnight/internal/fp"

// euler is e, the base of natural logarithms.
const euler = 2.71828182845904523536028747135266250

// lambertW0 returns the w with w exp(w) = x for x in [0, e], where it is in
// [0, 1], with a relative error below 4 ulp.
//
// It begins with the rational function of degrees 3 and 2 that equals W0(x)/x at
// the six Chebyshev nodes of [0, e] (relative error 2.3e-4) and takes one step of
// the fourth-order iteration of Fritsch, Shafer and Crowley (CACM 16, 1973,
// algorithm 443), which would leave 2.1e-17 without rounding.
func lambertW0(x float64) float64 {
	if x == 0 {
		return 0
	}
	p := float64(x*-0.0036370468113164727) + 0.084128029068749792
	p = float64(x*p) + 1.1994528066226207
	p = float64(x*p) + 0.99976846418343573
	q := float64(x*0.82715055189333496) + 2.1924918793157025
	q = float64(x*q) + 1
	w := float64(x * (p / q))

	r := fp.Log(x/w) - w
	a := 1 + w
	b := float64(a * (a + float64(r*(2.0/3))))
	return float64(w * (1 + float64((r/a)*((b-float64(0.5*r))/(b-r)))))
}
