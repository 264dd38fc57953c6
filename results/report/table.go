package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Format is how a table is written.
type Format string

// The formats of tables.
const (
	Text Format = "text" // for a terminal
	JSON Format = "json" // one object: study, objective, rows, notes
	CSV  Format = "csv"  // a header, then a line a row
)

// maxRows is how many rows a text shows unless all are wanted.
const maxRows = 20

// Style says how a table is written.
type Style struct {
	// Format defaults to Text. JSON and CSV have all rows and every column,
	// whatever Width and All say.
	Format Format
	// Width is the terminal's, in characters. 0: any.
	Width int
	// All shows all rows of a text; else at most 20.
	All bool
}

// Table is one of this package's tables.
type Table interface {
	text(s Style) *page
	header() []string
	// each yields the rows as CSV has them; numbers are number.
	each(yield func(row []any) bool)
	json() any
}

// page is a table as text.
type page struct {
	title []string
	grid  *grid    // or
	lines []string // laid out already
	notes []string
}

// Write writes a table.
func Write(w io.Writer, t Table, s Style) error {
	switch s.Format {
	case Text, "":
		return writeText(w, t, s)
	case JSON:
		return writeJSON(w, t.json())
	case CSV:
		return writeCSV(w, t)
	}
	return fmt.Errorf("there is no table format %q; write text, json or csv", s.Format)
}

func writeText(w io.Writer, t Table, s Style) error {
	var b bytes.Buffer
	p := t.text(s)
	for _, line := range p.title {
		putLines(&b, wrap(line, s.Width, 2))
	}
	putLines(&b, p.lines)
	if p.grid != nil {
		lines, left := p.grid.lines(s.Width)
		putLines(&b, lines)
		if len(left) > 0 {
			p.notes = append([]string{"Not shown at this width: " + strings.Join(left, ", ") + "."}, p.notes...)
		}
	}
	for _, note := range p.notes {
		putLines(&b, wrap(note, s.Width, 2))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func putLines(b *bytes.Buffer, lines []string) {
	for _, l := range lines {
		b.WriteString(strings.ReplaceAll(l, nbsp, " "))
		b.WriteByte('\n')
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func writeCSV(w io.Writer, t Table) error {
	out := csv.NewWriter(w)
	err := out.Write(t.header())
	t.each(func(row []any) bool {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = fmt.Sprint(v)
		}
		err = out.Write(cells)
		return err == nil
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// number is a float64 that JSON shows as null and CSV as nothing where it is
// not a number or not finite.
type number float64

func (n number) finite() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if !n.finite() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

func (n number) String() string {
	if !n.finite() {
		return ""
	}
	return strconv.FormatFloat(float64(n), 'g', -1, 64)
}

// levels are the names of a point's levels, an object in JSON with the factors
// in the study's order.
type levels struct{ factors, names []string }

// MarshalJSON implements json.Marshaler.
func (l levels) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range l.names {
		if name == "" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		for k, s := range []string{l.factors[i], name} {
			quoted, err := json.Marshal(s)
			if err != nil {
				return nil, err
			}
			if k == 1 {
				b = append(b, ':')
			}
			b = append(b, quoted...)
		}
	}
	return append(b, '}'), nil
}

// heading is what every JSON table begins with.
type heading struct {
	Study     string    `json:"study"`
	Objective objective `json:"objective"`
	Baseline  string    `json:"baseline,omitempty"`
	Level     float64   `json:"level"`
}

type objective struct {
	Metric  string `json:"metric"`
	Goal    string `json:"goal"`
	Summary string `json:"summary"`
}

func (m *Model) heading() heading {
	o := objective{Metric: m.Study.Objective.Metric, Goal: "maximize", Summary: string(m.statistic())}
	if m.Study.Objective.Minimize {
		o.Goal = "minimize"
	}
	return heading{Study: m.Study.Name, Objective: o, Baseline: m.Study.Baseline, Level: level}
}

// goal says what is better.
func (m *Model) goal() string {
	if m.Study.Objective.Minimize {
		return "lower is better"
	}
	return "higher is better"
}
