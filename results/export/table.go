package export

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// Table writes rows. A row is one call of Uint, Int, Float, Bool, Text or Null
// per column and then End, or one call of Row; nothing is allocated per cell.
// The first error stays: later calls do nothing and return it.
type Table struct {
	columns []string
	keys    [][]byte // JSON lines: `,"column":`, the first with a brace; nil for CSV
	out     *bufio.Writer
	parquet *columnar // Parquet; the others are nil then

	row    []byte // the line so far
	filled int
	err    error
}

// NewTable returns a table with the given columns, whose names differ, as CSV or
// JSON lines; the header of CSV is written at once. Close must be called at the
// end.
func NewTable(w io.Writer, f Format, columns []string) (*Table, error) {
	if err := different(columns); err != nil {
		return nil, err
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
	case Parquet:
		return nil, fmt.Errorf("a parquet table needs the types of its columns: use NewColumns")
	default:
		return nil, unknownFormat(f)
	}
	return t, t.err
}

// different checks that names can be those of columns.
func different(columns []string) error {
	for i, c := range columns {
		if slices.Contains(columns[:i], c) {
			return fmt.Errorf("a table with two columns %q", c)
		}
	}
	if len(columns) == 0 {
		return errors.New("a table without columns")
	}
	return nil
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
	if t.parquet != nil {
		t.put(parquet.Int64Value(int64(v)))
		if v > math.MaxInt64 {
			t.fail(fmt.Errorf("column %q: %d is beyond 64 bits with a sign", t.column(), v))
		}
		return
	}
	t.next()
	t.row = strconv.AppendUint(t.row, v, 10)
}

// Int adds a cell; see Uint.
func (t *Table) Int(v int64) {
	if t.parquet != nil {
		t.put(parquet.Int64Value(v))
		return
	}
	t.next()
	t.row = strconv.AppendInt(t.row, v, 10)
}

// Float adds a cell; see Uint and the package comment for NaN and infinities.
func (t *Table) Float(v float64) {
	if t.parquet != nil {
		t.put(t.parquet.number(v))
		return
	}
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
	if t.parquet != nil {
		t.put(parquet.BooleanValue(v))
		return
	}
	t.next()
	t.row = strconv.AppendBool(t.row, v)
}

// Text adds a cell; see Uint.
func (t *Table) Text(s string) {
	if t.parquet != nil {
		t.put(t.parquet.text(s))
		return
	}
	t.next()
	if t.keys == nil {
		t.row = appendField(t.row, s)
		return
	}
	t.row = appendQuoted(t.row, s)
}

// Null adds a cell; see Uint.
func (t *Table) Null() {
	if t.parquet != nil {
		t.put(parquet.NullValue())
		return
	}
	t.next()
	if t.keys != nil {
		t.row = append(t.row, "null"...)
	}
}

// put adds a cell of Parquet.
func (t *Table) put(v parquet.Value) {
	t.filled++
	if t.err == nil {
		t.fail(t.parquet.add(t.filled-1, v))
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
	switch {
	case t.err != nil:
	case t.parquet != nil:
		t.err = t.parquet.end()
	default:
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
	switch {
	case t.parquet == nil:
		t.fail(t.out.Flush())
	case t.err == nil: // else the file has no end, and nothing reads it
		t.err = t.parquet.close()
	}
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
