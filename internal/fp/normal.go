package fp

import "math"

// BoxMuller returns two independent standard normals made of the upper 53 bits
// of two random numbers (Box and Muller 1958):
//
//	r = sqrt(-2 log u), u = (a>>11 + 1) / 2**53, v = (b>>11) / 2**53
//	r cos(2 pi v), r sin(2 pi v)
//
// It is LogUnit and SinCosTurn written out in one body, to the bit, without
// calls or inlined functions (see Exp64): normals are half of what a fast
// environment spends its time on.
func BoxMuller(a, b uint64) (x, y float64) {
	u := float64(float64(a>>11+1) * 0x1p-53) // (0, 1]
	t := math.Float64bits(u) - sqrtHalf
	k := float64(int64(t) >> 52)
	f := math.Float64frombits(t&(1<<52-1)+sqrtHalf) - 1
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := float64(s4*1.479819860511658591e-01) + 1.818357216161805012e-01
	t1 = float64(s4*t1) + 2.857142874366239149e-01
	t1 = float64(s4*t1) + 6.666666666666735130e-01
	t1 = float64(s2 * t1)
	t2 := float64(s4*1.531383769920937332e-01) + 2.222219843214978396e-01
	t2 = float64(s4*t2) + 3.999999999940941908e-01
	t2 = float64(s4 * t2)
	h := float64(float64(0.5*f) * f)
	log := float64(k*ln2Hi) - ((h - (float64(s*(h+(t1+t2))) + float64(k*ln2Lo))) - f)
	r := math.Sqrt(-2 * log)

	v := float64(float64(b>>11) * 0x1p-53)
	q := int64(float64(v*4) + 0.5)
	w := float64((v - float64(float64(q)*0.25)) * (2 * math.Pi))
	z := float64(w * w)
	z2 := float64(z * z)
	lo := float64(z*-1.98412698298579493134e-04) + 8.33333333332248946124e-03
	hi := float64(z*-2.50507602534068634195e-08) + 2.75573137070700676789e-06
	hi = float64(z2*1.58969099521155010221e-10) + hi
	lo = float64(z2*hi) + lo
	sin := w + float64(float64(z*w)*(float64(z*lo)-1.66666666666666324348e-01))
	lo = float64(z*-1.38888888888741095749e-03) + 4.16666666666666019037e-02
	mid := float64(z*-2.75573143513906633035e-07) + 2.48015872894767294178e-05
	hi = float64(z*-1.13596475577881948265e-11) + 2.08757232129817482790e-09
	mid = float64(z2*hi) + mid
	lo = float64(z2*mid) + lo
	cos := (1 - float64(0.5*z)) + float64(z2*lo)
	sin, cos = rotate(q, sin, cos)
	return float64(r * cos), float64(r * sin)
}
