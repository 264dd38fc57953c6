package tree

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const tooMuch = "keep large data in files of its own, under data:"

// Read reads a file. The root is nil where the text can't be read; an empty file
// is a null scalar. The errors are those of the text alone, in file order.
func Read(src []byte) (*Node, []*Error) {
	if len(src) > MaxBytes {
		return nil, []*Error{{Pos: Pos{Line: 1, Column: 1},
			What: fmt.Sprintf("the file has %d bytes, more than the %d that a study may have", len(src), MaxBytes), Instead: tooMuch}}
	}
	text, err := clean(src)
	if err != nil {
		return nil, []*Error{err}
	}
	body, err := parse(text)
	if err != nil {
		return nil, []*Error{err}
	}
	b := builder{anchors: map[string]*anchor{}}
	root := b.node(body, 0)
	if b.full {
		return nil, b.errs // what was left out would look like further errors
	}
	return root, b.errs
}

// ReadValue reads a value of the command line; set names the argument.
func ReadValue(text, set string) (*Node, []*Error) {
	root, errs := Read([]byte(text))
	place := func(p *Pos) { *p = Pos{Set: set} }
	for _, e := range errs {
		place(&e.Pos)
	}
	root.Walk(func(n *Node) {
		place(&n.Pos)
		if n.Bad != nil {
			place(&n.Bad.Pos)
		}
		for i := range n.Entries {
			place(&n.Entries[i].Pos)
		}
	})
	return root, errs
}

// Walk calls f with n and all nodes below it, in file order.
func (n *Node) Walk(f func(*Node)) {
	if n == nil {
		return
	}
	f(n)
	for _, item := range n.Items {
		item.Walk(f)
	}
	for _, e := range n.Entries {
		e.Value.Walk(f)
	}
}

// clean checks that src is text, drops a byte order mark and makes every line
// end a single newline: the parser counts lines wrongly otherwise.
func clean(src []byte) (string, *Error) {
	s := strings.TrimPrefix(string(src), "\ufeff")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	line, column := 1, 0
	for i, r := range s {
		column++
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			return "", &Error{Pos: Pos{Line: line, Column: column}, What: "the file is not UTF-8 here", Instead: "save it as UTF-8"}
		case r != '\t' && unicode.IsControl(r), r == '\ufeff', r == '\u2028', r == '\u2029':
			return "", &Error{Pos: Pos{Line: line, Column: column}, What: fmt.Sprintf("there is a control character (U+%04X) here", r), Instead: "delete it"}
		}
	}
	return s, nil
}

// parse returns the one document's body, nil where the file is empty.
func parse(text string) (body ast.Node, err *Error) {
	// The parser indexes without checking in places; a crash is bad input, too.
	defer func() {
		if r := recover(); r != nil {
			body, err = nil, &Error{Pos: Pos{Line: 1, Column: 1}, What: "the file can't be read as YAML", Instead: "look for brackets and quotes that don't match"}
		}
	}()
	tokens := lexer.Tokenize(text)
	if bad := tokens.InvalidToken(); bad != nil {
		return nil, explain(bad.Error, bad)
	}
	if err := shape(tokens); err != nil {
		return nil, err
	}
	file, failed := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if failed != nil {
		var syntax interface {
			error
			GetMessage() string
			GetToken() *token.Token
		}
		if errors.As(failed, &syntax) {
			return nil, explain(syntax.GetMessage(), syntax.GetToken())
		}
		return nil, &Error{Pos: Pos{Line: 1, Column: 1}, What: failed.Error()}
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			return doc.Body, nil
		}
	}
	return nil, nil
}

// shape refuses what the parser would take long for or read differently than
// the specification says.
func shape(tokens token.Tokens) *Error {
	var columns []int // of the block keys and items around a token
	keys := map[int]int{}
	flow, started, ended := 0, false, false
	if len(tokens) > maxTokens {
		return &Error{Pos: at(tokens[maxTokens]), What: "the file holds more values and keys than a study may have", Instead: tooMuch}
	}
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		fail := func(what, instead string) *Error { return &Error{Pos: at(t), What: what, Instead: instead} }
		switch {
		case ended, t.Type == token.DocumentHeaderType && started:
			return fail("a second document begins here", "keep one study in a file; leave out ---")
		case t.Type == token.DocumentEndType:
			ended = true
		case t.Type == token.DirectiveType:
			return fail("directives such as %YAML are not used", "leave the line out")
		case t.Type == token.TagType:
			return fail("tags such as "+Shorten(t.Value, 20)+" are not used", "leave it out; put texts that look like numbers in quotes")
		case t.Type == token.MappingKeyType:
			return fail("keys that begin with ? are not used", "write key: value")
		case t.Type == token.SequenceStartType || t.Type == token.MappingStartType:
			flow++
		case t.Type == token.SequenceEndType || t.Type == token.MappingEndType:
			flow--
		case flow == 0 && (t.Type == token.SequenceEntryType || t.Type == token.MappingValueType):
			column := t.Position.Column
			if t.Type == token.MappingValueType && t.Prev != nil {
				column = t.Prev.Position.Column
			}
			for len(columns) > 0 && columns[len(columns)-1] > column {
				delete(keys, columns[len(columns)-1])
				columns = columns[:len(columns)-1]
			}
			if len(columns) == 0 || columns[len(columns)-1] < column {
				columns = append(columns, column)
			}
			if keys[column]++; t.Type == token.MappingValueType && keys[column] > maxKeys {
				return fail(fmt.Sprintf("the mapping has more than %d keys", maxKeys), "write it in braces: {a: 1, b: 2}")
			}
		}
		if t.Type != token.DocumentEndType {
			started = true
		}
		if flow+len(columns) > maxDepth {
			return fail(fmt.Sprintf("values are nested more than %d deep", maxDepth), "")
		}
	}
	return nil
}

func at(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{Line: 1, Column: 1}
	}
	return Pos{Line: t.Position.Line, Column: t.Position.Column}
}
