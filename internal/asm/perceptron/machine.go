package main

import (
	"fmt"
	"sync"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes is nn.Lanes: the outputs of a panel.
const lanes = 16

// machine is a vector length and an element: bytes a register, bytes a number.
type machine struct {
	name       string // suffix of the functions
	size, elem int
}

func machines() []machine {
	return []machine{{"32AVX2", 32, 4}, {"32AVX512", 64, 4}, {"64AVX2", 32, 8}, {"64AVX512", 64, 8}}
}

func (m machine) wide() bool { return m.size == 64 }

// per is the number of lanes in a register, regs the registers of a panel, panel
// its bytes.
func (m machine) per() int   { return m.size / m.elem }
func (m machine) regs() int  { return lanes / m.per() }
func (m machine) panel() int { return lanes * m.elem }

// real is the element's Go type.
func (m machine) real() string { return fmt.Sprintf("float%d", 8*m.elem) }

func (m machine) vec() VecVirtual {
	switch m.size {
	case 64:
		return ZMM()
	case 32:
		return YMM()
	}
	return XMM()
}

func (m machine) vecs(n int) []VecVirtual {
	all := make([]VecVirtual, n)
	for i := range all {
		all[i] = m.vec()
	}
	return all
}

// pick returns the form of an instruction for the element.
func (m machine) pick(single, double func(...Op)) func(...Op) {
	if m.elem == 4 {
		return single
	}
	return double
}

func (m machine) add(ops ...Op)  { m.pick(VADDPS, VADDPD)(ops...) }
func (m machine) sub(ops ...Op)  { m.pick(VSUBPS, VSUBPD)(ops...) }
func (m machine) mul(ops ...Op)  { m.pick(VMULPS, VMULPD)(ops...) }
func (m machine) div(ops ...Op)  { m.pick(VDIVPS, VDIVPD)(ops...) }
func (m machine) sqrt(ops ...Op) { m.pick(VSQRTPS, VSQRTPD)(ops...) }
func (m machine) move(ops ...Op) { m.pick(VMOVUPS, VMOVUPD)(ops...) }

// broadcast puts one number into all lanes.
func (m machine) broadcast(from, to Op) {
	if m.elem == 4 {
		VBROADCASTSS(from, to)
		return
	}
	VBROADCASTSD(from, to)
}

// and is of bits.
func (m machine) and(x, y, z Op) {
	if m.wide() {
		VPANDQ(x, y, z)
		return
	}
	VPAND(x, y, z)
}

// clear zeroes registers from memory: an exclusive-or with itself counts as a use
// where registers are allocated, and keeps them taken all the way before it.
func (m machine) clear(regs []VecVirtual) {
	for _, r := range regs {
		m.move(zeros(), r)
	}
}

// zeros is a register's length of them.
var zeros = sync.OnceValue(func() Mem {
	z := GLOBL("zeros", RODATA|NOPTR)
	for i := range 8 {
		DATA(8*i, U64(0))
	}
	return z
})

// notBelow compares: y > 0, or y is not a number.
const notBelow = 22 // NLE_UQ

// load and others, short for parameters.
func pointer(name string) Register { return Load(Param(name), GP64()) }

// place is where a parameter lies.
func place(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func at(base Register, offset int) Mem { return Mem{Base: base}.Offset(offset) }

// loop counts n down to 0; it is passed over where n is 0.
func loop(name string, n Op, body func()) {
	CMPQ(n, Imm(0))
	JEQ(LabelRef(name + "_end"))
	Label(name)
	body()
	DECQ(n)
	JNZ(LabelRef(name))
	Label(name + "_end")
}

// imm is a constant in the shortest form that 64-bit instructions take.
func imm(n int) Constant {
	if n < 128 {
		return U8(n)
	}
	return U32(n)
}
