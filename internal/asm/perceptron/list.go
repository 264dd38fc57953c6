package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// list is a list of numbers and of their places, as it grows. Stores are as long
// as a register; what they write behind the list is written over by the next.
type list struct {
	machine
	values, indices, count Register
	places, step           VecVirtual // numbers of the lanes, and by how much they move
}

// newList begins the list at the two parameters.
func (m machine) newList(values, indices string) *list {
	l := &list{machine: m, values: pointer(values), indices: pointer(indices), count: GP64()}
	XORQ(l.count, l.count)
	l.places, l.step = m.places()
	return l
}

// append adds the lanes of x that the mask has, and moves places on.
func (l *list) append(x VecVirtual, mask Op) {
	bits := GP64()
	if l.wide() {
		KMOVW(mask, bits.As32())
		l.compress(x, mask)
	} else {
		if l.elem == 4 {
			VMOVMSKPS(mask, bits.As32())
		} else {
			VMOVMSKPD(mask, bits.As32())
		}
		l.permute(x, bits)
	}
	VPADDD(l.step, l.places, l.places)
	POPCNTQ(bits, bits)
	ADDQ(bits, l.count)
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
	first := m.int32s("places", func(i int) uint32 { return uint32(i) })
	by := m.int32s("step", func(int) uint32 { return uint32(m.per()) })
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

var tables = map[string]Mem{}

// table returns the named table of a machine, which fill writes the first time.
func (m machine) table(name string, fill func()) Mem {
	name += m.name
	t, ok := tables[name]
	if !ok {
		t = GLOBL(name, RODATA|NOPTR)
		fill()
		tables[name] = t
	}
	return t
}

// int32s is a table of one number a lane.
func (m machine) int32s(name string, f func(i int) uint32) Mem {
	return m.table(name, func() {
		for i := range m.per() {
			DATA(4*i, U32(f(i)))
		}
	})
}

// compress has instructions for it.
func (l *list) compress(x VecVirtual, mask Op) {
	values := l.vec()
	if l.elem == 4 {
		VCOMPRESSPS_Z(x, mask, values)
	} else {
		VCOMPRESSPD_Z(x, mask, values)
	}
	l.move(values, Mem{Base: l.values, Index: l.count, Scale: uint8(l.elem)})
	to := Mem{Base: l.indices, Index: l.count, Scale: 4}
	if l.per() == 16 {
		where := ZMM()
		VPCOMPRESSD_Z(l.places, mask, where)
		VMOVDQU32(where, to)
	} else {
		where := YMM()
		VPCOMPRESSD_Z(l.places, mask, where)
		VMOVDQU(where, to)
	}
}

// permute does the same by a table of permutations.
func (l *list) permute(x VecVirtual, bits GPVirtual) {
	base := GP64()
	LEAQ(l.permutations(), base)
	order := YMM()
	VPMOVZXBD(Mem{Base: base, Index: bits, Scale: 8}, order)
	to := Mem{Base: l.indices, Index: l.count, Scale: 4}
	if l.elem == 4 {
		values, where := YMM(), YMM()
		VPERMPS(x, order, values)
		VMOVUPS(values, Mem{Base: l.values, Index: l.count, Scale: 4})
		VPERMD(l.places, order, where)
		VMOVDQU(where, to)
		return
	}
	values := YMM()
	VPERMPS(x, order, values) // halves of float64 in pairs
	VMOVUPD(values, Mem{Base: l.values, Index: l.count, Scale: 8})
	LEAQ(l.shortPermutations(), base)
	at, where := GP64(), XMM()
	MOVQ(bits, at)
	SHLQ(Imm(4), at)
	ADDQ(at, base)
	shuffle := XMM()
	VMOVDQU(Mem{Base: base}, shuffle)
	VPSHUFB(shuffle, l.places, where)
	VMOVDQU(where, to)
}

// permutations: for each set of lanes, eight numbers of 32-bit lanes that bring
// these to the front.
func (m machine) permutations() Mem {
	return m.table("front", func() {
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
	})
}

// shortPermutations: the same for four 32-bit numbers, as bytes for VPSHUFB.
func (m machine) shortPermutations() Mem {
	return m.table("frontPlaces", func() {
		for set := range 16 {
			n := 0
			put := func(lane int) {
				for b := range 4 {
					DATA(16*set+n, U8(uint8(4*lane+b)))
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
		}
	})
}
