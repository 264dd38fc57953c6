package export

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// The sizes that bound the memory of a Parquet table: cells are handed over in
// batches, and a row group is what is held back until it is full.
const (
	batchRows = 1 << 10
	groupRows = 1 << 17
	// maxWords is how many different texts a table keeps as bytes.
	maxWords = 1 << 14
)

// columnar writes rows as Parquet.
type columnar struct {
	out     *parquet.GenericWriter[any]
	columns []Column
	cells   [][]parquet.Value // of the batch, by column
	words   map[string][]byte
	rows    int // of the batch
	group   int // rows handed over in this row group
}

// newParquet returns a table of the given columns, in their order. Strings, and
// integers and numbers that repeat, are dictionary-encoded; pages are compressed
// with zstd. A number that does not apply is null.
func newParquet(w io.Writer, columns []Column, meta []Meta) (*Table, error) {
	if err := different(names(columns)); err != nil {
		return nil, err
	}
	options := []parquet.WriterOption{
		schema(columns),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.CreatedBy("overnight", "1", "0"),
		parquet.DataPageStatistics(true),
	}
	for _, m := range meta {
		options = append(options, parquet.KeyValueMetadata(m.Key, m.Value))
	}
	config, err := parquet.NewWriterConfig(options...)
	if err != nil {
		return nil, fmt.Errorf("a parquet file of %d columns: %w", len(columns), err)
	}
	c := &columnar{
		out: parquet.NewGenericWriter[any](w, config), columns: columns,
		cells: make([][]parquet.Value, len(columns)), words: map[string][]byte{},
	}
	return &Table{columns: names(columns), parquet: c}, nil
}

// ordered is a group whose fields stand in the order of the columns; parquet.Group
// sorts them by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

// Fields implements parquet.Node.
func (o *ordered) Fields() []parquet.Field { return o.fields }

func schema(columns []Column) *parquet.Schema {
	group := parquet.Group{}
	for _, c := range columns {
		group[c.Name] = node(c)
	}
	fields := group.Fields()
	order := names(columns)
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(order, a.Name()) - slices.Index(order, b.Name())
	})
	return parquet.NewSchema("rows", &ordered{group, fields})
}

func node(c Column) parquet.Node {
	var n parquet.Node
	switch c.Type {
	case Integer:
		n = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	case Float:
		n = parquet.Leaf(parquet.DoubleType)
	case Boolean:
		n = parquet.Leaf(parquet.BooleanType)
	default:
		n = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	if c.Optional {
		return parquet.Optional(n)
	}
	return n
}

// add takes the cell of column at.
func (c *columnar) add(at int, v parquet.Value) error {
	if at >= len(c.columns) {
		return nil // End says that there are too many
	}
	col := &c.columns[at]
	level := 0
	switch {
	case v.IsNull() && !col.Optional:
		return fmt.Errorf("column %q: an empty cell, which it can't have", col.Name)
	case v.IsNull():
		c.cells[at] = append(c.cells[at], v.Level(0, 0, at))
		return nil
	case col.Optional:
		level = 1
	}
	switch is := v.Kind(); {
	case col.Type == Integer && is == parquet.Int64,
		col.Type == Float && is == parquet.Double,
		col.Type == Boolean && is == parquet.Boolean,
		col.Type == String && is == parquet.ByteArray:
	case col.Type == Float && is == parquet.Int64:
		v = parquet.DoubleValue(float64(v.Int64()))
	case col.Type == String && is == parquet.Int64:
		v = c.text(strconv.FormatInt(v.Int64(), 10))
	case col.Type == String && is == parquet.Double:
		v = c.text(strconv.FormatFloat(v.Double(), 'g', -1, 64))
	case col.Type == String && is == parquet.Boolean:
		v = c.text(strconv.FormatBool(v.Boolean()))
	default:
		return fmt.Errorf("column %q: a cell of type %v", col.Name, is)
	}
	c.cells[at] = append(c.cells[at], v.Level(0, level, at))
	return nil
}

// text is a string's value; texts repeat, and their bytes are kept.
func (c *columnar) text(s string) parquet.Value {
	b, ok := c.words[s]
	if !ok {
		b = []byte(s)
		if len(c.words) < maxWords {
			c.words[s] = b
		}
	}
	return parquet.ByteArrayValue(b)
}

// number is a float's value, null for NaN.
func (c *columnar) number(v float64) parquet.Value {
	if math.IsNaN(v) {
		return parquet.NullValue()
	}
	return parquet.DoubleValue(v)
}

// end ends a row.
func (c *columnar) end() error {
	c.rows++
	if c.rows < batchRows {
		return nil
	}
	return c.hand()
}

// hand hands the batch over and ends the row group where it is full.
func (c *columnar) hand() error {
	for i, w := range c.out.ColumnWriters() {
		if _, err := w.WriteRowValues(c.cells[i]); err != nil {
			return fmt.Errorf("column %q: %w", c.columns[i].Name, err)
		}
		clear(c.cells[i])
		c.cells[i] = c.cells[i][:0]
	}
	c.group += c.rows
	c.rows = 0
	if c.group < groupRows {
		return nil
	}
	c.group = 0
	return c.out.Flush()
}

// close writes what is left and the file's end.
func (c *columnar) close() error {
	if c.rows > 0 {
		if err := c.hand(); err != nil {
			return err
		}
	}
	return c.out.Close()
}
