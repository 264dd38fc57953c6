package report

import (
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
)

// plan is a layout of points given one by one.
type plan struct {
	study  *jobs.Study
	points []jobs.Point
}

func (p *plan) Points() uint64 { return uint64(len(p.points)) }
func (p *plan) Trials() uint64 { return p.Points() * p.study.Replications }
func (p *plan) Pair(i uint64) (task, arm int) {
	return p.points[i].Task, p.points[i].Arm
}

func (p *plan) Resolve(i uint64, into *jobs.Point) error {
	*into = p.points[i]
	return nil
}

// add appends the points of an arm at a task: every combination of the levels of
// factors, the last one fastest. The first `shared` factors number the rows.
func (p *plan) add(task, arm int, learns bool, shared int, factors ...int) {
	n := 1
	for _, f := range factors {
		n *= len(p.study.Factors[f].Levels)
	}
	for i := range n {
		point := jobs.Point{Index: uint64(len(p.points)), Task: task, Arm: arm}
		if learns {
			point.Train.Episodes = 100
		}
		rest, own := i, 1
		levels := make([]jobs.PointLevel, len(factors))
		for k := len(factors) - 1; k >= 0; k-- {
			of := p.study.Factors[factors[k]].Levels
			l := rest % len(of)
			rest /= len(of)
			levels[k] = jobs.PointLevel{Factor: factors[k], Level: l, Name: of[l].Name, Value: of[l].Value}
			if k >= shared {
				own *= len(of)
			}
		}
		point.Levels, point.Row = levels, uint64(i/own)
		p.points = append(p.points, point)
	}
}

func named(names ...string) []jobs.Level {
	levels := make([]jobs.Level, len(names))
	for i, n := range names {
		levels[i] = jobs.Level{Name: n, Value: n}
	}
	return levels
}

// records plays every trial of the plan: score gives its objective, or an error.
func (p *plan) records(score func(pt *jobs.Point, r uint64) (float64, string)) []results.Record {
	var rs []results.Record
	for trial := range p.Trials() {
		point, r := trial%p.Points(), trial/p.Points()
		x, failure := score(&p.points[point], r)
		rec := results.Record{Trial: trial, Point: point, Replication: r, Status: results.Done, Metrics: []float64{1000 * x, x}}
		if failure != "" {
			rec.Status, rec.Metrics, rec.Error = results.Failed, nil, failure
		}
		rs = append(rs, rec)
	}
	return rs
}

func each(rs []results.Record) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// sweep is a study of one task: delay by volatility, three arms, the last one
// with a learning rate of its own. The learner collapses at times, and fails
// under late delays with the high rate.
func sweep() (*plan, []results.Record) {
	s := &jobs.Study{
		Name: "delay-volatility", Question: "How do delay and volatility change what REINFORCE learns, and is it better than doing nothing clever?",
		Seed: 42, Engine: 1, Replications: 20, Paired: jobs.PairedAll, Baseline: "random",
		Tasks: []jobs.Task{{Label: "marketing", Env: "marketing"}},
		Arms:  []jobs.Arm{{Label: "random", Agent: "random"}, {Label: "equal", Agent: "equal"}, {Label: "corrected", Agent: "reinforce"}},
		Factors: []jobs.Factor{
			{Name: "env.delay", Kind: jobs.Grid, Levels: named("none", "notebook", "late")},
			{Name: "env.volatility_scale", Kind: jobs.Grid, Levels: named("0", "1")},
			{Name: "corrected.learning_rate", Kind: jobs.Grid, Levels: named("0.001", "0.01"), Arm: "corrected"},
		},
		Design: jobs.Design{Kind: "grid"}, Metrics: []string{"return", "optimality"},
		Objective: jobs.Objective{Metric: "optimality", Summary: "mean"},
	}
	p := &plan{study: s}
	p.add(0, 0, false, 2, 0, 1)
	p.add(0, 1, false, 2, 0, 1)
	p.add(0, 2, true, 2, 0, 1, 2)
	return p, p.records(func(pt *jobs.Point, r uint64) (float64, string) {
		common := rng.New(rng.Root(s.Seed, "common").At(r))
		own := rng.New(rng.Root(s.Seed, "own", pt.Index).At(r))
		delay, volatility := float64(pt.Levels[0].Level), float64(pt.Levels[1].Level)
		x := .03*common.Normal() + .01*own.Normal() - .02*delay
		switch pt.Arm {
		case 0:
			return .55 + x, ""
		case 1:
			return .71 + x - .03*volatility, ""
		}
		x += .93 - .08*volatility
		if pt.Levels[2].Level == 1 {
			x -= .05
			if delay == 2 && own.Float64() < .1 {
				return 0, "update 17: the gradient is NaN\ngoroutine 7 [running]"
			}
			if own.Float64() < .04 {
				x -= .5
			}
		}
		return x, ""
	})
}

// tasks is a study of two tasks whose raw returns don't compare, with one arm
// that runs on the second only, and no baseline. Lower is better.
func tasks(metric string) (*plan, []results.Record) {
	s := &jobs.Study{
		Name: "two-tasks", Seed: 1, Engine: 1, Replications: 6, Paired: jobs.PairedAll,
		Tasks: []jobs.Task{{Label: "steady", Env: "marketing"}, {Label: "jumps", Env: "marketing"}},
		Arms:  []jobs.Arm{{Label: "equal", Agent: "equal"}, {Label: "learner", Agent: "reinforce"}, {Label: "late-comer", Agent: "static", On: []string{"jumps"}}},
		Factors: []jobs.Factor{
			{Name: "lr", Kind: jobs.Grid, Shared: true, Levels: named("0.001", "0.01", "0.1")},
		},
		Design: jobs.Design{Kind: "grid"}, Metrics: []string{"regret", "optimality"},
		Objective: jobs.Objective{Metric: metric, Minimize: metric == "regret", Summary: "iqm"},
	}
	p := &plan{study: s}
	for task := range s.Tasks {
		p.add(task, 0, false, 0)
		p.add(task, 1, true, 1, 0)
	}
	p.add(1, 2, false, 0)
	return p, p.records(func(pt *jobs.Point, r uint64) (float64, string) {
		own := rng.New(rng.Root(s.Seed, "own", pt.Index).At(r))
		x := .5 + .1*float64(pt.Arm) + .02*own.Normal()
		if pt.Task == 1 {
			x *= 1.1
		}
		if pt.Arm == 1 && r == 3 && pt.Levels[0].Level == 2 {
			x = 2
		}
		if pt.Arm == 2 && metric == "optimality" {
			x = math.NaN() // does not apply there
		}
		return x, ""
	})
}

// many is a study of 480 points of one arm, sampled, without replications.
func many() (*plan, []results.Record) {
	s := &jobs.Study{
		Name: "many", Seed: 3, Engine: 1, Replications: 1, Paired: jobs.PairedRow, Baseline: "random",
		Tasks: []jobs.Task{{Label: "marketing", Env: "marketing"}},
		Arms:  []jobs.Arm{{Label: "random", Agent: "random"}, {Label: "learner", Agent: "reinforce"}},
		Factors: []jobs.Factor{
			{Name: "env.volatility_scale", Kind: jobs.Uniform, Low: 0, High: 2},
			{Name: "learner.learning_rate", Kind: jobs.LogUniform, Low: 1e-4, High: .1, Arm: "learner"},
		},
		Design: jobs.Design{Kind: "random", Points: 240}, Metrics: []string{"return", "optimality"},
		Objective: jobs.Objective{Metric: "return", Summary: "mean"},
	}
	p := &plan{study: s}
	draw := rng.New(rng.Root(3, "design"))
	rows := make([][2]float64, 240)
	for i := range rows {
		rows[i] = [2]float64{2 * draw.Float64(), math.Pow(10, -4+3*draw.Float64())}
	}
	for arm := range 2 {
		for row, v := range rows {
			pt := jobs.Point{Index: uint64(len(p.points)), Arm: arm, Row: uint64(row)}
			for f := range arm + 1 {
				pt.Levels = append(pt.Levels, jobs.PointLevel{Factor: f, Level: -1, Name: fmt.Sprint(v[f]), Value: v[f]})
			}
			if arm == 1 {
				pt.Train.Episodes = 10
			}
			p.points = append(p.points, pt)
		}
	}
	return p, p.records(func(pt *jobs.Point, _ uint64) (float64, string) {
		common := rng.New(rng.Root(3, "noise", pt.Row))
		own := rng.New(rng.Root(3, "own", pt.Index))
		x := 6 + common.Normal() - rows[pt.Row][0] + .2*own.Normal()
		if pt.Arm == 1 {
			x += 1 + math.Log10(rows[pt.Row][1])/3
		}
		return x, ""
	})
}

func mustBuild(t testing.TB, p *plan, rs []results.Record) *Model {
	t.Helper()
	m, err := build(p.study, p, each(rs), Options{}, limits{MaxTrials, MaxPoints})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func rendered(t testing.TB, table Table, s Style) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, table, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
