package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"overnight/internal/param"
)

// refKey is the key of a Ref in the stored form; no other key may be it.
const refKey = "$"

// maxTreeDepth bounds how deep the stored form of a tree nests.
const maxTreeDepth = 64

// appendTree appends the stored form of a value. It panics on what is no value:
// Parse and DecodeStudy make none such.
func appendTree(b []byte, v param.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v)
	case Ref:
		b = append(b, `{"`+refKey+`":`...)
		return append(strconv.AppendInt(b, int64(v), 10), '}')
	case []param.Value:
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTree(b, v[i])
		}
		return append(b, ']')
	case *param.Map:
		b = append(b, '{')
		if v != nil {
			for i, e := range v.Entries {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(appendString(b, e.Key), ':')
				b = appendTree(b, e.Value)
			}
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("jobs: %T is no parameter value", v))
}

// appendFloat writes a float so that it can't be taken for an integer.
func appendFloat(b []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		panic(fmt.Sprintf("jobs: %v in a study", x))
	}
	n := len(b)
	b = strconv.AppendFloat(b, x, 'g', -1, 64)
	if !bytes.ContainsAny(b[n:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // texts always can be
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// treeReader reads stored trees until the first error.
type treeReader struct{ err error }

func (r *treeReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *treeReader) tree(raw json.RawMessage) *param.Map {
	m, ok := r.value(raw).(*param.Map)
	if !ok {
		r.fail("parameters that are no mapping")
	}
	return m
}

func (r *treeReader) number(raw json.RawMessage) float64 {
	x, ok := r.value(raw).(float64)
	if !ok {
		r.fail("the bound of a range is not a number with a point")
	}
	return x
}

func (r *treeReader) levels(list []planLevel) []Level {
	var out []Level
	for _, l := range list {
		out = append(out, Level{l.Name, r.value(l.Value)})
	}
	return out
}

func (r *treeReader) value(raw json.RawMessage) param.Value {
	if r.err != nil {
		return nil
	}
	if len(raw) == 0 {
		r.fail("a value is missing")
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := readTree(d, 0)
	if err != nil {
		r.fail("%w", err)
	}
	return v
}

func readTree(d *json.Decoder, depth int) (param.Value, error) {
	if depth > maxTreeDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxTreeDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return readList(d, depth)
		}
		return readMapping(d, depth)
	case json.Number:
		return readNumber(t.String())
	}
	return t, nil // null, a boolean or a text
}

func readNumber(text string) (param.Value, error) {
	if !strings.ContainsAny(text, ".eE") {
		return strconv.ParseInt(text, 10, 64)
	}
	x, err := strconv.ParseFloat(text, 64)
	return x + 0, err
}

func readList(d *json.Decoder, depth int) (param.Value, error) {
	list := []param.Value{}
	for d.More() {
		v, err := readTree(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func readMapping(d *json.Decoder, depth int) (param.Value, error) {
	m := &param.Map{}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readTree(d, depth+1)
		if err != nil {
			return nil, err
		}
		e := param.Entry{Key: key.(string), Value: v}
		if seen[e.Key] {
			return nil, fmt.Errorf("key %q stands twice", e.Key)
		}
		seen[e.Key] = true
		m.Entries = append(m.Entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if !seen[refKey] {
		return m, nil
	}
	n, ok := m.Entries[0].Value.(int64)
	if !ok || len(m.Entries) > 1 || n < 0 || n > 1<<30 {
		return nil, errors.New("a reference that is not {\"" + refKey + "\": number}")
	}
	return Ref(n), nil
}
