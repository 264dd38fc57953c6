package tree

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// builder turns the parser's tree into nodes and expands aliases.
type builder struct {
	anchors map[string]*anchor
	nodes   int
	errs    []*Error
	full    bool // maxNodes is reached, and said
	within  *Pos // the outermost alias being expanded
}

type anchor struct {
	value ast.Node
	open  bool // while its own value is being read
}

func (b *builder) fail(p Pos, what, instead string) {
	b.errs = append(b.errs, &Error{Pos: p, What: what, Instead: instead})
}

// node never returns nil: what can't be read becomes null, and an error.
func (b *builder) node(n ast.Node, depth int) *Node {
	if n == nil {
		return &Node{Pos: Pos{Line: 1, Column: 1}}
	}
	here := at(n.GetToken())
	null := &Node{Pos: here}
	if b.nodes++; b.full || b.nodes > maxNodes || depth > maxDepth {
		if !b.full {
			b.full = true
			if b.within != nil {
				here = *b.within
			}
			b.fail(here, fmt.Sprintf("the file holds more than %d values or nests them more than %d deep", maxNodes, maxDepth),
				"use fewer aliases, or "+tooMuch)
		}
		return null
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(n.Values, position(n.Start, n.Values), depth)
	case *ast.MappingValueNode:
		return b.mapping([]*ast.MappingValueNode{n}, position(n.Start, []*ast.MappingValueNode{n}), depth)
	case *ast.SequenceNode:
		list := &Node{Kind: List, Pos: here}
		for _, item := range n.Values {
			list.Items = append(list.Items, b.node(item, depth+1))
		}
		return list
	case *ast.AnchorNode:
		return b.anchor(n, depth)
	case *ast.AliasNode:
		return b.alias(n, depth)
	case *ast.LiteralNode:
		return &Node{Pos: here, Value: n.Value.Value, Text: n.Value.Value, Quoted: true}
	case *ast.StringNode:
		if t := n.GetToken().Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
			return &Node{Pos: here, Value: n.Value, Text: n.Value, Quoted: true}
		}
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
	default:
		b.fail(here, "this can't be read as a value", "write a number, a text, a list or a mapping")
		return null
	}
	return b.plain(n.GetToken(), here)
}

func (b *builder) plain(t *token.Token, here Pos) *Node {
	text := t.Value
	if t.Type == token.ImplicitNullType {
		text = ""
	}
	n := &Node{Pos: here, Text: text}
	n.Value, n.Bad = plain(text)
	if n.Bad != nil {
		n.Bad.Pos = here
	}
	if text != "" && (text[0] == '}' || text[0] == ']' || text[0] == ',') {
		b.fail(here, fmt.Sprintf("there is a %q without its beginning", text[:1]), "leave it out, or put the text in quotes")
	}
	return n
}

// position of a mapping: its brace, or its first key.
func position(start *token.Token, values []*ast.MappingValueNode) Pos {
	if len(values) > 0 && (start == nil || start.Type != token.MappingStartType) {
		return at(values[0].Key.GetToken())
	}
	return at(start)
}

func (b *builder) mapping(values []*ast.MappingValueNode, here Pos, depth int) *Node {
	m := &Node{Kind: Mapping, Pos: here}
	index := map[string]int{}
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			b.merge(m, index, v.Value, depth)
			continue
		}
		p := at(v.Key.GetToken())
		key, ok := keyText(v.Key)
		if !ok {
			b.fail(p, "this can't be a key", "write a word or a quoted text before the colon")
			continue
		}
		value := b.node(v.Value, depth+1)
		i, exists := index[key]
		switch {
		case exists && m.Entries[i].merged:
			m.Entries[i] = Entry{Key: key, Pos: p, Value: value}
		case exists:
			b.fail(p, fmt.Sprintf("key %q stands twice, first on line %d", Shorten(key, 40), m.Entries[i].Pos.Line), "leave one of the two out")
		default:
			index[key] = len(m.Entries)
			m.Entries = append(m.Entries, Entry{Key: key, Pos: p, Value: value})
		}
	}
	return m
}

// keyText returns the text of a key as it is written.
func keyText(k ast.Node) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return k.GetToken().Value, true
	}
	return "", false
}

// merge adds what a merge key names, a mapping or a list of them; keys that are
// there already stay.
func (b *builder) merge(m *Node, index map[string]int, value ast.Node, depth int) {
	from := b.node(value, depth+1)
	list := []*Node{from}
	if from.Kind == List {
		list = from.Items
	}
	for _, n := range list {
		if n.Kind != Mapping {
			b.fail(at(value.GetToken()), "<< takes a mapping, and this is "+n.String(), "write <<: *name, where name is the anchor of a mapping")
			continue
		}
		for _, e := range n.Entries {
			if _, exists := index[e.Key]; !exists {
				index[e.Key] = len(m.Entries)
				e.merged = true
				m.Entries = append(m.Entries, e)
			}
		}
	}
}

func (b *builder) anchor(n *ast.AnchorNode, depth int) *Node {
	name := n.Name.GetToken().Value
	a := &anchor{value: n.Value, open: true}
	b.anchors[name] = a
	value := b.node(n.Value, depth)
	a.open = false
	return value
}

func (b *builder) alias(n *ast.AliasNode, depth int) *Node {
	here, name := at(n.GetToken()), n.Value.GetToken().Value
	a := b.anchors[name]
	switch {
	case a == nil:
		names := make([]string, 0, len(b.anchors))
		for other := range b.anchors {
			names = append(names, other)
		}
		slices.Sort(names)
		instead := "put the text in quotes if no alias is meant"
		if len(names) > 0 {
			instead = "the anchors above are " + Shorten(strings.Join(names, ", "), 200) + "; put the text in quotes if no alias is meant"
		}
		b.fail(here, fmt.Sprintf("there is no anchor &%s above", name), instead)
		return &Node{Pos: here}
	case a.open:
		b.fail(here, fmt.Sprintf("*%s stands inside its own anchor", name), "write the value out")
		return &Node{Pos: here}
	}
	outermost := b.within == nil
	if outermost {
		b.within = &here
	}
	known, wasFull := len(b.errs), b.full
	value := b.node(a.value, depth)
	if b.full == wasFull { // errors inside the value were reported where it stands
		b.errs = b.errs[:known]
	}
	if outermost {
		b.within = nil
	}
	return value
}
