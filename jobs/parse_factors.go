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
	if near := param.Nearest(n.Entries[0].Key, kinds); near != "" {
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
	near := param.Nearest(name, names)
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
