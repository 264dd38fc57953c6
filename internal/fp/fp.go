// Package fp holds the floating-point functions that results are made of.
// Start with MulAdd and Exp.
//
// Every function returns the same bits on every architecture and at every
// GOAMD64 level: products are rounded before they are added, orders of
// summation are fixed, and nothing of package math is used but Sqrt, Floor and
// the bit conversions, which are exact everywhere. math.Exp, Log and Pow are
// not: their bits differ between architectures.
package fp

import (
	"math"
	"unsafe"
)

// Float is a type that networks and environments compute in.
type Float interface{ float32 | float64 }

// MulAdd returns x*y + z with the product rounded to T first. The conversion
// forbids the compiler to fuse the two (language specification, "Floating-point
// operators"), which would change the last bit on arm64 and GOAMD64=v3.
func MulAdd[T Float](x, y, z T) T { return T(x*y) + z }

// is32 tells whether T is float32; the compiler folds it.
func is32[T Float]() bool {
	var t T
	return unsafe.Sizeof(t) == 4
}

// Exp returns e**x. See Exp64 and Exp32 for range and accuracy.
func Exp[T Float](x T) T {
	if is32[T]() {
		return T(Exp32(float32(x)))
	}
	return T(Exp64(float64(x)))
}

// Clamp01 returns x within [0, 1]: max(0, min(1, x)) without a branch that would be
// mispredicted. NaN stays NaN, and -0 becomes 0.
func Clamp01[T Float](x T) T {
	if x != x {
		return x
	}
	if is32[T]() {
		b := int32(math.Float32bits(float32(x)))
		b &^= b >> 31 // negative: 0
		return T(math.Float32frombits(uint32(min(b, 0x3f800000))))
	}
	b := int64(math.Float64bits(float64(x)))
	b &^= b >> 63
	return T(math.Float64frombits(uint64(min(b, 0x3ff0000000000000))))
}

// Sigmoid returns 1/(1+e**-x).
func Sigmoid[T Float](x T) T { return 1 / (1 + Exp(-x)) }

// Tanh returns the hyperbolic tangent of x.
//
// Within 0.625 of zero it uses the rational approximation of Cody and Waite
// (Software Manual for the Elementary Functions, 1980, chapter 13), beyond it
// 1 - 2/(e**2x + 1). The error is below 4 ulp.
func Tanh[T Float](x T) T {
	a := x
	if a < 0 {
		a = -a
	}
	if a < 0.625 {
		z := T(x * x)
		p := MulAdd(MulAdd(T(-9.64399179425052238628e-1), z, T(-9.92877231001918586564e1)), z, T(-1.61468768441708447952e3))
		q := MulAdd(MulAdd(z+T(1.12811678491632931402e2), z, T(2.23548839060100448583e3)), z, T(4.84406305325125486048e3))
		return x + T(x*T(z*(p/q)))
	}
	if a > 20 {
		if x < 0 {
			return -1
		}
		return 1
	}
	t := 1 - 2/(Exp(2*a)+1)
	if x < 0 {
		return -t
	}
	return t
}
