package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"overnight/results"
)

// Ending says what Summary can't know from the records.
type Ending struct {
	// State is where the study stands. Empty: it is left out.
	State results.State
	// Digest of the study. Empty: trials are missing.
	Digest string
	// Elapsed of this run. 0: it is left out.
	Elapsed time.Duration
	// Reused counts the trials that were in the store when this run began.
	Reused uint64
	// File is the study file to run again. Empty: the study's name stands for it.
	File string
	// Width and All as in Style.
	Width int
	All   bool
}

// Summary writes what a run ends with: what ran, a line per arm, what matters,
// failed and missing trials, the digest, and the next command. The last two are
// for copying and are never broken into lines.
func Summary(w io.Writer, m *Model, e Ending) error {
	var b bytes.Buffer
	put := func(indent int, format string, args ...any) {
		putLines(&b, wrap(fmt.Sprintf(format, args...), e.Width, indent))
	}
	s := m.Study
	title := clean(s.Name)
	if e.State != "" {
		title += ": " + string(e.State)
	}
	put(2, "%s", title)
	if s.Question != "" {
		put(0, "%s", clean(s.Question))
	}
	put(2, "%s", m.ran(&e))
	style := Style{Width: e.Width, All: e.All}
	if m.Tally.Done > 0 {
		b.WriteByte('\n')
		if err := writeText(&b, m.ArmTable(), style); err != nil {
			return err
		}
		if t := m.WhatMatters(); len(t.rows) > 0 {
			b.WriteByte('\n')
			if err := writeText(&b, t, style); err != nil {
				return err
			}
		}
	}
	if t := m.Confirmation(); len(t.rows) > 0 {
		b.WriteByte('\n')
		if err := writeText(&b, t, style); err != nil {
			return err
		}
	}
	if lines := m.StoppingLines(); len(lines) > 0 {
		b.WriteByte('\n')
		for _, line := range lines {
			put(2, "%s", line)
		}
	}
	if lines := m.troubles(e.All); len(lines) > 0 {
		b.WriteByte('\n')
		for _, line := range lines {
			put(4, "%s", line)
		}
	}
	b.WriteByte('\n')
	if e.Digest != "" {
		fmt.Fprintf(&b, "digest %s\n", e.Digest)
	}
	fmt.Fprintf(&b, "next: %s\n", m.next(&e))
	_, err := w.Write(b.Bytes())
	return err
}

// ran says what ran.
func (m *Model) ran(e *Ending) string {
	s := m.Study
	parts := []string{
		m.size(),
		plural(uint64(len(s.Arms)), "arm"),
	}
	if len(s.Tasks) > 1 {
		parts = append(parts, plural(uint64(len(s.Tasks)), "task"))
	}
	parts = append(parts, fmt.Sprintf("seed %d", s.Seed), fmt.Sprintf("engine %d", s.Engine))
	if e.Reused > 0 {
		parts = append(parts, fmt.Sprintf("%d reused", e.Reused))
	}
	if e.Elapsed > 0 {
		parts = append(parts, rounded(e.Elapsed).String())
	}
	return strings.Join(parts, "; ")
}

// rounded keeps three significant digits or so of a duration.
func rounded(d time.Duration) time.Duration {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond)
	case d < time.Minute:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// troubles says what failed and what is missing, a line each.
func (m *Model) troubles(all bool) []string {
	var lines []string
	t := &m.Tally
	if bad := t.Failed + t.Dead + t.Overrun; bad > 0 {
		var parts []string
		for _, p := range []struct {
			n    uint64
			name string
		}{{t.Failed, "failed"}, {t.Dead, "dead"}, {t.Overrun, "overran a limit"}} {
			if p.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", p.n, p.name))
			}
		}
		line := fmt.Sprintf("%s without a result: %s", plural(bad, "trial"), strings.Join(parts, ", "))
		if m.byPoint() {
			line += fmt.Sprintf(", at %s", plural(uint64(m.Failing), "point"))
		}
		lines = append(lines, line+". First errors:")
		shown := m.Failures
		if !all {
			shown = shown[:min(len(shown), 5)]
		}
		for _, f := range shown {
			text := f.Error
			if text == "" {
				text = f.Status.String()
			}
			lines = append(lines, fmt.Sprintf("  point %d (%s), trial %d, %d of %d: %s", f.Point, m.describe(f.Point), f.Trial, f.Trials, m.planned(f.Point), clean(text)))
		}
		if more := m.Failing - len(shown); more > 0 {
			lines = append(lines, fmt.Sprintf("  and %s more; `overnight export %s` lists all trials.", plural(uint64(more), "point"), m.Study.Name))
		}
	}
	if t.Damaged > 0 {
		lines = append(lines, fmt.Sprintf("%s can't be read from the store; `overnight fsck %s` names them and runs them again.", plural(t.Damaged, "record"), m.Study.Name))
	}
	if t.Surplus > 0 {
		lines = append(lines, fmt.Sprintf("%s beside those that the study wants, in no table and not in the digest.", plural(t.Surplus, "record")))
	}
	if t.Missing > 0 {
		lines = append(lines, fmt.Sprintf("%s of %d without a record.", plural(t.Missing, "trial"), t.Planned))
	}
	return lines
}

// describe names a point by task, arm and levels.
func (m *Model) describe(point uint64) string {
	task, arm := m.layout.Pair(point)
	parts := []string{clean(m.Study.Arms[arm].Label)}
	if len(m.Study.Tasks) > 1 {
		parts = append([]string{clean(m.Study.Tasks[task].Label)}, parts...)
	}
	if m.scales == nil {
		return strings.Join(parts, ", ")
	}
	short := shortNames(m.Study.Columns())
	for f := range m.Study.Factors {
		if name := m.scales.name(int(point), f); name != "" {
			parts = append(parts, clean(short[f])+"="+clean(name))
		}
	}
	return strings.Join(parts, ", ")
}

// next returns the command that goes on from here.
func (m *Model) next(e *Ending) string {
	name := m.Study.Name
	file := e.File
	if file == "" {
		file = name
	}
	switch {
	case e.State == results.Paused:
		return "overnight resume " + name
	case m.Tally.Missing > 0 || m.Tally.Damaged > 0:
		return "overnight run " + quoted(file)
	case m.Tally.Failed+m.Tally.Dead+m.Tally.Overrun > 0 && len(m.Failures) > 0:
		return fmt.Sprintf("overnight replay %s %d", name, m.Failures[0].Trial)
	}
	return fmt.Sprintf("overnight report %s -o %s.html", name, strings.ReplaceAll(name, "@", "-"))
}

// quoted is a file's name as a shell reads it.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@+:,", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(clean(s), "'", `'\''`) + "'"
}
