package jobs

import (
	"encoding/binary"
	"fmt"
	"slices"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/jobs/design"
)

// Bounds of a layout, far above what anybody compares, so that a hostile plan
// can't take the memory of a worker.
const (
	maxPairs    = 100_000
	maxPairRefs = 5_000_000 // factors of all pairs together
	maxParts    = 16        // of a crossed design
)

// layout is what points are computed from: points are numbered task by task,
// within a task arm by arm, within an arm row by row, the first factor slowest
// and the arm's own factors fastest. It is read-only once built.
type layout struct {
	tasks  []entry
	arms   []entry
	parts  []part
	partOf []int // by factor
	pairs  []pair
	points uint64
}

// entry is a task's or an arm's parameters.
type entry struct {
	label   string // as errors name it
	params  *param.Map
	schema  param.Schema
	env     envs.Factory   // of a task
	agent   agents.Factory // of an arm
	factors []int          // that params refer to, ascending
	slow    bool           // completed anew at every point; see Study.Resolve
}

// part is a design over some factors; parts are crossed.
type part struct {
	kind    string
	factors []int // ascending
	rows    uint64
	cube    design.Cube // of sampled parts
	cells   [][]cell    // of lists: by row and position in factors
}

// cell is a factor's value in a list.
type cell struct {
	level int // -1 for ranges
	value param.Value
}

// pair is a task with an arm that runs on it.
type pair struct {
	task, arm  int
	first      uint64 // its first point
	radix      design.Radix
	axes       []axis // one per digit
	factors    []int  // of task and arm, ascending
	env, agent []int  // positions in factors of those of the entries
}

// axis is a digit of a point's number within its pair.
type axis struct {
	part   *part
	slots  []int    // positions in the pair's factors that it sets
	column []int    // and their positions in the part's factors
	rows   []uint32 // of lists: the row that a digit stands for
	stride uint64   // what a step adds to Point.Row; 0 for an arm's own factors
}

// prepare builds the layout; it checks all that points depend on.
func (s *Study) prepare(cat *Catalog) error {
	l := &layout{}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		f := cat.Env(t.Env)
		if f == nil {
			return fmt.Errorf("there is no environment %q", t.Env)
		}
		e, err := s.entry("environment "+t.Label, t.Params, f.Schema())
		if err != nil {
			return err
		}
		e.env = f
		l.tasks = append(l.tasks, e)
	}
	for i := range s.Arms {
		a := &s.Arms[i]
		f := cat.Agent(a.Agent)
		if f == nil {
			return fmt.Errorf("there is no agent %q", a.Agent)
		}
		e, err := s.entry("arm "+a.Label, a.Params, f.Schema())
		if err != nil {
			return err
		}
		e.agent = f
		l.arms = append(l.arms, e)
	}
	if err := l.split(s); err != nil {
		return err
	}
	if err := l.pairUp(s); err != nil {
		return err
	}
	if _, ok := design.Product(l.points, s.Replications); !ok {
		return fmt.Errorf("%w: %d points, each %d times", errTooManyTrials, l.points, s.Replications)
	}
	s.layout = l
	return nil
}

// entry finds the factors that params refer to.
func (s *Study) entry(label string, params *param.Map, schema param.Schema) (entry, error) {
	e := entry{label: label, params: params, schema: schema}
	var err error
	eachRef(params, nil, func(r Ref, path []step) {
		if int(r) < 0 || int(r) >= len(s.Factors) {
			err = fmt.Errorf("%s refers to factor %d of %d", label, r, len(s.Factors))
			return
		}
		e.factors = append(e.factors, int(r))
		if path[len(path)-1].key == "faithful" || s.Factors[r].Kind == Normal {
			e.slow = true
		}
	})
	slices.Sort(e.factors)
	e.factors = slices.Compact(e.factors)
	return e, err
}

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
		columns := make([]string, len(p.factors))
		for i, f := range p.factors {
			columns[i] = s.Factors[f].address()
		}
		p.cube, err = design.New(p.kind, s.Seed, columns, p.rows)
	}
	return err
}

// list resolves the cells of a list.
func (p *part) list(s *Study, d *Design) error {
	p.rows = uint64(len(d.Rows))
	if len(d.Rows) == 0 || len(d.Of) == 0 {
		return fmt.Errorf("the list of the design has no rows or no factors")
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
