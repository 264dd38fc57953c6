package param

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Of returns the schema of a struct, or of a pointer to one; only its type
// matters. It panics on tags that make no sense, on unsupported field types and
// on defaults that their own ranges refuse: programmer errors. The result is
// shared by all callers and must not be changed.
func Of(v any) Schema {
	t := reflect.TypeOf(v)
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("param.Of wants a struct or a pointer to one, not %T", v))
	}
	return planOf(t).schema
}

// plan is what the tags of a struct type say, read once.
type plan struct {
	schema Schema
	fields []planField // in the order of schema
}

type planField struct {
	index int // of the struct's field
	group *plan
}

// plans remembers the plan of each struct type. A plan is a function of its
// type, so this is a memo and not state; reading tags for every decoded trial
// would cost more than the decoding.
var plans sync.Map // reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(t, readPlan(t))
	return p.(*plan)
}

func readPlan(t reflect.Type) *plan {
	p := &plan{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("param") == "" {
			if f.IsExported() {
				panic(fmt.Sprintf("param: field %s.%s has no param tag", t, f.Name))
			}
			continue
		}
		field, group := readField(t, f)
		for _, other := range p.schema {
			if other.Name == field.Name {
				panic(fmt.Sprintf("param: two fields of %s are named %q", t, field.Name))
			}
		}
		p.schema = append(p.schema, field)
		p.fields = append(p.fields, planField{index: i, group: group})
	}
	return p
}

// readField reads one field's tags.
func readField(t reflect.Type, sf reflect.StructField) (f Field, group *plan) {
	bad := func(format string, args ...any) {
		panic(fmt.Sprintf("param: field %s.%s: ", t, sf.Name) + fmt.Sprintf(format, args...))
	}
	if !sf.IsExported() {
		bad("has a param tag but is not exported")
	}
	f = Field{Name: sf.Tag.Get("param"), Unit: sf.Tag.Get("unit"), Doc: sf.Tag.Get("doc")}
	var ok bool
	if f.Kind, f.Nullable, ok = kindOf(sf.Type); !ok {
		bad("type %s is not supported", sf.Type)
	}
	if f.Kind == Group {
		group = planOf(sf.Type)
		f.Fields = group.schema
		return f, group
	}

	number := func(tag string) *float64 {
		text, ok := sf.Tag.Lookup(tag)
		if !ok {
			return nil
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			bad("tag %s:%q is not a number", tag, text)
		}
		return &x
	}
	f.Min, f.Max = number("min"), number("max")
	if x := number("above"); x != nil {
		f.Min, f.MinOpen = x, true
	}
	if x := number("below"); x != nil {
		f.Max, f.MaxOpen = x, true
	}
	if (f.Min != nil || f.Max != nil) && !f.Kind.numeric() {
		bad("has a range but holds no numbers")
	}
	if text := sf.Tag.Get("enum"); text != "" {
		if f.Kind != String && f.Kind != Strings {
			bad("has an enum but holds no text")
		}
		for name := range strings.SplitSeq(text, ",") {
			f.Enum = append(f.Enum, strings.TrimSpace(name))
		}
	}
	if text := sf.Tag.Get("len"); text != "" {
		if f.MinLen, f.MaxLen, ok = readLen(text); !ok || !f.Kind.list() {
			bad("tag len:%q wants a list and the form \"N\" or \"min..max\"", text)
		}
	}

	// A default is checked like a user's value, so a schema can't contradict
	// itself.
	value := func(tag string) (v Value, has bool) {
		text, has := sf.Tag.Lookup(tag)
		if !has {
			return nil, false
		}
		v, err := readTag(text, f.Kind)
		if err != nil {
			bad("tag %s:%q: %v", tag, text, err)
		}
		if v == nil && f.Kind.mayBeAbsent() {
			f.Nullable = true
		}
		var c completer
		v = c.value(&f, v, &path{key: f.Name})
		if len(c.errs) > 0 {
			bad("tag %s: %v", tag, c.errs)
		}
		return v, true
	}
	if f.Default, ok = value("default"); !ok {
		if !f.Nullable && !f.Kind.mayBeAbsent() {
			bad("needs a default")
		}
		f.Nullable = true
	}
	f.Faithful, f.HasFaithful = value("faithful")
	return f, nil
}

// kindOf maps a Go type to the kind of parameter that it holds.
func kindOf(t reflect.Type) (k Kind, nullable, ok bool) {
	if t == reflect.TypeFor[Numbers]() {
		return NumberOrs, false, true
	}
	if t.Kind() == reflect.Pointer {
		k, _, ok = kindOf(t.Elem())
		return k, true, ok && (k == Bool || k == Int || k == Float)
	}
	switch t.Kind() {
	case reflect.Bool:
		return Bool, false, true
	case reflect.Int:
		return Int, false, true
	case reflect.Float64:
		return Float, false, true
	case reflect.String:
		return String, false, true
	case reflect.Struct:
		return Group, false, true
	case reflect.Slice:
		switch t {
		case reflect.TypeFor[[]float64]():
			return Floats, false, true
		case reflect.TypeFor[[]int]():
			return Ints, false, true
		case reflect.TypeFor[[]string]():
			return Strings, false, true
		case reflect.TypeFor[[][]float64]():
			return Matrix, false, true
		}
	}
	return 0, false, false
}

// readLen reads "N", "min..max" or "min..".
func readLen(text string) (lo, hi int, ok bool) {
	first, second, isRange := strings.Cut(text, "..")
	lo, err := strconv.Atoi(first)
	if err != nil || lo < 0 {
		return 0, 0, false
	}
	if !isRange {
		return lo, lo, lo > 0
	}
	if second == "" {
		return lo, 0, true
	}
	hi, err = strconv.Atoi(second)
	return lo, hi, err == nil && hi >= lo && hi > 0
}

func (k Kind) numeric() bool {
	return k == Int || k == Float || k == Floats || k == Ints || k == Matrix || k == NumberOrs
}

func (k Kind) list() bool {
	return k == Floats || k == Ints || k == Strings || k == Matrix || k == NumberOrs
}

// element returns the kind of a list's innermost elements.
func (k Kind) element() Kind {
	switch k {
	case Ints:
		return Int
	case Strings:
		return String
	}
	return Float
}

// mayBeAbsent tells whether the Go type has a value that means null: nil of a
// slice, the empty string.
func (k Kind) mayBeAbsent() bool { return k == String || k.list() }

// String returns the kind in the words of the reference pages.
func (k Kind) String() string {
	names := [...]string{"true or false", "integer", "number", "text", "list of numbers", "list of integers",
		"list of texts", "list of lists of numbers", "number or list", "group"}
	return names[k]
}
