package param

import (
	"strconv"
	"strings"
)

// Errors is all that is wrong with a tree of parameters, in schema order, then
// unknown keys in file order. It is never empty when it is returned as error.
type Errors []*Error

func (e Errors) Error() string {
	var b strings.Builder
	for i, err := range e {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(err.Error())
	}
	return b.String()
}

// Unwrap lets errors.As find the first *Error.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i, err := range e {
		list[i] = err
	}
	return list
}

// Complete checks m against the schema and returns it with defaults filled in,
// in schema order and in the types of the schema, so that maps of equal meaning
// complete to equal trees: integers become floats where a float is wanted,
// whole floats integers where an integer is, a list of one number the number
// where either may stand, and -0 becomes 0. m may be nil and is not changed; the
// result may share lists with the schema and must not be changed in place.
//
// Where the schema's parameter `faithful` is true, a key that m does not have
// takes its faithful default, in groups too.
//
// The error is Errors: everything that is wrong, at once.
func (s Schema) Complete(m *Map) (*Map, error) {
	var c completer
	out := c.group(s, m, nil, false)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return out, nil
}

// path is where a value stands; frames live on the stack and become text only
// for an error.
type path struct {
	parent *path
	key    string // or, where empty, index
	index  int
}

func (p *path) String() string {
	if p == nil {
		return ""
	}
	before := p.parent.String()
	switch {
	case p.key == "":
		return before + "[" + strconv.Itoa(p.index) + "]"
	case before == "":
		return p.key
	}
	return before + "." + p.key
}

type completer struct{ errs Errors }

func (c *completer) fail(at *path, what, instead string) {
	c.errs = append(c.errs, &Error{Path: at.String(), What: what, Instead: instead})
}

// group completes one level of parameters.
func (c *completer) group(s Schema, m *Map, at *path, faithful bool) *Map {
	out := &Map{Entries: make([]Entry, 0, len(s))}
	faithful = s.faithful(m, faithful)
	for i := range s {
		f := &s[i]
		here := path{parent: at, key: f.Name}
		v, written := m.Lookup(f.Name)
		switch {
		case f.Kind == Group:
			sub, ok := v.(*Map)
			if written && (!ok || sub == nil) {
				c.fail(&here, "is "+describe(v)+", not a group of parameters",
					"write "+f.Name+": {"+strings.Join(f.Fields.names(), ": ..., ")+": ...}, or leave it out")
				continue
			}
			v = c.group(f.Fields, sub, &here, faithful)
		case written:
			v = c.value(f, v, &here)
		case faithful && f.HasFaithful:
			v = f.Faithful
		default:
			v = f.Default
		}
		out.Entries = append(out.Entries, Entry{f.Name, v})
	}
	if m != nil {
		c.keys(s, m, at)
	}
	return out
}

// faithful tells which defaults hold: the parameter `faithful` decides where the
// schema has one, else the group around it.
func (s Schema) faithful(m *Map, around bool) bool {
	for i := range s {
		if s[i].Name != "faithful" || s[i].Kind != Bool {
			continue
		}
		v, written := m.Lookup("faithful")
		if !written {
			v = s[i].Default
		}
		on, _ := v.(bool)
		return on
	}
	return around
}

// keys reports keys that the schema does not have, and keys written twice.
func (c *completer) keys(s Schema, m *Map, at *path) {
	for i, e := range m.Entries {
		here := path{parent: at, key: e.Key}
		if e.Key == "" {
			here.key = `""`
		}
		switch {
		case m.firstIndex(e.Key) != i:
			c.fail(&here, "is written twice", "leave one of the two out")
		case !s.has(e.Key):
			c.fail(&here, "is not a parameter", s.suggest(e.Key, at))
		}
	}
}

func (m *Map) firstIndex(key string) int {
	for i := range m.Entries {
		if m.Entries[i].Key == key {
			return i
		}
	}
	return -1
}

func (s Schema) has(name string) bool {
	for i := range s {
		if s[i].Name == name {
			return true
		}
	}
	return false
}
