package report

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// grid is a table of text that can be fitted to a width.
type grid struct {
	cols []column
	rows [][]text // one text a column
	// keys is how many columns name a row. Above 0, columns that don't fit follow
	// in a second table with the same keys instead of being left out.
	keys int
}

// column says how one column looks.
type column struct {
	head string
	// short replaces head where the table is too wide. Empty: head stays.
	short string
	// parts makes a column of numbers aligned at their decimal points, with
	// parts[0] before the first number, parts[i] between, and the last one behind.
	// Nil: text, aligned left.
	parts []string
	// drop orders the columns that may be left out, the highest first; 0: none.
	drop int
}

// minor is the drop from which a column alone is no reason for a second table.
const minor = 8

// text is the content of a cell: the numbers of a column with parts, or one
// string.
type text []string

// nbsp is a blank that no line breaks at; it is written as a plain one.
const nbsp = "\u00a0"

// gap is what stands between columns.
const gap = "  "

// lines lays the table out within width, 0 for any, and returns the heads of the
// columns that it left out. Where even that is too wide, names are shortened,
// and at last lines are cut.
func (g *grid) lines(width int) (lines, left []string) {
	lines, out := g.fit(width)
	trifling := !slices.ContainsFunc(out, func(c int) bool { return g.cols[c].drop < minor })
	if g.keys > 0 && !trifling {
		more, left := g.sub(out).lines(width)
		return append(append(lines, ""), more...), left
	}
	for _, c := range out {
		left = append(left, g.cols[c].head)
	}
	return lines, left
}

// sub returns the table of the keys and the given columns, of which the most
// important one is never left out.
func (g *grid) sub(cols []int) *grid {
	s := &grid{keys: g.keys}
	slices.Sort(cols)
	keep := slices.MinFunc(cols, func(a, b int) int { return cmp.Compare(g.cols[a].drop, g.cols[b].drop) })
	for k := range g.keys {
		cols = slices.Insert(cols, k, k)
	}
	for _, c := range cols {
		col := g.cols[c]
		if c == keep {
			col.drop = 0
		}
		s.cols = append(s.cols, col)
	}
	for _, row := range g.rows {
		r := make([]text, len(cols))
		for i, c := range cols {
			r[i] = row[c]
		}
		s.rows = append(s.rows, r)
	}
	return s
}

// fit lays out what fits into width and returns the columns that don't, the
// least important first. Columns of drop 1 and 2 go only when names are down to
// six characters.
func (g *grid) fit(width int) (lines []string, out []int) {
	cols := make([]int, len(g.cols))
	for i := range cols {
		cols[i] = i
	}
	if width <= 0 {
		return g.render(g.layouts(cols, false, 0)), nil
	}
	if l := g.layouts(cols, false, 0); wide(l) <= width {
		return g.render(l), nil
	}
	try := func(limits ...int) bool {
		for _, limit := range limits {
			if l := g.layouts(cols, true, limit); wide(l) <= width {
				lines = g.render(l)
				return true
			}
		}
		return false
	}
	drop := func(above int) bool {
		last := -1
		for i, c := range cols {
			if d := g.cols[c].drop; d > above && (last < 0 || d >= g.cols[cols[last]].drop) {
				last = i
			}
		}
		if last < 0 {
			return false
		}
		out = append(out, cols[last])
		cols = slices.Delete(cols, last, last+1)
		return true
	}
	fits := try(0, 16)
	for !fits && drop(2) {
		fits = try(0, 16)
	}
	if fits || try(15, 14, 13, 12, 11, 10, 9, 8, 7, 6) {
		return lines, out
	}
	for drop(0) {
		if try(12, 10, 8, 6) {
			return lines, out
		}
	}
	if !try(5, 4) {
		lines = g.render(g.layouts(cols, true, 4))
		for i := range lines {
			lines[i] = shorten(lines[i], width)
		}
	}
	return lines, out
}

// laid is a column with its cells padded to one width.
type laid struct {
	cells []string // the head first
	width int
}

func wide(cols []laid) int {
	w := len(gap) * max(len(cols)-1, 0)
	for _, c := range cols {
		w += c.width
	}
	return w
}

// layouts pads the given columns; limit shortens texts, 0 for not.
func (g *grid) layouts(cols []int, short bool, limit int) []laid {
	out := make([]laid, 0, len(cols))
	for _, c := range cols {
		out = append(out, g.layout(c, short, limit))
	}
	return out
}

func (g *grid) layout(c int, short bool, limit int) laid {
	col := &g.cols[c]
	head := col.head
	if short && col.short != "" {
		head = col.short
	}
	cells := []string{head}
	aligned := g.align(c)
	for r := range g.rows {
		cells = append(cells, aligned(g.rows[r][c]))
	}
	if limit > 0 && col.parts == nil {
		for i := range cells {
			cells[i] = shorten(cells[i], limit)
		}
	}
	l := laid{cells: cells}
	for _, s := range cells {
		l.width = max(l.width, utf8.RuneCountInString(s))
	}
	right := len(col.parts) == 2 // one number
	for i, s := range cells {
		pad := strings.Repeat(" ", l.width-utf8.RuneCountInString(s))
		if right {
			cells[i] = pad + s
		} else {
			cells[i] = s + pad
		}
	}
	return l
}

// align returns how a cell of column c is written, so that its numbers stand
// with their decimal points below each other.
func (g *grid) align(c int) func(text) string {
	parts := g.cols[c].parts
	if parts == nil {
		return func(t text) string { return t[0] }
	}
	n := len(parts) - 1
	before, after := make([]int, n), make([]int, n)
	for _, row := range g.rows {
		if len(row[c]) != n || n == 1 && row[c][0] == none {
			continue
		}
		for i, s := range row[c] {
			dot := point(s)
			before[i], after[i] = max(before[i], dot), max(after[i], utf8.RuneCountInString(s)-dot)
		}
	}
	return func(t text) string {
		if len(t) != n {
			return t[0]
		}
		var b strings.Builder
		b.WriteString(parts[0])
		for i, s := range t {
			if n == 1 && s == none {
				return s
			}
			dot := point(s)
			pad := strings.Repeat(" ", after[i]-(utf8.RuneCountInString(s)-dot))
			b.WriteString(strings.Repeat(" ", before[i]-dot) + s)
			if strings.HasPrefix(parts[i+1], " ") {
				b.WriteString(pad + parts[i+1])
			} else { // a comma or a bracket follows its number at once
				b.WriteString(parts[i+1] + pad)
			}
		}
		return b.String()
	}
}

// point returns how many characters stand before a number's decimal point.
func point(s string) int {
	if i := strings.IndexAny(s, ".e"); i >= 0 {
		return utf8.RuneCountInString(s[:i])
	}
	return utf8.RuneCountInString(s)
}

func (g *grid) render(cols []laid) []string {
	lines := make([]string, len(g.rows)+1)
	for i := range lines {
		cells := make([]string, len(cols))
		for c := range cols {
			cells[c] = cols[c].cells[i]
		}
		lines[i] = strings.TrimRight(strings.Join(cells, gap), " ")
	}
	return lines
}
