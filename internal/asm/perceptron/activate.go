package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Comparisons: ordered and quiet, so that what is no number fails them.
const (
	below = 17 // LT_OQ
	above = 30 // GT_OQ
)

// activations: nn's apply and derive over whole panels.
func (m machine) activations() {
	t := m.real()
	each := func(name, doc string, f func(x VecVirtual) VecVirtual) {
		m.function(name, "y *"+t+", panels int", doc)
		y, n := pointer("y"), pointer("panels")
		IMUL3Q(imm(m.regs()), n, n)
		loop(name, n, func() {
			x := m.vec()
			m.move(at(y, 0), x)
			m.move(f(x), at(y, 0))
			ADDQ(imm(m.size), y)
		})
		ret()
	}
	each("relu", "replaces y by its ReLU.", func(x VecVirtual) VecVirtual { return m.blend(m.compare(notBelow, x, m.number(0)), x, m.number(0)) })
	each("tanh", "replaces y by its hyperbolic tangent, as fp.Tanh.", m.tanh)
	each("sigmoid", "replaces y by 1/(1+exp(-y)), as fp.Sigmoid.", func(x VecVirtual) VecVirtual {
		return m.binary(m.div, m.number(1), m.binary(m.add, m.number(1), m.exp(m.xor(x, m.number(math.Copysign(0, -1))))))
	})
	derivative := func(name, doc string, f func(g, y VecVirtual) VecVirtual) {
		m.function(name, "grad, y *"+t+", panels int", doc)
		gradient, y, n := pointer("grad"), pointer("y"), pointer("panels")
		IMUL3Q(imm(m.regs()), n, n)
		loop(name, n, func() {
			g, v := m.vec(), m.vec()
			m.move(at(gradient, 0), g)
			m.move(at(y, 0), v)
			m.move(f(g, v), at(gradient, 0))
			ADDQ(imm(m.size), gradient)
			ADDQ(imm(m.size), y)
		})
		ret()
	}
	derivative("reluBack", "zeroes grad where y is 0.", func(g, y VecVirtual) VecVirtual { return m.blend(m.compare(equal, y, m.number(0)), m.number(0), g) })
	derivative("tanhBack", "multiplies grad by 1 - y*y.", func(g, y VecVirtual) VecVirtual {
		return m.binary(m.mul, g, m.binary(m.sub, m.number(1), m.binary(m.mul, y, y)))
	})
	derivative("sigmoidBack", "multiplies grad by y (1 - y).", func(g, y VecVirtual) VecVirtual {
		return m.binary(m.mul, g, m.binary(m.mul, y, m.binary(m.sub, m.number(1), y)))
	})
}

const equal = 0 // EQ_OQ

// binary returns x f y. Constants are best as y: instructions take that from memory.
func (m machine) binary(f func(...Op), x, y Op) VecVirtual {
	z := m.vec()
	f(y, m.register(x), z)
	return z
}

// register returns x in a register.
func (m machine) register(x Op) VecVirtual {
	if v, ok := x.(VecVirtual); ok {
		return v
	}
	z := m.vec()
	m.move(x, z)
	return z
}

// muladd returns x*y + z, rounded twice.
func (m machine) muladd(x, y, z Op) VecVirtual {
	if _, constant := x.(Mem); constant {
		x, y = y, x
	}
	return m.binary(m.add, m.binary(m.mul, x, y), z)
}

// number returns a constant in all lanes: in memory, which leaves the few registers
// of AVX2 to others. With AVX-512 that is slower.
func (m machine) number(v float64) Op {
	if m.elem == 4 {
		return m.word(uint64(math.Float32bits(float32(v))))
	}
	return m.word(math.Float64bits(v))
}

var words = map[string]Mem{}

func (m machine) word(w uint64) Op {
	name := fmt.Sprintf("word%d_%x", 8*m.elem, w)
	c, ok := words[name]
	if !ok {
		c = GLOBL(name, RODATA|NOPTR)
		for i := range 64 / m.elem {
			if m.elem == 4 {
				DATA(4*i, U32(uint32(w)))
			} else {
				DATA(8*i, U64(w))
			}
		}
		words[name] = c
	}
	if m.wide() {
		return m.register(c)
	}
	return c
}

func (m machine) xor(x VecVirtual, y Op) VecVirtual {
	z := m.vec()
	if m.wide() {
		VPXORQ(y, x, z)
	} else {
		VPXOR(y, x, z)
	}
	return z
}

// compare returns the lanes where x stands to y as the predicate says.
func (m machine) compare(predicate uint8, x VecVirtual, y Op) Op {
	f := m.pick(VCMPPS, VCMPPD)
	if m.wide() {
		k := K()
		f(U8(predicate), y, x, k)
		return k
	}
	z := m.vec()
	f(U8(predicate), y, x, z)
	return z
}

// blend returns x where the lanes are set, else y.
func (m machine) blend(lanes, x, other Op) VecVirtual {
	y, z := m.register(other), m.vec()
	switch {
	case m.wide() && m.elem == 4:
		VBLENDMPS(x, y, lanes, z)
	case m.wide():
		VBLENDMPD(x, y, lanes, z)
	case m.elem == 4:
		VBLENDVPS(lanes, x, y, z)
	default:
		VBLENDVPD(lanes, x, y, z)
	}
	return z
}

func (m machine) left(x VecVirtual, n uint8) VecVirtual {
	z := m.vec()
	if m.elem == 4 {
		VPSLLD(U8(n), x, z)
	} else {
		VPSLLQ(U8(n), x, z)
	}
	return z
}

func (m machine) addInt(x VecVirtual, y Op) VecVirtual {
	z := m.vec()
	if m.elem == 4 {
		VPADDD(y, x, z)
	} else {
		VPADDQ(y, x, z)
	}
	return z
}

// exp is fp.Exp, operation by operation.
func (m machine) exp(x VecVirtual) VecVirtual {
	if m.elem == 4 {
		return m.within(x, m.power(x), -87.33654, 88.72283)
	}
	return m.within(x, m.power(x), -708.3964185322641, 709.782712893384)
}

// power is exp where x is within bounds or no number.
func (m machine) power(x VecVirtual) VecVirtual {
	if m.elem == 4 {
		return m.power32(x)
	}
	c := m.number
	t := m.muladd(x, c(1.44269504088896338700), c(0x1.8p52))
	k := m.binary(m.sub, t, c(0x1.8p52))
	r := m.binary(m.sub, x, m.binary(m.mul, k, c(6.93147180369123816490e-01)))
	r = m.binary(m.sub, r, m.binary(m.mul, k, c(1.90821492927058770002e-10)))
	r2 := m.binary(m.mul, r, r)
	r4 := m.binary(m.mul, r2, r2)
	r8 := m.binary(m.mul, r4, r4)
	pair := func(first, second float64) VecVirtual { return m.muladd(r, c(second), c(first)) }
	ab := m.muladd(r2, pair(1.0/2, 1.0/6), m.binary(m.add, r, c(1)))
	cd := m.muladd(r2, pair(1.0/720, 1.0/5040), pair(1.0/24, 1.0/120))
	lo := m.muladd(r4, cd, ab)
	ef := m.muladd(r2, pair(1.0/3628800, 1.0/39916800), pair(1.0/40320, 1.0/362880))
	hi := m.muladd(r4, pair(1.0/479001600, 1.0/6227020800), ef)
	p := m.addInt(m.muladd(r8, hi, lo), m.left(t, 52))
	return m.blend(m.compare(unordered, x, x), x, p)
}

const unordered = 3 // UNORD_Q

// within puts 0 for x below low and infinity above high.
func (m machine) within(x, p VecVirtual, low, high float64) VecVirtual {
	p = m.blend(m.compare(above, x, m.number(high)), m.number(math.Inf(1)), p)
	return m.blend(m.compare(below, x, m.number(low)), m.number(0), p)
}

func (m machine) power32(x VecVirtual) VecVirtual {
	c := m.number
	k := m.binary(m.sub, m.muladd(x, c(1.44269504088896338700), c(0x1.8p23)), c(0x1.8p23))
	r := m.binary(m.sub, x, m.binary(m.mul, k, c(6.93145752e-1)))
	r = m.binary(m.sub, r, m.binary(m.mul, k, c(1.42860677e-6)))
	r2 := m.binary(m.mul, r, r)
	r4 := m.binary(m.mul, r2, r2)
	pair := func(first, second float64) VecVirtual { return m.muladd(r, c(second), c(first)) }
	low := m.muladd(r2, pair(1.0/2, 1.0/6), m.binary(m.add, r, c(1)))
	p := m.muladd(r4, m.muladd(r2, pair(1.0/720, 1.0/5040), pair(1.0/24, 1.0/120)), low)
	n, h, rest := m.vec(), m.vec(), m.vec()
	VCVTTPS2DQ(k, n)
	VPSRAD(U8(1), n, h)
	VPSUBD(h, n, rest)
	bias := m.word(127)
	p = m.binary(m.mul, p, m.left(m.addInt(h, bias), 23))
	return m.binary(m.mul, p, m.left(m.addInt(rest, bias), 23))
}

// tanh is fp.Tanh: both of its formulas, and of each lane the one it takes.
func (m machine) tanh(x VecVirtual) VecVirtual {
	c := m.number
	sign := m.register(c(math.Copysign(0, -1)))
	a := m.vec()
	m.andNot(sign, x, a)
	z := m.binary(m.mul, x, x)
	p := m.muladd(m.muladd(c(-9.64399179425052238628e-1), z, c(-9.92877231001918586564e1)), z, c(-1.61468768441708447952e3))
	q := m.muladd(m.muladd(m.binary(m.add, z, c(1.12811678491632931402e2)), z, c(2.23548839060100448583e3)), z, c(4.84406305325125486048e3))
	small := m.binary(m.add, x, m.binary(m.mul, x, m.binary(m.mul, z, m.binary(m.div, p, q))))
	// Beyond 32 the result is 1. With the number last, the smaller of it and NaN is NaN.
	most := m.vec()
	m.pick(VMINPS, VMINPD)(a, m.register(c(32)), most)
	e := m.power(m.binary(m.add, most, most))
	t := m.binary(m.sub, c(1), m.binary(m.div, c(2), m.binary(m.add, e, c(1))))
	signed := m.vec()
	m.and(sign, x, signed)
	large := m.xor(t, signed)
	return m.blend(m.compare(below, a, c(0.625)), small, large)
}

// andNot is z = y without the bits of x.
func (m machine) andNot(x, y, z VecVirtual) {
	if m.wide() {
		VPANDNQ(y, x, z)
		return
	}
	VPANDN(y, x, z)
}
