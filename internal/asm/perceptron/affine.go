package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// affine: nn's affine, for all panels of a layer; rectified: the same, then nn's
// rectify.
func (m machine) affine() {
	t := m.real()
	const sums = "the sum over i of values[i] times the panel at weights + indices[i] panels, and of the next panels, panelStride bytes apart"
	m.function("affine", "y, init, weights *"+t+", panels, panelStride int, values *"+t+", indices *int32, count int",
		"sets the panels of y to those of init plus "+sums+".")
	y := pointer("y")
	m.affinePanels("affine", func(regs []VecVirtual) {
		for i, s := range regs {
			m.move(s, at(y, i*m.size))
		}
		ADDQ(imm(len(regs)*m.size), y)
	})
	ret()

	m.function("rectified", "y, init, weights *"+t+", panels, panelStride int, values *"+t+", indices *int32, count int, valid, kept *"+t+", places *int32) (left int",
		"sets the panels of y to the ReLU of those of init plus "+sums+". In lanes that valid has all bits of, it lists what is not 0 with its places; in the others y becomes 0.")
	y = pointer("y")
	valid := pointer("valid")
	l := m.newList("kept", "places")
	m.affinePanels("rectified", func(regs []VecVirtual) {
		for i, s := range regs {
			mask := m.mask(at(valid, i*m.size))
			m.keepWhere(notBelow, s, mask)
			m.move(m.only(s, mask), at(y, i*m.size))
			l.append(s, mask)
		}
		ADDQ(imm(len(regs)*m.size), valid)
		ADDQ(imm(len(regs)*m.size), y)
	})
	Store(l.count, ReturnIndex(0))
	ret()

	m.function("list", "y *"+t+", panels int, kept *"+t+", places *int32) (left int", "lists the numbers of y that are not 0, with their places.")
	y = pointer("y")
	n := pointer("panels")
	IMUL3Q(imm(m.regs()), n, n)
	l = m.newList("kept", "places")
	loop("list", n, func() {
		x := m.vec()
		m.move(at(y, 0), x)
		l.append(x, m.compare(notEqual, x, m.number(0)))
		ADDQ(imm(m.size), y)
	})
	Store(l.count, ReturnIndex(0))
	ret()
}

const notEqual = 4 // NEQ_UQ

// affinePanels computes sums, group of panels by group, and gives them to use.
func (m machine) affinePanels(name string, use func(sums []VecVirtual)) {
	init, weights, stride := pointer("init"), pointer("weights"), pointer("panelStride")
	three := thrice(stride)
	groups(name, pointer("panels"), m.most(), func(label string, size int) {
		sums := m.vecs(size * m.regs())
		for i, s := range sums {
			if i > 0 && i%m.regs() == 0 {
				ADDQ(stride, init)
			}
			m.move(at(init, i%m.regs()*m.size), s)
		}
		ADDQ(stride, init)
		values, indices, count := pointer("values"), pointer("indices"), pointer("count")
		loop(label+"_loop", count, func() {
			k, x := GP64(), m.vec()
			MOVLQSX(at(indices, 0), k)
			SHLQ(imm(m.shift()), k)
			m.broadcast(at(values, 0), x)
			ADDQ(weights, k)
			for i, s := range sums {
				product := m.vec()
				m.mul(m.beside(k, stride, three, i), x, product)
				m.add(s, product, s)
			}
			ADDQ(Imm(4), indices)
			ADDQ(imm(m.elem), values)
		})
		use(sums)
		LEAQ(Mem{Base: weights, Index: stride, Scale: uint8(min(2, size))}, weights)
		if size == 4 {
			LEAQ(Mem{Base: weights, Index: stride, Scale: 2}, weights)
		}
	})
}

// shift: a panel has two to this bytes.
func (m machine) shift() int { return map[int]int{4: 6, 8: 7}[m.elem] }

// thrice returns three times n.
func thrice(n Register) Register {
	three := GP64()
	LEAQ(Mem{Base: n, Index: n, Scale: 2}, three)
	return three
}

// beside is register i of up to four panels, the first at base, stride bytes apart.
func (m machine) beside(base, stride, three Register, i int) Mem {
	at := Mem{Base: base, Disp: i % m.regs() * m.size}
	switch i / m.regs() {
	case 1:
		at.Index, at.Scale = stride, 1
	case 2:
		at.Index, at.Scale = stride, 2
	case 3:
		at.Index, at.Scale = three, 1
	}
	return at
}

// transfer: the sums under nn's back, over the rows of a tape. Those of a row are
// of the listed outputs, in the order of the list.
func (m machine) transfer() {
	t := m.real()
	m.function("transfer", "y *"+t+", yRow, panels int, weights *"+t+", rowStride int, deltas *"+t+", dRow int, units *int32, uRow int, counts *int32, rows int",
		"sets the panels of each row of y to the sum over the row's units j of deltas[j] times the panels at weights + j rowStride. Rows are yRow, dRow and uRow bytes apart.")
	row := pointer("rowStride")
	y, deltas, units, counts := pointer("y"), pointer("deltas"), pointer("units"), pointer("counts")
	loop("transfer", pointer("rows"), func() {
		to, weights := GP64(), pointer("weights")
		MOVQ(y, to)
		groups("transfer", pointer("panels"), min(8, 8/m.regs()), func(label string, size int) {
			sums := m.vecs(size * m.regs())
			m.clear(sums)
			unit, count := GP64(), GP64()
			MOVQ(units, unit)
			MOVLQSX(at(counts, 0), count)
			loop(label+"_loop", count, func() {
				k, x := GP64(), m.vec()
				MOVLQSX(at(unit, 0), k)
				m.broadcast(Mem{Base: deltas, Index: k, Scale: uint8(m.elem)}, x)
				IMULQ(row, k)
				for i, s := range sums {
					product := m.vec()
					m.mul(Mem{Base: weights, Index: k, Scale: 1, Disp: i * m.size}, x, product)
					m.add(s, product, s)
				}
				ADDQ(Imm(4), unit)
			})
			for i, s := range sums {
				m.move(s, at(to, i*m.size))
			}
			ADDQ(imm(size*m.panel()), to)
			ADDQ(imm(size*m.panel()), weights)
		})
		ADDQ(place("yRow"), y)
		ADDQ(place("dRow"), deltas)
		ADDQ(place("uRow"), units)
		ADDQ(Imm(4), counts)
	})
	ret()
}
