package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// outer: nn's outer, over the rows of a tape and all panels of a layer, biases too.
func (m machine) outer() {
	t := m.real()
	m.function("outer", "grad *"+t+", bias, panels, panelStride int, values *"+t+", vRow int, units *int32, uRow int, counts *int32, deltas *"+t+", dRow int, valid, y *"+t+", yRow, rows int",
		"adds, row after row, the deltas to the biases, at grad + bias, and, for each unit k of the row's units, deltas times values[k] to the panels at grad + k panels; only in lanes that valid has all bits of, and where y is given those with y > 0 or no number. No gradient may be negative zero. Rows are vRow, uRow, dRow and yRow bytes apart.")
	grad, stride := pointer("grad"), pointer("panelStride")
	three := thrice(stride)
	// So many panels have their deltas and masks in registers.
	most := min(4, 4/m.regs())
	if m.wide() {
		most = min(4, 6/m.regs()) // masks k1 to k6
	}
	done := GP64() // bytes of the panels before the group
	XORQ(done, done)
	groups("outer", pointer("panels"), max(1, most), func(label string, size int) {
		values, units, counts := pointer("values"), pointer("units"), pointer("counts")
		deltas, y := pointer("deltas"), pointer("y")
		ADDQ(done, deltas)
		TESTQ(y, y)
		JZ(LabelRef(label + "_nil"))
		ADDQ(done, y)
		Label(label + "_nil")
		loop(label+"_rows", pointer("rows"), func() {
			d := m.vecs(size * m.regs())
			masks := make([]Op, len(d))
			valid := pointer("valid")
			ADDQ(done, valid)
			for i := range d {
				m.move(at(deltas, i*m.size), d[i])
				masks[i] = m.mask(at(valid, i*m.size))
			}
			TESTQ(y, y)
			JZ(LabelRef(label + "_all"))
			for i := range d {
				a := m.vec()
				m.move(at(y, i*m.size), a)
				m.keepWhere(notBelow, a, masks[i])
			}
			ADDQ(place("yRow"), y)
			Label(label + "_all")

			// accumulate adds x in the lanes to the panel at a.
			accumulate := func(a Mem, x VecVirtual, i int) {
				g := m.vec()
				if m.wide() {
					m.move(a, g)
					m.add(x, g, masks[i], g)
				} else {
					m.and(x, masks[i], g)
					m.add(a, g, g)
				}
				m.move(g, a)
			}
			bias := pointer("bias")
			ADDQ(grad, bias)
			for i := range d {
				accumulate(m.beside(bias, stride, three, i), d[i], i)
			}
			unit, count := GP64(), GP64()
			MOVQ(units, unit)
			MOVLQSX(at(counts, 0), count)
			loop(label+"_loop", count, func() {
				k, x := GP64(), m.vec()
				MOVLQSX(at(unit, 0), k)
				m.broadcast(Mem{Base: values, Index: k, Scale: uint8(m.elem)}, x)
				SHLQ(imm(m.shift()), k)
				ADDQ(grad, k)
				for i := range d {
					product := m.vec()
					m.mul(d[i], x, product)
					accumulate(m.beside(k, stride, three, i), product, i)
				}
				ADDQ(Imm(4), unit)
			})
			ADDQ(place("vRow"), values)
			ADDQ(place("uRow"), units)
			ADDQ(Imm(4), counts)
			ADDQ(place("dRow"), deltas)
		})
		for range size {
			ADDQ(stride, grad)
		}
		ADDQ(imm(size*m.panel()), done)
	})
	ret()
}

// mask returns the lanes whose bits are set in memory.
func (m machine) mask(at Mem) Op {
	v := m.vec()
	m.move(at, v)
	if !m.wide() {
		return v
	}
	k := K()
	if m.elem == 4 {
		VPTESTMD(v, v, k)
	} else {
		VPTESTMQ(v, v, k)
	}
	return k
}

// keepWhere takes the lanes out of a mask where x does not stand to 0 as said.
func (m machine) keepWhere(predicate uint8, x VecVirtual, mask Op) {
	f := m.pick(VCMPPS, VCMPPD)
	if m.wide() {
		f(U8(predicate), m.number(0), x, mask, mask)
		return
	}
	m.and(m.compare(predicate, x, m.number(0)).(VecVirtual), mask, mask)
}

// only returns x in the lanes of the mask, else 0.
func (m machine) only(x VecVirtual, mask Op) VecVirtual {
	z := m.vec()
	switch {
	case !m.wide():
		m.and(x, mask, z)
	case m.elem == 4:
		VMOVAPS_Z(x, mask, z)
	default:
		VMOVAPD_Z(x, mask, z)
	}
	return z
}
