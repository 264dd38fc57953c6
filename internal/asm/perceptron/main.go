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
		m.forward()
		m.transfer()
		m.outer()
		m.squares()
		m.adam()
		m.transpose()
		m.product()
		m.columns()
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
func groups(name string, n Op, most int, body func(label string, size int)) {
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
