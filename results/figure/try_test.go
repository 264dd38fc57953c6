package figure

import (
	"fmt"
	"testing"
	"os"
	"encoding/json"
	"overnight/results/report"
)

func everything(t testing.TB, m *report.Model, r *Runs) []Figure {
	var all []Figure
	for _, b := range []func(*report.Model) (Figure, bool){Arms, Effects, Profiles, Heat, Slices, Contours, ParallelCoordinates, Failed, func(m *report.Model) (Figure, bool) { return Lost(m, r) }} {
		if f, ok := b(m); ok {
			all = append(all, f)
		}
	}
	if r != nil {
		all = append(all, Learning(r)...)
	}
	return all
}

func TestTry(t *testing.T) {
	s := parse(t, sweepStudy)
	m := build(t, s, sweep)
	r := NewRuns(m)
	for rec := range play(t, s, sweep) {
		r.Add(&rec)
	}
	figs := everything(t, m, r)
	s2 := parse(t, sampledStudy)
	m2 := build(t, s2, sampled2)
	figs2 := everything(t, m2, nil)
	for _, figs := range [][]Figure{figs, figs2} {
	if err := Check(figs); err != nil {
		t.Error(err)
	}
	for _, f := range figs {
		fmt.Println("==", f.ID, "|", f.Title, "\n  C:", f.Caption, "\n  N:", f.Note)
		for _, p := range f.Panels {
			fmt.Printf("     [%s] %s x=%s y=%s %d series, marks %v\n", p.Name, p.Kind, p.X.Label, p.Y.Label, len(p.Series), p.Marks)
		}
	}
	}
	b, _ := json.Marshal(append(figs, figs2...))
	fmt.Println(len(b))
	os.WriteFile("/tmp/h6figs.json", b, 0o644)
}
