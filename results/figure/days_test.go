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
		// All play the replications at ranks 3, 10 and 16 of corrected's scores.
		runs := m.Scores([]int{chosen[2].Point})[0]
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
			t.Errorf("the ranks of %v among corrected's are %v, want %v", c.Trials, ranks, want)
		}
		if c.Middle() != c.Trials[1] {
			t.Errorf("the middle is trial %d of %v", c.Middle(), c.Trials)
		}
	}
}

// tenDays plays episodes of ten days in which random earns 1 a day and others 2 plus
// the episode, with known allocations.
func tenDays(m *report.Model) Play {
	return func(_ context.Context, n uint64, want Wanted, begin func(*envs.Spec) error, step func(Step) error) error {
		point, _ := m.Study.Split(n)
		_, arm := m.Study.Pair(point)
		spec := envs.Spec{Action: envs.Actions{Kind: envs.Simplex, N: 2, Names: []string{"a", "b"}}, Horizon: 10,
			Trace: []string{"day", "share.a", "share.b", "spend.a", "spend.b", "effectiveness.a", "effectiveness.b", "landed"}}
		if err := begin(&spec); err != nil {
			return err
		}
		for e := range want.Episodes {
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
		if !strings.Contains(f.Note, "replications") || !strings.Contains(f.Note, "delay=notebook") {
			t.Errorf("%s does not say what was played: %q", f.ID, f.Note)
		}
	}
	// b's effectiveness stays put, so its correlation is not known, and no arm has a bar.
	if f, ok := figs["days-correlation"]; ok {
		t.Errorf("a correlation with what does not vary: %v", f.Panels[0].Series)
	}
	broken := errors.New("broken")
	_, err = Days(t.Context(), m, Choose(m, 1), func(context.Context, uint64, Wanted, func(*envs.Spec) error, func(Step) error) error { return broken }, 1)
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the player's", err)
	}
}

// playing plays trials as the command line does.
func playing(r *trial.Runner) Play {
	return func(ctx context.Context, n uint64, want Wanted, begin func(*envs.Spec) error, step func(Step) error) error {
		o := trial.RolloutOptions{Episodes: want.Episodes, Beliefs: want.Beliefs != nil, BeliefsAt: want.Beliefs}
		return r.Rollout(ctx, n, o, begin, func(s trial.RolloutStep) error {
			return step(Step{Episode: s.Episode, Step: s.Step, Action: s.Action, Reward: s.Reward, Trace: s.Trace, Mean: s.Mean, Low: s.Low, High: s.High})
		})
	}
}

// TestDaysMarketing plays trials of the marketing environment by the runner that
// the command line uses.
func TestDaysMarketing(t *testing.T) {
	t.Parallel()
	s := parse(t, strings.Replace(strings.Replace(sweepStudy, "episodes: 2000", "episodes: 50", 1), "final: 1000", "final: 20", 1))
	m := build(t, s, sweep)
	runner := trial.New(s, catalog.New(), trial.Options{})
	list, err := Days(t.Context(), m, Choose(m, 1), playing(runner), 8)
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
