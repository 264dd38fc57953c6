package jobs

import (
	"fmt"
	"slices"

	"overnight/jobs/design"
)

// drawn tells whether a kind draws points at random, so that it has a number of
// them.
func drawn(kind string) bool { return design.Drawn(kind) }

// computed tells whether package design makes the rows of a kind.
func computed(kind string) bool { return slices.Contains(design.Kinds(), kind) }

// spec is what package design needs of a design.
func (d *Design) spec() design.Spec {
	return design.Spec{Kind: d.Kind, Points: d.Points, Second: d.Second, Levels: d.Levels, Start: d.Start}
}

// column is what package design needs of a factor.
func (f *Factor) column() design.Column {
	return design.Column{Name: f.address(), Levels: len(f.Levels), Endless: f.Kind == Normal}
}

// refuses tells why a design of one of package design's kinds can't have a factor,
// and what to write instead; both are "" where it can.
func (d *Design) refuses(f *Factor) (why, instead string) {
	c, spec := f.column(), d.spec()
	if why, instead = spec.Refuses(&c); why != "" {
		return why, instead
	}
	if f.Kind == IntUniform && f.High-f.Low < 2 && (d.Kind == design.OAT || d.Kind == design.CCD) {
		return fmt.Sprintf("has the range [%s, %s], and design %s takes its middle as well as its ends", shortNumber(f.Low), shortNumber(f.High), d.Kind),
			"write three integers or more, or grid: [...]"
	}
	return "", ""
}

// addresses returns the addresses of some factors, each once, and the number of
// each factor's own. Their order is that of the factors, so that a factor that
// comes last in it moves no other.
func (s *Study) addresses(factors []int) (names []string, dimensions []int) {
	seen := map[string]int{}
	for _, f := range factors {
		a := s.Factors[f].address()
		if _, ok := seen[a]; !ok {
			seen[a] = len(names)
			names = append(names, a)
		}
		dimensions = append(dimensions, seen[a])
	}
	return names, dimensions
}

// groups returns how many numbers the part's rows add to Point.Row on a task: those
// of all factors that the task and its arms use. It writes the places of the
// factors that count in designs whose rows are no sample: an arm's own do not, as
// in grids.
func (l *layout) groups(s *Study, part int, used []int, places map[int]uint64) (uint64, error) {
	p := &l.parts[part]
	if !computed(p.kind) || drawn(p.kind) {
		return p.rows, nil
	}
	var factors []int
	var columns []design.Column
	for _, f := range used {
		if l.partOf[f] == part && s.Factors[f].Arm == "" {
			factors, columns = append(factors, f), append(columns, s.Factors[f].column())
		}
	}
	list, n, ok := design.Places(p.kind, columns)
	if !ok {
		return 0, errTooManyRows
	}
	for i, f := range factors {
		places[f] = list[i]
	}
	return n, nil
}

// drawsOf is what some factors of a part, given by their positions, have of its
// rows. places are by factor.
func (p *part) drawsOf(s *Study, positions []int, places map[int]uint64) (design.Rows, error) {
	columns := make([]design.Column, len(positions))
	for i, k := range positions {
		f := p.factors[k]
		columns[i] = s.Factors[f].column()
		columns[i].Dimension, columns[i].Place = p.dimensions[k], places[f]
	}
	return p.design.Rows(columns)
}
