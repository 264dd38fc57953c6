package marketing

import "overnight/internal/fp"

// euler is e, the base of natural logarithms.
const euler = 2.71828182845904523536028747135266250

// lambertW0 returns the w >= 0 with w exp(w) = x, for x from 0 to 1e300, with a
// relative error below 4 ulp: a Pade approximant about 0 (or the asymptotic
// series beyond e), then the fourth-order iteration of Fritsch, Shafer and
// Crowley (CACM 16, 1973, algorithm 443).
func lambertW0(x float64) float64 {
	if x == 0 {
		return 0
	}
	var w float64
	steps := 1
	if x <= euler {
		p := fp.MulAdd(x, fp.MulAdd(x, 17.0/60, 19.0/10), 1)
		q := fp.MulAdd(x, fp.MulAdd(x, 101.0/60, 29.0/10), 1)
		w = float64(x * (p / q))
	} else {
		l := fp.Log(x)
		w = l - fp.Log(l)
		steps = 2
	}
	for range steps + 1 {
		w = fritsch(x, w)
	}
	return w
}

// fritsch improves an approximation w > 0 of lambertW0(x): its relative error
// becomes of the order of its fourth power.
func fritsch(x, w float64) float64 {
	r := fp.Log(x/w) - w
	a := 1 + w
	b := float64(a * (a + float64(r*(2.0/3))))
	return float64(w * (1 + float64((r/a)*((b-float64(r*0.5))/(b-r)))))
}
