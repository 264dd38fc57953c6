package report

import "strings"

// Sheet is a table as texts, for pages that lay tables out themselves. Numbers
// have the digits that their intervals support.
type Sheet struct {
	Title   string
	Columns []SheetColumn
	Rows    [][]string
	Notes   []string
}

// SheetColumn is the head of a sheet's column.
type SheetColumn struct {
	Name   string
	Number bool // its cells begin with a number or are "-"
}

// SheetOf returns a table as texts: at most 20 rows, or all. A table that is laid
// out in lines has a column without a name.
func SheetOf(t Table, all bool) Sheet {
	p := t.text(Style{All: all})
	s := Sheet{Title: strings.Join(p.title, " "), Notes: p.notes}
	for i := range s.Notes {
		s.Notes[i] = strings.ReplaceAll(s.Notes[i], nbsp, " ")
	}
	if p.grid == nil {
		s.Columns = []SheetColumn{{}}
		for _, line := range p.lines {
			s.Rows = append(s.Rows, []string{strings.ReplaceAll(line, nbsp, " ")})
		}
		return s
	}
	for _, c := range p.grid.cols {
		s.Columns = append(s.Columns, SheetColumn{Name: c.head, Number: c.parts != nil})
	}
	for _, row := range p.grid.rows {
		cells := make([]string, len(row))
		for i, t := range row {
			cells[i] = t.joined(p.grid.cols[i].parts)
		}
		s.Rows = append(s.Rows, cells)
	}
	return s
}

// joined writes a cell in one string: the numbers with what stands around them.
func (t text) joined(parts []string) string {
	if len(t) != len(parts)-1 {
		return strings.ReplaceAll(t[0], nbsp, " ")
	}
	var b strings.Builder
	for i, s := range t {
		b.WriteString(parts[i])
		b.WriteString(s)
	}
	b.WriteString(parts[len(t)])
	return strings.TrimSpace(b.String())
}
