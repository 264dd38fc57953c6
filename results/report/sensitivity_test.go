package report

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results"
	"overnight/results/sensitivity"
)

// drawn is a plan of one part of package design.
type drawn struct {
	plan
	samples []jobs.Sample
}

func (d *drawn) Sample(point uint64) (jobs.Sample, bool) {
	return d.samples[point], true
}

// lay lays a study of an arm out by a design of two or three ranges from 0 to 1,
// crossed with the levels of `env.mode` if there are any.
func lay(kind string, points, reps uint64, paired jobs.Paired, modes ...string) *drawn {
	s := &jobs.Study{
		Name: kind, Seed: 7, Engine: 1, Replications: reps, Paired: paired,
		Tasks: []jobs.Task{{Label: "function", Env: "function"}}, Arms: []jobs.Arm{{Label: "learner", Agent: "reinforce"}},
		Metrics: []string{"return"}, Objective: jobs.Objective{Metric: "return", Summary: "mean"},
		Design: jobs.Design{Kind: kind, Points: points},
	}
	spec := design.Spec{Kind: kind, Points: points}
	if kind == design.Morris {
		spec.Levels = 4
	}
	if !design.Drawn(kind) {
		spec.Points = 0
	}
	var columns []design.Column
	var names []string
	for i, name := range []string{"env.x1", "env.x2", "env.x3"} {
		s.Factors = append(s.Factors, jobs.Factor{Name: name, Kind: jobs.Uniform, Low: 0, High: 1})
		columns = append(columns, design.Column{Name: name, Dimension: i, Place: 1})
		names = append(names, name)
	}
	if len(modes) > 0 {
		s.Factors = append(s.Factors, jobs.Factor{Name: "env.mode", Kind: jobs.Grid, Levels: named(modes...)})
		s.Design = jobs.Design{Kind: jobs.CrossedDesign}
	}
	made, err := design.New(spec, 7, names)
	if err != nil {
		panic(err)
	}
	rows, err := made.Rows(columns)
	if err != nil {
		panic(err)
	}
	d := &drawn{plan: plan{study: s}}
	x := make([]float64, len(columns))
	for row := range rows.Len() {
		for mode := range max(len(modes), 1) {
			rows.Fill(row, x)
			pt := jobs.Point{Index: uint64(len(d.points)), Row: rows.Group(row)}
			for f, v := range x {
				pt.Levels = append(pt.Levels, jobs.PointLevel{Factor: f, Level: -1, Name: fmt.Sprint(v), Value: v})
			}
			if len(modes) > 0 {
				pt.Levels = append(pt.Levels, jobs.PointLevel{Factor: 3, Level: mode, Name: modes[mode], Value: modes[mode]})
			}
			sample := jobs.Sample{Kind: kind, Row: row, Factors: []int{0, 1, 2}, Stratum: uint64(mode), Changed: -1}
			if steps, ok := rows.(design.Stepper); ok {
				sample.Changed, sample.Step = steps.Step(row)
			}
			d.points, d.samples = append(d.points, pt), append(d.samples, sample)
		}
	}
	return d
}

// play gives the runs of 4 x1 + 2 x2 and luck, whose sign depends on the mode; the
// runs of a row share half of their luck.
func (d *drawn) play() []results.Record {
	return d.records(func(pt *jobs.Point, r uint64) (float64, string) {
		row, own := rng.New(rng.Root(1, "row", pt.Row, r)), rng.New(rng.Root(1, "own", pt.Index, r))
		x := 4*pt.Levels[0].Value.(float64) + 2*pt.Levels[1].Value.(float64) + .5*row.Normal() + .5*own.Normal()
		if len(pt.Levels) > 3 && pt.Levels[3].Level == 1 {
			x = -3 * x
		}
		return x, ""
	})
}

// model builds a model whose metrics are the return alone.
func (d *drawn) model(t testing.TB, rs []results.Record) *Model {
	t.Helper()
	for i := range rs {
		if rs[i].Status == results.Done {
			rs[i].Metrics = rs[i].Metrics[1:]
		}
	}
	m, err := build(d.study, d, each(rs), Options{}, limits{MaxTrials, MaxPoints})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// analysed are the models whose tables are golden files.
func analysed(t *testing.T) map[string]*Model {
	t.Helper()
	holes := lay(design.Saltelli, 64, 2, jobs.PairedRow)
	rs := holes.play()
	for i := range rs {
		if i%50 == 3 {
			rs[i].Status, rs[i].Metrics, rs[i].Error = results.Failed, nil, "update 3: NaN"
		}
	}
	p, grid := sweep()
	models := map[string]*Model{"saltelli-holes": holes.model(t, rs), "grid": mustBuild(t, p, grid)}
	for name, d := range map[string]*drawn{
		"saltelli":       lay(design.Saltelli, 64, 1, jobs.PairedRow),
		"saltelli-luck":  lay(design.Saltelli, 64, 3, jobs.PairedRow),
		"saltelli-all":   lay(design.Saltelli, 64, 5, jobs.PairedAll),
		"saltelli-modes": lay(design.Saltelli, 64, 1, jobs.PairedRow, "plain", "mirrored"),
		"morris":         lay(design.Morris, 12, 1, jobs.PairedRow),
		"morris-luck":    lay(design.Morris, 12, 3, jobs.PairedRow),
		"lhs":            lay(design.LHS, 64, 2, jobs.PairedRow),
		"lhs-modes":      lay(design.LHS, 64, 1, jobs.PairedRow, "plain", "mirrored"),
		"oat":            lay(design.OAT, 0, 6, jobs.PairedAll),
		"ccd":            lay(design.CCD, 0, 6, jobs.PairedAll),
	} {
		models[name] = d.model(t, d.play())
	}
	return models
}

func TestSensitivityGolden(t *testing.T) {
	t.Parallel()
	for name, m := range analysed(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := m.Sensitivity(SensitivityOptions{Second: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range []int{60, 80, 120} {
				file := fmt.Sprintf("sensitivity-%s-%d.txt", name, width)
				text := rendered(t, table, Style{Width: width, All: true})
				fits(t, file, text, width)
				golden(t, file, text)
			}
			golden(t, "sensitivity-"+name+".csv", rendered(t, table, Style{Format: CSV}))
			again, err := m.Sensitivity(SensitivityOptions{Second: true})
			if err != nil {
				t.Fatal(err)
			}
			if rendered(t, table, Style{Format: JSON}) != rendered(t, again, Style{Format: JSON}) {
				t.Error("the same model gives other bytes the second time")
			}
		})
	}
}

// TestSensitivityFinds checks that each design's method finds that x1 matters more
// than x2, and tells x3, which does nothing, from neither.
func TestSensitivityFinds(t *testing.T) {
	t.Parallel()
	for name, m := range analysed(t) {
		if name == "grid" || name == "oat" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := m.Sensitivity(SensitivityOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range table.Arms() {
				sorted := a.sorted(measures(a.Method))
				if len(sorted) == 5 { // with the mode, which matters most
					sorted = sorted[1:]
				}
				if sorted[0].Name != "env.x1" || sorted[0].Told != sensitivity.Told || sorted[1].Name != "env.x2" || !sorted[len(sorted)-1].IsLuck() {
					t.Errorf("%s %s: the order is %s, %s, ..., %s", a.Arm, a.Within, sorted[0].Name, sorted[1].Name, sorted[len(sorted)-1].Name)
				}
				for _, f := range a.Factors {
					if f.Name == "env.x3" && f.Told == sensitivity.Told {
						t.Errorf("%s: x3 is told from luck: %+v", a.Within, f.Index)
					}
					points := 0
					for _, l := range f.Levels {
						points += l.Points
					}
					if !f.IsLuck() && points != len(a.Line.Points) {
						t.Errorf("the levels of %s hold %d of %d points", f.Name, points, len(a.Line.Points))
					}
				}
			}
		})
	}
}

// TestSensitivityStrata: of a saltelli part crossed with a grid, each level has its
// own indices, equal here since the mode only mirrors the score.
func TestSensitivityStrata(t *testing.T) {
	t.Parallel()
	m := analysed(t)["saltelli-modes"]
	table, err := m.Sensitivity(SensitivityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	arms := table.Arms()
	if len(arms) != 2 || arms[0].Within != "mode=plain" || arms[1].Within != "mode=mirrored" {
		t.Fatalf("%d arms, %+v", len(arms), arms)
	}
	for i := range arms[0].Factors[:2] {
		a, b := arms[0].Factors[i].Total.Value, arms[1].Factors[i].Total.Value
		if math.Abs(a-b) > .1 {
			t.Errorf("total of %s is %.3f plain and %.3f mirrored", arms[0].Factors[i].Name, a, b)
		}
	}
}

func TestSensitivityMethods(t *testing.T) {
	t.Parallel()
	models := analysed(t)
	for _, c := range []struct{ model, method, want, err string }{
		{"saltelli", "", "sobol", ""},
		{"saltelli", "fanova", "fanova", ""},
		{"saltelli", "prcc", "prcc", ""},
		{"saltelli", "morris", "", "method morris does not fit the design of study \"saltelli\", where arm learner is laid out as saltelli: write --method sobol"},
		{"saltelli", "effects", "", "write --method sobol"},
		{"morris", "", "morris", ""},
		{"morris", "sobol", "", "write --method morris"},
		{"lhs", "", "prcc", ""},
		{"lhs", "fanova", "fanova", ""},
		{"lhs", "effects", "", "write --method prcc"},
		{"grid", "", "effects", ""},
		{"grid", "fanova", "fanova", ""},
		{"grid", "prcc", "prcc", ""},
		{"grid", "sobol", "", "write --method effects"},
		{"oat", "", "effects", ""},
		{"ccd", "fanova", "fanova", ""},
		{"ccd", "anova", "", "there is no method \"anova\""},
	} {
		table, err := models[c.model].Sensitivity(SensitivityOptions{Method: c.method})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s by %q: error %v, want %q", c.model, c.method, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s by %q: %v", c.model, c.method, err)
			continue
		}
		for _, a := range table.Arms() {
			if a.Method != c.want {
				t.Errorf("%s by %q: method %s, want %s", c.model, c.method, a.Method, c.want)
			}
		}
	}
}

// TestSensitivityJSON checks the keys that scripts rely on.
func TestSensitivityJSON(t *testing.T) {
	t.Parallel()
	table, err := analysed(t)["saltelli-holes"].Sensitivity(SensitivityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Study string
		Arms  []struct {
			Arm, Method      string
			N, Runs, Missing int
			Factors          []map[string]any
		}
	}
	if err := json.Unmarshal([]byte(rendered(t, table, Style{Format: JSON})), &got); err != nil {
		t.Fatal(err)
	}
	a := got.Arms[0]
	if got.Study != "saltelli" || a.Arm != "learner" || a.Method != "sobol" || a.N != 64 || a.Missing != 13 || a.Runs != 640-13 {
		t.Errorf("%+v", a)
	}
	if len(a.Factors) != 4 || a.Factors[3]["factor"] != "luck" || a.Factors[3]["luck"] != true || a.Factors[3]["told_from_luck"] != nil {
		t.Errorf("luck is not the last factor: %v", a.Factors[len(a.Factors)-1])
	}
	for _, key := range []string{"first", "first_low", "first_high", "total", "total_low", "total_high"} {
		for _, f := range a.Factors {
			if _, ok := f[key].(float64); !ok {
				t.Errorf("%s of %s is %v", key, f["factor"], f[key])
			}
		}
	}
	if told, ok := a.Factors[2]["told_from_luck"].(bool); !ok || told {
		t.Errorf("x3, which does nothing, has told_from_luck %v", a.Factors[2]["told_from_luck"])
	}
	if a.Factors[0]["holes"] == nil || len(a.Factors[0]["convergence"].([]any)) != 4 {
		t.Errorf("holes %v, convergence %v", a.Factors[0]["holes"], a.Factors[0]["convergence"])
	}
	empty := mustBuild(t, &plan{study: &jobs.Study{Name: "none", Replications: 1, Tasks: []jobs.Task{{}}, Metrics: []string{"return"}, Objective: jobs.Objective{Metric: "return"}}}, nil)
	if table, err = empty.Sensitivity(SensitivityOptions{}); err != nil {
		t.Fatal(err)
	}
	if text := rendered(t, table, Style{}); !strings.Contains(text, "no run yet") {
		t.Errorf("nothing to analyse: %q", text)
	}
	if text := rendered(t, table, Style{Format: JSON}); !strings.Contains(text, `"arms": []`) {
		t.Errorf("nothing to analyse: %q", text)
	}
}
