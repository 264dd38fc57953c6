package jobs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"overnight/internal/param"
	"overnight/jobs/internal/tree"
)

// levelNodes says where the values of factors stand, by factor.
type levelNodes map[int]*tree.Node

// refused reports an error of a schema, an environment or an agent at the values
// to blame; where says at which levels, if that matters.
func (p *parser) refused(src *source, err error, nodes levelNodes, where string) {
	var list param.Errors
	var one *param.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = param.Errors{one}
	default:
		p.fail(src.name.Pos, src.title+": "+err.Error()+where, "")
		return
	}
	for _, e := range list {
		if e.Path == "" {
			p.fail(src.name.Pos, src.title+": "+e.What+where, e.Instead)
			continue
		}
		at, n, known, f := p.locate(src, e.Path, nodes)
		if p.flagged[at] {
			continue // what stands there has its problem already
		}
		what, instead := e.What, e.Instead
		key := e.Path[strings.LastIndexAny(e.Path, ".]")+1:]
		later, isLater := laterKeys()[key]
		switch {
		case known:
			if f != nil && strings.Contains(what, "not a whole number") && f.Kind != IntUniform && f.continuous() {
				what = fmt.Sprintf("takes whole numbers, and %s draws any number", f.Kind)
				instead = "write int_uniform: [low, high], or grid: [...]"
			}
			switch {
			case n == nil || !strings.Contains(what, ", not "): // a type that does not fit
			case n.Kind == tree.Mapping && len(n.Entries) > 0:
				instead += "; " + suggestKind(n)
			case n.Kind == tree.List && f == nil && strings.Contains(what, "is a list"):
				instead += ", or {grid: [...]} around the list to try each"
			}
		case isLater:
			what, instead = "is not in this version", later
		case slices.Contains(studyKeys(), key):
			instead = "it is a key of the study: move it to the left margin"
		}
		p.fail(at, join(src.prefix, e.Path)+" "+what+where, instead)
	}
}

// locate returns where the value at a path below an entry stands: the level in
// use where it is a factor's, the key where the schema does not know it, the
// mapping around it where the file does not have it. value is the node itself,
// nil where it is not there; f is the factor that the path leads to or through.
func (p *parser) locate(src *source, path string, nodes levelNodes) (at tree.Pos, value *tree.Node, known bool, f *Factor) {
	n, schema := src.node, src.entry.schema
	for {
		if i, ok := p.factorAt[n]; ok {
			f = &p.s.Factors[i]
			next := nodes[i]
			if next == nil {
				next = p.defs[i].node
			}
			if next == n {
				return n.Pos, n, true, f
			}
			n = next
		}
		if path == "" {
			return n.Pos, n, true, f
		}
		switch n.Kind {
		case tree.List:
			number, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
			i, err := strconv.Atoi(number)
			if !ok || err != nil || i < 0 || i >= len(n.Items) {
				return n.Pos, nil, true, f
			}
			n, path = n.Items[i], strings.TrimPrefix(rest, ".")
		case tree.Mapping:
			best := -1
			for i, e := range n.Entries {
				leads := strings.HasPrefix(path, e.Key) && (len(path) == len(e.Key) || path[len(e.Key)] == '.' || path[len(e.Key)] == '[')
				if leads && (best < 0 || len(e.Key) > len(n.Entries[best].Key)) {
					best = i
				}
			}
			if best < 0 {
				if n == src.node {
					return src.name.Pos, nil, true, f
				}
				return n.Pos, nil, true, f
			}
			e := n.Entries[best]
			k := slices.IndexFunc(schema, func(f param.Field) bool { return f.Name == e.Key })
			if k < 0 {
				return e.Pos, nil, false, f
			}
			schema = schema[k].Fields
			n, path = e.Value, strings.TrimPrefix(path[len(e.Key):], ".")
		default:
			return n.Pos, nil, true, f
		}
	}
}
