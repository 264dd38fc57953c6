package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Both kernels go over blocks of rows, and in a block over the units that matter in
// any of its rows. Days that follow one another have nearly the same ones.

// side is how many panels, and how many rows, have registers for each pair.
func (m machine) side() (panels, rows int) {
	if m.wide() {
		return 4 / m.regs(), 4
	}
	return 1, 8 / m.regs()
}

// union returns the bits that any of the rows has in the word at masks.
func union(masks Register, rows int) Register {
	bits := GP64()
	MOVQ(at(masks, 0), bits)
	if rows > 1 {
		row := pointer("mRow")
		three := thrice(row)
		for r := 1; r < rows; r++ {
			ORQ(strided(masks, row, three, r), bits)
		}
	}
	return bits
}

// skip moves pointers to the rows of a parameter on.
func skip(row string, rows int, pointers ...string) {
	bytes := pointer(row)
	IMUL3Q(imm(rows), bytes, bytes)
	for _, p := range pointers {
		ADDQ(bytes, place(p))
	}
}

// from returns a parameter plus n.
func from(name string, n Register) Register {
	p := pointer(name)
	ADDQ(n, p)
	return p
}

// transfer: the sums under nn's back.
func (m machine) transfer() {
	t := m.real()
	m.function("transfer", "below *"+t+", bRow, panels int, weights *"+t+", wRow int, deltas *"+t+", dRow int, masks *uint64, mRow, words int, y *"+t+", rows int",
		"sets the panels of each row of below to the sum of deltas[j] times the panels at weights + j wRow, over the units j whose bits are set in the masks of the row or of those beside it. Where y is given, what its row has 0 for becomes 0. Rows are bRow, dRow and mRow bytes apart, those of y bRow.")
	panels, rows := m.side()
	groups("block", place("rows"), rows, func(block string, rows int) {
		column := GP64() // bytes of the panels before
		XORQ(column, column)
		groups(block+"_panels", pointer("panels"), panels, func(label string, size int) {
			n := size * m.regs()
			sums := m.vecs(rows * n)
			m.clear(sums)
			weights, deltas, masks := from("weights", column), pointer("deltas"), pointer("masks")
			words, dRow := pointer("words"), pointer("dRow")
			dThree := thrice(dRow)
			Label(label + "_words")
			m.eachBit(label, union(masks, rows), func(k Register) {
				d := GP64()
				LEAQ(Mem{Base: deltas, Index: k, Scale: uint8(m.elem)}, d)
				IMULQ(place("wRow"), k)
				w := m.vecs(n)
				for i := range w {
					m.move(Mem{Base: weights, Index: k, Scale: 1, Disp: i * m.size}, w[i])
				}
				for r := range rows {
					x := m.vec()
					m.broadcast(strided(d, dRow, dThree, r), x)
					for i := range w {
						product := m.vec()
						m.mul(w[i], x, product)
						m.add(sums[r*n+i], product, sums[r*n+i])
					}
				}
			})
			ADDQ(Imm(8), masks)
			ADDQ(imm(64*m.elem), deltas)
			after := pointer("wRow")
			SHLQ(Imm(6), after)
			ADDQ(after, weights)
			DECQ(words)
			JNZ(LabelRef(label + "_words"))

			bRow := pointer("bRow")
			bThree := thrice(bRow)
			below := from("below", column)
			y := pointer("y")
			TESTQ(y, y)
			JZ(LabelRef(label + "_all"))
			ADDQ(column, y)
			for i, s := range sums {
				v := m.vec()
				m.move(strided(y, bRow, bThree, i/n).Offset(i%n*m.size), v)
				m.move(m.only(s, m.compare(notEqual, values{v}, m.number(0))[0]), strided(below, bRow, bThree, i/n).Offset(i%n*m.size))
			}
			JMP(LabelRef(label + "_done"))
			Label(label + "_all")
			for i, s := range sums {
				m.move(s, strided(below, bRow, bThree, i/n).Offset(i%n*m.size))
			}
			Label(label + "_done")
			ADDQ(imm(size*m.panel()), column)
		})
		skip("bRow", rows, "below")
		skip("dRow", rows, "deltas")
		skip("mRow", rows, "masks")
		CMPQ(place("y"), Imm(0))
		JEQ(LabelRef(block + "_nil"))
		skip("bRow", rows, "y")
		Label(block + "_nil")
	})
	ret()
}

const notEqual = 4 // NEQ_UQ

// outer: nn's outer, biases too.
func (m machine) outer() {
	t := m.real()
	m.function("outer", "grad *"+t+", bias, panels, panelStride int, values *"+t+", vRow int, masks *uint64, mRow, words int, deltas *"+t+", dRow, rows int",
		"adds, row after row, the deltas to the biases, at grad + bias, and deltas times values[k] to the panels at grad + k panels, for the units k whose bits are set in the masks of the row or of those beside it. No gradient may be negative zero. Rows are vRow, mRow and dRow bytes apart.")
	stride := pointer("panelStride")
	three := thrice(stride)
	panels, rows := m.side()
	groups("outer", place("panels"), panels, func(group string, size int) {
		n := size * m.regs()
		values, masks, deltas := pointer("values"), pointer("masks"), pointer("deltas")
		groups(group+"_block", pointer("rows"), rows, func(label string, rows int) {
			dRow := pointer("dRow")
			dThree := thrice(dRow)
			d := m.vecs(rows * n)
			for i := range d {
				m.move(strided(deltas, dRow, dThree, i/n).Offset(i%n*m.size), d[i])
			}
			for range rows {
				ADDQ(dRow, deltas)
			}
			grad := pointer("grad")
			bias := from("bias", grad)
			g := m.vecs(n)
			for i := range g {
				m.move(m.beside(bias, stride, three, i), g[i])
				for r := range rows {
					m.add(d[r*n+i], g[i], g[i])
				}
				m.move(g[i], m.beside(bias, stride, three, i))
			}
			value, words, vRow := GP64(), pointer("words"), pointer("vRow")
			MOVQ(values, value)
			vThree := thrice(vRow)
			Label(label + "_words")
			m.eachBit(label, union(masks, rows), func(k Register) {
				v := GP64()
				LEAQ(Mem{Base: value, Index: k, Scale: uint8(m.elem)}, v)
				SHLQ(imm(m.shift()), k)
				ADDQ(grad, k)
				g := m.vecs(n)
				for i := range g {
					m.move(m.beside(k, stride, three, i), g[i])
				}
				for r := range rows {
					x := m.vec()
					m.broadcast(strided(v, vRow, vThree, r), x)
					for i := range g {
						product := m.vec()
						m.mul(d[r*n+i], x, product)
						m.add(product, g[i], g[i])
					}
				}
				for i := range g {
					m.move(g[i], m.beside(k, stride, three, i))
				}
			})
			ADDQ(Imm(8), masks)
			ADDQ(imm(64*m.elem), value)
			ADDQ(imm(64*m.panel()), grad)
			DECQ(words)
			JNZ(LabelRef(label + "_words"))
			for range rows { // masks has walked one row
				ADDQ(vRow, values)
			}
			for range rows - 1 {
				ADDQ(place("mRow"), masks)
			}
		})
		ADDQ(imm(size*m.panel()), place("deltas"))
		bytes := GP64()
		IMUL3Q(imm(size), stride, bytes)
		ADDQ(bytes, place("grad"))
	})
	ret()
}
