// Command perceptron writes the vector kernels of package nn: for rows, one at a
// time, and for updates. Each has the bits of the plain Go that its comment names:
// lanes are outputs, sums run in the order stated there, products are rounded
// before they are added.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	for _, m := range machines() {
		m.affine()
		m.outer()
		m.rectify()
		m.squares()
		m.adam()
		m.transpose()
		m.product()
		m.activations()
	}
	Generate()
}

func (m machine) function(name, args, doc string) {
	TEXT(name+m.name, NOSPLIT, "func("+args+")")
	Pragma("noescape")
	Doc(name + m.name + " " + doc)
}

func ret() {
	VZEROUPPER()
	RET()
}

// groups calls body for the panels that are left in n, so many at a time.
func groups(name string, n Register, most int, body func(label string, size int)) {
	for size := most; size > 0; size /= 2 {
		label := name + string(rune('0'+size))
		Label(label)
		CMPQ(n, imm(size))
		JLT(LabelRef(label + "_none"))
		body(label, size)
		SUBQ(imm(size), n)
		JMP(LabelRef(label))
		Label(label + "_none")
	}
}

// most is how many panels fit the registers.
func (m machine) most() int { return min(4, 8/m.regs()) }

// affine: nn's affine, for all panels of a layer. Sums begin at init, or at 0.
func (m machine) affine() {
	t := m.real()
	m.function("affine", "y, init, weights *"+t+", panels, panelStride, rowStride int, values *"+t+", indices *int32, count int",
		"sets panel p of y to init, panelStride bytes apart (nil: 0), plus the sum over i of values[i] times the panel at weights + p panelStride + indices[i] rowStride.")
	y, init, weights := pointer("y"), pointer("init"), pointer("weights")
	panels, stride, row := pointer("panels"), pointer("panelStride"), pointer("rowStride")
	groups("affine", panels, m.most(), func(label string, size int) {
		sums := m.vecs(size * m.regs())
		TESTQ(init, init)
		JZ(LabelRef(label + "_zero"))
		for i, s := range sums {
			if i > 0 && i%m.regs() == 0 {
				ADDQ(stride, init)
			}
			m.move(at(init, i%m.regs()*m.size), s)
		}
		ADDQ(stride, init)
		JMP(LabelRef(label + "_begun"))
		Label(label + "_zero")
		m.clear(sums)
		Label(label + "_begun")

		bases := []Register{weights}
		for range size - 1 {
			b := GP64()
			MOVQ(bases[len(bases)-1], b)
			ADDQ(stride, b)
			bases = append(bases, b)
		}
		values, indices, count := pointer("values"), pointer("indices"), pointer("count")
		loop(label+"_loop", count, func() {
			k, x := GP64(), m.vec()
			MOVLQSX(at(indices, 0), k)
			IMULQ(row, k)
			m.broadcast(at(values, 0), x)
			for i, s := range sums {
				product := m.vec()
				m.mul(Mem{Base: bases[i/m.regs()], Index: k, Scale: 1, Disp: i % m.regs() * m.size}, x, product)
				m.add(s, product, s)
			}
			ADDQ(Imm(4), indices)
			ADDQ(imm(m.elem), values)
		})
		for i, s := range sums {
			m.move(s, at(y, i*m.size))
		}
		ADDQ(imm(size*m.panel()), y)
		MOVQ(bases[size-1], weights)
		ADDQ(stride, weights)
	})
	ret()
}

// outer: nn's outer, for one row and all panels of a layer, biases too.
func (m machine) outer() {
	t := m.real()
	m.function("outer", "grad, bias *"+t+", panels, panelStride int, values *"+t+", units *int32, count int, deltas, valid, y *"+t,
		"adds the deltas to the biases and, for each unit k of units, deltas times values[k] to the panels at grad + k panel; only in lanes that valid has all bits of, and where y is given those with y > 0 or no number.")
	grad, bias, panels, stride := pointer("grad"), pointer("bias"), pointer("panels"), pointer("panelStride")
	deltas, valid, y := pointer("deltas"), pointer("valid"), pointer("y")
	values := pointer("values")
	most := 8 / m.regs() / 2
	if m.wide() {
		most = min(4, 6/m.regs()) // masks k1 to k6
		if m.regs() == 2 {
			most = 2
		}
	}
	most = max(1, most)
	groups("outer", panels, most, func(label string, size int) {
		n := size * m.regs()
		d := m.vecs(n)
		var lanesOf []Op // masks
		for i := range d {
			m.move(at(deltas, i*m.size), d[i])
			if m.wide() {
				k, v := K(), m.vec()
				m.move(at(valid, i*m.size), v)
				if m.elem == 4 {
					VPTESTMD(v, v, k)
				} else {
					VPTESTMQ(v, v, k)
				}
				lanesOf = append(lanesOf, k)
			} else {
				v := m.vec()
				m.move(at(valid, i*m.size), v)
				lanesOf = append(lanesOf, v)
			}
		}
		TESTQ(y, y)
		JZ(LabelRef(label + "_all"))
		zero := m.zero()
		for i := range d {
			a := m.vec()
			m.move(at(y, i*m.size), a)
			if m.wide() {
				k := lanesOf[i]
				m.pick(VCMPPS, VCMPPD)(U8(notBelow), zero, a, k, k)
			} else {
				m.pick(VCMPPS, VCMPPD)(U8(notBelow), zero, a, a)
				m.and(a, lanesOf[i], lanesOf[i])
			}
		}
		ADDQ(imm(size*m.panel()), y)
		Label(label + "_all")
		ADDQ(imm(size*m.panel()), deltas)
		ADDQ(imm(size*m.panel()), valid)

		// accumulate adds x in the lanes to the panel at a.
		accumulate := func(a Mem, x Op, i int) {
			g := m.vec()
			m.move(a, g)
			if m.wide() {
				m.add(x, g, lanesOf[i], g)
				m.move(g, a)
				return
			}
			sum := m.vec()
			m.add(x, g, sum)
			m.pick(func(o ...Op) { VBLENDVPS(o[0], o[1], o[2], o[3]) }, func(o ...Op) { VBLENDVPD(o[0], o[1], o[2], o[3]) })(lanesOf[i], sum, g, g)
			m.move(g, a)
		}
		bases := []Register{grad}
		for range size - 1 {
			b := GP64()
			MOVQ(bases[len(bases)-1], b)
			ADDQ(stride, b)
			bases = append(bases, b)
		}
		for i := range d {
			if i > 0 && i%m.regs() == 0 {
				ADDQ(stride, bias)
			}
			accumulate(at(bias, i%m.regs()*m.size), d[i], i)
		}
		ADDQ(stride, bias)
		units, count := pointer("units"), pointer("count")
		loop(label+"_loop", count, func() {
			k, x := GP64(), m.vec()
			MOVLQSX(at(units, 0), k)
			m.broadcast(Mem{Base: values, Index: k, Scale: uint8(m.elem)}, x)
			IMUL3Q(imm(m.panel()), k, k)
			for i := range d {
				product := m.vec()
				m.mul(d[i], x, product)
				accumulate(Mem{Base: bases[i/m.regs()], Index: k, Scale: 1, Disp: i % m.regs() * m.size}, product, i)
			}
			ADDQ(Imm(4), units)
		})
		MOVQ(bases[size-1], grad)
		ADDQ(stride, grad)
	})
	ret()
}

// squares: the sums under nn.Norm.
func (m machine) squares() {
	t := m.real()
	m.function("squares", "sums, v *"+t+", blocks int", "adds to each lane of sums the squares of that lane of the blocks, one after the other.")
	sums, v, n := pointer("sums"), pointer("v"), pointer("blocks")
	s := m.vecs(m.regs())
	for i := range s {
		m.move(at(sums, i*m.size), s[i])
	}
	loop("squares", n, func() {
		for i := range s {
			x := m.vec()
			m.move(at(v, i*m.size), x)
			m.mul(x, x, x)
			m.add(s[i], x, s[i])
		}
		ADDQ(imm(m.panel()), v)
	})
	for i := range s {
		m.move(s[i], at(sums, i*m.size))
	}
	ret()
}

// adam: nn's adamStep. The numbers of c are scale, rate, root, epsilon, keep1,
// keep2, add1, add2.
func (m machine) adam() {
	t := m.real()
	m.function("adam", "params, grads, first, second *"+t+", blocks int, valid, c *"+t, "makes one step of Adam in the lanes that valid has all bits of.")
	p, g, first, second := pointer("params"), pointer("grads"), pointer("first"), pointer("second")
	n, valid, c := pointer("blocks"), pointer("valid"), pointer("c")
	bytes := GP64()
	IMUL3Q(imm(m.regs()), n, bytes)
	number := func(i int) VecVirtual {
		v := m.vec()
		m.broadcast(at(c, i*m.elem), v)
		return v
	}
	scale, rate, root, epsilon := number(0), number(1), number(2), number(3)
	keep1, keep2, add1, add2 := number(4), number(5), number(6), number(7)
	within := GP64()
	XORQ(within, within)
	loop("adam", bytes, func() {
		d, u, w, x := m.vec(), m.vec(), m.vec(), m.vec()
		lane := Mem{Base: valid, Index: within, Scale: 1}
		m.mul(at(g, 0), scale, d)
		m.and(lane, d, d)
		m.mul(d, add1, u)
		m.mul(at(first, 0), keep1, x)
		m.add(x, u, u)
		m.move(u, at(first, 0))
		m.mul(d, add2, w)
		m.mul(d, w, w)
		m.mul(at(second, 0), keep2, x)
		m.add(x, w, w)
		m.move(w, at(second, 0))
		m.sqrt(w, w)
		m.mul(root, w, w)
		m.add(epsilon, w, w)
		m.mul(rate, u, u)
		m.div(w, u, u)
		m.and(lane, u, u)
		m.move(at(p, 0), x)
		m.sub(u, x, x)
		m.move(x, at(p, 0))
		for _, r := range []Register{p, g, first, second} {
			ADDQ(imm(m.size), r)
		}
		ADDQ(imm(m.size), within)
		ANDQ(imm(m.panel()-1), within)
	})
	ret()
}
