package jobs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// owner is what a tree of parameters belongs to.
type owner struct {
	prefix string // of its factors' names
	arm    string // label, or "" of an environment
}

// sharedFactors reads `factors`.
func (p *parser) sharedFactors() {
	n := p.root.Lookup("factors")
	if n == nil {
		return
	}
	if n.Kind != tree.Mapping {
		p.fail(n.Pos, "factors is "+n.String()+", not a mapping", "write factors: {NAME: {grid: [...]}}")
		return
	}
	for _, e := range n.Entries {
		what := "factors." + tree.Shorten(e.Key, 40)
		if why := checkIdentifier(e.Key); why != "" {
			p.fail(e.Pos, fmt.Sprintf("the factor's name %q %s", tree.Shorten(e.Key, 40), why), identifierRule)
			continue
		}
		if slices.Contains(reservedColumns(), e.Key) {
			p.fail(e.Pos, fmt.Sprintf("a factor can't be named %s, which is a column of every table", e.Key), "choose another name")
		}
		if !isFactor(e.Value) {
			instead := "write " + e.Key + ": {grid: [...]}"
			switch {
			case e.Value.Kind == tree.List && len(e.Value.Items) > 0:
				instead = "write " + e.Key + ": {grid: [...]} around the list"
			case e.Value.Kind == tree.Scalar && e.Value.Value != nil:
				instead = "write " + e.Key + ": {grid: [" + tree.Shorten(e.Value.Text, 20) + ", ...]}, or the value itself where $" + e.Key + " stands"
			case e.Value.Kind == tree.Mapping && len(e.Value.Entries) > 0:
				instead = suggestKind(e.Value)
			}
			p.fail(e.Value.Pos, what+" is "+e.Value.String()+", not a factor", instead)
		}
		if p.used[e.Key] {
			p.shared[e.Key] = p.factor(e.Value, what, Factor{Name: e.Key, Shared: true})
		}
	}
}

// reservedColumns are the columns of an export beside factors and metrics, and
// what $ takes for something else.
func reservedColumns() []string {
	return []string{"trial", "point", "replication", "arm", "agent", "env", "task", "row", "status", "attempts", "elapsed_ms", "data"}
}

// isFactor tells whether a node is a mapping with the key of a factor.
func isFactor(n *tree.Node) bool {
	if n.Kind != tree.Mapping {
		return false
	}
	return slices.ContainsFunc(n.Entries, func(e tree.Entry) bool {
		return slices.Contains(factorKinds(), FactorKind(e.Key))
	})
}

func suggestKind(n *tree.Node) string {
	var kinds []string
	for _, k := range factorKinds() {
		kinds = append(kinds, string(k))
	}
	if near := nearest(n.Entries[0].Key, kinds); near != "" {
		return "did you mean " + near + "?"
	}
	return "a factor is a mapping with one of " + strings.Join(kinds, ", ")
}

// value turns a node into a parameter's value: factors become Refs. path is
// where it stands below its entry.
func (p *parser) value(n *tree.Node, path string, o owner) param.Value {
	switch {
	case n.Kind == tree.Mapping && isFactor(n):
		f := Factor{Name: o.prefix + "." + path, Arm: o.arm, Path: path}
		i := p.factor(n, f.Name, f)
		p.factorAt[n] = i
		return Ref(i)
	case n.Kind == tree.Mapping:
		m := &param.Map{}
		for _, e := range n.Entries {
			m.Entries = append(m.Entries, param.Entry{Key: e.Key, Value: p.value(e.Value, join(path, e.Key), o)})
		}
		return m
	case n.Kind == tree.List:
		list := make([]param.Value, len(n.Items))
		for i, item := range n.Items {
			list[i] = p.value(item, path+"["+strconv.Itoa(i)+"]", o)
		}
		return list
	}
	v, _ := p.scalar(n)
	if s, ok := v.(string); ok && strings.HasPrefix(s, "$") {
		return p.reference(n, s[1:])
	}
	return p.plain(n, v)
}

// plain refuses texts that a tree of parameters uses for something else.
func (p *parser) plain(n *tree.Node, v param.Value) param.Value {
	if s, ok := v.(string); ok && strings.HasPrefix(s, dataValue) {
		p.fail(n.Pos, fmt.Sprintf("a text can't begin with %q here", dataValue), "list the file under data: and write $data.NAME")
	}
	return v
}

// reference is the value of $name.
func (p *parser) reference(n *tree.Node, name string) param.Value {
	if file, ok := strings.CutPrefix(name, "data."); ok {
		return p.dataRef(n, file)
	}
	if i, ok := p.shared[name]; ok {
		p.factorAt[n] = i
		return Ref(i)
	}
	factors := p.root.Lookup("factors")
	if factors.Lookup(name) != nil {
		return nil // its own problem was reported
	}
	var names []string
	if factors != nil {
		for _, e := range factors.Entries {
			names = append(names, e.Key)
		}
	}
	instead := "add factors: {" + name + ": {grid: [...]}}"
	near := nearest(name, names)
	switch {
	case near != "":
		instead = "did you mean $" + near + "?"
	case checkIdentifier(name) != "":
		instead = "put a factor's name after the $, or leave the $ out"
	case len(names) > 0:
		instead = "the shared factors are " + enumerate(names, 12)
	}
	p.fail(n.Pos, fmt.Sprintf("$%s is no shared factor", tree.Shorten(name, 40)), instead)
	return nil
}

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
