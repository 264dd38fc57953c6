package jobs

import (
	"fmt"
	"slices"

	"overnight/jobs/design"
	"overnight/jobs/internal/tree"
)

// designKeys are the keys of a kind of design beside kind and of.
func designKeys(kind string) []string {
	switch {
	case kind == design.Saltelli:
		return []string{"points", "second"}
	case kind == design.Morris:
		return []string{"points", "levels"}
	case drawn(kind):
		return []string{"points"}
	case kind == ListDesign:
		return []string{"rows"}
	}
	return nil
}

// pointsDoc says what points are.
func pointsDoc(kind string) string {
	switch kind {
	case design.Saltelli:
		return "Base samples; each has d + 2 rows for an arm with d factors. Powers of two are balanced."
	case design.Morris:
		return "Trajectories; each has d + 1 rows for an arm with d factors."
	case design.Sobol:
		return "Rows per arm. Powers of two are balanced."
	}
	return "Rows per arm."
}

// computedDesign reads what designs of package design's kinds have.
func (p *parser) computedDesign(n *tree.Node, d *Design, what string) {
	if len(p.s.Factors) == 0 {
		p.fail(n.Pos, "nothing varies, so there is nothing to draw", "write a factor, such as {uniform: [0, 1]}, where a value stands, or leave design out")
	}
	if drawn(d.Kind) {
		points := n.Lookup("points")
		if points == nil {
			p.fail(n.Pos, fmt.Sprintf("a design of kind %s needs its number of points", d.Kind), fmt.Sprintf("write design: {kind: %s, points: %d}", d.Kind, usualPoints(d.Kind)))
			return
		}
		var ok bool
		most := design.MaxPoints(d.Kind)
		if d.Points, ok = p.count(points, what+".points", 1); ok && d.Points > most {
			p.fail(points.Pos, fmt.Sprintf("%s.points is %d, and a design of kind %s has at most %d", what, d.Points, d.Kind, most), "use fewer points, or kind: random")
		}
	}
	if second := n.Lookup("second"); second != nil && d.Kind == design.Saltelli {
		v, _ := p.scalar(second)
		yes, ok := v.(bool)
		if !ok && second.Bad == nil {
			p.fail(second.Pos, what+".second is "+second.String()+", not true or false", "write second: true, or leave it out")
		}
		d.Second = yes
	}
	if d.Kind == design.Morris {
		d.Levels = design.DefaultLevels
		if levels := n.Lookup("levels"); levels != nil {
			v, ok := p.count(levels, what+".levels", 2)
			if ok && (v > design.MaxLevels || v%2 == 1) {
				p.fail(levels.Pos, fmt.Sprintf("%s.levels is %d, and the grid of a design of kind morris has an even number of levels, at most %d", what, v, design.MaxLevels), "write levels: 4, 6 or 8")
				return
			}
			d.Levels = int(v)
		}
	}
	for i := range p.s.Factors {
		f := &p.s.Factors[i]
		if len(d.Of) > 0 && !slices.Contains(d.Of, f.Name) || f.Kind == "" {
			continue
		}
		if broken, _ := f.check(); broken != "" {
			continue // and reported
		}
		if why, instead := d.refuses(f); why != "" {
			p.fail(p.defs[i].node.Pos, f.Name+" "+why, instead)
		}
	}
}

// usualPoints is a number of points to begin with.
func usualPoints(kind string) uint64 {
	if kind == design.Morris {
		return 20
	}
	return 256
}

// choose finds the best hypercube of designs of kind lhs.
func (p *parser) choose() {
	find := func(d *Design) {
		if d.Kind != design.LHS {
			return
		}
		var factors []int
		for i := range p.s.Factors {
			if len(d.Of) == 0 || slices.Contains(d.Of, p.s.Factors[i].Name) {
				factors = append(factors, i)
			}
		}
		names, _ := p.s.addresses(factors)
		d.Start = design.Choose(p.s.Seed, names, d.Points)
	}
	find(&p.s.Design)
	for i := range p.s.Design.Parts {
		find(&p.s.Design.Parts[i])
	}
}
