// Command peak writes loops of multiplications and additions that wait for nothing,
// which show how many a core can do.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// chains of each kind; a chain's next operation waits for its last, some four
// cycles, and two can begin in a cycle.
const chains = 8

func main() {
	ConstraintExpr("amd64")
	loop("peakAVX512", func() VecVirtual { return ZMM() }, VPXORQ)
	loop("peakAVX2", func() VecVirtual { return YMM() }, func(ops ...Op) { VPXOR(ops[0], ops[1], ops[2]) })
	Generate()
}

func loop(name string, vec func() VecVirtual, xor func(...Op)) {
	TEXT(name, NOSPLIT, "func(n int)")
	Pragma("noescape")
	Doc(name + " makes eight multiplications and eight additions of whole registers of float32, n times. n is above 0.")
	n := Load(Param("n"), GP64())
	var x [2 * chains]VecVirtual
	for i := range x {
		x[i] = vec()
		xor(x[i], x[i], x[i])
	}
	Label("again")
	for i := range chains {
		VMULPS(x[2*i], x[2*i], x[2*i])
		VADDPS(x[2*i+1], x[2*i+1], x[2*i+1])
	}
	DECQ(n)
	JNZ(LabelRef("again"))
	VZEROUPPER()
	RET()
}
