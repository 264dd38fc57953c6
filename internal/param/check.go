package param

import (
	"fmt"
	"math"
	"strings"
)

// value completes one value that is no group. After a failure the result is
// meaningless.
func (c *completer) value(f *Field, v Value, at *path) Value {
	if v == nil {
		if !f.Nullable {
			c.fail(at, "is null", "write "+f.wanted()+", or leave it out")
		}
		return nil
	}
	switch f.Kind {
	case Bool:
		if b, ok := v.(bool); ok {
			return b
		}
	case Int:
		return c.integer(f, v, at)
	case Float:
		return c.number(f, v, at)
	case String:
		return c.text(f, v, at)
	case NumberOrs:
		list, ok := v.([]Value)
		switch {
		case !ok:
			return c.number(f, v, at)
		case len(list) == 1:
			return c.number(f, list[0], &path{parent: at})
		}
		return c.list(f, list, at, c.number)
	default:
		if list, ok := v.([]Value); ok {
			return c.list(f, list, at, c.element(f.Kind))
		}
	}
	c.mismatch(f, v, at)
	return nil
}

// element returns what completes the elements of a list.
func (c *completer) element(k Kind) func(*Field, Value, *path) Value {
	switch k {
	case Ints:
		return c.integer
	case Strings:
		return c.text
	case Matrix:
		return c.row
	}
	return c.number
}

func (c *completer) list(f *Field, list []Value, at *path, element func(*Field, Value, *path) Value) Value {
	if n := len(list); n < f.MinLen || f.MaxLen > 0 && n > f.MaxLen {
		c.fail(at, "has "+count(n, "element"), "write "+f.lengths())
	}
	out := make([]Value, len(list))
	for i, v := range list {
		out[i] = element(f, v, &path{parent: at, index: i})
	}
	return out
}

// row completes a row of a matrix; len counts rows, not columns.
func (c *completer) row(f *Field, v Value, at *path) Value {
	list, ok := v.([]Value)
	if !ok {
		c.fail(at, "is "+describe(v)+", not a list of numbers", "write a row of numbers, such as [1, 2]")
		return nil
	}
	out := make([]Value, len(list))
	for i, v := range list {
		out[i] = c.number(f, v, &path{parent: at, index: i})
	}
	return out
}

func (c *completer) number(f *Field, v Value, at *path) Value {
	switch x := v.(type) {
	case int64:
		return c.within(f, float64(x), at)
	case float64:
		return c.within(f, x, at)
	}
	c.mismatch(f, v, at)
	return nil
}

func (c *completer) integer(f *Field, v Value, at *path) Value {
	switch x := v.(type) {
	case int64:
		// Ranges are checked in float64: bounds in tags are far below 2**53, where
		// that is exact.
		c.within(f, float64(x), at)
		return x
	case float64:
		switch {
		case math.IsNaN(x) || math.IsInf(x, 0):
			c.within(f, x, at)
		case x != math.Floor(x):
			c.fail(at, "is "+format(x)+", not a whole number", "write "+format(math.Floor(x))+" or "+format(math.Floor(x)+1))
		case math.Abs(x) > 1<<53:
			c.fail(at, "is "+format(x)+", more than a whole number can hold exactly", "write digits alone, without point or exponent")
		default:
			c.within(f, x, at)
			return int64(x)
		}
		return nil
	}
	c.mismatch(f, v, at)
	return nil
}

// within checks a number against the range of f.
func (c *completer) within(f *Field, x float64, at *path) Value {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		c.fail(at, "is "+format(x)+", not a finite number", "write "+f.wantedNumber())
		return nil
	}
	what := ""
	switch {
	case f.Min != nil && !f.MinOpen && x < *f.Min:
		what = ", below its minimum " + format(*f.Min)
	case f.Min != nil && f.MinOpen && x <= *f.Min:
		what = ", not above " + format(*f.Min)
	case f.Max != nil && !f.MaxOpen && x > *f.Max:
		what = ", above its maximum " + format(*f.Max)
	case f.Max != nil && f.MaxOpen && x >= *f.Max:
		what = ", not below " + format(*f.Max)
	}
	if what != "" {
		c.fail(at, "is "+format(x)+what, "write "+f.wantedNumber())
	}
	return x + 0 // -0 + 0 is 0
}

func (c *completer) text(f *Field, v Value, at *path) Value {
	s, ok := v.(string)
	if !ok {
		c.mismatch(f, v, at)
		return nil
	}
	if len(f.Enum) == 0 {
		return s
	}
	for _, name := range f.Enum {
		if s == name {
			return s
		}
	}
	instead := "write one of " + strings.Join(f.Enum, ", ")
	if near := Nearest(s, f.Enum); near != "" {
		instead = fmt.Sprintf("did you mean %s? It is one of %s", near, strings.Join(f.Enum, ", "))
	}
	c.fail(at, fmt.Sprintf("is %q, which is not known", s), instead)
	return nil
}

func (c *completer) mismatch(f *Field, v Value, at *path) {
	want := f.Kind.String()
	instead := f.wanted()
	if at.key == "" { // an element of a list
		want, instead = f.Kind.element().String(), f.wantedElement()
	}
	c.fail(at, "is "+describe(v)+", not "+article(want), "write "+instead)
}
