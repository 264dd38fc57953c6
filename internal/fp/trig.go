package fp

import "math"

// sinPoly and cosPoly are fdlibm's kernels on [-pi/4, pi/4]; the error is below
// 1 ulp.
func sinPoly(x float64) float64 {
	z := float64(x * x)
	z2 := float64(z * z)
	lo := MulAdd(z, -1.98412698298579493134e-04, 8.33333333332248946124e-03)
	hi := MulAdd(z, -2.50507602534068634195e-08, 2.75573137070700676789e-06)
	r := MulAdd(z2, MulAdd(z2, 1.58969099521155010221e-10, hi), lo)
	return x + float64(float64(z*x)*MulAdd(z, r, -1.66666666666666324348e-01))
}

func cosPoly(x float64) float64 {
	z := float64(x * x)
	z2 := float64(z * z)
	lo := MulAdd(z, -1.38888888888741095749e-03, 4.16666666666666019037e-02)
	mid := MulAdd(z, -2.75573143513906633035e-07, 2.48015872894767294178e-05)
	hi := MulAdd(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09)
	r := MulAdd(z2, MulAdd(z2, hi, mid), lo)
	return (1 - float64(0.5*z)) + float64(z2*r)
}

// rotate gives (sin, cos) of q quarter turns plus r, from sin r and cos r. It
// has no branch: q is as good as random, and a missed one costs more than all
// the rest.
func rotate(q int64, s, c float64) (sin, cos float64) {
	a, b := math.Float64bits(s), math.Float64bits(c)
	swap := (a ^ b) & -(uint64(q) & 1)
	a ^= swap ^ uint64(q)>>1<<63
	b ^= swap ^ uint64(q+1)>>1<<63
	return math.Float64frombits(a), math.Float64frombits(b)
}

// SinCosTurn returns the sine and the cosine of u whole turns, u in [0, 1). The
// reduction to an eighth of a turn is exact.
func SinCosTurn(u float64) (sin, cos float64) {
	q := int64(float64(u*4) + 0.5)
	r := (u - float64(float64(q)*0.25)) * (2 * math.Pi)
	return rotate(q, sinPoly(r), cosPoly(r))
}

// SinCos returns the sine and the cosine of x radians for |x| < 2**20; beyond
// that, and for NaN, both are NaN. The absolute error is below 1e-15.
func SinCos(x float64) (sin, cos float64) {
	if !(x > -0x1p20 && x < 0x1p20) {
		return math.NaN(), math.NaN()
	}
	// pi/2 in three parts of 33, 33 and 53 bits (Cody and Waite).
	k := float64(x*(2/math.Pi)) + shift64
	k -= shift64
	r := x - float64(k*1.57079632673412561417e+00)
	r -= float64(k * 6.07710050630396597660e-11)
	r -= float64(k * 2.02226624879595063154e-21)
	return rotate(int64(k), sinPoly(r), cosPoly(r))
}
