// Package export writes a study's records as tables for other tools: CSV with a
// header, JSON lines, or Parquet with typed columns. Start with Trials and
// NewTable.
//
// Rows come in trial order, one per committed record, in mid-study too. Numbers
// are the shortest text that reads back as the same bits; a number that does not
// apply is empty in CSV and null in JSON lines, infinities are Inf and -Inf in
// CSV and null in JSON lines, which has none. Keys of JSON lines stand in the
// order of the columns. In Parquet, a number that does not apply is null and
// infinities are themselves; rows are written in groups, so memory stays bounded.
package export

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"overnight/jobs"
	"overnight/results"
)

// Format is how a table is written.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSONL   Format = "jsonl"
	Parquet Format = "parquet"
)

// TrialColumns returns the columns of Trials:
//
//	trial,point,replication,arm,agent,status,attempts,elapsed_ms
//
// then one per factor, then one per metric. Where the study has several
// environments, `task` stands behind agent. A factor or metric whose name an
// earlier column has is written as "factor.NAME" or "metric.NAME".
func TrialColumns(s *jobs.Study) []string {
	columns := identity(s)
	for _, name := range s.Columns() {
		columns = appendColumn(columns, "factor", name)
	}
	for _, name := range s.Metrics {
		columns = appendColumn(columns, "metric", name)
	}
	return columns
}

// identity is the columns that say what a trial was and how it went.
func identity(s *jobs.Study) []string {
	c := []string{"trial", "point", "replication", "arm", "agent"}
	if len(s.Tasks) > 1 {
		c = append(c, "task")
	}
	return append(c, "status", "attempts", "elapsed_ms")
}

func appendColumn(columns []string, kind, name string) []string {
	for slices.Contains(columns, name) {
		name = kind + "." + name
	}
	return append(columns, name)
}

// Trials writes a row for each record: what the trial was, how it went, its
// factors and its metrics. Named levels stand by their name; a factor that does
// not apply to the arm is empty, as are the metrics of a trial that did not end
// well.
//
// meta is for Parquet. A record that the store can't read has no row; the error
// at the end names those trials, and everything else has been written.
func Trials(w io.Writer, s *jobs.Study, records iter.Seq2[results.Record, error], f Format, meta ...Meta) error {
	t, err := NewColumns(w, f, trialColumns(s), meta...)
	if err != nil {
		return err
	}
	points := newPoints(s)
	return each(s, t, records, func(r *results.Record) error {
		p, err := points.at(r.Point)
		if err != nil {
			return err
		}
		t.Uint(r.Trial)
		t.Uint(r.Point)
		t.Uint(r.Replication)
		t.Text(s.Arms[p.arm].Label)
		t.Text(s.Arms[p.arm].Agent)
		if len(s.Tasks) > 1 {
			t.Text(s.Tasks[p.task].Label)
		}
		t.Text(r.Status.String())
		t.Uint(uint64(r.Attempts))
		t.Float(float64(r.Elapsed) / 1e6)
		for i := range p.cells {
			p.cells[i].put(t)
		}
		for i := range s.Metrics {
			if i < len(r.Metrics) {
				t.Float(r.Metrics[i])
			} else {
				t.Null()
			}
		}
		return t.End()
	})
}

// CurveColumns returns the columns of Curves.
func CurveColumns() []string {
	return []string{"trial", "point", "replication", "arm", "curve", "x", "y"}
}

// Curves writes a row for each value of each curve of each record: long form. x
// is in training episodes. Damaged records are as in Trials.
func Curves(w io.Writer, s *jobs.Study, records iter.Seq2[results.Record, error], f Format, meta ...Meta) error {
	t, err := NewColumns(w, f, curveColumns(), meta...)
	if err != nil {
		return err
	}
	return each(s, t, records, func(r *results.Record) error {
		_, arm := s.Pair(r.Point)
		for _, c := range r.Curves {
			for i, x := range c.X {
				t.Uint(r.Trial)
				t.Uint(r.Point)
				t.Uint(r.Replication)
				t.Text(s.Arms[arm].Label)
				t.Text(c.Name)
				t.Float(x)
				t.Float(c.Y[i])
				if err := t.End(); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// each calls row for every record that can be read, and closes the table.
func each(s *jobs.Study, t *Table, records iter.Seq2[results.Record, error], row func(*results.Record) error) error {
	var damaged uint64
	var first []uint64
	for r, err := range records {
		switch {
		case errors.Is(err, results.ErrDamaged):
			damaged++
			if len(first) < 10 {
				first = append(first, r.Trial)
			}
			continue
		case err != nil:
			return errors.Join(fmt.Errorf("read the records of study %q: %w", s.Name, err), t.Close())
		case r.Point >= s.Points():
			return errors.Join(fmt.Errorf("study %q has no point %d, of which the store has a record", s.Name, r.Point), t.Close())
		}
		if err := row(&r); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	if damaged > 0 {
		return fmt.Errorf("%d records can't be read, of trials %d and on: %w; they have no row; `overnight fsck %s` runs them again",
			damaged, first, results.ErrDamaged, s.Name)
	}
	return nil
}
