package jobs

import (
	"fmt"
	"slices"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// rows reads the rows of a list, each a mapping from factors to values.
func (p *parser) rows(n *tree.Node, d *Design, what string) {
	rows := n.Lookup("rows")
	example := "write rows: [{FACTOR: VALUE, ...}, ...]"
	if len(p.s.Factors) > 0 {
		example = "write rows: [{" + p.s.Factors[0].Name + ": VALUE, ...}, ...]"
	}
	switch {
	case rows == nil:
		p.fail(n.Pos, what+" is a list without rows", example)
		return
	case rows.Kind != tree.List || len(rows.Items) == 0:
		p.fail(rows.Pos, what+".rows is "+rows.String()+", not a list of rows", example)
		return
	}
	if len(d.Of) == 0 {
		for _, e := range rows.Items[0].Entries {
			if slices.Contains(p.s.Columns(), e.Key) {
				d.Of = append(d.Of, e.Key)
			}
		}
	}
	seen := map[string]int{}
	for i, item := range rows.Items {
		name := fmt.Sprintf("row %d of design", i+1)
		if item.Kind != tree.Mapping || len(item.Entries) == 0 {
			p.fail(item.Pos, name+" is "+item.String()+", not a mapping", "write {FACTOR: VALUE, ...}")
			continue
		}
		for _, e := range item.Entries {
			switch {
			case !slices.Contains(p.s.Columns(), e.Key):
				p.fail(e.Pos, fmt.Sprintf("%s names the factor %s, which is not there", name, tree.Shorten(e.Key, 40)), suggest(e.Key, "factors", p.s.Columns()))
			case !slices.Contains(d.Of, e.Key):
				p.fail(e.Pos, fmt.Sprintf("%s gives %s, which row 1 or `of` does not", name, e.Key), "give the same factors in every row")
			}
		}
		var row []Level
		var key []byte
		for _, f := range d.Of {
			v := item.Lookup(f)
			if v == nil {
				p.fail(item.Pos, fmt.Sprintf("%s has no value for %s", name, f), "give the same factors in every row")
				continue
			}
			l, ok := p.cell(v, name, f)
			if !ok {
				continue
			}
			row = append(row, l)
			key = param.AppendCanonical(key, l.Value)
		}
		if j, ok := seen[string(key)]; ok && len(row) == len(d.Of) {
			p.fail(item.Pos, fmt.Sprintf("%s repeats row %d", name, j), "leave it out; replications repeat a row")
		}
		seen[string(key)] = i + 1
		d.Rows = append(d.Rows, row)
	}
}

// cell reads a factor's value in a row: a level by its name or its value, or a
// number within a range.
func (p *parser) cell(n *tree.Node, row, factor string) (Level, bool) {
	f := &p.s.Factors[slices.Index(p.s.Columns(), factor)]
	if f.continuous() {
		v, ok := p.scalar(n)
		if n.Bad != nil {
			return Level{}, false
		}
		if i, isInt := v.(int64); isInt && f.Kind != IntUniform {
			v = float64(i)
		}
		if why := f.refuses(v); !ok || why != "" {
			if !ok {
				why = "is no number"
			}
			p.fail(n.Pos, fmt.Sprintf("%s gives %s %s, which %s", row, factor, n, why), "write a number that the factor can have")
			return Level{}, false
		}
		return Level{short(v), v}, true
	}
	for _, l := range f.Levels {
		if n.Kind == tree.Scalar && n.Text == l.Name {
			return l, true
		}
	}
	before := len(p.problems)
	key := string(param.AppendCanonical(nil, p.level(n, row)))
	if len(p.problems) > before {
		return Level{}, false
	}
	var names []string
	for _, l := range f.Levels {
		if string(param.AppendCanonical(nil, l.Value)) == key {
			return l, true
		}
		names = append(names, l.Name)
	}
	p.fail(n.Pos, fmt.Sprintf("%s gives %s %s, which is none of its levels", row, factor, n), suggest(n.Text, "levels", names))
	return Level{}, false
}
