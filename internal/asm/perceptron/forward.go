package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The fields of nn's step, in its order.
const (
	stepWeights = 8 * iota
	stepBias
	stepStride
	stepPanels
	stepWords
	stepX
	stepXRow
	stepMasks
	stepY
	stepYRow
	stepNext
	stepNextRow
	stepValid
	stepSize
)

// forward: nn's sums for layers one after the other, and its rectify.
func (m machine) forward() {
	m.function("forward", "steps *uint64, count, row int",
		"sends a row of a tape through count layers. A layer sets the panels of y to the biases plus the sum of x[k] times the panel of input k, over the inputs k whose bits are set in masks. Where valid is given, y becomes its ReLU in the lanes that valid has all bits of, 0 in the others, and the bits of next tell which are not 0.")
	step, local := pointer("steps"), AllocLocal(24)
	Label("layer")
	field := func(offset int) Register {
		r := GP64()
		MOVQ(at(step, offset), r)
		return r
	}
	ofRow := func(base, stride int) Register {
		r := GP64()
		MOVQ(place("row"), r)
		IMULQ(at(step, stride), r)
		ADDQ(at(step, base), r)
		return r
	}
	// A word of next, how many bits it has so far, and where it goes.
	done, shift, next := local, local.Offset(8), local.Offset(16)
	MOVQ(ofRow(stepNext, stepNextRow), next)
	MOVQ(U32(0), done)
	MOVQ(U32(0), shift)
	y, weights, stride := ofRow(stepY, stepYRow), field(stepWeights), field(stepStride)
	three := thrice(stride)
	valid, panels := field(stepValid), field(stepPanels)
	groups("forward", panels, m.most(), func(label string, size int) {
		sums := m.vecs(size * m.regs())
		bias := field(stepBias)
		ADDQ(weights, bias)
		for i, s := range sums {
			m.move(m.beside(bias, stride, three, i), s)
		}
		input, x := GP64(), ofRow(stepX, stepXRow)
		MOVQ(weights, input)
		masks, words := GP64(), field(stepWords)
		MOVQ(place("row"), masks)
		IMULQ(words, masks)
		SHLQ(Imm(3), masks)
		ADDQ(at(step, stepMasks), masks)
		Label(label + "_words")
		bits := GP64()
		MOVQ(at(masks, 0), bits)
		m.eachBit(label, bits, func(k Register) {
			v := m.vec()
			m.broadcast(Mem{Base: x, Index: k, Scale: uint8(m.elem)}, v)
			SHLQ(imm(m.shift()), k)
			ADDQ(input, k)
			for i, s := range sums {
				product := m.vec()
				m.mul(m.beside(k, stride, three, i), v, product)
				m.add(s, product, s)
			}
		})
		ADDQ(Imm(8), masks)
		ADDQ(imm(64*m.elem), x)
		ADDQ(imm(64*m.panel()), input)
		DECQ(words)
		JNZ(LabelRef(label + "_words"))

		TESTQ(valid, valid)
		JZ(LabelRef(label + "_sums"))
		all := GP64()
		for i, s := range sums {
			lanes := m.mask(at(valid, i*m.size))
			m.keepWhere(notBelow, s, lanes)
			m.move(m.only(s, lanes), at(y, i*m.size))
			part := m.bits(lanes)
			if i == 0 {
				MOVQ(part, all)
				continue
			}
			SHLQ(imm(i*m.per()), part)
			ORQ(part, all)
		}
		to, by := GP64(), GP64()
		MOVQ(next, to)
		MOVQ(shift, by)
		SHLXQ(by, all, all)
		ORQ(done, all)
		MOVQ(all, at(to, 0))
		MOVQ(all, done)
		ADDQ(imm(size*lanes), by)
		MOVQ(by, shift)
		CMPQ(by, Imm(64))
		JLT(LabelRef(label + "_more"))
		MOVQ(U32(0), done)
		MOVQ(U32(0), shift)
		ADDQ(Imm(8), next)
		Label(label + "_more")
		ADDQ(imm(size*m.panel()), valid)
		JMP(LabelRef(label + "_done"))
		Label(label + "_sums")
		for i, s := range sums {
			m.move(s, at(y, i*m.size))
		}
		Label(label + "_done")
		ADDQ(imm(size*m.panel()), y)
		for range size {
			ADDQ(stride, weights)
		}
	})
	ADDQ(imm(stepSize), step)
	DECQ(place("count"))
	JNZ(LabelRef("layer"))
	ret()
}

// eachBit calls body with the numbers of the bits that are set, ascending. It uses
// bits up.
func (m machine) eachBit(label string, bits Register, body func(k Register)) {
	TESTQ(bits, bits)
	JZ(LabelRef(label + "_none_left"))
	Label(label + "_bits")
	k := GP64()
	TZCNTQ(bits, k)
	body(k)
	BLSRQ(bits, bits)
	JNZ(LabelRef(label + "_bits"))
	Label(label + "_none_left")
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
	return strided(base, stride, three, i/m.regs()).Offset(i % m.regs() * m.size)
}

// strided is place i of up to four, the first at base, stride bytes apart.
func strided(base, stride, three Register, i int) Mem {
	at := Mem{Base: base}
	switch i {
	case 1:
		at.Index, at.Scale = stride, 1
	case 2:
		at.Index, at.Scale = stride, 2
	case 3:
		at.Index, at.Scale = three, 1
	}
	return at
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

// bits returns a mask as the low bits of a register.
func (m machine) bits(mask Op) Register {
	bits := GP64()
	switch {
	case m.wide():
		KMOVW(mask, bits.As32())
	case m.elem == 4:
		VMOVMSKPS(mask, bits.As32())
	default:
		VMOVMSKPD(mask, bits.As32())
	}
	return bits
}

// keepWhere takes the lanes out of a mask where x does not stand to 0 as said.
func (m machine) keepWhere(predicate uint8, x VecVirtual, mask Op) {
	f := m.pick(VCMPPS, VCMPPD)
	if m.wide() {
		f(U8(predicate), m.number(0)[0], x, mask, mask)
		return
	}
	m.and(m.compare(predicate, values{x}, m.number(0))[0], mask, mask)
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
