package export

import (
	"fmt"
	"io"
	"slices"

	"overnight/jobs"
)

// Type is the type of a column's cells. CSV and JSON lines write each cell as it
// is; Parquet needs to know.
type Type uint8

// The types of columns. A number fits into a Float column, anything into a String
// column.
const (
	String Type = iota
	Integer
	Float
	Boolean
)

// Column is a column of a table.
type Column struct {
	Name string
	Type Type
	// Optional columns may have empty cells.
	Optional bool
}

// Meta is a note that a Parquet file carries: what study it is of.
type Meta struct{ Key, Value string }

// NewColumns is NewTable with typed columns, which Parquet needs. meta is left
// out of CSV and JSON lines.
func NewColumns(w io.Writer, f Format, columns []Column, meta ...Meta) (*Table, error) {
	if f == Parquet {
		return newParquet(w, columns, meta)
	}
	return NewTable(w, f, names(columns))
}

func names(columns []Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// StepColumns types the columns of steps: trial, episode and step, then numbers.
func StepColumns(names []string) []Column {
	var columns []Column
	for i, name := range names {
		c := Column{Name: name, Type: Float, Optional: true}
		if i < 3 {
			c = Column{Name: name, Type: Integer}
		}
		columns = append(columns, c)
	}
	return columns
}

// trialColumns types TrialColumns.
func trialColumns(s *jobs.Study) []Column {
	var columns []Column
	add := func(t Type, optional bool, names ...string) {
		for _, name := range names {
			columns = append(columns, Column{Name: name, Type: t, Optional: optional})
		}
	}
	all := TrialColumns(s)
	n := len(identity(s))
	for _, name := range all[:n] {
		switch name {
		case "arm", "agent", "task", "status":
			add(String, false, name)
		case "elapsed_ms":
			add(Float, true, name)
		default:
			add(Integer, false, name)
		}
	}
	for f := range s.Factors {
		add(factorType(&s.Factors[f]), true, all[n+f])
	}
	add(Float, true, all[n+len(s.Factors):]...)
	return columns
}

// factorType is the narrowest type that all levels of a factor fit into.
func factorType(f *jobs.Factor) Type {
	switch f.Kind {
	case jobs.IntUniform:
		return Integer
	case jobs.Grid, jobs.Choice:
	default:
		return Float
	}
	var kinds []kind
	for i, l := range f.Levels {
		c := newCell(&jobs.PointLevel{Level: i, Name: l.Name, Value: l.Value})
		kinds = append(kinds, c.kind)
	}
	all := func(these ...kind) bool {
		return !slices.ContainsFunc(kinds, func(k kind) bool { return !slices.Contains(these, k) })
	}
	switch {
	case len(kinds) == 0:
		return String
	case all(whole):
		return Integer
	case all(number, whole):
		return Float
	case all(boolean):
		return Boolean
	}
	return String
}

func curveColumns() []Column {
	var columns []Column
	for _, name := range CurveColumns() {
		c := Column{Name: name, Type: Integer}
		switch name {
		case "arm", "curve":
			c.Type = String
		case "x", "y":
			c.Type, c.Optional = Float, true
		}
		columns = append(columns, c)
	}
	return columns
}

// formats names the formats in an error.
func unknownFormat(f Format) error {
	return fmt.Errorf("there is no table format %q; write csv, jsonl or parquet", f)
}
