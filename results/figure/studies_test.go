package figure

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/stats"
)

func TestSampled(t *testing.T) {
	t.Parallel()
	_, figs := made(t, sampledStudy, sampledScore)
	slices := figs["slices"]
	for i := range slices.Panels {
		n := 0
		for _, s := range slices.Panels[i].Series {
			n += len(s.Y)
		}
		if n > maxDots {
			t.Errorf("panel %q has %d dots", slices.Panels[i].Name, n)
		}
	}
	if !strings.Contains(slices.Note, "A seeded sample of 2000 of 6000 runs") {
		t.Errorf("note %q does not say that it is a sample", slices.Note)
	}
	if p := figs["parallel"]; len(p.Panels[0].Rows) != maxDots || !strings.Contains(p.Note, "2000 of 6000 points") {
		t.Errorf("%d rows, note %q", len(p.Panels[0].Rows), p.Note)
	}
	rate := panel(t, figs["effects"], "learning_rate")
	s := seriesNamed(t, rate, "learner")
	if !rate.X.Log || len(s.X) != 8 {
		t.Fatalf("the learning rate has %d bins, log %v", len(s.X), rate.X.Log)
	}
	for i, x := range s.X { // over volatility uniform in [0, 2] of mean 1; a bin is 3/8 of a ten wide
		tens := math.Log10(float64(x)) + 2
		near(t, fmt.Sprintf("learner at %v", x), s.Y[i], 7-tens*tens-math.Pow(3./8, 2)/12, .16)
		if !finite(s.Low[i]) {
			t.Errorf("no interval at %v, where the rows of the design give one", x)
		}
	}
	c := panel(t, figs["contours"], "learner: learning_rate by volatility_scale")
	worst := 0.0
	for i, y := range c.GridY {
		for j, x := range c.GridX {
			tens := math.Log10(float64(y)) + 2
			worst = max(worst, math.Abs(float64(c.Grid[i][j])-(8-float64(x)-tens*tens)))
		}
	}
	// A local line over a parabola of curvature 2 a ten is off by less than the
	// square of the radius in tens; the radius is 0.29 of 3 tens, 0.87.
	if worst > .5 {
		t.Errorf("the surface is off by up to %v", worst)
	}
	if len(c.Isolines) < 3 {
		t.Errorf("%d isolines", len(c.Isolines))
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	_, figs := made(t, tasksStudy, func(p *jobs.Point, r uint64) (float64, []results.Curve, string) {
		return float64(p.Arm)*(1+float64(p.Task)) + .01*float64(r), nil, ""
	})
	for _, name := range []string{"steady", "jumps"} {
		if p := panel(t, figs["arms"], name); p.Better != "low" || len(p.Marks) != 1 || p.Marks[0].Name != "oracle" {
			t.Errorf("%s: better %q, marks %v", name, p.Better, p.Marks)
		}
	}
	// Where less is better the best arm but for the oracle is equal.
	if c := figs["arms"].Caption; !strings.HasPrefix(c, "steady: equal has an IQM regret of") || strings.Contains(c, "jumps") {
		t.Errorf("caption %q", c)
	}
	if _, ok := figs["lost"]; ok {
		t.Error("regret has no share lost")
	}
	if s := seriesNamed(t, panel(t, figs["profiles"], "steady"), "equal"); s.Y[len(s.Y)-1] != 1 {
		t.Errorf("where less is better the share of runs below the largest score is %v", s.Y[len(s.Y)-1])
	}
	if s := seriesNamed(t, panel(t, figs["arms"], "steady"), "oracle"); s.Color != -1 {
		t.Errorf("the oracle has the colour %d", s.Color)
	}
}

// TestNothing: studies without results give no figures, but for Failed.
func TestNothing(t *testing.T) {
	t.Parallel()
	_, figs := made(t, sweepStudy, func(*jobs.Point, uint64) (float64, []results.Curve, string) { return 0, nil, "missing" })
	if len(figs) != 1 || figs["failed"] == nil {
		t.Errorf("a study without records has %d figures", len(figs))
	}
	_, figs = made(t, sweepStudy, func(*jobs.Point, uint64) (float64, []results.Curve, string) { return 0, nil, "broken" })
	if len(figs) != 1 || figs["failed"] == nil {
		t.Errorf("a study of failures has %d figures", len(figs))
	}
	_, figs = made(t, "study: one\nenv: {name: marketing}\nagents: [{name: random}]\n", func(*jobs.Point, uint64) (float64, []results.Curve, string) { return 3, nil, "" })
	if len(figs) != 1 || figs["arms"] == nil {
		t.Errorf("a study of one run has %v", figs)
	}
}

// TestStrange: scores that are not finite, equal or huge break nothing.
func TestStrange(t *testing.T) {
	t.Parallel()
	for name, score := range map[string]func(uint64) float64{
		"nan":   func(uint64) float64 { return math.NaN() },
		"some":  func(r uint64) float64 { return []float64{math.NaN(), 1, 2}[r%3] },
		"equal": func(uint64) float64 { return -4 },
		"huge":  func(r uint64) float64 { return []float64{-1e308, 1e308}[r%2] },
		"zero":  func(uint64) float64 { return 0 },
		"inf":   func(r uint64) float64 { return []float64{1, math.Inf(1)}[r%2] },
	} {
		for _, src := range []string{sweepStudy, strings.Replace(sampledStudy, "points: 3000", "points: 40", 1), tasksStudy} {
			t.Log(name)
			made(t, src, func(p *jobs.Point, r uint64) (float64, []results.Curve, string) {
				return score(r + p.Index), []results.Curve{{Name: TrainingCurve, X: []float64{1, 2, 3}, Y: []float64{0, score(r), 1}}}, ""
			})
		}
	}
}

// TestLarge: above report.MaxTrials there are no runs, only means.
func TestLarge(t *testing.T) {
	t.Parallel()
	s := parse(t, "study: large\nenv: {name: marketing}\nagents: [{name: random}, {name: equal}]\nreplications: 3000000\nbaseline: random\n")
	m, err := report.Build(s, func(yield func(results.Record, error) bool) {
		for trial := range uint64(200) {
			point, r := s.Split(trial)
			x := make([]float64, len(s.Metrics))
			for i := range x {
				x[i] = float64(point)
			}
			if !yield(results.Record{Trial: trial, Point: point, Replication: r, Status: results.Done, Metrics: x}, nil) {
				return
			}
		}
	}, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	figs := everything(m, nil, NewRuns(m))
	a := figs["arms"]
	if a == nil || a.Check() != nil {
		t.Fatal("no figure of the arms")
	}
	if s := seriesNamed(t, panel(t, a, "return"), "equal"); s.Y[1] != 1 || finite(s.Low[1]) {
		t.Errorf("equal is %v from %v", s.Y[1], s.Low[1])
	}
	if !strings.Contains(a.Note, "no intervals") {
		t.Errorf("note %q", a.Note)
	}
}

// TestLargeProfile: the normal band is the bootstrap's where replications are
// many, with runs missing and points of unequal size.
func TestLargeProfile(t *testing.T) {
	t.Parallel()
	draw := rng.New(rng.Root(8, "profile"))
	x := make(stats.Scores, 5)
	for i := range x {
		x[i] = make([]float64, 300)
	}
	for r := range x[0] {
		shared := draw.Normal()
		for i := range x {
			if x[i][r] = float64(i) + shared + draw.Normal(); (i*r)%7 == 3 {
				x[i][r] = math.NaN()
			}
		}
	}
	var taus []float64
	for k := range 11 {
		taus = append(taus, -1+.6*float64(k))
	}
	got := largeProfile(x, taus)
	want := stats.ProfileOf(x, taus, stats.Options{Key: rng.Root(8, "resample")})
	for k := range taus {
		near(t, "share", Num(got.Share[k]), want.Share[k], 1e-12)
		// 2000 resamples know a bound to about a twentieth of the band's width.
		width := want.High[k] - want.Low[k]
		near(t, "low", Num(got.Low[k]), want.Low[k], .12*width)
		near(t, "high", Num(got.High[k]), want.High[k], .12*width)
	}
}

// TestConfirmed: points that ran again stand with both scores, and what confirms
// them is in no other figure.
func TestConfirmed(t *testing.T) {
	t.Parallel()
	s := parse(t, sweepStudy+"confirm: {top: 2, replications: 10}\n")
	score := func(p *jobs.Point, r uint64) (float64, []results.Curve, string) {
		x, curves, failure := sweep(p, r)
		if failure == "missing" { // nothing is chosen before all is there
			failure = "broken"
		}
		if r >= 20 { // fresh runs are worse by a tenth
			x -= .1
		}
		return x, curves, failure
	}
	m := build(t, s, score)
	f, ok := Confirmed(m)
	if !ok {
		t.Fatal("no figure of the confirmed points")
	}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	p := f.Panels[0]
	if len(p.X.Categories) != 2 || !strings.Contains(p.X.Categories[0], "delay=none, volatility_scale=0") {
		t.Errorf("confirmed are %q", p.X.Categories)
	}
	chosen, again := seriesNamed(t, &p, "when chosen"), seriesNamed(t, &p, "confirmed")
	near(t, "when chosen", chosen.Y[0], .9, sweepError)
	near(t, "confirmed", again.Y[0], .8, 4*.01/3.16)
	r := NewRuns(m)
	for rec := range play(t, s, score) {
		r.Add(&rec)
	}
	if n := r.curves[curveKey{0, 2, TrainingCurve}].Replications(); n != 20 {
		t.Errorf("curves of %d replications, want the 20 that were planned at first", n)
	}
	if _, ok := Confirmed(build(t, parse(t, sweepStudy), sweep)); ok {
		t.Error("confirmed points in a study without any")
	}
}
