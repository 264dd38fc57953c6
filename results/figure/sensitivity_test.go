package figure

import (
	"strings"
	"testing"

	"overnight/results/report"
)

// TestSensitivityFigures: bars show the indices of the table, luck stands beside
// them, and the largest factor comes first.
func TestSensitivityFigures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src string }{
		{"grid", sweepStudy},
		{"sampled", strings.Replace(sampledStudy, "points: 3000", "points: 200", 1)},
		{"saltelli", strings.Replace(sampledStudy, "{kind: random, points: 3000}", "{kind: saltelli, points: 64}", 1)},
		{"morris", strings.Replace(sampledStudy, "{kind: random, points: 3000}", "{kind: morris, points: 20}", 1)},
	} {
		score := scoring(sampledScore)
		if c.name == "grid" {
			score = sweep
		}
		m := build(t, parse(t, c.src), score)
		table, err := m.Sensitivity(report.SensitivityOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(table.Arms()) == 0 {
			t.Fatalf("%s: no arm", c.name)
		}
		figs := Sensitivity(m, table)
		if err := Check(figs); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(figs) == 0 || figs[0].ID != "sensitivity" {
			t.Fatalf("%s: no figure of indices", c.name)
		}
		last := table.Arms()[len(table.Arms())-1]
		var p *Panel
		for i := range figs[0].Panels {
			if strings.HasPrefix(figs[0].Panels[i].Name, last.Arm) && p == nil {
				p = &figs[0].Panels[i]
			}
		}
		if p == nil {
			t.Fatalf("%s: no panel of %s", c.name, last.Arm)
		}
		if n := len(last.Factors); len(p.X.Categories) != n || p.X.Categories[n-1] != report.Luck {
			t.Errorf("%s: categories %q for %d factors with luck last", c.name, p.X.Categories, n)
		}
		want := map[string]string{"grid": "delay", "sampled": "learning_rate", "saltelli": "learning_rate", "morris": "learning_rate"}[c.name]
		if !strings.HasPrefix(p.X.Categories[0], want) {
			t.Errorf("%s: the first factor is %q, want %s", c.name, p.X.Categories[0], want)
		}
		if f := figs[0]; f.Caption == "" || !strings.Contains(f.Note, "luck") {
			t.Errorf("%s: caption %q, note %q", c.name, f.Caption, f.Note)
		}
		// The arm that learns stands last in the study and first in the picture.
		for _, f := range figs {
			if f.Panels[0].Name != "" && !strings.HasPrefix(f.Panels[0].Name, last.Arm) {
				t.Errorf("%s: %s begins with %q, want %s", c.name, f.ID, f.Panels[0].Name, last.Arm)
			}
		}
		if !strings.HasPrefix(figs[0].Caption, last.Arm) {
			t.Errorf("%s: caption %q, want that of %s", c.name, figs[0].Caption, last.Arm)
		}
		// Luck is all that runs of one point differ in, as in the sentences.
		if luck := last.Factors[len(last.Factors)-1]; c.name == "grid" {
			want := "luck " + report.Say(luck.Total.Value, luck.Total.Low, luck.Total.High)
			if !strings.Contains(figs[0].Caption, want) {
				t.Errorf("caption %q, want %q", figs[0].Caption, want)
			}
		}
		t.Logf("%s: %s\n%v", c.name, figs[0].Caption, p.X.Categories)
		for _, f := range figs {
			t.Logf("  %s: %d panels", f.ID, len(f.Panels))
		}
	}
}
