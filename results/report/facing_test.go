package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
)

// TestDifferencesAgree: the table per arm, compare and Model.Difference give one
// difference and one interval, whatever failed, is missing or has stopped: they
// differed by runs without the baseline's beside them, and IQM by their draws.
func TestDifferencesAgree(t *testing.T) {
	t.Parallel()
	holes := func(p *plan, rs []results.Record) (*plan, []results.Record) {
		return p, slices.DeleteFunc(rs, func(r results.Record) bool { return r.Trial%7 == 3 })
	}
	models := map[string]*Model{}
	for _, summary := range []string{"mean", "iqm", "median"} {
		p, rs := holes(sweep())
		p.study.Objective.Summary = summary
		models["sweep "+summary] = mustBuild(t, p, rs)
		p, rs = holes(many())
		p.study.Objective.Summary = summary
		models["many "+summary] = mustBuild(t, p, rs)
		p, rs = tasks("optimality")
		p.study.Baseline, p.study.Paired, p.study.Objective.Summary = "equal", jobs.PairedNone, summary
		models["tasks "+summary] = mustBuild(t, p, rs)
	}
	s, _, rs := stops(t)
	m, err := Build(s, rs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	models["stops"] = m
	for name, m := range models {
		c, err := m.Compare(CompareOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen := 0
		for _, a := range m.ArmTable().Rows() {
			for _, r := range c.Rows() {
				if r.Task != a.Task || r.Arm != a.Arm || math.IsNaN(float64(r.Difference)) {
					continue
				}
				seen++
				task := slices.IndexFunc(m.Study.Tasks, func(t jobs.Task) bool { return t.Label == r.Task })
				arm := slices.IndexFunc(m.Study.Arms, func(a jobs.Arm) bool { return a.Label == r.Arm })
				d, points := m.Difference(task, arm, m.Baseline())
				got := [3]number{r.Difference, r.DifferenceLow, r.DifferenceHigh}
				if want := [3]number{a.Difference, a.DifferenceLow, a.DifferenceHigh}; got != want && want[1].finite() {
					t.Errorf("%s, %s: compare has %v, the table per arm %v", name, r.Arm, got, want)
				}
				if want := [3]number{number(d.Value), number(d.Low), number(d.High)}; got != want && want[1].finite() {
					t.Errorf("%s, %s: compare has %v, Difference %v", name, r.Arm, got, want)
				}
				if points != r.Points {
					t.Errorf("%s, %s: %d points, want %d", name, r.Arm, points, r.Points)
				}
			}
		}
		if seen == 0 {
			t.Errorf("%s: nothing was compared", name)
		}
	}
}

// TestRowsWithReplications: of a sampled design with few replications the rows are
// the units, since their noise is independent: with replications as units
// `compare` could never tell arms apart.
func TestRowsWithReplications(t *testing.T) {
	t.Parallel()
	for _, summary := range []string{"mean", "iqm"} {
		p, _ := many()
		p.study.Replications, p.study.Objective.Summary = 3, summary
		p.points = append(p.points[:40:40], p.points[240:280]...)
		rs := p.records(func(pt *jobs.Point, r uint64) (float64, string) {
			common := rng.New(rng.Root(3, "noise", pt.Row).At(r))
			own := rng.New(rng.Root(3, "own", pt.Row, uint64(pt.Arm)).At(r))
			return float64(pt.Row) + common.Normal() + .5*own.Normal() + float64(pt.Arm)*.4, ""
		})
		m := mustBuild(t, p, rs)
		c, err := m.Compare(CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r := c.Rows()[0]
		if r.Verdict != Better || r.Units != 40 || r.Runs != 120 {
			t.Errorf("%s: %s by %d units of %d runs, want better by 40 rows of 120", summary, r.Verdict, r.Units, r.Runs)
		}
		// Improvement is within rows: between rows it would be near one half.
		if v := float64(r.Improvement); v < .55 || !(r.ImprovementLow > .5) {
			t.Errorf("%s: P(better) %v from %v", summary, r.Improvement, r.ImprovementLow)
		}
		a := m.ArmTable().Rows()[0]
		if summary == "mean" {
			rows := make([]float64, 40)
			for i, runs := range m.Scores(m.Lines()[0].Points) {
				rows[i] = stats.Mean(runs)
			}
			if want := stats.TInterval(rows, .95); math.Abs(float64(a.Low)-want.Low) > 1e-12 || math.Abs(float64(a.High)-want.High) > 1e-12 {
				t.Errorf("[%v, %v], want %v over the rows' means", a.Low, a.High, want)
			}
		}
		text := rendered(t, c, Style{Width: 120})
		for _, want := range []string{"over the rows of the design", "whole rows"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", summary, want, text)
			}
		}
	}
}

// TestUnpairedNote: where runs share no noise no table calls them paired.
func TestUnpairedNote(t *testing.T) {
	t.Parallel()
	p, rs := tasks("optimality")
	p.study.Baseline, p.study.Paired = "equal", jobs.PairedNone
	text := strings.Join(strings.Fields(rendered(t, mustBuild(t, p, rs).ArmTable(), Style{Width: 200})), " ")
	if strings.Contains(text, "paired by") || !strings.Contains(text, "not paired") {
		t.Errorf("a study with paired: none: %s", text)
	}
}
