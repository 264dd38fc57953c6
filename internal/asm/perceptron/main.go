// Command perceptron writes the vector kernels of package nn: for rows, one at a
// time, and for updates. Each has the bits of the plain Go that its comment names:
// lanes are outputs, sums run in the order stated there, products are rounded
// before they are added.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func main() {
	ConstraintExpr("amd64")
	for _, m := range machines() {
		m.forward()
		m.transfer()
		m.outer()
		m.adam()
		m.transpose()
		m.product()
		m.columns()
		m.activations()
		m.softmax()
		if !m.wide() {
			m.squares()
			m.adamFour()
		}
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

// squares: the sums under nn.Norm. Longer registers are slower: each addition waits
// for the one before it, and takes longer there.
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
