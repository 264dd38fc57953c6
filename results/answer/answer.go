// Package answer turns a study's records into what a reader wants to know: the
// question, the answer in sentences with numbers, pictures and tables, as a
// page.Document. Start with Build.
//
// The same records give the same document, byte for byte.
package answer

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"overnight/results"
	"overnight/results/figure"
	"overnight/results/page"
	"overnight/results/report"
)

// Input is what a document is made from.
type Input struct {
	Model *report.Model
	// Records yields the study's records with their curves, in trial order, for
	// learning curves; those that the study does not want, or that confirm, are left
	// out. Nil: there are none.
	Records iter.Seq2[results.Record, error]
	// Play runs a trial again for pictures of what agents did. Where its error
	// is figure.Unplayed the document says so instead. Nil: there are none.
	Play figure.Play
	// Unplayed says why Play is nil, such as "this service runs no trials". Empty:
	// the document does not mention such pictures.
	Unplayed string

	State  results.State
	Digest string // empty while trials are missing
	Source []byte // the study file
	Made   string // what made the document: program and version
}

// builder makes one document.
type builder struct {
	Input
	arms *report.ArmTable
	sens *report.SensitivityTable // nil where there is none
	doc  page.Document
}

// Build makes the document. An error is one of reading records, of running a trial
// again, or that ctx has ended, which is looked at between the analyses.
func Build(ctx context.Context, in Input) (page.Document, error) {
	b := &builder{Input: in, arms: in.Model.ArmTable()}
	s := in.Model.Study
	if in.Model.Tally.Done > 0 && len(s.Factors) > 0 {
		// Refused where it is too large or nothing varies: the command says so.
		if t, err := in.Model.Sensitivity(report.SensitivityOptions{Stop: ctx.Err}); err == nil && len(t.Arms()) > 0 {
			b.sens = t
		}
	}
	b.doc = page.Document{Study: s.Name, Question: s.Question, Answer: unbroken(b.sentences()), Source: string(in.Source), Made: in.Made}
	b.facts()
	if err := b.sections(ctx); err != nil {
		return page.Document{}, fmt.Errorf("study %s: %w", s.Name, err)
	}
	return b.doc, nil
}

// Figures returns all pictures of a document, in its order, each once.
func Figures(d page.Document) []figure.Figure {
	var all []figure.Figure
	seen := map[string]bool{}
	add := func(figs []figure.Figure) {
		for _, f := range figs {
			if !seen[f.ID] {
				seen[f.ID] = true
				all = append(all, f)
			}
		}
	}
	add(d.Lead)
	for _, s := range d.Sections {
		add(s.Figures)
	}
	return all
}

// unbroken keeps numbers and their per cent signs on one line.
func unbroken(sentences []string) []string {
	for i, s := range sentences {
		sentences[i] = strings.ReplaceAll(s, " %", "\u00a0%")
	}
	return sentences
}

// facts says what ran.
func (b *builder) facts() {
	m := b.Model
	add := func(name, value string, mono bool) {
		if value != "" {
			b.doc.Facts = append(b.doc.Facts, page.Fact{Name: name, Value: value, Mono: mono})
		}
	}
	add("Ran", m.Ran(), false)
	add("Objective", m.Goal(), false)
	add("Baseline", m.Study.Baseline, false)
	add("Noise", pairedWords(string(m.Study.Paired)), false)
	add("State", string(b.State), false)
	add("Digest", b.Digest, true)
	add("Again", "overnight run "+m.Study.Name+".yaml", true)
}

// pairedWords says which runs share their noise.
func pairedWords(paired string) string {
	switch paired {
	case "all":
		return "replication r meets the same noise at every point, so differences are paired"
	case "row":
		return "the points of one row of the design share their noise, rows don't"
	}
	return "every run has noise of its own, so differences are not paired"
}
