package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose: nn's turnPlain, in squares of eight float32 or four float64.
func (m machine) transpose() {
	t := m.real()
	m.function("transpose", "to, from *"+t+", rowStride, inputs, outputs int",
		"writes the weights of one panel, from[k][j], to to[j][k], rows rowStride bytes apart, for j below outputs. both are rounded up to whole squares of 32 bytes a side, the weights of what is no input being 0.")
	side := 32 / m.elem
	from, stride := pointer("from"), pointer("rowStride")
	to, outputs := pointer("to"), pointer("outputs")
	Label("outputs")
	CMPQ(outputs, Imm(0))
	JLE(LabelRef("outputs_end"))
	column, in, inputs := GP64(), GP64(), pointer("inputs")
	MOVQ(to, column)
	MOVQ(from, in)
	Label("inputs")
	CMPQ(inputs, Imm(0))
	JLE(LabelRef("inputs_end"))
	x := make([]VecVirtual, side)
	last := GP64() // of the rows that there are
	MOVQ(inputs, last)
	DECQ(last)
	SHLQ(imm(m.shift()), last)
	nothing := GP64()
	LEAQ(zeros(), nothing)
	for k := range x {
		// What would be behind the last input is padding.
		row := GP64()
		LEAQ(Mem{Base: in}.Offset(k*m.panel()), row)
		CMPQ(last, imm(k*m.panel()))
		CMOVQLT(nothing, row)
		x[k] = YMM()
		VMOVUPS(Mem{Base: row}, x[k])
	}
	row := GP64()
	MOVQ(column, row)
	for j, y := range m.turned(x) {
		VMOVUPS(y, Mem{Base: row})
		if j < side-1 {
			ADDQ(stride, row)
		}
	}
	ADDQ(Imm(32), column)
	ADDQ(imm(side*m.panel()), in)
	SUBQ(imm(side), inputs)
	JMP(LabelRef("inputs"))
	Label("inputs_end")
	ADDQ(Imm(32), from)
	for range side {
		ADDQ(stride, to)
	}
	SUBQ(imm(side), outputs)
	JMP(LabelRef("outputs"))
	Label("outputs_end")
	ret()
}

// turned returns the transposed square.
func (m machine) turned(x []VecVirtual) []VecVirtual {
	do := func(f func(y, x Op) VecVirtual, a, b VecVirtual) VecVirtual { return f(b, a) }
	halves := func(imm uint8) func(y, x Op) VecVirtual {
		return func(y, x Op) VecVirtual { z := YMM(); VPERM2F128(U8(imm), y, x, z); return z }
	}
	pairLow := func(y, x Op) VecVirtual { z := YMM(); VUNPCKLPD(y, x, z); return z }
	pairHigh := func(y, x Op) VecVirtual { z := YMM(); VUNPCKHPD(y, x, z); return z }
	if m.elem == 8 {
		a, b, c, d := do(pairLow, x[0], x[1]), do(pairHigh, x[0], x[1]), do(pairLow, x[2], x[3]), do(pairHigh, x[2], x[3])
		return []VecVirtual{do(halves(0x20), a, c), do(halves(0x20), b, d), do(halves(0x31), a, c), do(halves(0x31), b, d)}
	}
	low := func(y, x Op) VecVirtual { z := YMM(); VUNPCKLPS(y, x, z); return z }
	high := func(y, x Op) VecVirtual { z := YMM(); VUNPCKHPS(y, x, z); return z }
	var four [2][4]VecVirtual // rows 0 to 3 and 4 to 7; columns j and j+4 in the halves
	for h := range four {
		r := x[4*h:]
		a, b, c, d := do(low, r[0], r[1]), do(high, r[0], r[1]), do(low, r[2], r[3]), do(high, r[2], r[3])
		four[h] = [4]VecVirtual{do(pairLow, a, c), do(pairHigh, a, c), do(pairLow, b, d), do(pairHigh, b, d)}
	}
	y := make([]VecVirtual, 8)
	for j := range 4 {
		y[j] = do(halves(0x20), four[0][j], four[1][j])
		y[j+4] = do(halves(0x31), four[0][j], four[1][j])
	}
	return y
}
