package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
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
	if len(out) == 0 || g.keys > 0 {
		if len(out) > 0 {
			more, _ := g.sub(out).lines(width)
			lines = append(append(lines, ""), more...)
		}
		return lines, nil
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
// least important first.
func (g *grid) fit(width int) (lines []string, out []int) {
	cols := make([]int, len(g.cols))
	for i := range cols {
		cols[i] = i
	}
	if width <= 0 {
		return g.render(g.layouts(cols, false, 0)), nil
	}
	for _, squeeze := range []func() []laid{
		func() []laid { return g.layouts(cols, false, 0) },
		func() []laid { return g.layouts(cols, true, 0) },
		func() []laid { return g.layouts(cols, true, 16) },
	} {
		if l := squeeze(); wide(l) <= width {
			return g.render(l), nil
		}
	}
	for {
		drop := slices.MaxFunc(cols, func(a, b int) int { return cmp.Compare(g.cols[a].drop, g.cols[b].drop) })
		if g.cols[drop].drop == 0 {
			break
		}
		out = append(out, drop)
		cols = slices.DeleteFunc(cols, func(c int) bool { return c == drop })
		for _, limit := range []int{0, 16} {
			if l := g.layouts(cols, true, limit); wide(l) <= width {
				return g.render(l), out
			}
		}
	}
	for limit := 15; limit >= 4; limit-- {
		if l := g.layouts(cols, true, limit); wide(l) <= width || limit == 4 {
			lines = g.render(l)
			break
		}
	}
	for i := range lines {
		lines[i] = shorten(lines[i], width)
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

// shorten cuts s to width characters, the last one an ellipsis.
func shorten(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	r := []rune(s)
	return string(r[:max(width-1, 0)]) + "…"
}

// wrap breaks s between words into lines of at most width characters, 0 for any;
// lines after the first are indented. Blanks before s stay, and
// a line does not break at nbsp.
func wrap(s string, width, indent int) []string {
	if width <= 0 {
		return []string{s}
	}
	indent = min(indent, width/2)
	lead := s[:min(len(s)-len(strings.TrimLeft(s, " ")), width/2)]
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }) {
		for {
			switch {
			case line == "" && len(lines) == 0:
				line = lead + word
			case strings.TrimSpace(line) == "":
				line = strings.Repeat(" ", indent) + word
			default:
				line += " " + word
			}
			n := utf8.RuneCountInString(line)
			if n <= width {
				break
			}
			before := strings.TrimSuffix(line, word)
			if strings.TrimSpace(before) != "" { // the word goes on the next line
				lines = append(lines, strings.TrimRight(before, " "))
				line = ""
				continue
			}
			// A word longer than a line is cut.
			r := []rune(line)
			lines = append(lines, string(r[:width]))
			word, line = string(r[width:]), ""
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// clean makes a text of others fit for one line of a terminal: no control
// characters, which could move the cursor or change its colour.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// firstLine returns the first line of an error, at most 500 characters of it.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return shorten(strings.TrimSpace(s), 500)
}

// plural writes a count with its noun.
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
