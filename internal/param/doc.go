package param

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// row is a parameter as the reference pages show it; groups are flattened.
type row struct{ name, kind, value, bounds, unit, doc string }

func (s Schema) rows(prefix string) []row {
	var rows []row
	for i := range s {
		f := &s[i]
		r := row{name: prefix + f.Name, kind: f.Kind.String(), unit: f.Unit, doc: f.Doc}
		if f.Kind == Group {
			rows = append(rows, r)
			rows = append(rows, f.Fields.rows(r.name+".")...)
			continue
		}
		r.value, r.bounds = FormatValue(f.Default), f.bounds()
		if f.HasFaithful {
			r.doc = strings.TrimSpace(r.doc + " With `faithful: true` the default is " + FormatValue(f.Faithful) + ".")
		}
		rows = append(rows, r)
	}
	return rows
}

// bounds writes what values a parameter takes: "0 to 1", "> 0", names, and the
// length of lists.
func (f *Field) bounds() string {
	lo, hi := f.Min, f.Max
	var parts []string
	switch {
	case lo != nil && hi != nil && !f.MinOpen && !f.MaxOpen:
		parts = append(parts, format(*lo)+" to "+format(*hi))
	default:
		if lo != nil {
			parts = append(parts, map[bool]string{false: ">= ", true: "> "}[f.MinOpen]+format(*lo))
		}
		if hi != nil {
			parts = append(parts, map[bool]string{false: "<= ", true: "< "}[f.MaxOpen]+format(*hi))
		}
	}
	if len(f.Enum) > 0 {
		parts = append(parts, strings.Join(f.Enum, ", "))
	}
	switch {
	case f.MinLen > 0 && f.MinLen == f.MaxLen:
		parts = append(parts, count(f.MinLen, "element"))
	case f.MaxLen > 0:
		parts = append(parts, fmt.Sprintf("%d to %s", f.MinLen, count(f.MaxLen, "element")))
	case f.MinLen > 0:
		parts = append(parts, "at least "+count(f.MinLen, "element"))
	}
	return strings.Join(parts, "; ")
}

// FormatValue writes a value as a study file may have it: null, numbers in
// their shortest form, lists in brackets, mappings in braces, and texts bare
// where that can't be misread.
func FormatValue(v Value) string {
	switch v := v.(type) {
	case string:
		if plain(v) {
			return v
		}
		return fmt.Sprintf("%q", v)
	case []Value:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = FormatValue(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Map:
		if v == nil {
			return "{}"
		}
		parts := make([]string, len(v.Entries))
		for i, e := range v.Entries {
			parts[i] = FormatValue(e.Key) + ": " + FormatValue(e.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return describe(v)
}

// plain tells whether a text needs no quotes: letters, digits, _ and - after a
// first letter, and not a word that means something else.
func plain(s string) bool {
	switch strings.ToLower(s) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '_' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// WriteDoc writes the parameters as a table for a terminal of width columns:
// name, type, default, range and unit aligned, and under each its
// documentation, wrapped.
func (s Schema) WriteDoc(w io.Writer, width int) error {
	rows := s.rows("")
	if len(rows) == 0 {
		_, err := io.WriteString(w, "no parameters\n")
		return err
	}
	table := [][]string{{"NAME", "TYPE", "DEFAULT", "RANGE", "UNIT"}}
	for _, r := range rows {
		table = append(table, []string{r.name, r.kind, r.value, r.bounds, r.unit})
	}
	widths := columns(table, width)
	var b strings.Builder
	for i, cells := range table {
		var line strings.Builder
		for j, c := range cells {
			line.WriteString(c)
			line.WriteString(strings.Repeat(" ", max(0, widths[j]-utf8.RuneCountInString(c))+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
		if i > 0 {
			wrap(&b, rows[i-1].doc, "    ", width)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columns chooses the widths of columns. Cells above a limit have no say - they
// move only their own row - and the limit is the highest, up to 24, that makes
// the others fit.
func columns(table [][]string, width int) (widths [5]int) {
	for limit := 24; limit >= 8; limit-- {
		widths = [5]int{}
		for _, cells := range table {
			for i, c := range cells {
				if n := utf8.RuneCountInString(c); n <= limit {
					widths[i] = max(widths[i], n)
				}
			}
		}
		total := 2 * (len(widths) - 1)
		for _, w := range widths {
			total += w
		}
		if total <= width {
			break
		}
	}
	return widths
}

// wrap writes text in lines of at most width columns, each after indent. A word
// longer than a line has a line of its own.
func wrap(b *strings.Builder, text, indent string, width int) {
	used := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
			b.WriteString(indent)
			used = len(indent)
		case used+1+n > width:
			b.WriteString("\n" + indent)
			used = len(indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	if used > 0 {
		b.WriteByte('\n')
	}
}

// WriteMarkdown writes the parameters as a Markdown table.
func (s Schema) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| parameter | type | default | range | unit | meaning |\n|---|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, r := range s.rows("") {
		value := ""
		if r.value != "" {
			value = "`" + r.value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", cell.Replace(r.name), r.kind, cell.Replace(value),
			cell.Replace(r.bounds), cell.Replace(r.unit), cell.Replace(r.doc))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
