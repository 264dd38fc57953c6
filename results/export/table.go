package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table writes rows. A row is one call of Uint, Int, Float, Bool, Text or Null
// per column and then End, or one call of Row; nothing is allocated per cell.
// The first error stays: later calls do nothing and return it.
type Table struct {
	columns []string
	keys    [][]byte // JSON lines: `,"column":`, the first with a brace; nil for CSV
	out     *bufio.Writer

	row    []byte // the line so far
	filled int
	err    error
}

// NewTable returns a table with the given columns, whose names differ; the
// header of CSV is written at once. Close must be called at the end.
func NewTable(w io.Writer, f Format, columns []string) (*Table, error) {
	for i, c := range columns {
		if slices.Contains(columns[:i], c) {
			return nil, fmt.Errorf("a table with two columns %q", c)
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("a table without columns")
	}
	t := &Table{columns: columns, out: bufio.NewWriterSize(w, 1<<16)}
	switch f {
	case CSV:
		for _, c := range columns {
			t.Text(c)
		}
		t.err = t.End()
	case JSONL:
		for i, c := range columns {
			key := []byte{','}
			if i == 0 {
				key[0] = '{'
			}
			t.keys = append(t.keys, append(appendQuoted(key, c), ':'))
		}
	default:
		return nil, fmt.Errorf("there is no table format %q; write csv or jsonl", f)
	}
	return t, t.err
}

// Row writes a row of unsigned and signed integers, float64, bool, string and
// nil, one value per column.
func (t *Table) Row(values ...any) error {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			t.Null()
		case uint64:
			t.Uint(v)
		case uint32:
			t.Uint(uint64(v))
		case int64:
			t.Int(v)
		case int:
			t.Int(int64(v))
		case float64:
			t.Float(v)
		case float32:
			t.Float(float64(v))
		case bool:
			t.Bool(v)
		case string:
			t.Text(v)
		default:
			t.next()
			t.fail(fmt.Errorf("column %q: a cell of type %T", t.column(), v))
		}
	}
	return t.End()
}

// Uint, Int, Float, Bool, Text and Null add the next cell of the row.
func (t *Table) Uint(v uint64) {
	t.next()
	t.row = strconv.AppendUint(t.row, v, 10)
}

// Int adds a cell; see Uint.
func (t *Table) Int(v int64) {
	t.next()
	t.row = strconv.AppendInt(t.row, v, 10)
}

// Float adds a cell; see Uint and the package comment for NaN and infinities.
func (t *Table) Float(v float64) {
	special := math.IsNaN(v) || math.IsInf(v, 0)
	switch {
	case !special:
		t.next()
		t.row = strconv.AppendFloat(t.row, v, 'g', -1, 64)
	case math.IsNaN(v) || t.keys != nil:
		t.Null()
	case v > 0:
		t.Text("Inf")
	default:
		t.Text("-Inf")
	}
}

// Bool adds a cell; see Uint.
func (t *Table) Bool(v bool) {
	t.next()
	t.row = strconv.AppendBool(t.row, v)
}

// Text adds a cell; see Uint.
func (t *Table) Text(s string) {
	t.next()
	if t.keys == nil {
		t.row = appendField(t.row, s)
		return
	}
	t.row = appendQuoted(t.row, s)
}

// Null adds a cell; see Uint.
func (t *Table) Null() {
	t.next()
	if t.keys != nil {
		t.row = append(t.row, "null"...)
	}
}

// next begins a cell.
func (t *Table) next() {
	switch {
	case t.keys == nil && t.filled > 0:
		t.row = append(t.row, ',')
	case t.filled < len(t.keys):
		t.row = append(t.row, t.keys[t.filled]...)
	}
	t.filled++
}

// column names the cell just begun.
func (t *Table) column() string {
	if t.filled > len(t.columns) {
		return fmt.Sprintf("number %d", t.filled)
	}
	return t.columns[t.filled-1]
}

// fail keeps the first error.
func (t *Table) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// End writes the row. A row with too few or too many cells is an error.
func (t *Table) End() error {
	if t.filled != len(t.columns) {
		t.fail(fmt.Errorf("a row of %d cells in a table of %d columns", t.filled, len(t.columns)))
	}
	if t.err == nil {
		if t.keys != nil {
			t.row = append(t.row, '}')
		}
		t.row = append(t.row, '\n')
		_, t.err = t.out.Write(t.row)
	}
	t.row, t.filled = t.row[:0], 0
	return t.err
}

// Close writes what is buffered.
func (t *Table) Close() error {
	t.fail(t.out.Flush())
	return t.err
}

// appendField appends s as a field of CSV, quoted where encoding/csv quotes. It
// stands for it because numbers, most of all cells, need no look at each byte.
func appendField(b []byte, s string) []byte {
	if s == "" {
		return b
	}
	first, _ := utf8.DecodeRuneInString(s)
	if s != `\.` && !unicode.IsSpace(first) && !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// appendQuoted appends s as a JSON string.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("export: a string that JSON can't hold: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
