package nn

import "overnight/internal/fp"

// product is a matrix product in panels of Lanes columns: panel p of row r of c
// becomes that of init plus the sum over k, ascending, of a[r][k] times panel p of
// b's row k. Strides are in numbers; init nil is zero, and may be
// c. What lies behind the last column is written or not.
type product[T fp.Float] struct {
	c                    []T
	cRow, cPanel         int
	init                 []T
	iRow, iPanel         int
	a                    []T
	aRow, aStep          int
	b                    []T
	bPanel, bStep        int
	rows, columns, depth int
}

// multiply computes p, with vector instructions where the network uses them.
func (n *Net[T]) multiply(p product[T]) {
	if n.kernels == nil {
		p.plain()
		return
	}
	k := n.kernels
	size := sizeof[T](1)
	var init *T
	for at := 0; at*Lanes < p.columns; {
		kernel, wide := k.panel, 1
		switch left := p.columns - at*Lanes; {
		case left > Lanes && k.panels != nil:
			kernel, wide = k.panels, 2
		case left <= Lanes/2:
			kernel = k.half
		}
		if p.init != nil {
			init = &p.init[at*p.iPanel]
		}
		kernel(&p.c[at*p.cPanel], p.cRow*size, p.cPanel*size, init, p.iRow*size, p.iPanel*size,
			&p.a[0], p.aRow*size, p.aStep*size, &p.b[at*p.bPanel], p.bPanel*size, p.bStep*size, p.rows, p.depth)
		at += wide
	}
}

// plain is the product without vector instructions, and what its bits are. Eight
// lanes at a time fit the registers.
func (p *product[T]) plain() {
	for panel := range blocks(p.columns) {
		for r := range p.rows {
			for half := 0; half < min(Lanes, p.columns-panel*Lanes); half += 8 {
				var s [8]T
				if p.init != nil {
					s = [8]T(p.init[panel*p.iPanel+r*p.iRow+half:])
				}
				p.eight(&s, r*p.aRow, panel*p.bPanel+half)
				*(*[8]T)(p.c[panel*p.cPanel+r*p.cRow+half:]) = s
			}
		}
	}
}

func (p *product[T]) eight(s *[8]T, a, b int) {
	s0, s1, s2, s3, s4, s5, s6, s7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for range p.depth {
		x, w := p.a[a], (*[8]T)(p.b[b:])
		s0 = T(x*w[0]) + s0
		s1 = T(x*w[1]) + s1
		s2 = T(x*w[2]) + s2
		s3 = T(x*w[3]) + s3
		s4 = T(x*w[4]) + s4
		s5 = T(x*w[5]) + s5
		s6 = T(x*w[6]) + s6
		s7 = T(x*w[7]) + s7
		a += p.aStep
		b += p.bStep
	}
	*s = [8]T{s0, s1, s2, s3, s4, s5, s6, s7}
}
