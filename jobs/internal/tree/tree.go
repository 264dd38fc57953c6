// Package tree reads YAML into values that know where they stand in the file.
// Start with Read and Node.
//
// It takes the part of YAML 1.2 that a reader can't misread: a number is decimal
// (1e-4 is one; 010, 0x10 and 1_000 are refused), null is ~ or null, only true
// and false are booleans, a mapping has no key twice, keys are plain or quoted
// texts, and there are no tags, directives or second documents. Anchors, aliases
// and merge keys work; what they expand to is bounded, as are the input's size
// and depth, so that no input makes the reader slow or large.
package tree

import (
	"fmt"
	"strings"

	"overnight/internal/param"
)

// Bounds of what Read takes.
const (
	MaxBytes  = 1 << 20
	maxDepth  = 64
	maxTokens = 300_000 // values, keys and punctuation, as written
	maxNodes  = 100_000 // after aliases are expanded
	maxKeys   = 5_000   // of one block mapping, which the parser reads in quadratic time
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Scalar Kind = iota
	List
	Mapping
)

// Pos is where a node stands: a line and a column that count from one, columns
// in characters; or, where Set is not empty, an argument of the command line.
type Pos struct {
	Line, Column int
	Set          string
}

// Node is a value of the file.
type Node struct {
	Kind    Kind
	Pos     Pos
	Value   param.Value // of a scalar: nil, bool, int64, float64 or string
	Text    string      // of a scalar, as written, without quotes
	Quoted  bool        // a quoted or block text: always a string
	Bad     *Error      // of a scalar whose meaning is unclear; Value is its text
	Items   []*Node     // of a list
	Entries []Entry     // of a mapping, in file order
}

// Entry is one key of a mapping.
type Entry struct {
	Key    string
	Pos    Pos // of the key
	Value  *Node
	merged bool // came in by a merge key, so that a written key may replace it
}

// Lookup returns the value of a mapping's key, or nil.
func (n *Node) Lookup(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return n.Entries[i].Value
		}
	}
	return nil
}

// IsNull tells whether n is absent or null.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Scalar && n.Value == nil }

// String names what n is, for messages: "the text \"a\"", "a list".
func (n *Node) String() string {
	switch {
	case n.Kind == List && len(n.Items) == 0:
		return "an empty list"
	case n.Kind == List:
		return "a list"
	case n.Kind == Mapping && len(n.Entries) == 0:
		return "an empty mapping"
	case n.Kind == Mapping:
		return "a mapping"
	case n.Value == nil:
		return "null"
	}
	if _, ok := n.Value.(string); ok {
		return fmt.Sprintf("the text %q", Shorten(n.Text, 40))
	}
	return Shorten(n.Text, 40)
}

// Shorten cuts s to at most n characters.
func Shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Error says what is wrong at a position and what to write instead.
type Error struct {
	Pos
	What, Instead string
}

func (e *Error) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("%d:%d: %s; %s", e.Line, e.Column, e.What, e.Instead), "; ")
}
