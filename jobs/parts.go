package jobs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"overnight/internal/param"
	"overnight/jobs/design"
)

// split builds the parts of the design.
func (l *layout) split(s *Study) error {
	designs := []Design{s.Design}
	if s.Design.Kind == CrossedDesign {
		if designs = s.Design.Parts; len(designs) > maxParts {
			return fmt.Errorf("the design has %d parts, more than %d", len(designs), maxParts)
		}
	}
	index := make(map[string]int, len(s.Factors))
	for i := range s.Factors {
		index[s.Factors[i].Name] = i
	}
	l.partOf = slices.Repeat([]int{-1}, len(s.Factors))
	for i := range designs {
		d := &designs[i]
		p := part{kind: d.Kind, rows: d.Points}
		for _, name := range d.Of {
			f, ok := index[name]
			if !ok {
				return fmt.Errorf("the design names factor %q, which is not there", name)
			}
			p.factors = append(p.factors, f)
		}
		if len(d.Of) == 0 && len(designs) == 1 && d.Kind != ListDesign {
			for f := range s.Factors {
				p.factors = append(p.factors, f)
			}
		}
		for _, f := range p.factors {
			if l.partOf[f] >= 0 {
				return fmt.Errorf("factor %s stands twice in the design", s.Factors[f].Name)
			}
			l.partOf[f] = i
		}
		if err := p.fill(s, d); err != nil {
			return err
		}
		l.parts = append(l.parts, p)
	}
	for f, p := range l.partOf {
		if p < 0 {
			return fmt.Errorf("factor %s is in no part of the design", s.Factors[f].Name)
		}
	}
	return nil
}

// fill makes the rows of a part and sorts its factors.
func (p *part) fill(s *Study, d *Design) (err error) {
	if p.kind != ListDesign {
		slices.Sort(p.factors)
	}
	switch p.kind {
	case GridDesign:
		for _, f := range p.factors {
			if s.Factors[f].continuous() {
				return fmt.Errorf("factor %s has no levels, which a grid needs", s.Factors[f].Name)
			}
		}
	case ListDesign:
		err = p.list(s, d)
	default:
		if len(p.factors) == 0 {
			return fmt.Errorf("nothing varies, so there is nothing for design %s to draw", p.kind)
		}
		for _, f := range p.factors {
			if why, _ := d.refuses(&s.Factors[f]); why != "" {
				return fmt.Errorf("factor %s %s", s.Factors[f].Name, why)
			}
		}
		var names []string
		names, p.dimensions = s.addresses(p.factors)
		p.spec = d.spec()
		p.design, err = design.New(p.spec, s.Seed, names)
	}
	return err
}

// list resolves the cells of a list.
func (p *part) list(s *Study, d *Design) error {
	p.rows = uint64(len(d.Rows))
	if len(d.Rows) == 0 || len(d.Of) == 0 {
		return errors.New("the list of the design has no rows or no factors")
	}
	levels := make([]map[string]int, len(p.factors))
	for i, f := range p.factors {
		levels[i] = map[string]int{}
		for l, level := range s.Factors[f].Levels {
			levels[i][string(param.AppendCanonical(nil, level.Value))] = l
		}
	}
	order := make([]int, len(p.factors))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return p.factors[a] - p.factors[b] })
	for r, row := range d.Rows {
		if len(row) != len(p.factors) {
			return fmt.Errorf("row %d of the design has %d values for %d factors", r+1, len(row), len(p.factors))
		}
		cells := make([]cell, 0, len(row))
		for _, i := range order {
			f, v := &s.Factors[p.factors[i]], row[i].Value
			c := cell{level: -1, value: v}
			if !f.continuous() {
				l, ok := levels[i][string(param.AppendCanonical(nil, v))]
				if !ok {
					return fmt.Errorf("row %d of the design gives factor %s a value that is none of its levels", r+1, f.Name)
				}
				c = cell{level: l, value: f.Levels[l].Value}
			} else if why := f.refuses(v); why != "" {
				return fmt.Errorf("row %d of the design gives factor %s a value that %s", r+1, f.Name, why)
			}
			cells = append(cells, c)
		}
		p.cells = append(p.cells, cells)
	}
	slices.Sort(p.factors)
	return nil
}

// distinct returns the rows of a list that differ in some of its factors, given
// by their positions, each time the first.
func (p *part) distinct(positions []int) []uint32 {
	seen := map[string]bool{}
	var rows []uint32
	var key []byte
	for r, cells := range p.cells {
		key = key[:0]
		for _, i := range positions {
			if c := cells[i]; c.level >= 0 {
				key = binary.AppendUvarint(append(key, 'l'), uint64(c.level))
			} else {
				key = param.AppendCanonical(key, c.value)
			}
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			rows = append(rows, uint32(r))
		}
	}
	return rows
}
