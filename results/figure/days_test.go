package figure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/results"
	"overnight/results/report"
	"overnight/worker/trial"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	s := parse(t, sweepStudy)
	m := build(t, s, sweep)
	chosen := Choose(m, 3)
	if len(chosen) != 3 {
		t.Fatalf("%d arms chosen, want three", len(chosen))
	}
	// Means over arms fall with delay by .1/3 and with volatility by .02/3 a step: the
	// middle two of twelve settings are notebook with volatility 1 and 0.5.
	for _, c := range chosen {
		d := m.Describe(c.Point)
		if !strings.Contains(d, "delay=notebook") || !strings.Contains(d, "volatility_scale=1") && !strings.Contains(d, "volatility_scale=0.5") {
			t.Errorf("chosen is %s", d)
		}
		runs := m.Scores([]int{c.Point})[0]
		var ranks []int
		for _, n := range c.Trials {
			point, r := s.Split(n)
			if int(point) != c.Point {
				t.Errorf("trial %d is of point %d, want %d", n, point, c.Point)
			}
			below := 0
			for _, x := range runs {
				if x < runs[r] {
					below++
				}
			}
			ranks = append(ranks, below)
		}
		if want := []int{3, 10, 16}; fmt.Sprint(ranks) != fmt.Sprint(want) {
			t.Errorf("the trials' ranks among 20 are %v, want %v", ranks, want)
		}
		if c.Middle() != c.Trials[1] {
			t.Errorf("the middle is trial %d of %v", c.Middle(), c.Trials)
		}
	}
}

// tenDays plays episodes of ten days in which random earns 1 a day and others 2 plus
// the episode, with known allocations.
func tenDays(m *report.Model) Play {
	return func(_ context.Context, n, episodes uint64, begin func(*envs.Spec) error, step func(Step) error) error {
		point, _ := m.Study.Split(n)
		_, arm := m.Study.Pair(point)
		spec := envs.Spec{Action: envs.Actions{Kind: envs.Simplex, N: 2, Names: []string{"a", "b"}}, Horizon: 10,
			Trace: []string{"day", "share.a", "share.b", "spend.a", "spend.b", "effectiveness.a", "effectiveness.b", "landed"}}
		if err := begin(&spec); err != nil {
			return err
		}
		for e := range episodes {
			for d := range 10 {
				x := float64(d) / 20
				s := Step{Episode: e, Step: d, Action: []float64{.5, .5}, Reward: 1,
					Trace: []float64{float64(d), .4, .4, 40, 60, 1 + x, 2, 150}}
				if arm > 0 {
					s.Reward = 2 + float64(e)
					s.Trace[1], s.Trace[2] = .25+x, .75-x
				}
				if err := step(s); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	m := build(t, parse(t, sweepStudy), sweep)
	chosen := Choose(m, 2)
	shown := func(arm string) string {
		for _, c := range chosen {
			if m.Study.Arms[c.Arm].Label == arm {
				return fmt.Sprintf("%s, trial %d", arm, c.Trials[1])
			}
		}
		return ""
	}
	list, err := Days(t.Context(), m, chosen, tenDays(m), 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(list); err != nil {
		t.Fatal(err)
	}
	figs := map[string]*Figure{}
	for i := range list {
		figs[list[i].ID] = &list[i]
	}
	c := figs["days-cumulative"].Panels[0]
	near(t, "random after ten days", seriesNamed(t, &c, "random").Y[9], 10, 1e-12)
	v := seriesNamed(t, &c, "corrected") // 2 to 6 a day
	near(t, "corrected after ten days", v.Y[9], 40, 1e-12)
	near(t, "its low end", v.Low[9], 20, 1e-9)
	near(t, "its high end", v.High[9], 60, 1e-9)
	near(t, "corrected's third day", v.X[2], 3, 0)
	areas := panel(t, figs["days-allocation"], shown("random"))
	near(t, "unspent", seriesNamed(t, areas, "unspent").Y[3], .2, 1e-12)
	if figs["days-allocation"].Panels[0].Name != shown("corrected") {
		t.Errorf("the first allocation is that of %s, want a learner's", figs["days-allocation"].Panels[0].Name)
	}
	near(t, "a's share on day 5", seriesNamed(t, panel(t, figs["days-allocation"], shown("corrected")), "a").Y[4], .45, 1e-12)
	near(t, "a's effectiveness on day 5", seriesNamed(t, panel(t, figs["days-effectiveness"], shown("corrected")), "a").Y[4], 1.2, 1e-12)
	near(t, "return on investment", seriesNamed(t, panel(t, figs["days-daily"], "return on investment"), "equal").Y[0], .5, 1e-12)
	lead := panel(t, figs["days-cumulative"], "less random")
	near(t, "corrected less random", seriesNamed(t, lead, "corrected").Y[9], 30, 1e-9)
	if seriesNamed(t, &c, "equal").Low != nil || seriesNamed(t, &c, "random").Low == nil {
		t.Error("bands: want those of the best learner and the baseline")
	}
	for _, f := range list {
		if !strings.Contains(f.Note, "the trials") || !strings.Contains(f.Note, "delay=notebook") {
			t.Errorf("%s does not say what was played: %q", f.ID, f.Note)
		}
	}
	// b's effectiveness stays put, so its correlation is not known, and no arm has a bar.
	if f, ok := figs["days-correlation"]; ok {
		t.Errorf("a correlation with what does not vary: %v", f.Panels[0].Series)
	}
	broken := errors.New("broken")
	_, err = Days(t.Context(), m, Choose(m, 1), func(context.Context, uint64, uint64, func(*envs.Spec) error, func(Step) error) error { return broken }, 1)
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the player's", err)
	}
}

// TestDaysMarketing plays trials of the marketing environment by the runner that
// the command line uses.
func TestDaysMarketing(t *testing.T) {
	t.Parallel()
	s := parse(t, strings.Replace(strings.Replace(sweepStudy, "episodes: 2000", "episodes: 50", 1), "final: 1000", "final: 20", 1))
	m := build(t, s, sweep)
	runner := trial.New(s, catalog.New(), trial.Options{})
	list, err := Days(t.Context(), m, Choose(m, 1), func(ctx context.Context, n, episodes uint64, begin func(*envs.Spec) error, step func(Step) error) error {
		return runner.Rollout(ctx, n, episodes, begin, func(r trial.RolloutStep) error { return step(Step(r)) })
	}, 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(list); err != nil {
		t.Fatal(err)
	}
	ids := map[string]Figure{}
	for _, f := range list {
		ids[f.ID] = f
	}
	for _, id := range []string{"days-cumulative", "days-allocation", "days-effectiveness", "days-daily", "days-correlation"} {
		if ids[id].ID == "" {
			t.Errorf("no figure %s", id)
		}
	}
	for _, p := range ids["days-allocation"].Panels { // shares sum to one
		for d := range p.Series[0].Y {
			sum := 0.0
			for _, v := range p.Series {
				sum += float64(v.Y[d])
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Fatalf("%s: on day %d shares sum to %v", p.Name, d, sum)
			}
		}
	}
	// The sum of a daily mean is the cumulative one.
	cum, day := ids["days-cumulative"].Panels[0], panelOf(t, ids["days-daily"], "reward")
	for i := range cum.Series {
		sum := 0.0
		for _, y := range day.Series[i].Y {
			sum += float64(y)
		}
		near(t, cum.Series[i].Name, cum.Series[i].Y[len(cum.Series[i].Y)-1], sum, 1e-6*math.Abs(sum))
	}
}

func panelOf(t *testing.T, f Figure, name string) *Panel {
	t.Helper()
	return panel(t, &f, name)
}

// TestLongEpisodes: an episode longer than a year is shown in stretches, its end
// included.
func TestLongEpisodes(t *testing.T) {
	t.Parallel()
	e := make([]float64, 1000)
	for i := range e {
		e[i] = 1
	}
	x, y, _, _ := bandOver([][]float64{e, e[:600]}, true)
	if len(x) > maxDays || x[len(x)-1] != 1000 || y[len(y)-1] != 1000 {
		t.Errorf("%d places to %v with %v", len(x), x[len(x)-1], y[len(y)-1])
	}
	if tx, ty := thin(e); len(tx) > maxDays || tx[len(tx)-1] != 1000 || len(ty) != len(tx) {
		t.Errorf("thinned to %d places", len(tx))
	}
}

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
		t.Logf("%s: %s\n%v", c.name, figs[0].Caption, p.X.Categories)
		for _, f := range figs {
			t.Logf("  %s: %d panels", f.ID, len(f.Panels))
		}
	}
}

// BenchmarkBuild builds every figure of 100,000 trials of three factors, the table
// per arm aside.
func BenchmarkBuild(b *testing.B) {
	for _, c := range []struct{ name, rows, repeats, summary string }{
		{"2000x50", "1000", "50", "mean"},
		{"2000x50-iqm", "1000", "50", "iqm"},
		{"100000x1", "50000", "1", "mean"},
		{"20x5000-iqm", "10", "5000", "iqm"},
	} {
		b.Run(c.name, func(b *testing.B) {
			src := strings.Replace(sampledStudy, "points: 3000}", "points: "+c.rows+"}\nreplications: "+c.repeats+"\npaired: row", 1)
			s := parse(b, strings.Replace(src, "goal: maximize", "goal: maximize, summary: "+c.summary, 1))
			m := build(b, s, sampledScore)
			if s.Trials() != 100_000 {
				b.Fatalf("%d trials", s.Trials())
			}
			t := m.ArmTable() // the report has it already
			for b.Loop() {
				if n := len(everything(m, t, nil)); n < 6 {
					b.Fatalf("%d figures", n)
				}
			}
		})
	}
}

// BenchmarkCurves adds the learning curves of 100,000 trials, 50 places each, and
// draws them.
func BenchmarkCurves(b *testing.B) {
	s := parse(b, strings.Replace(sampledStudy, "points: 3000}", "points: 1000}\nreplications: 50\npaired: row", 1))
	m := build(b, s, sampledScore)
	c := results.Curve{Name: TrainingCurve}
	for i := range 50 {
		c.X, c.Y = append(c.X, float64(40*i)), append(c.Y, float64(i))
	}
	for b.Loop() {
		r := NewRuns(m)
		rec := results.Record{Status: results.Done, Curves: []results.Curve{c}, Metrics: make([]float64, len(s.Metrics))}
		for n := range s.Trials() {
			rec.Trial = n
			rec.Point, rec.Replication = s.Split(n)
			r.Add(&rec)
		}
		if len(Learning(r)) != 1 {
			b.Fatal("no learning curves")
		}
	}
}
