package fp

import "math"

const (
	log2e   = 1.44269504088896338700
	ln2Hi   = 6.93147180369123816490e-01 // fdlibm: the low 32 bits are zero, so k*ln2Hi is exact
	ln2Lo   = 1.90821492927058770002e-10
	shift64 = 0x1.8p52 // adding and subtracting it rounds to the nearest integer
	shift32 = 0x1.8p23
)

// Exp64 returns e**x. The relative error is below 3 ulp (Taylor polynomial of
// degree 13 on |r| <= ln(2)/2). Results below 2**-1022 are 0, results above the
// largest float64 are +Inf, NaN stays NaN.
//
// The sums are written out because each inlined call leaves a no-op behind, and
// here those would be an eighth of all instructions.
func Exp64(x float64) float64 {
	const smallest, largest = -708.3964185322641, 709.782712893384
	if !(x >= smallest && x <= largest) {
		switch {
		case x > largest:
			return math.Inf(1)
		case x < smallest:
			return 0
		}
		return x
	}
	t := float64(x*log2e) + shift64
	k := t - shift64
	r := x - float64(k*ln2Hi)
	r -= float64(k * ln2Lo)
	r2 := float64(r * r)
	r4 := float64(r2 * r2)
	r8 := float64(r4 * r4)
	a := r + 1
	b := float64(r*(1.0/6)) + 1.0/2
	c := float64(r*(1.0/120)) + 1.0/24
	d := float64(r*(1.0/5040)) + 1.0/720
	e := float64(r*(1.0/362880)) + 1.0/40320
	f := float64(r*(1.0/39916800)) + 1.0/3628800
	g := float64(r*(1.0/6227020800)) + 1.0/479001600
	ab := float64(r2*b) + a
	cd := float64(r2*d) + c
	ef := float64(r2*f) + e
	lo := float64(r4*cd) + ab
	hi := float64(r4*g) + ef
	p := float64(r8*hi) + lo
	// p 2**k: the last twelve bits of t are k, which is added to the exponent of p.
	// The result is normal, since p >= 1 where k is -1022.
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
}

// Exp32 returns e**x in float32 arithmetic. The relative error is below 2 ulp
// (Taylor polynomial of degree 7). Results below 2**-126 are 0, results above
// the largest float32 are +Inf, NaN stays NaN.
func Exp32(x float32) float32 {
	switch {
	case x != x:
		return x
	case x > 88.72283:
		return float32(math.Inf(1))
	case x < -87.33654:
		return 0
	}
	k := float32(x*log2e) + shift32
	k -= shift32
	r := x - float32(k*6.93145752e-1)
	r -= float32(k * 1.42860677e-6)
	r2 := r * r
	r4 := r2 * r2
	a := MulAdd(r, 1, 1)
	b := MulAdd(r, float32(1.0/6), float32(1.0/2))
	c := MulAdd(r, float32(1.0/120), float32(1.0/24))
	d := MulAdd(r, float32(1.0/5040), float32(1.0/720))
	p := MulAdd(r4, MulAdd(r2, d, c), MulAdd(r2, b, a))
	n := int32(k)
	h := n >> 1
	return p * math.Float32frombits(uint32(127+h)<<23) * math.Float32frombits(uint32(127+n-h)<<23)
}
