package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tile is how many rows and panels of a product are in registers at once.
func (m machine) tile() (rows, panels int) {
	switch {
	case m.wide() && m.elem == 4:
		return 8, 2
	case m.wide():
		return 8, 1
	case m.elem == 4:
		return 4, 1
	}
	return 2, 1
}

// product: nn's product, for one panel or for two side by side.
func (m machine) product() {
	t := m.real()
	rows, panels := m.tile()
	for np := 1; np <= panels; np++ {
		name := []string{"", "panel", "panels"}[np]
		m.function(name, "c *"+t+", cRow, cPanel int, init *"+t+", iRow, iPanel int, a *"+t+", aRow, aStep int, b *"+t+", bPanel, bStep int, rows, depth int",
			[]string{"", "sets one panel", "sets two panels, cPanel apart,"}[np]+" of the rows of c to that of init (nil: 0) plus the sum over k of a's number at row aRow + k aStep times b's panel at k bStep.")
		c, init, a := pointer("c"), pointer("init"), pointer("a")
		groups("rows", pointer("rows"), rows, func(label string, nr int) {
			m.tileOf(label, nr, np, c, init, a)
		})
		ret()
	}
}

// tileOf computes nr rows of np panels and moves cp, ip and ap on.
func (m machine) tileOf(label string, nr, np int, cp, ip, ap Register) {
	sums := m.vecs(nr * np * m.regs())
	// each calls f with the place of every register of the tile.
	each := func(base Register, row, panel string, f func(i int, at Mem)) {
		down, right := pointer(row), pointer(panel)
		if np == 1 {
			right = nil
		}
		for r := range nr {
			for p := range np {
				for v := range m.regs() {
					where := Mem{Base: base, Disp: v * m.size}
					if p == 1 {
						where.Index, where.Scale = right, 1
					}
					f((r*np+p)*m.regs()+v, where)
				}
			}
			ADDQ(down, base)
		}
	}
	TESTQ(ip, ip)
	JZ(LabelRef(label + "_zero"))
	each(ip, "iRow", "iPanel", func(i int, at Mem) { m.move(at, sums[i]) })
	JMP(LabelRef(label + "_begun"))
	Label(label + "_zero")
	m.clear(sums)
	Label(label + "_begun")

	row, step := pointer("aRow"), place("aStep")
	at, below, three := GP64(), GP64(), GP64()
	MOVQ(ap, at)
	LEAQ(Mem{Base: row, Index: row, Scale: 2}, three)
	LEAQ(Mem{Base: at, Index: row, Scale: 4}, below)
	panel, bStep := pointer("bPanel"), place("bStep")
	depth, b := pointer("depth"), pointer("b")
	loop(label+"_depth", depth, func() {
		factors := make([]VecVirtual, np*m.regs())
		for p := range np {
			for v := range m.regs() {
				f := m.vec()
				where := Mem{Base: b, Disp: v * m.size}
				if p == 1 {
					where.Index, where.Scale = panel, 1
				}
				m.move(where, f)
				factors[p*m.regs()+v] = f
			}
		}
		for r := range nr {
			x := m.vec()
			where := Mem{Base: at}
			if r >= 4 {
				where.Base = below
			}
			switch r % 4 {
			case 1:
				where.Index, where.Scale = row, 1
			case 2:
				where.Index, where.Scale = row, 2
			case 3:
				where.Index, where.Scale = three, 1
			}
			m.broadcast(where, x)
			for i, f := range factors {
				product := m.vec()
				s := sums[r*len(factors)+i]
				m.mul(f, x, product)
				m.add(product, s, s)
			}
		}
		ADDQ(step, at)
		ADDQ(step, below)
		ADDQ(bStep, b)
	})
	each(cp, "cRow", "cPanel", func(i int, at Mem) { m.move(sums[i], at) })
	for range nr {
		ADDQ(row, ap)
	}
}
