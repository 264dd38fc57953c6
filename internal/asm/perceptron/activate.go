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
	each := func(name, doc string, most int, f func(x values) values) {
		m.function(name, "y *"+t+", panels int", doc)
		y, n := pointer("y"), pointer("panels")
		IMUL3Q(imm(m.regs()), n, n)
		groups(name, n, most, func(_ string, size int) {
			x := m.over(size, func(i int) Op { return m.register(at(y, i*m.size)) })
			for i, v := range f(x) {
				m.move(v, at(y, i*m.size))
			}
			ADDQ(imm(size*m.size), y)
		})
		ret()
	}
	tanh, sigmoid := 2, 2 // registers that go through together, since their chains are long; more don't fit
	if m.wide() && m.elem == 4 {
		tanh, sigmoid = 4, 3
	}
	each("relu", "replaces y by its ReLU.", 1, func(x values) values { return m.blend(m.compare(notBelow, x, m.number(0)), x, m.number(0)) })
	each("tanh", "replaces y by its hyperbolic tangent, as fp.Tanh.", tanh, m.tanh)
	each("sigmoid", "replaces y by 1/(1+exp(-y)), as fp.Sigmoid.", sigmoid, func(x values) values {
		return m.binary(m.div, m.number(1), m.binary(m.add, m.number(1), m.exp(m.xor(x, m.number(math.Copysign(0, -1))))))
	})
	derivative := func(name, doc string, f func(g, y values) values) {
		m.function(name, "grad, y *"+t+", panels int", doc)
		gradient, y, n := pointer("grad"), pointer("y"), pointer("panels")
		IMUL3Q(imm(m.regs()), n, n)
		loop(name, n, func() {
			m.move(f(values{m.register(at(gradient, 0))}, values{m.register(at(y, 0))})[0], at(gradient, 0))
			ADDQ(imm(m.size), gradient)
			ADDQ(imm(m.size), y)
		})
		ret()
	}
	derivative("reluBack", "zeroes grad where y is 0.", func(g, y values) values { return m.blend(m.compare(equal, y, m.number(0)), m.number(0), g) })
	derivative("tanhBack", "multiplies grad by 1 - y*y.", func(g, y values) values {
		return m.binary(m.mul, g, m.binary(m.sub, m.number(1), m.binary(m.mul, y, y)))
	})
	derivative("sigmoidBack", "multiplies grad by y (1 - y).", func(g, y values) values {
		return m.binary(m.mul, g, m.binary(m.mul, y, m.binary(m.sub, m.number(1), y)))
	})
}

const equal = 0 // EQ_OQ

// values are what registers of a group hold, operation after operation side by side; a
// constant stands for all of them. Constants are best as the last of an operation's
// numbers: instructions take that from memory.
type values []Op

func (v values) of(i int) Op {
	if len(v) == 1 {
		return v[0]
	}
	return v[i]
}

// over makes n values.
func (m machine) over(n int, f func(i int) Op) values {
	v := make(values, n)
	for i := range v {
		v[i] = f(i)
	}
	return v
}

// binary returns x f y.
func (m machine) binary(f func(...Op), x, y values) values {
	if len(x) == 1 {
		x = values{m.register(x[0])}
	}
	return m.over(max(len(x), len(y)), func(i int) Op {
		z := m.vec()
		f(y.of(i), m.register(x.of(i)), z)
		return z
	})
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
func (m machine) muladd(x, y, z values) values {
	if _, constant := x[0].(Mem); constant {
		x, y = y, x
	}
	return m.binary(m.add, m.binary(m.mul, x, y), z)
}

// number returns a constant in all lanes: in memory, which leaves registers to others.
func (m machine) number(v float64) values {
	if m.elem == 4 {
		return m.word(uint64(math.Float32bits(float32(v))))
	}
	return m.word(math.Float64bits(v))
}

var words = map[string]Mem{}

func (m machine) word(w uint64) values {
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
	return values{c}
}

func (m machine) xor(x, y values) values { return m.binary(m.either(VPXORQ, three(VPXOR)), x, y) }

// three is for instructions that take no mask.
func three(f func(x, y, z Op)) func(...Op) {
	return func(ops ...Op) { f(ops[0], ops[1], ops[2]) }
}

// either returns the form of an instruction for the length of registers.
func (m machine) either(wide, narrow func(...Op)) func(...Op) {
	if m.wide() {
		return wide
	}
	return narrow
}

// compare returns the lanes where x stands to y as the predicate says.
func (m machine) compare(predicate uint8, x, y values) values {
	f := m.pick(VCMPPS, VCMPPD)
	return m.over(len(x), func(i int) Op {
		var lanes Op = K()
		if !m.wide() {
			lanes = m.vec()
		}
		f(U8(predicate), y.of(i), x[i], lanes)
		return lanes
	})
}

// blend returns x where the lanes are set, else y.
func (m machine) blend(lanes, x, y values) values {
	if len(y) == 1 {
		y = values{m.register(y[0])}
	}
	return m.over(len(lanes), func(i int) Op {
		z := m.vec()
		switch x, y := x.of(i), y.of(i); {
		case m.wide():
			m.pick(VBLENDMPS, VBLENDMPD)(x, y, lanes[i], z)
		case m.elem == 4:
			VBLENDVPS(lanes[i], x, y, z)
		default:
			VBLENDVPD(lanes[i], x, y, z)
		}
		return z
	})
}

func (m machine) left(x values, n uint8) values {
	return m.over(len(x), func(i int) Op {
		z := m.vec()
		m.pick(VPSLLD, VPSLLQ)(U8(n), x[i], z)
		return z
	})
}

func (m machine) addInt(x, y values) values { return m.binary(m.pick(VPADDD, VPADDQ), x, y) }

// exp is fp.Exp, operation by operation.
func (m machine) exp(x values) values {
	if m.elem == 8 {
		return m.within(x, m.power(x), -708.3964185322641, 709.782712893384)
	}
	p, n := m.power32(x)
	h := m.over(len(n), func(i int) Op {
		z := m.vec()
		VPSRAD(U8(1), n[i], z)
		return z
	})
	bias := m.word(127)
	p = m.binary(m.mul, p, m.left(m.addInt(h, bias), 23))
	p = m.binary(m.mul, p, m.left(m.addInt(m.binary(VPSUBD, n, h), bias), 23))
	return m.within(x, p, -87.33654, 88.72283)
}

// power is exp where 2**x is normal, as between 0 and 64, or x no number.
func (m machine) power(x values) values {
	if m.elem == 4 {
		p, n := m.power32(x)
		return m.addInt(p, m.left(n, 23)) // of no number n is 1<<31, which leaves p as it is
	}
	c := m.number
	t := m.muladd(x, c(1.44269504088896338700), c(0x1.8p52))
	k := m.binary(m.sub, t, c(0x1.8p52))
	r := m.binary(m.sub, x, m.binary(m.mul, k, c(6.93147180369123816490e-01)))
	r = m.binary(m.sub, r, m.binary(m.mul, k, c(1.90821492927058770002e-10)))
	r2 := m.binary(m.mul, r, r)
	r4 := m.binary(m.mul, r2, r2)
	r8 := m.binary(m.mul, r4, r4)
	pair := func(first, second float64) values { return m.muladd(r, c(second), c(first)) }
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
func (m machine) within(x, p values, low, high float64) values {
	p = m.blend(m.compare(above, x, m.number(high)), m.number(math.Inf(1)), p)
	return m.blend(m.compare(below, x, m.number(low)), m.number(0), p)
}

// power32 returns p and n of exp(x) = p 2**n.
func (m machine) power32(x values) (p, n values) {
	c := m.number
	k := m.binary(m.sub, m.muladd(x, c(1.44269504088896338700), c(0x1.8p23)), c(0x1.8p23))
	r := m.binary(m.sub, x, m.binary(m.mul, k, c(6.93145752e-1)))
	r = m.binary(m.sub, r, m.binary(m.mul, k, c(1.42860677e-6)))
	// In an order that needs few registers at once.
	r2 := m.binary(m.mul, r, r)
	pair := func(first, second float64) values { return m.muladd(r, c(second), c(first)) }
	high := m.muladd(r2, pair(1.0/720, 1.0/5040), pair(1.0/24, 1.0/120))
	low := m.muladd(r2, pair(1.0/2, 1.0/6), m.binary(m.add, r, c(1)))
	p = m.muladd(m.binary(m.mul, r2, r2), high, low)
	return p, m.over(len(k), func(i int) Op {
		z := m.vec()
		VCVTTPS2DQ(k[i], z)
		return z
	})
}

// tanh is fp.Tanh: both of its formulas, and of each lane the one it takes.
func (m machine) tanh(x values) values {
	c := m.number
	sign := c(math.Copysign(0, -1))
	a := m.binary(m.either(VPANDNQ, three(VPANDN)), sign, x)
	isSmall := m.compare(below, a, c(0.625))
	// Beyond 32 the result is 1. With the number last, the smaller of it and NaN is NaN.
	most := m.binary(m.pick(VMINPS, VMINPD), c(32), a)
	e := m.power(m.binary(m.add, most, most))
	t := m.binary(m.sub, c(1), m.binary(m.div, c(2), m.binary(m.add, e, c(1))))
	large := m.xor(t, m.binary(m.either(VPANDQ, three(VPAND)), x, sign))
	z := m.binary(m.mul, x, x)
	p := m.muladd(m.muladd(c(-9.64399179425052238628e-1), z, c(-9.92877231001918586564e1)), z, c(-1.61468768441708447952e3))
	q := m.muladd(m.muladd(m.binary(m.add, z, c(1.12811678491632931402e2)), z, c(2.23548839060100448583e3)), z, c(4.84406305325125486048e3))
	small := m.binary(m.add, x, m.binary(m.mul, x, m.binary(m.mul, z, m.binary(m.div, p, q))))
	return m.blend(isSmall, small, large)
}
