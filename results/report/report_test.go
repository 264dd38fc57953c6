package report

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
)

// TestPooling checks an arm's row against the statistics of its runs, computed
// from the records directly.
func TestPooling(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	m := mustBuild(t, p, rs)
	scores := func(first, n int) stats.Scores {
		x := make(stats.Scores, n)
		for i := range x {
			x[i] = make([]float64, 20)
		}
		for _, r := range rs {
			if i := int(r.Point) - first; i >= 0 && i < n {
				x[i][r.Replication] = m.objective(&r)
			}
		}
		return x
	}
	random, equal, corrected := scores(0, 6), scores(6, 6), scores(12, 12)
	rows := m.ArmTable().Rows()
	want := stats.Estimate(equal, stats.ByMean, stats.Options{})
	if got := rows[1]; float64(got.Mean) != want.Value || float64(got.Low) != want.Low || float64(got.High) != want.High {
		t.Errorf("equal: %v [%v, %v], want %+v", got.Mean, got.Low, got.High, want)
	}
	// Each of the baseline's points stands beside two of the learner's, which has
	// a learning rate of its own; pairs without the learner's run are left out, as
	// they are by compare.
	beside := make(stats.Scores, 12)
	for i := range beside {
		beside[i] = slices.Clone(random[i/2])
		for r, v := range corrected[i] {
			if math.IsNaN(v) {
				beside[i][r] = v
			}
		}
	}
	diff := stats.Difference(corrected, beside, stats.ByMean, stats.Options{})
	got := rows[2]
	if math.Abs(float64(got.Difference)-diff.Value) > 1e-15 || math.Abs(float64(got.DifferenceLow)-diff.Low) > 1e-15 {
		t.Errorf("corrected less random: %v from %v, want %+v", got.Difference, got.DifferenceLow, diff)
	}
	if got.N != 235 || got.Failed != 5 || got.Missing != 0 || m.Failing != 2 {
		t.Errorf("corrected has %d runs, %d failed, %d missing at %d points; want 235, 5, 0 at 2", got.N, got.Failed, got.Missing, m.Failing)
	}
	// Collapsed: worse than random's run of the same replication at the same levels.
	var count uint64
	for i, runs := range corrected {
		for r, v := range runs {
			if v < random[i/2][r] {
				count++
			}
		}
	}
	if count == 0 || *got.Collapsed != count || *got.CollapsedOf != 235 {
		t.Errorf("%d of %d collapsed, want %d of 235", *got.Collapsed, *got.CollapsedOf, count)
	}
	if want := stats.ShareUpper(20*float64(count)/235, 20, .95); float64(got.CollapsedUpper) != want {
		t.Errorf("bound %v, want %v of 20 replications", got.CollapsedUpper, want)
	}
	if w := rows[1]; rs[*w.Trial].Metrics[1] != float64(w.Worst) || w.Collapsed != nil {
		t.Errorf("equal: worst %v in trial %d, collapsed %v; want that trial's score, and no count for an arm that does not learn", w.Worst, *w.Trial, w.Collapsed)
	}
}

// TestGoal: with lower better, the worst run is the highest, and the outlier
// above counts as collapsed.
func TestGoal(t *testing.T) {
	t.Parallel()
	p, rs := tasks("regret")
	rows := mustBuild(t, p, rs).ArmTable().Rows()
	if len(rows) != 5 {
		t.Fatalf("%d rows, want one per arm and task: 5", len(rows))
	}
	learner := rows[1]
	if learner.Worst != 2000 || *learner.Collapsed != 1 || *learner.CollapsedOf != 18 {
		t.Errorf("learner: worst %v, %d of %d collapsed; want 2000, 1 of 18", learner.Worst, *learner.Collapsed, *learner.CollapsedOf)
	}
	if math.Abs(float64(learner.IQM)-600) > 20 || !(learner.Low < learner.IQM && learner.IQM < learner.High) {
		t.Errorf("learner: iqm %v in [%v, %v], want about 600 inside", learner.IQM, learner.Low, learner.High)
	}
}

// TestTasks: only optimality is pooled over tasks, and an arm whose metric does
// not apply has no numbers.
func TestTasks(t *testing.T) {
	t.Parallel()
	p, rs := tasks("optimality")
	rows := mustBuild(t, p, rs).ArmTable().Rows()
	if len(rows) != 3 || rows[0].Task != "" || rows[0].Points != 2 {
		t.Fatalf("rows %+v, want three arms over both tasks", rows)
	}
	if r := rows[2]; r.N != 0 || r.Mean.finite() || r.Worst.finite() || r.Trial != nil || r.Missing != 0 {
		t.Errorf("an arm without the metric has %+v", r)
	}
}

// TestBounded: above the limits, means and counts are those of the full model,
// and what is missing is not known rather than wrong.
func TestBounded(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	full := mustBuild(t, p, rs).ArmTable().Rows()
	for name, most := range map[string]limits{"moments per point": {10, 100}, "moments per arm": {10, 10}} {
		m, err := build(p.study, p, each(rs), Options{}, most)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range m.ArmTable().Rows() {
			if i < 2 && math.Abs(float64(r.Mean-full[i].Mean)) > 1e-12 {
				t.Errorf("%s: mean of %s is %v, want %v", name, r.Arm, r.Mean, full[i].Mean)
			}
			if i == 1 && math.Abs(float64(r.Difference-full[i].Difference)) > 1e-12 {
				t.Errorf("%s: difference of %s is %v, want %v", name, r.Arm, r.Difference, full[i].Difference)
			}
			if r.N != full[i].N || r.Worst != full[i].Worst || *r.Trial != *full[i].Trial || r.Failed != full[i].Failed {
				t.Errorf("%s: counts of %s differ: %+v", name, r.Arm, r)
			}
			if r.Low.finite() || r.IQM.finite() || r.Collapsed != nil {
				t.Errorf("%s: %s has an interval, an IQM or collapsed runs", name, r.Arm)
			}
		}
		if rows := m.WhatMatters().Rows(); len(rows) != 0 {
			t.Errorf("%s: what matters has %d rows", name, len(rows))
		}
		points, err := m.PointTable()
		if (err == nil) != (most.points == 100) {
			t.Errorf("%s: PointTable gives error %v", name, err)
		}
		if err == nil {
			r := points.Row(7)
			if want := stats.TInterval(m7(rs), .95); math.Abs(float64(r.Low)-want.Low) > 1e-12 {
				t.Errorf("%s: point 7 from %v, want %v", name, r.Low, want.Low)
			}
		}
		var b strings.Builder
		if err := Summary(&b, m, Ending{Width: 80}); err != nil || !strings.Contains(b.String(), "means and counts only") {
			t.Errorf("%s: Summary gives %v and\n%s", name, err, b.String())
		}
	}
}

func m7(rs []results.Record) []float64 {
	var x []float64
	for _, r := range rs {
		if r.Point == 7 {
			x = append(x, r.Metrics[1])
		}
	}
	return x
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	most := limits{MaxTrials, MaxPoints}
	broken := errors.New("disk gone")
	_, err := build(p.study, p, func(yield func(results.Record, error) bool) { yield(results.Record{}, broken) }, Options{}, most)
	if !errors.Is(err, broken) {
		t.Errorf("a scan's error became %v", err)
	}
	damaged := func(yield func(results.Record, error) bool) {
		for i, r := range rs {
			if i == 5 {
				if !yield(results.Record{Trial: 5}, fmt.Errorf("trial 5: %w", results.ErrDamaged)) {
					return
				}
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	m, err := build(p.study, p, damaged, Options{}, most)
	if err != nil || m.Tally.Damaged != 1 || !slices.Equal(m.Damaged, []uint64{5}) || m.Tally.Missing != 0 {
		t.Errorf("with a damaged record: %v, %+v", err, m)
	}
	strange := slices.Clone(rs)
	strange[0].Point = 99
	if _, err := build(p.study, p, each(strange), Options{}, most); err == nil || !strings.Contains(err.Error(), "point 99") {
		t.Errorf("a record of point 99 gives %v", err)
	}
	s := *p.study
	s.Objective.Metric = "joy"
	if _, err := build(&s, p, each(nil), Options{}, most); err == nil || !strings.Contains(err.Error(), `"joy"`) {
		t.Errorf("an unknown objective gives %v", err)
	}
}

// TestFormats: JSON parses, has every row, and no NaN; CSV has as many cells as
// its header in every row.
func TestFormats(t *testing.T) {
	t.Parallel()
	for name, m := range studies(t) {
		points, err := m.PointTable()
		if err != nil {
			t.Fatal(err)
		}
		for what, table := range map[string]Table{"points": points, "arms": m.ArmTable(), "matters": m.WhatMatters()} {
			var doc struct {
				Study string
				Rows  []map[string]any
			}
			if err := json.Unmarshal([]byte(rendered(t, table, Style{Format: JSON})), &doc); err != nil {
				t.Fatalf("%s %s: %v", name, what, err)
			}
			rows, err := csv.NewReader(strings.NewReader(rendered(t, table, Style{Format: CSV}))).ReadAll()
			if err != nil {
				t.Fatalf("%s %s: %v", name, what, err)
			}
			if len(rows)-1 != len(doc.Rows) || doc.Study != m.Study.Name {
				t.Errorf("%s %s: %d rows in CSV, %d in JSON of %q", name, what, len(rows)-1, len(doc.Rows), doc.Study)
			}
			if what == "points" && len(doc.Rows) != len(m.cells) {
				t.Errorf("%s: %d of %d points", name, len(doc.Rows), len(m.cells))
			}
		}
	}
	p, rs := sweep()
	if err := Write(&strings.Builder{}, mustBuild(t, p, rs).ArmTable(), Style{Format: "yaml"}); err == nil || !strings.Contains(err.Error(), "json") {
		t.Errorf("format yaml gives %v", err)
	}
}

func TestLearnsOption(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	m, err := build(p.study, p, each(rs), Options{Learns: func(pt *jobs.Point) bool { return pt.Arm == 1 }}, limits{MaxTrials, MaxPoints})
	if err != nil {
		t.Fatal(err)
	}
	rows := m.ArmTable().Rows()
	if rows[1].Collapsed == nil || rows[2].Collapsed != nil {
		t.Errorf("collapsed of equal %v and of corrected %v, where only equal learns", rows[1].Collapsed, rows[2].Collapsed)
	}
}

// TestStreams: the bound counts runs that share noise as one.
func TestStreams(t *testing.T) {
	t.Parallel()
	p, rs := sweep()
	bounds := map[jobs.Paired]float64{}
	for _, paired := range []jobs.Paired{jobs.PairedAll, jobs.PairedRow, jobs.PairedNone} {
		p.study.Paired = paired
		bounds[paired] = float64(mustBuild(t, p, rs).ArmTable().Rows()[2].CollapsedUpper)
	}
	if !(bounds[jobs.PairedAll] > bounds[jobs.PairedRow] && bounds[jobs.PairedRow] > bounds[jobs.PairedNone]) {
		t.Errorf("bounds %v, want all > row > none", bounds)
	}
}

func BenchmarkBuild(b *testing.B) {
	p, rs := sweep()
	b.ReportMetric(float64(len(rs)), "records/op")
	for b.Loop() {
		mustBuild(b, p, rs)
	}
}

// TestOptimalityGap: where no run is above the optimum, the gap is what the mean
// lacks to 1, with the same interval.
func TestOptimalityGap(t *testing.T) {
	t.Parallel()
	plan, records := sweep()
	m := mustBuild(t, plan, records)
	for _, r := range m.ArmTable().Rows() {
		if math.Abs(float64(r.Gap)-(1-float64(r.Mean))) > 1e-12 || math.Abs(float64(r.GapLow)-(1-float64(r.High))) > 1e-12 {
			t.Errorf("%s: gap %v from %v, mean %v up to %v", r.Arm, r.Gap, r.GapLow, r.Mean, r.High)
		}
	}
}
