package export

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/jobs"
	"overnight/results"
)

// scored makes records with one metric by point and replication, NaN for a
// failed trial.
func scored(s *jobs.Study, metric string, score func(p *jobs.Point, r uint64) float64) []results.Record {
	at := slices.Index(s.Metrics, metric)
	var rs []results.Record
	var p jobs.Point
	for trial := range s.Trials() {
		point, r := s.Split(trial)
		if err := s.Resolve(point, &p); err != nil {
			panic(err)
		}
		rec := results.Record{Trial: trial, Point: point, Replication: r, Status: results.Done, Metrics: make([]float64, len(s.Metrics))}
		if rec.Metrics[at] = score(&p, r); math.IsNaN(rec.Metrics[at]) {
			rec.Status, rec.Metrics = results.Failed, nil
		}
		rs = append(rs, rec)
	}
	return rs
}

// input returns the value of a factor at a point.
func input(s *jobs.Study, p *jobs.Point, factor string) float64 {
	for _, l := range p.Levels {
		if s.Factors[l.Factor].Name == factor {
			return inputOf(&s.Factors[l.Factor], &l)
		}
	}
	return math.NaN()
}

func TestRliable(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	rs := scored(s, "return", func(p *jobs.Point, r uint64) float64 {
		if p.Arm == 1 && p.Index == 5 && r == 1 {
			return math.NaN()
		}
		return float64(100*p.Index + r)
	})
	got, err := ToRliable(s, "return", all(rs))
	if err != nil {
		t.Fatal(err)
	}
	want := &Rliable{
		Study: "small", Metric: "return", Goal: "maximize",
		Tasks: []string{"delay=none, volatility_scale=0", "delay=none, volatility_scale=0.5", "delay=late, very, volatility_scale=0", "delay=late, very, volatility_scale=0.5"},
		Scores: map[string][][]float64{
			"equal":                         {{0, 100, 200, 300}, {1, 101, 201, 301}},
			"learner [learning_rate=0.001]": {{400, 600, 800, 1000}, {401, 601, 801, 1001}},
			"learner [learning_rate=0.01]":  {{500, 700, 900, 1100}},
		},
		Dropped: map[string]int{"learner [learning_rate=0.01]": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ToRliable(s, "fame", all(rs)); err == nil || !strings.Contains(err.Error(), `no metric "fame"`) {
		t.Errorf("an unknown metric gives %v", err)
	}
}

// TestRliableTasks: an arm that runs on some tasks only has no matrix, and a
// shared factor of agents alone is a setting.
func TestRliableTasks(t *testing.T) {
	t.Parallel()
	s := parse(t, `
study: two
factors: {lr: {grid: [0.001, 0.01]}}
envs: [{as: steady, name: marketing}, {as: jumps, name: marketing, volatility_scale: 3}]
agents: [{name: equal}, {as: late, name: heuristic, on: [jumps]}, {name: reinforce, learning_rate: $lr}]
`)
	got, err := ToRliable(s, "return", all(scored(s, "return", func(p *jobs.Point, _ uint64) float64 { return float64(p.Index) })))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Tasks, []string{"steady", "jumps"}) || !slices.Equal(got.Partial, []string{"late"}) {
		t.Errorf("tasks %q, partial %q", got.Tasks, got.Partial)
	}
	for _, arm := range []string{"equal", "reinforce [lr=0.001]", "reinforce [lr=0.01]"} {
		if m := got.Scores[arm]; len(m) != 1 || len(m[0]) != 2 {
			t.Errorf("%s has the scores %v, want one run by two tasks", arm, m)
		}
	}
}

const ishigami = `
study: ishigami
env:
  name: function
  function: ishigami
  x1: {uniform: [-3.141592653589793, 3.141592653589793]}
  x2: {uniform: [-3.141592653589793, 3.141592653589793]}
  x3: {uniform: [-3.141592653589793, 3.141592653589793]}
agents: [{name: random}]
replications: 2
design: `

// TestSALibSobol takes the columns apart as SALib.analyze.sobol does
// (separate_output_values) and finds each block where it expects it.
func TestSALibSobol(t *testing.T) {
	t.Parallel()
	for _, second := range []bool{false, true} {
		s := parse(t, ishigami+fmt.Sprintf("{kind: saltelli, points: 8, second: %v}\n", second))
		y := func(x []float64) float64 { return x[0] + 10*x[1] + 100*x[2] }
		rs := scored(s, "return", func(p *jobs.Point, r uint64) float64 {
			if p.Index == 3 && r == 1 {
				return math.NaN()
			}
			return y([]float64{input(s, p, "env.x1"), input(s, p, "env.x2"), input(s, p, "env.x3")}) + 1e-3*float64(r)
		})
		got, err := ToSALib(s, "return", all(rs))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Samples) != 1 {
			t.Fatalf("%d samples, want 1", len(got.Samples))
		}
		m := got.Samples[0]
		if m.Problem.NumVars != 3 || !slices.Equal(m.Problem.Names, []string{"env.x1", "env.x2", "env.x3"}) || m.Problem.Bounds[0] != [2]float64{-math.Pi, math.Pi} || m.Kind != "saltelli" || m.SecondOrder != second || m.Missing != 1 {
			t.Errorf("the sample is %+v", m)
		}
		const d = 3
		step := d + 2
		if second {
			step = 2*d + 2
		}
		if len(m.X) != 8*step || len(m.Y) != 8*step || len(m.YRuns) != 2 || len(m.YRuns[1]) != 8*step {
			t.Fatalf("%d rows of X, %d of Y, want %d", len(m.X), len(m.Y), 8*step)
		}
		for base := range 8 {
			at := base * step
			a, b := m.X[at], m.X[at+step-1]
			for j := range d {
				ab := slices.Clone(a)
				ab[j] = b[j]
				if !slices.Equal(m.X[at+1+j], ab) {
					t.Errorf("second %v, base %d: row AB_%d is %v, want %v", second, base, j, m.X[at+1+j], ab)
				}
				if !second {
					continue
				}
				ba := slices.Clone(b)
				ba[j] = a[j]
				if !slices.Equal(m.X[at+1+d+j], ba) {
					t.Errorf("base %d: row BA_%d is %v, want %v", base, j, m.X[at+1+d+j], ba)
				}
			}
		}
		holes := 0
		for i, x := range m.X {
			mean := y(x) + .0005
			if math.IsNaN(float64(m.YRuns[1][i])) {
				holes++
				mean = y(x) // the other replication alone
			}
			if math.Abs(float64(m.Y[i])-mean) > 1e-9 {
				t.Errorf("row %d: Y is %v, want %v", i, m.Y[i], mean)
			}
		}
		if holes != 1 {
			t.Errorf("%d missing scores, want 1", holes)
		}
		var text strings.Builder
		if err := WriteJSON(&text, got); err != nil || strings.Count(text.String(), "null") != 2 { // groups, and the score
			t.Errorf("%v: the JSON has %d nulls, want 2", err, strings.Count(text.String(), "null"))
		}
		if !json.Valid([]byte(text.String())) {
			t.Error("the JSON is none")
		}
	}
}

// TestSALibMorris: rows come trajectory by trajectory, and each differs from the
// one before in one column.
func TestSALibMorris(t *testing.T) {
	t.Parallel()
	s := parse(t, ishigami+"{kind: morris, points: 5}\n")
	got, err := ToSALib(s, "return", all(scored(s, "return", func(p *jobs.Point, _ uint64) float64 { return float64(p.Index) })))
	if err != nil {
		t.Fatal(err)
	}
	m := got.Samples[0]
	if len(m.X) != 5*4 || m.NumLevels != 4 || m.Kind != "morris" {
		t.Fatalf("%d rows, %d levels, kind %s", len(m.X), m.NumLevels, m.Kind)
	}
	for i := range m.X {
		if i%4 == 0 {
			continue
		}
		changed := 0
		for j := range m.X[i] {
			if m.X[i][j] != m.X[i-1][j] {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("row %d differs from the one before in %d columns", i, changed)
		}
	}
}

// TestSALibGrid: a grid is a sample too; levels that are no numbers stand by
// their index.
func TestSALibGrid(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	got, err := ToSALib(s, "return", all(scored(s, "return", func(p *jobs.Point, _ uint64) float64 { return float64(p.Index) })))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Samples) != 2 || got.Samples[0].Arm != "equal" || got.Samples[1].Arm != "learner" {
		t.Fatalf("samples are %+v", got.Samples)
	}
	m := got.Samples[0]
	if diff := cmp.Diff([][]float64{{0, 0}, {0, .5}, {1, 0}, {1, .5}}, m.X); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(m.LevelNames["env.delay"], []string{"none", "late, very"}) || m.Problem.Bounds[1] != [2]float64{0, .5} {
		t.Errorf("names %v, bounds %v", m.LevelNames, m.Problem.Bounds)
	}
	if !slices.Equal(m.Y, []value{0, 1, 2, 3}) {
		t.Errorf("Y is %v", m.Y)
	}
}
