package tree

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// explain says in words of the study file what the parser found at a token.
func explain(message string, t *token.Token) *Error {
	e := &Error{Pos: at(t), What: message}
	for _, x := range explanations {
		if !strings.Contains(message, x.message) {
			continue
		}
		e.What, e.Instead = x.what, x.instead
		break
	}
	if t == nil {
		return e
	}
	// A text over several lines whose last is "key:" is an indented key; its place
	// is where that line begins.
	if text := strings.TrimLeft(t.Origin, " \n"); strings.HasPrefix(message, "mapping value is not allowed") {
		if i := strings.LastIndex(strings.TrimRight(text, " \n"), "\n"); i >= 0 {
			e.Line += strings.Count(text[:i+1], "\n")
			e.Column = len(text[i+1:]) - len(strings.TrimLeft(text[i+1:], " ")) + 1
			e.What, e.Instead = "this line is indented further than the key before it, which has a value already", "line it up with that key"
		}
	}
	if message == "unexpected key name" && strings.Contains(strings.TrimSpace(t.Origin), "\n") {
		// A line without "key: " runs on into the next one.
		e.What, e.Instead = "this line is no 'key: value'", "write a space after the colon, or indent it below the value that it continues"
	}
	if strings.HasSuffix(message, "is a reserved character") || strings.HasPrefix(message, "found unknown escape character") {
		e.What = message
	}
	return e
}

// explanations of the parser's messages, the more special ones first.
var explanations = []struct{ message, what, instead string }{
	{"'\t' that cannot start any token", "there is a tab here, and YAML indents with spaces", "replace the tab by spaces"},
	{"tab character", "there is a tab here, and YAML indents with spaces", "replace the tab by spaces"},
	{"',' or ']' must be specified", "a list in brackets is still open here", "write ',' before this, or ']' where the list ends"},
	{"',' or '}' must be specified", "a mapping in braces is still open here", "write ',' before this, or '}' where the mapping ends"},
	{"sequence end token ']' not found", "the list that begins here has no end", "write ']' after its last element"},
	{"flow mapping end token '}'", "the mapping that begins here has no end", "write '}' after its last value"},
	{"corresponding to ']'", "there is a ']' without its '['", "leave it out, or put the text in quotes"},
	{"corresponding to '}'", "there is a '}' without its '{'", "leave it out, or put the text in quotes"},
	{"map key-value is pre-defined", "this is indented further than the key before it, which has a value already", "line it up with that key"},
	{"mapping value is not allowed in this context", "there is a second ': ' in one value", "put the text in quotes, or begin a new line for the key"},
	{"value is not allowed in this context", "this does not line up with the lines before it", "indent it like the keys or items that it belongs to"},
	{"non-map value is specified", "this line is no 'key: value'", "write a space after the colon, or indent it below the value that it continues"},
	{"could not find end character of", "the quoted text that begins here has no end", "write the closing quote"},
	{"block sequence entries are not allowed", "a list can't begin on the line of its key", "begin a new line with '- ', or write [a, b]"},
	{"sequence entries are not allowed after anchor", "a list can't begin on the line of its anchor", "begin a new line with '- '"},
	{"expected sequence element", "an element is missing before this ','", "leave the ',' out"},
	{"unexpected scalar value type", "a value is missing before this", "leave the extra ',' out, or write the value"},
	{"could not find flow map content", "this can't stand in braces", "write {key: value, ...}"},
	{"found an invalid key", "this can't be a key", "write a word or a quoted text before the colon"},
	{"unexpected key name", "this can't be a key", "write a word or a quoted text before the colon"},
	{"map key definition includes an implicit line break", "this key goes over several lines", "write the key and its colon on one line"},
	{"undefined alias name", "an alias needs a name", "write *name, or put the text in quotes"},
	{"undefined anchor", "an anchor needs a name and a value", "write &name value, or put the text in quotes"},
	{"could not find anchor value", "an anchor needs a value", "write &name value"},
	{"anchors cannot be used consecutively", "there are two anchors for one value", "leave one out"},
	{"is a reserved character", "", "put the text in quotes"},
	{"found unknown escape character", "", `write \\ for a backslash, or use single quotes`},
	{"could not find multi-line content", "the text after | or > is missing", "indent it by two spaces on the lines below"},
	{"invalid header option", "nothing but + or - may follow | or >", "begin the text on the next line"},
	{"found unexpected document separator", "a quoted text is still open here", "write its closing quote"},
}
