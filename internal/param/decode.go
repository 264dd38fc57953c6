package param

import (
	"fmt"
	"reflect"
)

// Decode fills into, a pointer to a struct that Of was given, from a complete
// map. It reuses the capacity of slices and what pointers point to, so decoding
// again into the same struct allocates nothing where the shapes are the same; a
// copy of the struct made before shares both. It panics where m is not a map
// that the struct's schema completed: a programmer error.
func Decode(m *Map, into any) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("param.Decode wants a pointer to a struct, not %T", into))
	}
	planOf(v.Elem().Type()).decode(m, v.Elem())
}

func (p *plan) decode(m *Map, v reflect.Value) {
	if m == nil || len(m.Entries) != len(p.schema) {
		panic(fmt.Sprintf("param.Decode: the map of %s is not complete", v.Type()))
	}
	for i := range p.schema {
		f, e := &p.schema[i], &m.Entries[i]
		if e.Key != f.Name {
			panic(fmt.Sprintf("param.Decode: parameter %d of %s is %q, want %q", i, v.Type(), e.Key, f.Name))
		}
		field := v.Field(p.fields[i].index)
		switch {
		case f.Kind == Group:
			sub, _ := e.Value.(*Map)
			p.fields[i].group.decode(sub, field)
		case e.Value == nil:
			field.SetZero()
		case !set(field, e.Value):
			panic(fmt.Sprintf("param.Decode: parameter %q of %s is %s", f.Name, v.Type(), describe(e.Value)))
		}
	}
}

// set stores a value that is not null in a field of its type.
func set(field reflect.Value, v Value) bool {
	switch v := v.(type) {
	case bool:
		field = pointee(field)
		if field.Kind() != reflect.Bool {
			return false
		}
		field.SetBool(v)
	case int64:
		field = pointee(field)
		if field.Kind() != reflect.Int {
			return false
		}
		field.SetInt(v)
	case string:
		if field.Kind() != reflect.String {
			return false
		}
		field.SetString(v)
	case float64:
		field = pointee(field)
		switch field.Kind() {
		case reflect.Float64:
			field.SetFloat(v)
		case reflect.Slice:
			into, ok := field.Addr().Interface().(*Numbers)
			if !ok {
				return false
			}
			*into = append((*into)[:0], v)
		default:
			return false
		}
	case []Value:
		return setList(field.Addr().Interface(), v)
	default:
		return false
	}
	return true
}

// pointee returns what a pointer field points to, made if it is nil, and other
// fields as they are.
func pointee(field reflect.Value) reflect.Value {
	if field.Kind() != reflect.Pointer {
		return field
	}
	if field.IsNil() {
		field.Set(reflect.New(field.Type().Elem()))
	}
	return field.Elem()
}

func setList(into any, list []Value) (ok bool) {
	switch into := into.(type) {
	case *[]float64:
		*into, ok = fill(*into, list)
	case *Numbers:
		*into, ok = fill(*into, list)
	case *[]string:
		*into, ok = fill(*into, list)
	case *[]int:
		*into = grow(*into, len(list))
		for i, v := range list {
			n, isInt := v.(int64)
			if !isInt {
				return false
			}
			(*into)[i] = int(n)
		}
		return true
	case *[][]float64:
		*into = grow(*into, len(list))
		for i, v := range list {
			row, isList := v.([]Value)
			if !isList {
				return false
			}
			if (*into)[i], ok = fill((*into)[i], row); !ok {
				return false
			}
		}
		return true
	}
	return ok
}

func fill[S ~[]T, T any](into S, list []Value) (S, bool) {
	into = grow(into, len(list))
	for i, v := range list {
		x, ok := v.(T)
		if !ok {
			return into, false
		}
		into[i] = x
	}
	return into, true
}

// grow returns s with n elements, not nil even where n is 0: an empty list is
// not null. Rows of a matrix beyond its length keep their capacity.
func grow[S ~[]T, T any](s S, n int) S {
	switch {
	case s == nil:
		return make(S, n)
	case n <= cap(s):
		return s[:n]
	}
	return append(s[:cap(s)], make(S, n-cap(s))...)
}
