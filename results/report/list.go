package report

// List is a table of texts that others fill: it is fitted to a width as the
// tables of this package are.
type List struct {
	Title   string
	Columns []ListColumn
	Rows    [][]string // one text a column
	Notes   []string
}

// ListColumn is a column of a List.
type ListColumn struct {
	Name   string
	Number bool // aligned at the decimal point
	// Spare columns are the first to go to a second table where the width is short.
	Spare bool
}

var _ Table = (*List)(nil)

func (l *List) text(Style) *page {
	g := &grid{keys: 1}
	for _, c := range l.Columns {
		col := column{head: c.Name}
		if c.Number {
			col.parts = []string{"", ""}
		}
		if c.Spare {
			col.drop = 4
		}
		g.cols = append(g.cols, col)
	}
	for _, cells := range l.Rows {
		row := make([]text, len(cells))
		for i, c := range cells {
			row[i] = text{clean(c)}
		}
		g.rows = append(g.rows, row)
	}
	return &page{title: []string{l.Title}, grid: g, notes: l.Notes}
}

func (l *List) header() []string {
	names := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		names[i] = c.Name
	}
	return names
}

func (l *List) each(yield func([]any) bool) {
	for _, cells := range l.Rows {
		row := make([]any, len(cells))
		for i, c := range cells {
			row[i] = c
		}
		if !yield(row) {
			return
		}
	}
}

func (l *List) json() any {
	rows := make([]levels, len(l.Rows))
	for i := range l.Rows {
		rows[i] = levels{l.header(), l.Rows[i]}
	}
	return struct {
		Rows  []levels `json:"rows"`
		Notes []string `json:"notes"`
	}{rows, l.Notes}
}
