package fp

import "math"

// Log returns the natural logarithm of x. Log(0) is -Inf, of a negative number
// NaN. The error is below 1 ulp (fdlibm e_log.c: argument reduction to
// [sqrt(1/2), sqrt(2)) and a Remez polynomial in s = f/(2+f)).
func Log(x float64) float64 {
	switch {
	case x != x || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	var e int64
	if x < 0x1p-1022 {
		x *= 0x1p54
		e = -54
	}
	return logNormal(math.Float64bits(x), e)
}

// LogUnit is Log for 2**-1022 <= x <= the largest float64, without the checks.
func LogUnit(x float64) float64 { return logNormal(math.Float64bits(x), 0) }

// sqrtHalf is the bits of sqrt(1/2).
const sqrtHalf = 0x3fe6a09e667f3bcd

// logNormal is Log of a normal positive number given by its bits, plus e*ln(2).
func logNormal(b uint64, e int64) float64 {
	// Move the binary point so that the mantissa lies in [sqrt(1/2), sqrt(2)).
	t := b - sqrtHalf
	e += int64(t) >> 52
	m := math.Float64frombits(t&(1<<52-1) + sqrtHalf)
	f := m - 1
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := float64(s2 * MulAdd(s4, MulAdd(s4, MulAdd(s4, 1.479819860511658591e-01, 1.818357216161805012e-01), 2.857142874366239149e-01), 6.666666666666735130e-01))
	t2 := float64(s4 * MulAdd(s4, MulAdd(s4, 1.531383769920937332e-01, 2.222219843214978396e-01), 3.999999999940941908e-01))
	r := t1 + t2
	h := float64(float64(0.5*f) * f)
	k := float64(e)
	return float64(k*ln2Hi) - ((h - (float64(s*(h+r)) + float64(k*ln2Lo))) - f)
}

// Pow returns x**y for x > 0, and 0 for x <= 0: enough for response curves.
// The relative error grows with |y log x| and is below 1e-13 where that is
// below 100.
func Pow(x, y float64) float64 {
	if x <= 0 {
		return 0
	}
	return Exp64(float64(y * Log(x)))
}
