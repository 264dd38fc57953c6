package jobs

import (
	"fmt"
	"slices"

	"overnight/jobs/design"
	"overnight/jobs/internal/tree"
)

// designKinds are what `design` takes in this version.
func designKinds() []string { return append([]string{GridDesign, ListDesign}, design.Kinds()...) }

// designs reads `design`.
func (p *parser) designs() {
	n := p.root.Lookup("design")
	if n == nil {
		p.s.Design = Design{Kind: GridDesign}
		p.noRanges(nil, "write grid: [...], or add design: {kind: random, points: 256}")
		return
	}
	all := p.s.Columns()
	if n.Kind != tree.List {
		if d, ok := p.design(n, "design"); ok {
			p.s.Design = d
			p.covered(n, d.Of, all, len(d.Of) > 0)
		}
		return
	}
	p.s.Design = Design{Kind: CrossedDesign}
	var of []string
	for i, item := range n.Items {
		d, ok := p.design(item, fmt.Sprintf("part %d of design", i+1))
		if ok && len(d.Of) == 0 {
			p.fail(item.Pos, fmt.Sprintf("part %d of design names no factors", i+1), "write of: [...] with some of "+enumerate(all, 12))
			ok = false
		}
		if !ok {
			return
		}
		for _, f := range d.Of {
			if slices.Contains(of, f) {
				p.fail(item.Pos, "two parts of design vary "+f, "name it in one of them")
			}
		}
		of = append(of, d.Of...)
		p.s.Design.Parts = append(p.s.Design.Parts, d)
	}
	switch {
	case len(n.Items) == 0:
		p.fail(n.Pos, "design is an empty list", "write design: grid, or a list of parts")
	case len(n.Items) > maxParts:
		p.fail(n.Pos, fmt.Sprintf("design has more than %d parts", maxParts), "put factors together in one part")
	}
	p.covered(n, of, all, true)
}

// covered checks that a design that names factors names all of them.
func (p *parser) covered(n *tree.Node, of, all []string, named bool) {
	for i, f := range all {
		if named && !slices.Contains(of, f) {
			part := fmt.Sprintf("{kind: grid, of: [%s]}", f)
			if p.s.Factors[i].continuous() { // a range, which has no grid
				part = fmt.Sprintf("{kind: random, points: 256, of: [%s]}", f)
			}
			instead := "add " + part + ", or name it in a part"
			if n.Kind != tree.List {
				instead = "name it in of too, or write a list of parts: design: [{kind: ..., of: [...]}, " + part + "]"
			}
			p.fail(n.Pos, fmt.Sprintf("the factor %s, given %s, is in no part of design", f, placeOf(p.defs[i].node.Pos)), instead)
		}
	}
}

// noRanges refuses factors without levels; of names those of a part, nil all.
func (p *parser) noRanges(of []string, instead string) {
	for i := range p.s.Factors {
		f := &p.s.Factors[i]
		if f.continuous() && f.Kind != "" && (of == nil || slices.Contains(of, f.Name)) {
			p.fail(p.defs[i].node.Pos, fmt.Sprintf("%s is drawn from a range (%s), and a grid design needs levels", f.Name, f.Kind), instead)
		}
	}
}

// design reads one design or part.
func (p *parser) design(n *tree.Node, what string) (d Design, ok bool) {
	before := len(p.problems)
	kind := n
	if n.Kind == tree.Mapping {
		if kind = n.Lookup("kind"); kind == nil {
			p.fail(n.Pos, what+" has no kind", "add kind: with one of "+enumerate(designKinds(), 12))
			return d, false
		}
	}
	if !p.designKind(kind, what) {
		return d, false
	}
	d.Kind = kind.Text
	keys := append([]string{"kind", "of"}, designKeys(d.Kind)...)
	if n.Kind == tree.Mapping {
		p.mapping(n, "a design of kind "+d.Kind, "{kind: "+d.Kind+", ...}", keys...)
	}
	if of := n.Lookup("of"); of != nil {
		d.Of = p.factorNames(of, what)
	}
	switch {
	case computed(d.Kind):
		p.computedDesign(n, &d, what)
	case d.Kind == ListDesign:
		p.rows(n, &d, what)
	default:
		of := d.Of
		if len(of) == 0 {
			of = nil
		}
		p.noRanges(of, "write grid: [...], or use a design {kind: random, points: 256}")
	}
	return d, len(p.problems) == before
}

// designKind checks a kind of design.
func (p *parser) designKind(n *tree.Node, what string) bool {
	switch {
	case n.Kind == tree.Scalar && slices.Contains(designKinds(), n.Text):
		return true
	}
	_, ok := p.oneOf(n, "the kind of "+what, designKinds())
	return ok
}

// factorNames reads `of`.
func (p *parser) factorNames(n *tree.Node, what string) []string {
	if n.Kind != tree.List || len(n.Items) == 0 {
		p.fail(n.Pos, what+".of is "+n.String()+", not a list of factors", "write of: [...] with some of "+enumerate(p.s.Columns(), 12))
		return nil
	}
	var names []string
	for _, item := range n.Items {
		s, ok := p.text(item, what+".of", "the name of a factor")
		switch {
		case !ok:
		case !slices.Contains(p.s.Columns(), s):
			p.fail(item.Pos, fmt.Sprintf("%s names the factor %s, which is not there", what, tree.Shorten(s, 40)), suggest(s, "factors", p.s.Columns()))
		case slices.Contains(names, s):
			p.fail(item.Pos, fmt.Sprintf("%s names %s twice", what, s), "leave one out")
		default:
			names = append(names, s)
		}
	}
	return names
}

// paired reads which points share their noise.
func (p *parser) paired() {
	p.s.Paired = PairedAll
	if drawn(p.s.Design.Kind) || slices.ContainsFunc(p.s.Design.Parts, func(d Design) bool { return drawn(d.Kind) }) {
		p.s.Paired = PairedRow
	}
	if n := p.root.Lookup("paired"); n != nil {
		if s, ok := p.oneOf(n, "paired", []string{string(PairedAll), string(PairedRow), string(PairedNone)}); ok {
			p.s.Paired = Paired(s)
		}
	}
}
