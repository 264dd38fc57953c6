package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tile is what of a product is in registers at once.
type tile struct {
	name, what         string
	rows, panels, regs int // and how many registers of a panel
}

func (m machine) tiles() []tile {
	one, half := tile{"panel", "one panel", 0, 1, m.regs()}, tile{"half", "the first half of one panel", 0, 1, m.regs() / 2}
	switch {
	case m.wide() && m.elem == 4:
		one.rows = 8
		return []tile{one, {"panels", "two panels, cPanel apart,", 8, 2, m.regs()}}
	case m.wide():
		one.rows, half.rows = 8, 8
	case m.elem == 4:
		one.rows, half.rows = 4, 8
	default:
		one.rows, half.rows = 2, 4
	}
	return []tile{one, half}
}

// product: nn's product, for half a panel, for one, or for two side by side.
func (m machine) product() {
	t := m.real()
	for _, tile := range m.tiles() {
		m.function(tile.name, "c *"+t+", cRow, cPanel int, init *"+t+", iRow, iPanel int, a *"+t+", aRow, aStep int, b *"+t+", bPanel, bStep int, rows, depth int",
			"sets "+tile.what+" of the rows of c to that of init (nil: 0) plus the sum over k of a's number at row aRow + k aStep times b's panel at k bStep.")
		c, init, a := pointer("c"), pointer("init"), pointer("a")
		groups("rows", pointer("rows"), tile.rows, func(label string, nr int) {
			m.tileOf(label, nr, tile.panels, tile.regs, c, init, a)
		})
		ret()
	}
}

// tileOf computes nr rows of regs registers of np panels and moves cp, ip and ap on.
func (m machine) tileOf(label string, nr, np, regs int, cp, ip, ap Register) {
	sums := m.vecs(nr * np * regs)
	// each calls f with the place of every register of the tile.
	each := func(base Register, row, panel string, f func(i int, at Mem)) {
		down, right := pointer(row), pointer(panel)
		if np == 1 {
			right = nil
		}
		for r := range nr {
			for p := range np {
				for v := range regs {
					where := Mem{Base: base, Disp: v * m.size}
					if p == 1 {
						where.Index, where.Scale = right, 1
					}
					f((r*np+p)*regs+v, where)
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
		factors := make([]VecVirtual, np*regs)
		for p := range np {
			for v := range regs {
				f := m.vec()
				where := Mem{Base: b, Disp: v * m.size}
				if p == 1 {
					where.Index, where.Scale = panel, 1
				}
				m.move(where, f)
				factors[p*regs+v] = f
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

// columns: the gradient of biases, nn's product with ones.
func (m machine) columns() {
	t := m.real()
	m.function("columns", "c *"+t+", cPanel int, b *"+t+", bStep, panels, rows int",
		"adds the rows of b, bStep bytes apart, to panels of c, cPanel bytes apart.")
	c, apart, first, step := pointer("c"), pointer("cPanel"), pointer("b"), pointer("bStep")
	three := thrice(apart)
	groups("columns", pointer("panels"), m.most(), func(label string, size int) {
		sums := m.vecs(size * m.regs())
		for i, s := range sums {
			m.move(m.beside(c, apart, three, i), s)
		}
		b := GP64()
		MOVQ(first, b)
		loop(label+"_rows", pointer("rows"), func() {
			for i, s := range sums {
				m.add(at(b, i*m.size), s, s)
			}
			ADDQ(step, b)
		})
		for i, s := range sums {
			m.move(s, m.beside(c, apart, three, i))
		}
		for range size {
			ADDQ(apart, c)
		}
		ADDQ(imm(size*m.panel()), first)
	})
	ret()
}
