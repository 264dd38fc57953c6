// Command normals writes the vector form of rng.Stream.Normals.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	for _, m := range []machine{{"AVX512", 8}, {"AVX2", 4}} {
		m.normals()
	}
	Generate()
}

// machine is a vector length: so many float64 a register.
type machine struct {
	name  string
	lanes int
}

// vec returns a fresh register.
func (m machine) vec() VecVirtual {
	if m.lanes == 8 {
		return ZMM()
	}
	return YMM()
}

// Op is a three-operand instruction with its destination last.
type op func(...Op)

// do returns x f y; y may be in memory.
func (m machine) do(f op, x, y Op) VecVirtual {
	z := m.vec()
	f(y, x, z)
	return z
}

func (m machine) add(x, y Op) VecVirtual { return m.do(VADDPD, x, y) }
func (m machine) sub(x, y Op) VecVirtual { return m.do(VSUBPD, x, y) }
func (m machine) mul(x, y Op) VecVirtual { return m.do(VMULPD, x, y) }
func (m machine) div(x, y Op) VecVirtual { return m.do(VDIVPD, x, y) }

// muladd returns x*y + z, rounded twice.
func (m machine) muladd(x Op, y, z float64) VecVirtual {
	return m.addc(m.mulc(x, y), z)
}

func (m machine) mulc(x Op, c float64) VecVirtual {
	z := m.vec()
	VMULPD(double(c), x, z)
	return z
}

func (m machine) addc(x Op, c float64) VecVirtual {
	z := m.vec()
	VADDPD(double(c), x, z)
	return z
}

// xor, and: of 64-bit lanes.
func (m machine) xor(x, y Op) VecVirtual {
	if m.lanes == 8 {
		return m.do(VPXORQ, x, y)
	}
	return m.do(func(o ...Op) { VPXOR(o[0], o[1], o[2]) }, x, y)
}

func (m machine) and(x, y Op) VecVirtual {
	if m.lanes == 8 {
		return m.do(VPANDQ, x, y)
	}
	return m.do(func(o ...Op) { VPAND(o[0], o[1], o[2]) }, x, y)
}

func (m machine) or(x, y Op) VecVirtual {
	if m.lanes == 8 {
		return m.do(VPORQ, x, y)
	}
	return m.do(func(o ...Op) { VPOR(o[0], o[1], o[2]) }, x, y)
}

func (m machine) addq(x, y Op) VecVirtual { return m.do(VPADDQ, x, y) }
func (m machine) subq(x, y Op) VecVirtual { return m.do(VPSUBQ, x, y) }

func (m machine) left(x Op, n uint8) VecVirtual {
	z := m.vec()
	VPSLLQ(U8(n), x, z)
	return z
}

func (m machine) right(x Op, n uint8) VecVirtual {
	z := m.vec()
	VPSRLQ(U8(n), x, z)
	return z
}

func (m machine) rotate(x Op, n uint8) VecVirtual {
	if m.lanes == 8 {
		z := m.vec()
		VPROLQ(U8(n), x, z)
		return z
	}
	return m.or(m.left(x, n), m.right(x, 64-n))
}

// Constants, each in all lanes of the longest register.
var constants = map[uint64]Mem{}

func word(w uint64) Mem {
	if c, ok := constants[w]; ok {
		return c
	}
	c := GLOBL("normals_"+hex(w), RODATA|NOPTR)
	for i := range 8 {
		DATA(8*i, U64(w))
	}
	constants[w] = c
	return c
}

func double(v float64) Mem { return word(math.Float64bits(v)) }

func hex(w uint64) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 16)
	for i := range b {
		b[i] = digits[w>>(60-4*i)&15]
	}
	return string(b)
}

// next is one step of xoshiro256++ in every lane; see package rng.
func (m machine) next(s *[4]VecVirtual) VecVirtual {
	v := m.addq(m.rotate(m.addq(s[0], s[3]), 23), s[0])
	t := m.left(s[1], 17)
	s2, s3 := m.xor(s[2], s[0]), m.xor(s[3], s[1])
	s[0], s[1], s[2], s[3] = m.xor(s[0], s3), m.xor(s[1], s2), m.xor(s2, t), m.rotate(s3, 45)
	return v
}

// unsigned converts integers from 0 to 2**53, exactly.
func (m machine) unsigned(x Op) VecVirtual {
	if m.lanes == 8 {
		z := m.vec()
		VCVTUQQ2PD(x, z)
		return z
	}
	// The halves become mantissas of 2**52 and of 2**84.
	low := m.or(m.and(x, word(1<<32-1)), double(0x1p52))
	high := m.or(m.right(x, 32), double(0x1p84))
	return m.add(m.sub(high, double(0x1p84+0x1p52)), low)
}

// exponent converts the upper twelve bits, as a signed number, exactly.
func (m machine) exponent(t Op) VecVirtual {
	if m.lanes == 8 {
		k, z := m.vec(), m.vec()
		VPSRAQ(U8(52), t, k)
		VCVTQQ2PD(k, z)
		return z
	}
	k := m.right(m.addq(t, word(1<<63)), 52)
	return m.sub(m.or(k, double(0x1p52)), double(0x1p52+2048))
}

// truncate converts small numbers to integers and these back.
func (m machine) truncate(x Op) (q, f VecVirtual) {
	q, f = m.vec(), m.vec()
	if m.lanes == 8 {
		VCVTTPD2QQ(x, q)
		VCVTQQ2PD(q, f)
		return q, f
	}
	short := XMM()
	VCVTTPD2DQY(x, short)
	VCVTDQ2PD(short, f)
	VPMOVSXDQ(short, q)
	return q, f
}

// boxMuller is fp.BoxMuller, operation by operation.
func (m machine) boxMuller(a, b Op) (x, y VecVirtual) {
	const sqrtHalf = 0x3fe6a09e667f3bcd
	u := m.mulc(m.unsigned(m.addq(m.right(a, 11), word(1))), 0x1p-53)
	t := m.subq(u, word(sqrtHalf))
	k := m.exponent(t)
	f := m.sub(m.addq(m.and(t, word(1<<52-1)), word(sqrtHalf)), double(1))
	s := m.div(f, m.addc(f, 2))
	s2 := m.mul(s, s)
	s4 := m.mul(s2, s2)
	t1 := m.muladd(s4, 1.479819860511658591e-01, 1.818357216161805012e-01)
	t1 = m.addc(m.mul(s4, t1), 2.857142874366239149e-01)
	t1 = m.addc(m.mul(s4, t1), 6.666666666666735130e-01)
	t1 = m.mul(s2, t1)
	t2 := m.muladd(s4, 1.531383769920937332e-01, 2.222219843214978396e-01)
	t2 = m.addc(m.mul(s4, t2), 3.999999999940941908e-01)
	t2 = m.mul(s4, t2)
	h := m.mul(m.mulc(f, 0.5), f)
	inner := m.add(m.mul(s, m.add(h, m.add(t1, t2))), m.mulc(k, 1.90821492927058770002e-10))
	log := m.sub(m.mulc(k, 6.93147180369123816490e-01), m.sub(m.sub(h, inner), f))
	r := m.vec()
	VSQRTPD(m.mulc(log, -2), r)

	v := m.mulc(m.unsigned(m.right(b, 11)), 0x1p-53)
	q, turns := m.truncate(m.addc(m.mulc(v, 4), 0.5))
	w := m.mulc(m.sub(v, m.mulc(turns, 0.25)), 2*math.Pi)
	z := m.mul(w, w)
	z2 := m.mul(z, z)
	lo := m.muladd(z, -1.98412698298579493134e-04, 8.33333333332248946124e-03)
	hi := m.muladd(z, -2.50507602534068634195e-08, 2.75573137070700676789e-06)
	hi = m.add(m.mulc(z2, 1.58969099521155010221e-10), hi)
	lo = m.add(m.mul(z2, hi), lo)
	sin := m.add(w, m.mul(m.mul(z, w), m.sub(m.mul(z, lo), double(1.66666666666666324348e-01))))
	lo = m.muladd(z, -1.38888888888741095749e-03, 4.16666666666666019037e-02)
	mid := m.muladd(z, -2.75573143513906633035e-07, 2.48015872894767294178e-05)
	hi = m.muladd(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09)
	mid = m.add(m.mul(z2, hi), mid)
	lo = m.add(m.mul(z2, mid), lo)
	one := m.vec()
	move(double(1), one)
	cos := m.add(m.sub(one, m.mulc(z, 0.5)), m.mul(z2, lo))

	// fp.rotate: swap for odd quarters, signs by halves.
	zero := m.vec()
	if m.lanes == 8 {
		VPXORQ(zero, zero, zero)
	} else {
		VPXOR(zero, zero, zero)
	}
	odd := m.subq(zero, m.and(q, word(1)))
	swap := m.and(m.xor(sin, cos), odd)
	sin = m.xor(sin, m.xor(swap, m.left(m.right(q, 1), 63)))
	cos = m.xor(cos, m.xor(swap, m.left(m.right(m.addq(q, word(1)), 1), 63)))
	return m.mul(r, cos), m.mul(r, sin)
}

func move(from, to Op) { VMOVUPD(from, to) }

// normals makes blocks of sixteen: eight from the cosines, eight from the sines.
func (m machine) normals() {
	TEXT("normals"+m.name, NOSPLIT, "func(s *[4][8]uint64, dst *float64, blocks int)")
	Pragma("noescape")
	Doc("normals"+m.name+" fills dst with blocks of sixteen normals and moves the state on.", "blocks is above 0.")
	state := Mem{Base: Load(Param("s"), GP64())}
	dst := Load(Param("dst"), GP64())
	blocks := Load(Param("blocks"), GP64())
	if m.lanes == 8 {
		var s [4]VecVirtual
		for i := range s {
			s[i] = m.vec()
			VMOVDQU64(state.Offset(64*i), s[i])
		}
		Label("loop" + m.name)
		now := s
		a := m.next(&now)
		b := m.next(&now)
		for i := range s {
			VMOVDQA64(now[i], s[i])
		}
		x, y := m.boxMuller(a, b)
		move(x, Mem{Base: dst})
		move(y, Mem{Base: dst}.Offset(64))
		ADDQ(Imm(128), dst)
		DECQ(blocks)
		JNZ(LabelRef("loop" + m.name))
		for i := range s {
			VMOVDQU64(s[i], state.Offset(64*i))
		}
	} else {
		Label("loop" + m.name)
		for half := range 2 {
			var s [4]VecVirtual
			for i := range s {
				s[i] = m.vec()
				VMOVDQU(state.Offset(64*i+32*half), s[i])
			}
			a := m.next(&s)
			b := m.next(&s)
			for i := range s {
				VMOVDQU(s[i], state.Offset(64*i+32*half))
			}
			x, y := m.boxMuller(a, b)
			move(x, Mem{Base: dst}.Offset(32*half))
			move(y, Mem{Base: dst}.Offset(64+32*half))
		}
		ADDQ(Imm(128), dst)
		DECQ(blocks)
		JNZ(LabelRef("loop" + m.name))
	}
	VZEROUPPER()
	RET()
}
