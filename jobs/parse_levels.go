package jobs

import (
	"fmt"
	"slices"
	"strings"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// factor reads a mapping such as {grid: [...]} and returns the factor's index.
func (p *parser) factor(n *tree.Node, what string, f Factor) int {
	d := definition{node: n, value: n}
	first := true
	for _, e := range n.Entries {
		kind := FactorKind(e.Key)
		switch {
		case !slices.Contains(factorKinds(), kind):
			p.fail(e.Pos, fmt.Sprintf("%s is a factor, and %s stands beside its kind", what, tree.Shorten(e.Key, 40)), "move it out of the braces, or leave it out")
		case !first:
			p.fail(e.Pos, fmt.Sprintf("%s is both %s and %s", what, f.Kind, kind), "leave one of the two out")
		default:
			first = false
			f.Kind, d.value = kind, e.Value
		}
	}
	switch {
	case first:
	case f.continuous():
		p.bounds(d.value, what, &f, &d)
	default:
		p.levels(d.value, what, &f, &d)
	}
	p.s.Factors = append(p.s.Factors, f)
	p.defs = append(p.defs, d)
	return len(p.s.Factors) - 1
}

// maxLevels bounds the levels of a factor.
const maxLevels = 10_000

// levels reads what stands after grid or choice.
func (p *parser) levels(n *tree.Node, what string, f *Factor, d *definition) {
	example := "write " + string(f.Kind) + ": [a, b], or " + string(f.Kind) + ": {NAME: value, ...}"
	switch {
	case n.Kind == tree.Scalar && n.Value != nil:
		p.fail(n.Pos, fmt.Sprintf("%s has a %s that is %s, not a list", what, f.Kind, n), "write "+string(f.Kind)+": ["+tree.Shorten(n.Text, 20)+", ...]")
		return
	case len(n.Items)+len(n.Entries) == 0:
		p.fail(n.Pos, fmt.Sprintf("%s has an empty %s", what, f.Kind), example)
		return
	case len(n.Items)+len(n.Entries) > maxLevels:
		p.fail(n.Pos, fmt.Sprintf("%s has more than %d levels", what, maxLevels), "use a range, such as uniform: [low, high], in a sampled design")
		return
	}
	seen, names := map[string]int{}, map[string]bool{}
	add := func(name string, v *tree.Node) {
		level := p.level(v, what)
		key := string(param.AppendCanonical(nil, level))
		if i, ok := seen[key]; ok {
			other := ""
			if n.Kind == tree.Mapping {
				other = fmt.Sprintf(", as %s and %s", f.Levels[i].Name, name)
			}
			p.fail(v.Pos, fmt.Sprintf("%s has the level %s twice%s", what, short(level), other), "leave one out")
			return
		}
		seen[key] = len(f.Levels)
		if n.Kind == tree.List {
			if file, ok := strings.CutPrefix(v.Text, "$"); ok && v.Kind == tree.Scalar {
				name = file // a data file by its name
			} else {
				name = short(level)
			}
			for i, first := 2, name; names[name]; i++ {
				name = fmt.Sprintf("%s (%d)", first, i)
			}
		}
		names[name] = true
		f.Levels = append(f.Levels, Level{name, level})
		d.levels = append(d.levels, v)
	}
	for _, item := range n.Items {
		add("", item)
	}
	for _, e := range n.Entries {
		if e.Key == "" || len(e.Key) > maxName || strings.ContainsAny(e.Key, "\n\t") {
			p.fail(e.Pos, fmt.Sprintf("%s has a level named %q", what, tree.Shorten(e.Key, 40)), fmt.Sprintf("use a name of 1 to %d characters on one line", maxName))
		}
		add(e.Key, e.Value)
	}
}

// level is the value of a level, in which nothing varies.
func (p *parser) level(n *tree.Node, what string) param.Value {
	switch {
	case isFactor(n):
		p.fail(n.Pos, what+" has a factor inside a level", "write the level's values out, or vary that parameter in its own place")
		return nil
	case n.Kind == tree.Mapping:
		m := &param.Map{}
		for _, e := range n.Entries {
			m.Entries = append(m.Entries, param.Entry{Key: e.Key, Value: p.level(e.Value, what)})
		}
		return m
	case n.Kind == tree.List:
		list := make([]param.Value, len(n.Items))
		for i, item := range n.Items {
			list[i] = p.level(item, what)
		}
		return list
	}
	v, _ := p.scalar(n)
	s, ok := v.(string)
	if !ok || !strings.HasPrefix(s, "$") {
		return p.plain(n, v)
	}
	if file, ok := strings.CutPrefix(s, "$data."); ok {
		return p.dataRef(n, file)
	}
	p.fail(n.Pos, fmt.Sprintf("%s has %s inside a level", what, tree.Shorten(s, 40)), "write the level's values out, or vary that parameter in its own place")
	return nil
}

// bounds reads what stands after uniform, log_uniform, int_uniform or normal.
func (p *parser) bounds(n *tree.Node, what string, f *Factor, d *definition) {
	form := "[low, high]"
	if f.Kind == Normal {
		form = "[mean, standard deviation]"
	}
	instead := fmt.Sprintf("write %s: %s", f.Kind, form)
	if n.Kind != tree.List || len(n.Items) != 2 {
		got := n.String()
		if n.Kind == tree.List {
			got = fmt.Sprintf("a list of %d values", len(n.Items))
		}
		if n.Kind == tree.List && len(n.Items) > 2 && f.Kind != Normal {
			instead += ", or grid: [...] for the values themselves"
		}
		p.fail(n.Pos, fmt.Sprintf("%s has a %s that is %s, not two numbers", what, f.Kind, got), instead)
		return
	}
	ends := [2]float64{}
	for i, item := range n.Items {
		v, _ := p.scalar(item)
		if item.Bad != nil {
			return
		}
		switch v := v.(type) {
		case int64:
			ends[i] = float64(v)
		case float64:
			ends[i] = v
		default:
			p.fail(item.Pos, fmt.Sprintf("%s has a %s with %s, not a number", what, f.Kind, item), instead)
			return
		}
	}
	f.Low, f.High = ends[0], ends[1]
	d.levels = n.Items
	if why, instead := f.check(); why != "" {
		p.fail(n.Pos, what+" "+why, instead)
	}
}
