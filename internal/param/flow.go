package param

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// readTag reads a default from its tag: a number, true, false, null, a text
// (quoted or bare), or a list of these in brackets. Where the parameter is a
// text, everything but null and a quoted text is taken as it stands.
func readTag(text string, k Kind) (Value, error) {
	if k == String && text != "null" && !strings.HasPrefix(text, `"`) {
		return text, nil
	}
	r := flowReader{rest: text}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.skip(); r.rest != "" {
		return nil, fmt.Errorf("%q follows the value", r.rest)
	}
	return v, nil
}

// flowReader reads the flow values that tags need.
type flowReader struct{ rest string }

func (r *flowReader) skip() { r.rest = strings.TrimLeft(r.rest, " \t\n") }

// take drops prefix where the rest begins with it.
func (r *flowReader) take(prefix string) bool {
	r.skip()
	rest, ok := strings.CutPrefix(r.rest, prefix)
	r.rest = rest
	return ok
}

func (r *flowReader) value(depth int) (Value, error) {
	if depth > 8 {
		return nil, errors.New("lists are nested too deeply")
	}
	r.skip()
	switch {
	case r.take("["):
		return r.list(depth)
	case strings.HasPrefix(r.rest, `"`):
		quoted, err := strconv.QuotedPrefix(r.rest)
		if err != nil {
			return nil, errors.New("a quoted text does not end")
		}
		r.rest = r.rest[len(quoted):]
		return strconv.Unquote(quoted)
	}
	end := strings.IndexAny(r.rest, ",]")
	if end < 0 {
		end = len(r.rest)
	}
	word := strings.TrimSpace(r.rest[:end])
	r.rest = r.rest[end:]
	switch word {
	case "":
		return nil, errors.New("a value is missing")
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, nil
	}
	if x, err := strconv.ParseFloat(word, 64); err == nil {
		return x, nil
	}
	return word, nil
}

// list reads what follows an opening bracket.
func (r *flowReader) list(depth int) (Value, error) {
	list := []Value{}
	if r.take("]") {
		return list, nil
	}
	for {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		switch {
		case r.take("]"):
			return list, nil
		case !r.take(","):
			return nil, errors.New("a list does not end")
		}
	}
}
