package jobs

import (
	"fmt"
	"slices"
	"strings"

	"overnight/jobs/internal/tree"
)

// applySets changes the tree as the arguments say.
func (p *parser) applySets(root *tree.Node) *tree.Node {
	for _, set := range p.o.Set {
		at := tree.Pos{Set: set}
		path, text, ok := strings.Cut(set, "=")
		path = strings.TrimSpace(path)
		if !ok || path == "" {
			p.fail(at, "this is no PATH=VALUE", "write --set env.budget=600")
			continue
		}
		value, errs := tree.ReadValue(text, set)
		for _, e := range errs {
			p.fail(e.Pos, e.What, e.Instead)
		}
		if value == nil {
			continue
		}
		if root.Kind == tree.Scalar && root.Value == nil {
			root = &tree.Node{Kind: tree.Mapping, Pos: root.Pos}
		}
		if first, _, _ := strings.Cut(path, "."); p.knownStart(root, first, path, at) {
			p.set(root, path, "", value)
		}
	}
	return root
}

// knownStart tells whether a path begins with a key of studies.
func (p *parser) knownStart(root *tree.Node, first, path string, at tree.Pos) bool {
	has := func(key string) bool { return root.Lookup(key) != nil }
	switch {
	case first == "env" && !has("env") && has("envs"):
		p.fail(at, "this study has envs, a list", "write --set envs.LABEL"+strings.TrimPrefix(path, "env")+"=...")
		return false
	case slices.Contains(studyKeys(), first) || strings.HasPrefix(first, "x-") || laterKeys()[first] != "":
		return true
	}
	instead := p.suggestKey(first)
	for _, list := range []string{"agents", "envs"} {
		if n := root.Lookup(list); n != nil && n.Kind == tree.List && slices.Contains(labelsOf(n), first) {
			instead = "write --set " + list + "." + path + "=..."
		}
	}
	p.fail(at, fmt.Sprintf("there is no key %s in a study", tree.Shorten(first, 40)), instead)
	return false
}

// labelsOf returns the labels of a list of entries: `as`, or the name.
func labelsOf(list *tree.Node) []string {
	var labels []string
	for _, item := range list.Items {
		n := item.Lookup("as")
		if n == nil {
			n = item.Lookup("name")
		}
		if n != nil {
			labels = append(labels, n.Text)
		} else {
			labels = append(labels, "")
		}
	}
	return labels
}

// set puts value at a path below n; done is the part of the path that leads to
// n.
func (p *parser) set(n *tree.Node, path, done string, value *tree.Node) {
	switch n.Kind {
	case tree.Mapping:
		best := -1
		for i, e := range n.Entries {
			if leads(e.Key, path) && (best < 0 || len(e.Key) > len(n.Entries[best].Key)) {
				best = i
			}
		}
		if best < 0 {
			first, rest, deeper := strings.Cut(path, ".")
			if deeper {
				inner := &tree.Node{Kind: tree.Mapping, Pos: value.Pos}
				p.set(inner, rest, join(done, first), value)
				value = inner
			}
			n.Entries = append(n.Entries, tree.Entry{Key: first, Pos: value.Pos, Value: value})
			return
		}
		p.descend(&n.Entries[best].Value, n.Entries[best].Key, path, done, value)
	case tree.List:
		labels := labelsOf(n)
		best := -1
		for i, label := range labels {
			if label != "" && leads(label, path) && (best < 0 || len(label) > len(labels[best])) {
				best = i
			}
		}
		if best < 0 {
			first, _, _ := strings.Cut(path, ".")
			labels = slices.DeleteFunc(labels, func(s string) bool { return s == "" })
			if len(labels) == 0 {
				p.fail(value.Pos, done+" is a list", "write the whole list: --set '"+done+"=[...]'")
				return
			}
			p.fail(value.Pos, fmt.Sprintf("there is no %s in %s", first, done), suggest(first, "labels", labels))
			return
		}
		p.descend(&n.Items[best], labels[best], path, done, value)
	default:
		p.fail(value.Pos, fmt.Sprintf("%s is %s, so it has nothing named %s", done, n, path), "write the whole value: --set "+done+"=...")
	}
}

// descend replaces what stands at place, or goes on below it.
func (p *parser) descend(place **tree.Node, key, path, done string, value *tree.Node) {
	rest := strings.TrimPrefix(strings.TrimPrefix(path, key), ".")
	switch {
	case rest == "":
		p.replaced = append(p.replaced, *place)
		*place = value
	case (*place).IsNull():
		*place = &tree.Node{Kind: tree.Mapping, Pos: value.Pos}
		fallthrough
	default:
		p.set(*place, rest, join(done, key), value)
	}
}

// leads tells whether key is the path or a beginning of it.
func leads(key, path string) bool {
	return key == path || strings.HasPrefix(path, key+".")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
