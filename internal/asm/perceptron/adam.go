package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// adam: nn's adamStep. The numbers of c are scale, rate, root, epsilon, keep1,
// keep2, add1, add2.
func (m machine) adam() {
	s, most := &adam{machine: m}, 1
	if m.newton() {
		most = 3 // of so many roots the divider has time for one
	}
	s.kernel("adam", "makes one step of Adam in the lanes that valid has all bits of.", m.regs(), most)
}

// adamFour is adam where no block has more than four lanes in use: shorter registers
// divide faster. It needs no more than AVX2.
func (m machine) adamFour() {
	s := &adam{machine: machine{m.real()[len("float"):], 4 * m.elem, m.elem}}
	s.kernel("adamFour", "makes one step of Adam in the lanes that valid has all bits of; only the first four may be.", 1, 1)
}

// adam holds the registers of a kernel.
type adam struct {
	machine
	params, grads, first, second, valid Register
	lanes                               Op // with newton: those of valid
	numbers                             [8]VecVirtual
}

// newton tells whether most roots are computed by multiplications. The divider, which
// makes them else, is what the rest waits for.
func (m machine) newton() bool { return m.wide() && m.elem == 4 }

// kernel takes the first regs registers of each block, of up to most blocks at once.
func (s *adam) kernel(name, doc string, regs, most int) {
	t := s.real()
	s.function(name, "params, grads, first, second *"+t+", blocks int, valid, c *"+t, doc)
	s.params, s.grads, s.first, s.second, s.valid = pointer("params"), pointer("grads"), pointer("first"), pointer("second"), pointer("valid")
	n, c := pointer("blocks"), pointer("c")
	for i := range s.numbers {
		s.numbers[i] = s.vec()
		s.broadcast(at(c, i*s.elem), s.numbers[i])
	}
	if s.newton() {
		s.lanes = s.mask(at(s.valid, 0))
	}
	groups(name, n, most, func(label string, size int) {
		for r := range regs {
			s.step(label, r*s.size, size)
		}
		for _, p := range []Register{s.params, s.grads, s.first, s.second} {
			ADDQ(imm(size*s.panel()), p)
		}
	})
	ret()
}

// step is for the registers at an offset in so many blocks.
func (s *adam) step(label string, offset, blocks int) {
	scale, rate, root, epsilon := s.numbers[0], s.numbers[1], s.numbers[2], s.numbers[3]
	keep1, keep2, add1, add2 := s.numbers[4], s.numbers[5], s.numbers[6], s.numbers[7]
	lane := at(s.valid, offset)
	u, w := s.vecs(blocks), s.vecs(blocks)
	for i := range blocks {
		d, x, o := s.vec(), s.vec(), offset+i*s.panel()
		if s.newton() {
			VMULPS_Z(at(s.grads, o), scale, s.lanes, d)
		} else {
			s.mul(at(s.grads, o), scale, d)
			s.and(lane, d, d)
		}
		s.mul(d, add1, u[i])
		s.mul(at(s.first, o), keep1, x)
		s.add(x, u[i], u[i])
		s.move(u[i], at(s.first, o))
		s.mul(d, add2, w[i])
		s.mul(d, w[i], w[i])
		s.mul(at(s.second, o), keep2, x)
		s.add(x, w[i], w[i])
		s.move(w[i], at(s.second, o))
	}
	divided := w
	if s.newton() {
		divided = w[:blocks/3]
		s.roots(label, w[blocks/3:])
	}
	for _, w := range divided {
		s.sqrt(w, w)
	}
	for i := range blocks {
		x, o := s.vec(), offset+i*s.panel()
		s.mul(root, w[i], w[i])
		s.add(epsilon, w[i], w[i])
		s.mul(rate, u[i], u[i])
		s.div(w[i], u[i], u[i])
		s.move(at(s.params, o), x)
		if s.newton() {
			VSUBPS(u[i], x, s.lanes, x)
		} else {
			s.and(lane, u[i], u[i])
			s.sub(u[i], x, x)
		}
		s.move(x, at(s.params, o))
	}
}

// roots replaces each w by its root with VSQRTPS's bits. From y, near 1/root, one
// step of Newton's leads to g, near the root, and to h, near 1/(2 root); then
// g + h (w - g*g) is rounded once, as Markstein does it (IBM J. Res. Dev. 34, 1990;
// Cornea, Golliver and Markstein, "Correctness proofs outline for Newton-Raphson
// based floating-point divide and square root algorithms", 1999).
//
// VRSQRT14PS promises that y is within 2^-14 of 1/root, relatively, and processors
// may differ there. For any such y, g is within 1.1 units in the last place and h
// within 2^-23, so what is rounded last is within 2^-21 units of the root. Only
// where a midpoint of two numbers is as near could that round the other way: the
// few such w are tried with every y by nn's TestRootStarts.
//
// That holds in [2^-100, infinity): nothing overflows, and the last bit of g*g is at
// least 2^-148. In lanes of 0 the mask makes y, and with it all else, 0. Where there
// is any other number the divider takes all.
func (s *adam) roots(label string, w []VecVirtual) {
	const low = 0x1p-100
	lowest := s.word(uint64(math.Float32bits(low)))[0]
	span := s.word(uint64(math.Float32bits(float32(math.Inf(1))) - math.Float32bits(low)))[0]
	fine, g, h := make([]Op, len(w)), s.vecs(len(w)), s.vecs(len(w))
	for i, w := range w {
		x, zero := s.vec(), K()
		fine[i] = K()
		VPSUBD(lowest, w, x)
		VPCMPUD(U8(1), span, x, fine[i]) // LT
		VPTESTNMD(w, w, zero)
		KORTESTW(fine[i], zero)
		JCC(LabelRef(label + "_divide"))
	}
	for i, w := range w {
		VRSQRT14PS_Z(w, fine[i], h[i])
	}
	half := s.number(0.5)[0]
	for i, w := range w {
		VMULPS(w, h[i], g[i])
		VMULPS(half, h[i], h[i])
	}
	for i := range w {
		r := s.register(s.number(0.5)[0])
		VFNMADD231PS(g[i], h[i], r)
		VFMADD231PS(r, g[i], g[i])
		VFMADD231PS(r, h[i], h[i])
	}
	for i, w := range w {
		VFNMADD231PS(g[i], g[i], w)
		VFMADD213PS(g[i], h[i], w)
	}
	JMP(LabelRef(label + "_rooted"))
	Label(label + "_divide")
	for _, w := range w {
		s.sqrt(w, w)
	}
	Label(label + "_rooted")
}
