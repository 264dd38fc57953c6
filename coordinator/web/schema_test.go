package web

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schemas checks values against the schemas of an OpenAPI document: the words of
// JSON Schema that ours uses, and it refuses all others.
type schemas struct{ document map[string]any }

// ref follows "#/components/schemas/X".
func (s schemas) ref(path string) (any, error) {
	var at any = s.document
	for _, word := range strings.Split(strings.TrimPrefix(path, "#/"), "/") {
		m, ok := at.(map[string]any)
		if !ok || m[word] == nil {
			return nil, fmt.Errorf("%s leads nowhere", path)
		}
		at = m[word]
	}
	return at, nil
}

// resolve follows the reference that x is, if it is one.
func (s schemas) resolve(x any) (map[string]any, error) {
	m, ok := x.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is no object", x)
	}
	if path, ok := m["$ref"].(string); ok {
		to, err := s.ref(path)
		if err != nil {
			return nil, err
		}
		return s.resolve(to)
	}
	return m, nil
}

// check returns what in v does not fit a schema.
func (s schemas) check(schema, v any, at string) error {
	m, err := s.resolve(schema)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	for _, word := range slices.Sorted(maps.Keys(m)) {
		if err := s.word(m, word, v); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	if list, ok := v.([]any); ok && m["items"] != nil {
		for i, x := range list {
			if err := s.check(m["items"], x, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	properties, _ := m["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(o)) {
		of, known := properties[name]
		if !known {
			switch more := m["additionalProperties"].(type) {
			case bool:
				if !more {
					return fmt.Errorf("%s has %q, which the schema does not", at, name)
				}
				continue
			case nil:
				continue
			default:
				of = more
			}
		}
		if err := s.check(of, o[name], at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// word checks one word of a schema.
func (s schemas) word(m map[string]any, word string, v any) error {
	switch x := m[word]; word {
	case "description", "default", "properties", "additionalProperties", "items":
	case "type":
		kinds, many := x.([]any)
		if !many {
			kinds = []any{x}
		}
		if !slices.ContainsFunc(kinds, func(k any) bool { return isKind(k.(string), v) }) {
			return fmt.Errorf("%v is not of type %v", v, x)
		}
	case "enum":
		if !slices.Contains(x.([]any), v) {
			return fmt.Errorf("%v is not among %v", v, x)
		}
	case "required":
		o, _ := v.(map[string]any)
		for _, name := range x.([]any) {
			if _, there := o[name.(string)]; !there {
				return fmt.Errorf("lacks %q", name)
			}
		}
	case "minimum":
		if n, ok := v.(float64); ok && n < x.(float64) {
			return fmt.Errorf("%v is below %v", v, x)
		}
	case "maximum":
		if n, ok := v.(float64); ok && n > x.(float64) {
			return fmt.Errorf("%v is above %v", v, x)
		}
	case "maxLength":
		if t, ok := v.(string); ok && float64(len(t)) > x.(float64) {
			return fmt.Errorf("%q is longer than %v", v, x)
		}
	case "pattern":
		if t, ok := v.(string); ok && !regexp.MustCompile(x.(string)).MatchString(t) {
			return fmt.Errorf("%q does not match %v", v, x)
		}
	default:
		return fmt.Errorf("the checker does not know %q", word)
	}
	return nil
}

func isKind(kind string, v any) bool {
	switch x := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && x == math.Trunc(x)
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return false
}

// TestSchemas holds that the checker finds what does not fit.
func TestSchemas(t *testing.T) {
	t.Parallel()
	s := schemas{map[string]any{"x": map[string]any{"type": "integer", "minimum": 0.0}}}
	object := map[string]any{
		"type": "object", "required": []any{"n"}, "additionalProperties": false,
		"properties": map[string]any{"n": map[string]any{"$ref": "#/x"}, "s": map[string]any{"type": "string", "pattern": "^a", "maxLength": 2.0}, "l": map[string]any{"type": "array", "items": map[string]any{"enum": []any{"a"}}}},
	}
	for _, good := range []any{
		map[string]any{"n": 1.0}, map[string]any{"n": 0.0, "s": "ab", "l": []any{"a", "a"}},
	} {
		if err := s.check(object, good, "v"); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []any{
		nil, "x", map[string]any{}, map[string]any{"n": -1.0}, map[string]any{"n": 1.5}, map[string]any{"n": "1"}, map[string]any{"n": 1.0, "more": true},
		map[string]any{"n": 1.0, "s": "b"}, map[string]any{"n": 1.0, "s": "abc"}, map[string]any{"n": 1.0, "l": []any{"b"}},
	} {
		if s.check(object, bad, "v") == nil {
			t.Errorf("%v fits", bad)
		}
	}
	for _, broken := range []any{map[string]any{"$ref": "#/y"}, map[string]any{"oneOf": []any{}}} {
		if s.check(broken, 1.0, "v") == nil {
			t.Errorf("schema %v is taken", broken)
		}
	}
}
