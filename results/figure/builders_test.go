package figure

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
)

// everything builds what a model has figures for.
func everything(m *report.Model, t *report.ArmTable, r *Runs) map[string]*Figure {
	all := map[string]*Figure{}
	for _, b := range []func(*report.Model) (Figure, bool){
		func(m *report.Model) (Figure, bool) { return Arms(m, t) },
		Effects, Profiles, Heat, Slices, Contours, ParallelCoordinates, Failed,
		func(m *report.Model) (Figure, bool) { return Lost(m, r) },
	} {
		if f, ok := b(m); ok {
			all[f.ID] = &f
		}
	}
	if r != nil {
		for _, f := range Learning(r) {
			all[f.ID] = &f
		}
	}
	return all
}

func made(t *testing.T, src string, score scoring) (*report.Model, map[string]*Figure) {
	t.Helper()
	s := parse(t, src)
	m := build(t, s, score)
	r := NewRuns(m)
	for rec := range play(t, s, score) {
		r.Add(&rec)
	}
	figs := everything(m, nil, r)
	for _, f := range figs {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
	again := everything(m, nil, r)
	if d := cmp.Diff(figs, again, cmp.Comparer(sameNum)); d != "" {
		t.Errorf("built twice, the figures differ:\n%s", d)
	}
	return m, figs
}

func sameNum(a, b Num) bool { return a == b || !finite(a) && !finite(b) }

func panel(t *testing.T, f *Figure, name string) *Panel {
	t.Helper()
	if f == nil {
		t.Fatalf("no figure with a panel %q", name)
	}
	var names []string
	for i := range f.Panels {
		if f.Panels[i].Name == name {
			return &f.Panels[i]
		}
		names = append(names, f.Panels[i].Name)
	}
	t.Fatalf("figure %s has the panels %q, want %q", f.ID, names, name)
	return nil
}

func seriesNamed(t *testing.T, p *Panel, name string) *Series {
	t.Helper()
	for i := range p.Series {
		if p.Series[i].Name == name {
			return &p.Series[i]
		}
	}
	t.Fatalf("panel %q has no series %q", p.Name, name)
	return nil
}

// near fails the test where got is farther from want than by.
func near(t *testing.T, what string, got Num, want, by float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= by) {
		t.Errorf("%s: got %v, want %v within %v", what, got, want, by)
	}
}

// The noise of sweep has standard deviation 0.01 a replication, shared by all
// points: a mean of 20 is within four standard errors of its expectation.
const sweepError = 4 * .01 / 4.47

func TestArmsSweep(t *testing.T) {
	t.Parallel()
	m, figs := made(t, sweepStudy, sweep)
	p := panel(t, figs["arms"], "optimality")
	if d := cmp.Diff([]string{"random", "equal", "corrected"}, p.X.Categories); d != "" {
		t.Error(d)
	}
	rows := m.ArmTable().Rows()
	for i, r := range rows {
		s := seriesNamed(t, p, r.Arm)
		near(t, r.Arm, s.Y[i], float64(r.Mean), 0)
		near(t, r.Arm+" low", s.Low[i], float64(r.Low), 0)
		near(t, r.Arm+" worst", seriesNamed(t, p, "worst run").Y[i], float64(r.Worst), 0)
	}
	// 24 points of mean 0.77 without the one of 0.64 that failed.
	near(t, "corrected", seriesNamed(t, p, "corrected").Y[2], (24*.77-.64)/23, sweepError)
	if d := cmp.Diff([]Mark{{"random", Num(rows[0].Mean), "x"}, {"optimum", 1, "x"}}, p.Marks, cmp.Comparer(sameNum)); d != "" {
		t.Error(d)
	}
	near(t, "equal less random", seriesNamed(t, panel(t, figs["arms"], "difference from random"), "equal").Y[0], .2, .002)
	for _, want := range []string{"corrected reaches 0.77", "of the optimum", "against random", "Its worst level is delay late", "equal 0.69"} {
		if c := figs["arms"].Caption; !strings.Contains(c, want) {
			t.Errorf("caption %q lacks %q", c, want)
		}
	}
	if n := figs["arms"].Note; !strings.Contains(n, "20 failed, 2 missing of 960") {
		t.Errorf("note %q lacks the failed trials", n)
	}
}

func TestEffectsSweep(t *testing.T) {
	t.Parallel()
	_, figs := made(t, sweepStudy, sweep)
	delay := panel(t, figs["effects"], "delay")
	if delay.Kind != Intervals {
		t.Errorf("delay is drawn as %s", delay.Kind)
	}
	c := seriesNamed(t, delay, "corrected")
	for i, want := range []float64{.87, .77, (8*.67 - .64) / 7} {
		near(t, delay.X.Categories[i], c.Y[i], want, sweepError)
		if !(c.Low[i] < c.Y[i] && c.Y[i] < c.High[i] && c.High[i]-c.Low[i] < .02) {
			t.Errorf("%s: interval [%v, %v]", delay.X.Categories[i], c.Low[i], c.High[i])
		}
	}
	v := panel(t, figs["effects"], "volatility_scale")
	if v.Kind != Lines || v.X.Log {
		t.Errorf("volatility is drawn as %s, log %v", v.Kind, v.X.Log)
	}
	if d := cmp.Diff([]Num{0, .5, 1, 2}, seriesNamed(t, v, "equal").X); d != "" {
		t.Error(d)
	}
	rate := panel(t, figs["effects"], "learning_rate")
	if len(rate.Series) != 1 || len(rate.Marks) != 1 || rate.Marks[0].Name != "random" {
		t.Errorf("the learning rate has %d series and the marks %v, want corrected beside random's mark", len(rate.Series), rate.Marks)
	}
	if !strings.HasPrefix(figs["effects"].Caption, "What changes corrected most is delay: 0.86") {
		t.Errorf("caption %q", figs["effects"].Caption)
	}
}

func TestHeatAndFailedSweep(t *testing.T) {
	t.Parallel()
	_, figs := made(t, sweepStudy, sweep)
	p := panel(t, figs["heat"], "corrected: learning_rate by volatility_scale")
	near(t, "volatility 0, rate 0.001", p.Grid[0][0], .8, sweepError)
	if got, want := p.GridText[1][3], "runs, 20 failed, 2 missing"; !strings.HasSuffix(got, want) {
		t.Errorf("text %q, want it to end in %q", got, want)
	}
	by := panel(t, figs["failed"], "by point")
	failed, missing := seriesNamed(t, by, "failed"), seriesNamed(t, by, "missing")
	if len(by.X.Categories) != 2 || failed.Y[1] != 20 || missing.Y[0] != 2 || finite(failed.Y[0]) {
		t.Errorf("points %q, failed %v, missing %v", by.X.Categories, failed.Y, missing.Y)
	}
	arms := panel(t, figs["failed"], "by arm")
	if f := seriesNamed(t, arms, "failed"); f.Y[2] != 20 || finite(f.Y[0]) {
		t.Errorf("failed by arm: %v", f.Y)
	}
	if c := figs["failed"].Caption; !strings.Contains(c, "20 failed, 2 missing, at 2 of 48 points") || !strings.Contains(c, "the gradient is NaN") {
		t.Errorf("caption %q", c)
	}
}

// TestHeatCells: a cell of a grid of two factors is the mean over the third, and
// one whose runs all failed is null.
func TestHeatCells(t *testing.T) {
	t.Parallel()
	_, figs := made(t, strings.Replace(sweepStudy, "{grid: [0.001, 0.01]}", "0.01", 1), func(p *jobs.Point, _ uint64) (float64, []results.Curve, string) {
		if p.Arm == 2 && p.Levels[0].Level == 1 && p.Levels[1].Level == 2 {
			return 0, nil, "broken"
		}
		return float64(p.Levels[0].Level) + .01*float64(p.Levels[1].Level), nil, ""
	})
	for _, f := range figs["heat"].Panels {
		x, y := f.X.Label, f.Y.Label
		if !strings.HasPrefix(f.Name, "corrected") {
			continue
		}
		for i := range f.Grid {
			for j, v := range f.Grid[i] {
				delay, volatility := j, i
				if x == "volatility_scale" {
					delay, volatility = i, j
				}
				if delay == 1 && volatility == 2 {
					if finite(v) || f.GridText[i][j] != "0 runs, 20 failed" {
						t.Errorf("the failed cell is %v, %q", v, f.GridText[i][j])
					}
					continue
				}
				near(t, fmt.Sprintf("%s %d, %s %d", y, i, x, j), v, float64(delay)+.01*float64(volatility), 1e-12)
			}
		}
	}
}

func TestLostSweep(t *testing.T) {
	t.Parallel()
	m, figs := made(t, sweepStudy, sweep)
	share := seriesNamed(t, panel(t, figs["lost"], "delay: share lost"), "corrected")
	effect := seriesNamed(t, panel(t, figs["effects"], "delay"), "corrected")
	for i := range share.Y {
		near(t, "share lost", share.Y[i], 1-float64(effect.Y[i]), 1e-12)
		near(t, "its low bound", share.Low[i], 1-float64(effect.High[i]), 1e-12)
	}
	reached := panel(t, figs["lost"], "delay: possible and reached")
	for i := range reached.X.Categories { // returns are twice the score: 2 is possible
		near(t, "possible", seriesNamed(t, reached, "possible").Y[i], 2, 1e-9)
		near(t, "reached", seriesNamed(t, reached, "corrected").Y[i], 2*float64(effect.Y[i]), 1e-9)
	}
	if c := figs["lost"].Caption; !strings.HasPrefix(c, "corrected loses most at delay late: 0.3") {
		t.Errorf("caption %q", c)
	}
	alone, ok := Lost(m, nil)
	if !ok || len(alone.Panels) != 3 {
		t.Errorf("without Runs: %v, %d panels, want the shares of three factors", ok, len(alone.Panels))
	}
}

func TestProfilesSweep(t *testing.T) {
	t.Parallel()
	m, figs := made(t, sweepStudy, sweep)
	p := figs["profiles"].Panels[0]
	for _, s := range p.Series {
		last := len(s.Y) - 1
		if s.Y[0] != 1 || s.Y[last] != 0 {
			t.Errorf("%s goes from %v to %v, want 1 to 0", s.Name, s.Y[0], s.Y[last])
		}
		for i := 1; i <= last; i++ {
			if s.Y[i] > s.Y[i-1]+1e-12 {
				t.Errorf("%s rises at %v", s.Name, s.X[i])
			}
		}
	}
	// By its definition, for equal: all points have all runs.
	var runs []float64
	for _, l := range m.Lines() {
		if l.Arm == 1 {
			for _, x := range m.Scores(l.Points) {
				runs = append(runs, x...)
			}
		}
	}
	s := seriesNamed(t, &p, "equal")
	for i, tau := range s.X {
		above := 0.0
		for _, x := range runs {
			if x > float64(tau) {
				above++
			}
		}
		near(t, fmt.Sprintf("share above %v", tau), s.Y[i], above/float64(len(runs)), 1e-9)
	}
}

func TestLearningSweep(t *testing.T) {
	t.Parallel()
	_, figs := made(t, sweepStudy, sweep)
	check := figs["learning"].Panels[0]
	c := seriesNamed(t, &check, "corrected")
	if len(c.X) != 10 || c.X[9] != 2000 {
		t.Fatalf("evaluations at %v", c.X)
	}
	mean := (24*.77 - .64) / 23
	near(t, "the last evaluation", c.Y[9], mean*(1-math.Exp(-2000./300)), sweepError)
	train := figs["training"].Panels[0]
	raw, smooth := seriesNamed(t, &train, "corrected, not smoothed"), seriesNamed(t, &train, "corrected")
	if !raw.Hidden || smooth.Hidden || train.Series[0].Name != "corrected" {
		t.Errorf("hidden: raw %v, smoothed %v; first is %q", raw.Hidden, smooth.Hidden, train.Series[0].Name)
	}
	five := 0.0
	for _, y := range raw.Y[16:21] {
		five += float64(y) / 5
	}
	near(t, "a running mean of five", smooth.Y[20], five, 1e-9)
	want := []Mark{{"optimum", 2, "y"}}
	if d := cmp.Diff(want, check.Marks[:1], cmp.Comparer(func(a, b Num) bool { return math.Abs(float64(a-b)) < 1e-9 })); d != "" {
		t.Error(d)
	}
}
