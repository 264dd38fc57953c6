package report

import (
	"math"
	"strings"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
)

// worlds is a study whose world is drawn anew for each replication: it moves both
// arms by far more than they differ. Every tenth run of the learner ends below
// the baseline's. Each arm has a point at either level of the environment's
// factor, which numbers the rows.
func worlds() (*plan, []results.Record) {
	s := &jobs.Study{
		Name: "worlds", Seed: 5, Engine: 1, Replications: 100, Paired: jobs.PairedAll, Baseline: "ab",
		Tasks:   []jobs.Task{{Label: "email", Env: "email"}},
		Arms:    []jobs.Arm{{Label: "ab", Agent: "uniform"}, {Label: "learner", Agent: "thompson"}},
		Factors: []jobs.Factor{{Name: "env.arms", Kind: jobs.Grid, Levels: named("5", "9")}},
		Design:  jobs.Design{Kind: "grid"}, Metrics: []string{"return", "rate"},
		Objective: jobs.Objective{Metric: "rate", Summary: "mean"},
	}
	p := &plan{study: s}
	p.add(0, 0, false, 1, 0)
	p.add(0, 1, true, 1, 0)
	return p, p.records(func(pt *jobs.Point, r uint64) (float64, string) {
		draw := rng.New(rng.Root(s.Seed, "world").At(r))
		world := draw.Normal()
		switch {
		case pt.Arm == 0:
			return world, ""
		case r%10 == 3:
			return world - .1, ""
		}
		return world + .1, ""
	})
}

// TestCollapsed: what a replication draws for all arms is no collapse where runs
// share their noise; where they don't, the baseline's mean is all there is.
func TestCollapsed(t *testing.T) {
	t.Parallel()
	const paired, mean = "than the run of ab with the same noise at the same task", "than the mean of ab at the same task"
	missing := func(arm int, r uint64) func([]results.Record) []results.Record {
		return func(rs []results.Record) []results.Record {
			for i := range rs {
				if rs[i].Replication == r && rs[i].Point == uint64(2*arm) {
					rs[i].Status, rs[i].Metrics, rs[i].Error = results.Failed, nil, "broke"
				}
			}
			return rs
		}
	}
	for name, c := range map[string]struct {
		paired jobs.Paired
		change func(*plan)
		lose   func([]results.Record) []results.Record
		runs   uint64 // math.MaxUint64: as many as lie below the baseline's mean
		of     uint64
		words  string
	}{
		"all":                        {paired: jobs.PairedAll, runs: 20, of: 200, words: paired},
		"row":                        {paired: jobs.PairedRow, runs: 20, of: 200, words: paired},
		"none":                       {paired: jobs.PairedNone, runs: math.MaxUint64, of: 200, words: mean},
		"row, of other rows":         {paired: jobs.PairedRow, change: func(p *plan) { p.points[2].Row, p.points[3].Row = 7, 8 }, runs: math.MaxUint64, of: 200, words: mean},
		"row, some of other rows":    {paired: jobs.PairedRow, change: func(p *plan) { p.points[3].Row = 8 }, runs: math.MaxUint64, of: 200, words: mean},
		"a collapsed run lost":       {paired: jobs.PairedAll, lose: missing(1, 3), runs: 19, of: 199, words: paired},
		"a collapsed run's baseline": {paired: jobs.PairedAll, lose: missing(0, 3), runs: 19, of: 199, words: paired},
		"lower is better":            {paired: jobs.PairedAll, change: func(p *plan) { p.study.Objective.Minimize = true }, runs: 180, of: 200, words: paired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, rs := worlds()
			p.study.Paired = c.paired
			if c.change != nil {
				c.change(p)
			}
			if c.lose != nil {
				rs = c.lose(rs)
			}
			want := c.runs
			if want == math.MaxUint64 {
				want = belowMean(p, rs)
			}
			table := mustBuild(t, p, rs).ArmTable()
			got := table.Rows()[1]
			if got.Collapsed == nil || *got.Collapsed != want || *got.CollapsedOf != c.of {
				t.Errorf("%+v: collapsed %d of %d, want %d of %d", got, *got.Collapsed, *got.CollapsedOf, want, c.of)
			}
			if notes := strings.Join(table.notes(), "\n"); !strings.Contains(notes, c.words) {
				t.Errorf("notes %s\nlack %q", notes, c.words)
			}
		})
	}
}

// belowMean counts the learner's runs below the mean of the baseline's at its
// level, which is nearly half of them.
func belowMean(p *plan, rs []results.Record) (below uint64) {
	var mean [2]float64
	for _, r := range rs {
		if r.Point < 2 {
			mean[r.Point] += r.Metrics[1] / float64(p.study.Replications)
		}
	}
	for _, r := range rs {
		if r.Point >= 2 && r.Metrics[1] < mean[r.Point-2] {
			below++
		}
	}
	return below
}
