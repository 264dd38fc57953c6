package answer

import (
	"context"
	"errors"
	"strings"
	"testing"

	"overnight/envs"
	"overnight/results/figure"
	"overnight/results/page"
	"overnight/results/report"
)

// TestUnplayed: where trials are not run again, or no further, the document is
// whole without their pictures and says so; other errors end it.
func TestUnplayed(t *testing.T) {
	t.Parallel()
	s := study(t, "20")
	m, err := report.Build(s, records(s), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	failing := func(err error) figure.Play {
		return func(context.Context, uint64, figure.Wanted, func(*envs.Spec) error, func(figure.Step) error) error {
			return err
		}
	}
	plain, err := Build(t.Context(), Input{Model: m, Records: records(s)})
	if err != nil {
		t.Fatal(err)
	}
	sectionsOf := func(d page.Document) (ids []string, said string) {
		for _, sec := range d.Sections {
			if sec.ID == "unplayed" {
				said = strings.Join(sec.Text, " ")
				continue
			}
			ids = append(ids, sec.ID)
		}
		return ids, said
	}
	want, none := sectionsOf(plain)
	if none != "" {
		t.Errorf("a document that nobody asked to play says %q", none)
	}
	for name, c := range map[string]struct {
		in   Input
		says string
	}{
		"refused":    {Input{Unplayed: "this service runs no trials"}, "since logs are not stored and this service runs no trials. On the command line overnight report " + s.Name + " -o " + s.Name + ".html makes them."},
		"broken off": {Input{Play: failing(&figure.Unplayed{Why: "running trials again takes longer than 20s"})}, "and running trials again takes longer than 20s."},
	} {
		c.in.Model, c.in.Records = m, records(s)
		doc, err := Build(t.Context(), c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, said := sectionsOf(doc)
		if !strings.Contains(said, c.says) || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: sections %v say %q, want %v and %q", name, got, said, want, c.says)
		}
	}
	broken := errors.New("broken")
	if _, err := Build(t.Context(), Input{Model: m, Records: records(s), Play: failing(broken)}); !errors.Is(err, broken) {
		t.Errorf("a trial that can't be run again gives %v", err)
	}
}

// TestStopped: a document whose context has ended is none, wherever that is
// noticed.
func TestStopped(t *testing.T) {
	t.Parallel()
	s := study(t, "20")
	m, err := report.Build(s, records(s), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	play := func(context.Context, uint64, figure.Wanted, func(*envs.Spec) error, func(figure.Step) error) error {
		cancel() // after reading, before the sections
		return &figure.Unplayed{}
	}
	if _, err := Build(ctx, Input{Model: m, Records: records(s), Play: play}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while trials are run again: %v", err)
	}
	if _, err := Build(ctx, Input{Model: m}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped from the beginning: %v", err)
	}
	for name, analyse := range map[string]func() error{
		"compare":     func() error { _, err := m.Compare(report.CompareOptions{Stop: ctx.Err}); return err },
		"sensitivity": func() error { _, err := m.Sensitivity(report.SensitivityOptions{Stop: ctx.Err}); return err },
	} {
		if err := analyse(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
