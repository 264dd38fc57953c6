package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// softmax: nn's SoftmaxOf and its derivative for rows of a layer. Exponentials and
// quotients are taken side by side; the largest and the sums one after the other.
func (m machine) softmax() {
	t := m.real()
	move, largest := m.pick(VMOVSS, VMOVSD), m.pick(VMAXSS, VMAXSD)
	plus, times := m.pick(VADDSS, VADDSD), m.pick(VMULSS, VMULSD)

	m.function("softmax", "y *"+t+", row, panels, width int, valid *"+t+", rows int",
		"replaces each row of y, row bytes apart, by its softmax over the first width lanes. Lanes that valid has no bits of become 0 or no number.")
	y := pointer("y")
	loop("softmax", place("rows"), func() {
		top, sum := XMM(), XMM()
		move(at(y, 0), top)
		m.lanes("largest", y, func(at Mem) {
			x := XMM()
			move(at, x)
			largest(top, x, top) // top where the two don't compare
		})
		all := m.spread(top)
		m.registers("exponentials", func(offset Register) {
			x, e := Mem{Base: y, Index: offset, Scale: 1}, m.vec()
			valid := pointer("valid")
			m.and(Mem{Base: valid, Index: offset, Scale: 1}, m.exp(m.binary(m.sub, values{m.register(x)}, values{all}))[0].(VecVirtual), e)
			m.move(e, x)
		})
		zero := zeros()
		move(zero, sum)
		m.lanes("sum", y, func(at Mem) { plus(at, sum, sum) })
		all = m.spread(sum)
		m.registers("quotients", func(offset Register) {
			x := Mem{Base: y, Index: offset, Scale: 1}
			m.move(m.binary(m.div, values{m.register(x)}, values{all})[0], x)
		})
		ADDQ(place("row"), y)
	})
	ret()

	m.function("softmaxBack", "grad, y *"+t+", row, panels, width, rows int",
		"replaces grad by y (grad - the sum over the first width lanes of grad y) in each row, row bytes apart.")
	grad, y := pointer("grad"), pointer("y")
	loop("softmaxBack", place("rows"), func() {
		dot, zero := XMM(), zeros()
		move(zero, dot)
		apart := GP64()
		MOVQ(y, apart)
		SUBQ(grad, apart)
		m.lanes("dot", grad, func(at Mem) {
			x, of := XMM(), GP64()
			move(at, x)
			LEAQ(at, of)
			times(Mem{Base: of, Index: apart, Scale: 1}, x, x)
			plus(dot, x, dot)
		})
		all := m.spread(dot)
		m.registers("products", func(offset Register) {
			g, v := Mem{Base: grad, Index: offset, Scale: 1}, Mem{Base: y, Index: offset, Scale: 1}
			m.move(m.binary(m.mul, m.binary(m.sub, values{m.register(g)}, values{all}), values{v})[0], g)
		})
		ADDQ(place("row"), grad)
		ADDQ(place("row"), y)
	})
	ret()
}

// lanes calls body with the places of the first width numbers of a row.
func (m machine) lanes(label string, row Register, body func(at Mem)) {
	i, width := GP64(), pointer("width")
	XORQ(i, i)
	Label(label)
	body(Mem{Base: row, Index: i, Scale: uint8(m.elem)})
	INCQ(i)
	CMPQ(i, width)
	JLT(LabelRef(label))
}

// registers calls body with the offsets of the registers of a row's panels.
func (m machine) registers(label string, body func(offset Register)) {
	offset, end := GP64(), pointer("panels")
	IMUL3Q(imm(m.panel()), end, end)
	XORQ(offset, offset)
	Label(label)
	body(offset)
	ADDQ(imm(m.size), offset)
	CMPQ(offset, end)
	JLT(LabelRef(label))
}

// spread puts the number of x into all lanes.
func (m machine) spread(x VecVirtual) VecVirtual {
	all := m.vec()
	m.broadcast(x, all)
	return all
}
