// Package param holds typed parameters: one Go struct states each parameter's
// name, default, range, unit and documentation in its tags, and from it come
// the JSON Schema, the reference pages, the errors a user reads and the decoded
// values. Start with Of and Decode.
//
//	type Params struct {
//		Budget float64   `param:"budget" default:"1000" min:"0" unit:"money a day" doc:"What is spent each day."`
//		Delay  []float64 `param:"delay" default:"[0.5, 0.3, 0.15, 0.05]" min:"0" doc:"..."`
//		Observe struct {
//			Noise float64 `param:"noise" default:"0" min:"0" doc:"..."`
//		} `param:"observe" doc:"..."`
//	}
//
// Tags: param (name; required), default (a YAML flow value; absent: null, which
// only pointers, slices and strings may be), min, max (inclusive; of each
// element for lists), above, below (exclusive), enum (comma-separated), unit,
// doc, len ("N" or "min..max" elements), faithful (the default where the
// parameter `faithful` of the same schema is true: a preset of a source
// document's behaviour, so that each quirk stays a parameter of its own).
//
// Field types: bool, int, float64, string, []float64, []int, []string,
// [][]float64, Numbers (a number or a list of them), *float64, *int, *bool
// (null is nil: "decided by something else", which the doc says), and nested
// structs.
package param

// Value is the tree a study file gives: nil, bool, int64, float64, string,
// []Value, or *Map. Integers stay integers until a float parameter takes them.
type Value = any

// Map is a mapping in file order.
type Map struct{ Entries []Entry }

// Entry is one key of a Map.
type Entry struct {
	Key   string
	Value Value
}

// Lookup returns the value of key.
func (m *Map) Lookup(key string) (Value, bool) {
	if m == nil {
		return nil, false
	}
	for _, e := range m.Entries {
		if e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

// Set replaces the value of key, or appends it.
func (m *Map) Set(key string, v Value) {
	for i := range m.Entries {
		if m.Entries[i].Key == key {
			m.Entries[i].Value = v
			return
		}
	}
	m.Entries = append(m.Entries, Entry{key, v})
}

// Numbers is a parameter that takes one number, meant for every element, or a
// list of them.
type Numbers []float64

// At returns element i, or the only one.
func (n Numbers) At(i int) float64 {
	if len(n) == 1 {
		return n[0]
	}
	return n[i]
}

// Kind is a parameter's type.
type Kind uint8

// The kinds of parameters.
const (
	Bool Kind = iota
	Int
	Float
	String
	Floats    // list of numbers
	Ints      // list of integers
	Strings   // list of strings
	Matrix    // list of lists of numbers
	NumberOrs // one number or a list
	Group     // nested parameters
)

// Field describes one parameter.
type Field struct {
	Name           string
	Kind           Kind
	Nullable       bool
	Default        Value
	Faithful       Value // default under `faithful: true`; see HasFaithful
	HasFaithful    bool
	Min, Max       *float64 // inclusive unless the flag below says otherwise
	MinOpen        bool
	MaxOpen        bool
	MinLen, MaxLen int // of lists; MaxLen 0: no bound
	Enum           []string
	Unit, Doc      string
	Fields         Schema // of a Group
}

// Schema is a list of parameters in the order they are documented.
type Schema []Field

// Error says what is wrong with a value: where (the path of keys and indices
// below the value checked, "observe.noise" or "delay[2]"), what and what to
// write instead.
type Error struct {
	Path    string
	What    string // "is -3, below its minimum 0"
	Instead string // "write a number from 0 up"; may be empty
}

func (e *Error) Error() string {
	s := e.What
	if e.Path != "" {
		s = e.Path + " " + s
	}
	if e.Instead != "" {
		s += "; " + e.Instead
	}
	return s
}
