package report

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
	"overnight/results/stopping"
)

// stops is a study whose points stop, with every record that it could have: at
// point p the score has the mean p and the noise of the point's number of sixths,
// and half of it in common with all points.
func stops(t testing.TB) (*jobs.Study, func(point, replication uint64) float64, iter.Seq2[results.Record, error]) {
	s := parse(t, `
study: stops
env: {name: function, x1: {grid: [1, 2, 3]}}
agents: [{name: random}, {as: b, name: random}, {as: c, name: random}]
baseline: random
replications: {min: 6, max: 40, check_at: [10, 20], until: {difference_from: random, half_width: 0.6}}
confirm: {top: 2, replications: 5}
`)
	score := func(point, replication uint64) float64 {
		common := rng.New(rng.Root(1, "common").At(replication))
		own := rng.New(rng.Root(1, "own", point).At(replication))
		return float64(point) + common.Normal() + float64(point)/3*own.Normal()
	}
	return s, score, func(yield func(results.Record, error) bool) {
		for trial := range s.Trials() {
			r := results.Record{Trial: trial, Status: results.Done}
			r.Point, r.Replication = s.Split(trial)
			r.Metrics = []float64{score(r.Point, r.Replication)}
			if r.Point == 4 && r.Replication == 2 {
				r.Status, r.Metrics, r.Error = results.Failed, nil, "it fell"
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// TestStoppingTables: what is not wanted is in no number, a difference is over the
// replications of the point that stopped first, and confirmation has no part in
// selection.
func TestStoppingTables(t *testing.T) {
	t.Parallel()
	s, score, all := stops(t)
	m, err := Build(s, all, Options{})
	if err != nil {
		t.Fatal(err)
	}
	o, err := stopping.Read(s, all)
	if err != nil {
		t.Fatal(err)
	}
	if m.Tally.Planned != o.Total() || m.Tally.Surplus != s.Trials()-o.Total() || m.Tally.Saved != o.Saved() || m.Tally.Missing != 0 || m.Tally.Done != o.Total()-1 || m.Tally.Failed != 1 {
		t.Errorf("tally %+v of %d wanted trials", m.Tally, o.Total())
	}
	if m.Tally.Saved == 0 || len(o.Unsettled()) == 0 {
		t.Fatalf("%d saved, %v unsettled: nothing is tested", m.Tally.Saved, o.Unsettled())
	}
	wanted, err := Build(s, newOutcome(t, s).Wanted(all), Options{})
	if err != nil {
		t.Fatal(err)
	}
	points, err := m.PointTable()
	if err != nil {
		t.Fatal(err)
	}
	of := func(point, from, to uint64) (x []float64) {
		for r := from; r < to; r++ {
			x = append(x, score(point, r))
		}
		if point == 4 && from == 0 {
			x[2] = math.NaN()
		}
		return x
	}
	for p := range s.Points() {
		want := stats.Present(of(p, 0, m.Planned(int(p))))
		r := points.Row(int(p))
		if r.N != uint64(len(want)) || math.Abs(float64(r.Mean)-stats.Mean(want)) > 1e-12 || r.Missing != 0 {
			t.Errorf("point %d: %d runs with mean %v and %d missing; want %d with %v", p, r.N, r.Mean, r.Missing, len(want), stats.Mean(want))
		}
	}
	for _, table := range []func(*Model) Table{
		func(m *Model) Table { return m.ArmTable() }, func(m *Model) Table { return m.WhatMatters() },
		func(m *Model) Table { return m.Precision() }, func(m *Model) Table { return m.Confirmation() },
	} {
		for _, f := range []Format{Text, JSON, CSV} {
			if a, b := rendered(t, table(m), Style{Format: f}), rendered(t, table(wanted), Style{Format: f}); a != b {
				t.Errorf("with surplus records a table differs:\n%s\n%s", a, b)
			}
		}
	}
	l := m.lines(false)[1]
	_, x, y := m.against(l, m.opposite(l))
	for i, p := range l.points {
		for r := range y[i] {
			if there := uint64(r) < m.Planned(p); there == math.IsNaN(y[i][r]) {
				t.Errorf("point %d stops after %d, and run %d of the baseline beside it is %v", p, m.Planned(p), r, y[i][r])
			}
		}
		d := stats.Differences(stats.Scores{x[i]}, stats.Scores{y[i]})
		if got := stats.TInterval(d, level).Half(); p != 4 && math.Abs(got-float64(m.Precision().Rows()[p].HalfWidth)) > 1e-12 {
			t.Errorf("point %d was judged by a half-width of %v, and its difference has %v", p, m.Precision().Rows()[p].HalfWidth, got)
		}
	}
	rows := m.Confirmation().Rows()
	if len(rows) != 2 || rows[0].Selection.Score < rows[1].Selection.Score {
		t.Fatalf("confirmed %+v", rows)
	}
	for _, r := range rows {
		beside := r.Point % 3
		n := m.Planned(int(r.Point))
		fresh, then := of(r.Point, 40, 45), of(r.Point, 0, n)
		theirs := of(beside, 40, 45)
		in := stats.TInterval(fresh, level)
		d := stats.TInterval(stats.Differences(stats.Scores{fresh}, stats.Scores{theirs}), level)
		got := []number{r.Confirmed.Score, r.Confirmed.Low, r.Confirmed.High, r.Selection.Score, r.Change, r.Confirmed.Difference, r.Confirmed.DifferenceLow, r.Confirmed.DifferenceHigh, r.Selection.Difference}
		want := []float64{stats.Mean(fresh), in.Low, in.High, stats.Mean(then), stats.Mean(fresh) - stats.Mean(then),
			stats.Mean(fresh) - stats.Mean(theirs), d.Low, d.High, stats.Mean(then) - stats.Mean(of(beside, 0, n))}
		for i := range got {
			if math.Abs(float64(got[i])-want[i]) > 1e-9 {
				t.Errorf("point %d, number %d is %v, want %v", r.Point, i, got[i], want[i])
			}
		}
	}
}

func newOutcome(t testing.TB, s *jobs.Study) *stopping.Outcome {
	t.Helper()
	o, err := stopping.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestStoppingSummary: a run's end says what was saved, what is not settled, and
// both scores of what was confirmed.
func TestStoppingSummary(t *testing.T) {
	t.Parallel()
	s, _, all := stops(t)
	m, err := Build(s, all, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Summary(&b, m, Ending{State: results.Finished, Digest: "d", Width: 100}); err != nil {
		t.Fatal(err)
	}
	golden(t, "stops-summary-100.txt", b.String())
	golden(t, "stops-stopping-100.txt", rendered(t, m.Precision(), Style{Width: 100}))
	golden(t, "stops-confirmation-60.txt", rendered(t, m.Confirmation(), Style{Width: 60}))
	for _, table := range []Table{m.Precision(), m.Confirmation()} {
		var doc struct{ Rows []map[string]any }
		if err := json.Unmarshal([]byte(rendered(t, table, Style{Format: JSON})), &doc); err != nil || len(doc.Rows) == 0 {
			t.Errorf("%T has JSON with %d rows: %v", table, len(doc.Rows), err)
		}
	}
	plain := parse(t, "study: s\nenv: {name: function}\nagents: [{name: random}]\nreplications: 3\n")
	if m, err = Build(plain, play(plain), Options{}); err != nil {
		t.Fatal(err)
	}
	if text := rendered(t, m.Precision(), Style{}) + rendered(t, m.Confirmation(), Style{}); !strings.Contains(text, "until:") || !strings.Contains(text, "confirm:") || m.StoppingLines() != nil {
		t.Errorf("of a study without a rule: %s%v", text, m.StoppingLines())
	}
}

// TestWinnersCurse: of equal arms the best looks better than it is, by as much as
// the largest of so many means of so many runs is above their mean; confirmed, it
// is as good as all. 200 studies, so that a mean of scores with standard deviation
// s/sqrt(runs) is known to s/sqrt(200 runs); 4 of these are allowed.
func TestWinnersCurse(t *testing.T) {
	t.Parallel()
	const studies, arms, runs, again = 200, 10, 10, 10
	text := "study: s\nenv: {name: function, x1: {grid: [" + strings.TrimSuffix(strings.Repeat("%d, ", arms), ", ") + "]}}\nagents: [{name: random}]\nreplications: %d\nconfirm: {top: 1, replications: %d}\n"
	var args []any
	for i := range arms {
		args = append(args, i+1)
	}
	s := parse(t, fmt.Sprintf(text, append(args, runs, again)...))
	var chosen, confirmed float64
	for k := range studies {
		draw := rng.New(rng.Root(5, "curse").At(uint64(k)))
		m, err := Build(s, func(yield func(results.Record, error) bool) {
			for trial := range s.Trials() {
				r := results.Record{Trial: trial, Status: results.Done, Metrics: []float64{draw.Normal()}}
				r.Point, r.Replication = s.Split(trial)
				if !yield(r, nil) {
					return
				}
			}
		}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		row := m.Confirmation().Rows()[0]
		chosen += float64(row.Selection.Score) / studies
		confirmed += float64(row.Confirmed.Score) / studies
	}
	// The mean of the largest of ten standard normal numbers (Harter, Biometrika 48,
	// 1961) is 1.53875.
	within := 4 / math.Sqrt(studies*runs)
	if want := 1.53875 / math.Sqrt(runs); math.Abs(chosen-want) > within || math.Abs(confirmed) > within {
		t.Errorf("chosen with %.3f and confirmed with %.3f, want %.3f and 0, within %.3f", chosen, confirmed, want, within)
	}
}

// TestStoppedRunsAreNotMissing: sensitivity called runs missing or failed that
// stopping had saved.
func TestStoppedRunsAreNotMissing(t *testing.T) {
	t.Parallel()
	s, _, rs := stops(t)
	m, err := Build(s, rs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	table, err := m.Sensitivity(SensitivityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text := rendered(t, table, Style{Width: 200})
	if want := "1 of 120 runs are missing or failed and 20 of 120 runs were not made, since their points had stopped; "; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

// TestAnotherMetric: tables of another metric are about the same trials. Points
// were judged anew by that metric, which left out runs that the study wants.
func TestAnotherMetric(t *testing.T) {
	t.Parallel()
	s, _, rs := stops(t)
	own, err := Build(s, rs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(s.Metrics, s.Objective.Metric)
	s.Metrics = append(s.Metrics, "other")
	m, err := Build(s, func(yield func(results.Record, error) bool) {
		for r, err := range rs {
			if r.Status == results.Done {
				r.Metrics = append(slices.Clone(r.Metrics), 1e6*r.Metrics[at])
			}
			if !yield(r, err) {
				return
			}
		}
	}, Options{Metric: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if m.Tally != own.Tally || m.Study.Objective.Metric != "other" || s.Objective.Metric == "other" {
		t.Errorf("by another metric: %+v, want %+v", m.Tally, own.Tally)
	}
	if got, want := m.ArmTable().Rows()[1].Mean, 1e6*own.ArmTable().Rows()[1].Mean; math.Abs(float64(got/want-1)) > 1e-12 {
		t.Errorf("mean %v, want %v", got, want)
	}
	if _, err := Build(s, rs, Options{Metric: "none"}); err == nil || !strings.Contains(err.Error(), `no metric "none"`) {
		t.Errorf("a metric that is not there: %v", err)
	}
}
