package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rectify: nn's rectify.
func (m machine) rectify() {
	t := m.real()
	m.function("rectify", "y *"+t+", n int, values *"+t+", indices *int32) (count int", "replaces the n numbers of y by their ReLU and lists those that stay with their places; what is behind these in the last panel is written over.")
	y, n, values, indices := pointer("y"), pointer("n"), pointer("values"), pointer("indices")
	count, base := GP64(), GP64()
	XORQ(count, count)
	XORQ(base, base)
	zero := m.zero()
	per := m.per()

	// Places of the lanes, moved on by base.
	places, step := m.places()

	Label("rectify")
	CMPQ(n, Imm(0))
	JLE(LabelRef("rectify_end"))
	bits, valid := GP64(), GP64()
	// valid: the lanes below n.
	MOVQ(U32(uint32(1)<<per-1), valid)
	CMPQ(n, imm(per))
	JGE(LabelRef("rectify_whole"))
	MOVQ(n, RCX)
	MOVQ(U32(1), valid)
	SHLQ(CL, valid)
	DECQ(valid)
	Label("rectify_whole")
	x := m.vec()
	m.move(at(y, 0), x)
	if m.wide() {
		k := K()
		KMOVW(valid.As32(), k)
		m.pick(VCMPPS, VCMPPD)(U8(notBelow), zero, x, k, k)
		KMOVW(k, bits.As32())
		m.storeWide(x, k, valid, y, values, indices, places, count)
		VPADDD(step, places, places)
	} else {
		mask := m.vec()
		m.pick(VCMPPS, VCMPPD)(U8(notBelow), zero, x, mask)
		if m.elem == 4 {
			VMOVMSKPS(mask, bits.As32())
		} else {
			VMOVMSKPD(mask, bits.As32())
		}
		ANDQ(valid, bits)
		m.storeNarrow(x, mask, bits, y, values, indices, places, count, n)
		VPADDD(step, places, places)
	}
	POPCNTQ(bits, bits)
	ADDQ(bits, count)
	ADDQ(imm(m.size), y)
	SUBQ(imm(per), n)
	JMP(LabelRef("rectify"))
	Label("rectify_end")
	Store(count, ReturnIndex(0))
	ret()
}

// places returns the lanes' numbers as int32, and by how much they move.
func (m machine) places() (places, step VecVirtual) {
	vec := YMM
	switch m.per() {
	case 16:
		vec = ZMM
	case 4:
		vec = XMM
	}
	first := GLOBL("places"+m.name, RODATA|NOPTR)
	for i := range m.per() {
		DATA(4*i, U32(uint32(i)))
	}
	by := GLOBL("step"+m.name, RODATA|NOPTR)
	for i := range m.per() {
		DATA(4*i, U32(uint32(m.per())))
	}
	places, step = vec(), vec()
	if m.per() == 16 {
		VMOVDQU32(first, places)
		VMOVDQU32(by, step)
	} else {
		VMOVDQU(first, places)
		VMOVDQU(by, step)
	}
	return places, step
}

// storeWide writes the ReLU of x and the lists, with compressing instructions.
func (m machine) storeWide(x, k Op, valid, y, values, indices Register, places VecVirtual, count Register) {
	relu, list := m.vec(), m.vec()
	keep := K()
	KMOVW(valid.(GPVirtual).As32(), keep)
	if m.elem == 4 {
		VMOVAPS_Z(x, k, relu)
		VMOVUPS(relu, keep, at(y, 0))
		VCOMPRESSPS_Z(x, k, list)
	} else {
		VMOVAPD_Z(x, k, relu)
		VMOVUPD(relu, keep, at(y, 0))
		VCOMPRESSPD_Z(x, k, list)
	}
	m.move(list, Mem{Base: values, Index: count, Scale: uint8(m.elem)})
	if m.per() == 16 {
		where := ZMM()
		VPCOMPRESSD_Z(places, k, where)
		VMOVDQU32(where, Mem{Base: indices, Index: count, Scale: 4})
	} else {
		where := YMM()
		VPCOMPRESSD_Z(places, k, where)
		VMOVDQU(where, Mem{Base: indices, Index: count, Scale: 4})
	}
}

// storeNarrow does the same by a table of permutations.
func (m machine) storeNarrow(x, mask VecVirtual, bits, y, values, indices Register, places VecVirtual, count, n Register) {
	table := m.permutations()
	relu := m.vec()
	m.and(mask, x, relu)
	// Lanes beyond n are written too: they are padding, which holds 0 or what the
	// products of zero parameters are.
	m.blendPadding(x, relu, n)
	m.move(relu, at(y, 0))
	base := GP64()
	LEAQ(table, base)
	order := YMM()
	if m.elem == 4 {
		VPMOVZXBD(Mem{Base: base, Index: bits, Scale: 8}, order)
		list, where := YMM(), YMM()
		VPERMPS(x, order, list)
		VMOVUPS(list, Mem{Base: values, Index: count, Scale: 4})
		VPERMD(places, order, where)
		VMOVDQU(where, Mem{Base: indices, Index: count, Scale: 4})
		return
	}
	VPMOVZXBD(Mem{Base: base, Index: bits, Scale: 8}, order)
	list := YMM()
	VPERMPS(x, order, list) // halves of float64 in pairs
	VMOVUPD(list, Mem{Base: values, Index: count, Scale: 8})
	// The places by the even entries, halved: a second table.
	short := m.shortPermutations()
	LEAQ(short, base)
	shuffle, where := XMM(), XMM()
	SHLQ(Imm(4), bits)
	VMOVDQU(Mem{Base: base, Index: bits, Scale: 1}, shuffle)
	SHRQ(Imm(4), bits)
	VPSHUFB(shuffle, places, where)
	VMOVDQU(where, Mem{Base: indices, Index: count, Scale: 4})
}

// blendPadding keeps x in lanes beyond n.
func (m machine) blendPadding(x, relu VecVirtual, n Register) {
	table := GLOBL("tails"+m.name, RODATA|NOPTR)
	for i := range 2 * m.per() {
		w := uint64(0)
		if i < m.per() {
			w = 1<<64 - 1
		}
		if m.elem == 4 {
			DATA(4*i, U32(uint32(w)))
		} else {
			DATA(8*i, U64(w))
		}
	}
	left, base, tail := GP64(), GP64(), m.vec()
	per := GP64()
	MOVQ(U32(uint32(m.per())), per)
	MOVQ(n, left)
	CMPQ(left, per)
	CMOVQGT(per, left)
	SUBQ(left, per) // lanes of padding
	LEAQ(table, base)
	m.move(Mem{Base: base, Index: per, Scale: uint8(m.elem)}, tail)
	m.pick(func(o ...Op) { VBLENDVPS(o[0], o[1], o[2], o[3]) }, func(o ...Op) { VBLENDVPD(o[0], o[1], o[2], o[3]) })(tail, relu, x, relu)
}

// permutations: for each set of lanes, eight numbers of 32-bit lanes that bring
// these to the front.
func (m machine) permutations() Mem {
	table := GLOBL("front"+m.name, RODATA|NOPTR)
	at := 0
	for set := range 1 << m.per() {
		n := 0
		for lane := range m.per() {
			if set>>lane&1 == 0 {
				continue
			}
			for half := range m.elem / 4 {
				DATA(at+n, U8(uint8(lane*m.elem/4+half)))
				n++
			}
		}
		for ; n < 8; n++ {
			DATA(at+n, U8(0))
		}
		at += 8
	}
	return table
}

// shortPermutations: the same for four 32-bit numbers, as bytes for VPSHUFB.
func (m machine) shortPermutations() Mem {
	table := GLOBL("frontPlaces"+m.name, RODATA|NOPTR)
	at := 0
	for set := range 16 {
		n := 0
		put := func(lane int) {
			for b := range 4 {
				DATA(at+n, U8(uint8(4*lane+b)))
				n++
			}
		}
		for lane := range 4 {
			if set>>lane&1 == 1 {
				put(lane)
			}
		}
		for n < 16 {
			put(0)
		}
		at += 16
	}
	return table
}

// transpose: weights to rows of one output each.
func (m machine) transpose() {
	t := m.real()
	m.function("transpose", "to, from *"+t+", rowStride, inputs, outputs int", "writes the weights of one panel, from[k][j], to to[j][k], rows rowStride bytes apart.")
	to, from, stride := pointer("to"), pointer("from"), pointer("rowStride")
	inputs, outputs := pointer("inputs"), pointer("outputs")
	_ = outputs
	// Sixteen outputs at a time stand in one block: column by column.
	k := GP64()
	XORQ(k, k)
	Label("transpose")
	CMPQ(k, inputs)
	JGE(LabelRef("transpose_end"))
	row := GP64()
	MOVQ(to, row)
	for j := range lanes {
		x := GP64()
		if m.elem == 4 {
			MOVL(at(from, 4*j), x.As32())
			MOVL(x.As32(), Mem{Base: row, Index: k, Scale: 4})
		} else {
			MOVQ(at(from, 8*j), x)
			MOVQ(x, Mem{Base: row, Index: k, Scale: 8})
		}
		ADDQ(stride, row)
	}
	ADDQ(imm(m.panel()), from)
	INCQ(k)
	JMP(LabelRef("transpose"))
	Label("transpose_end")
	RET()
}
