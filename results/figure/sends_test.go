package figure

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/stats"
	"overnight/worker/trial"
)

const emailStudy = `
study: lines
seed: 5
env: {name: email, rates: [0.2, 0.5, 0.3], horizon: 400}
agents:
  - {as: ab, name: round_robin}
  - {name: thompson}
  - {name: oracle}
baseline: ab
replications: 8
objective: {metric: regret, goal: minimize}
`

// ran returns a study's records, made by its runner.
func ran(t testing.TB, s *jobs.Study) []results.Record {
	t.Helper()
	r := trial.New(s, catalog.New(), trial.Options{})
	var all []results.Record
	for n := range s.Trials() {
		rec, err := r.Run(t.Context(), n)
		if err != nil || rec.Status != results.Done {
			t.Fatalf("trial %d: %v %v %s", n, err, rec.Status, rec.Error)
		}
		all = append(all, rec)
	}
	return all
}

func yielding(all []results.Record) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func modelOf(t testing.TB, s *jobs.Study, all []results.Record, metric string) *report.Model {
	t.Helper()
	m, err := report.Build(s, yielding(all), report.Options{Metric: metric})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// again plays a study's trials again, counts the runs played to their end and
// returns the figures by ID.
func again(t testing.TB, s *jobs.Study, m *report.Model) (sends, days map[string]*Figure, played map[uint64]int) {
	t.Helper()
	played = map[uint64]int{}
	inner := playing(trial.New(s, catalog.New(), trial.Options{}))
	a, b, err := Again(t.Context(), m, func(ctx context.Context, n uint64, want Wanted, begin func(*envs.Spec) error, step func(Step) error) error {
		err := inner(ctx, n, want, begin, step)
		if err == nil {
			played[n]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	byID := func(list []Figure) map[string]*Figure {
		if err := Check(list); err != nil {
			t.Fatal(err)
		}
		of := map[string]*Figure{}
		for i := range list {
			of[list[i].ID] = &list[i]
		}
		return of
	}
	return byID(a), byID(b), played
}

// TestSendsAgree: what the replayed runs sum up to is what the records say.
func TestSendsAgree(t *testing.T) {
	t.Parallel()
	s := parse(t, emailStudy)
	all := ran(t, s)
	m := modelOf(t, s, all, "")
	figs, days, played := again(t, s, m)
	if len(days) > 0 {
		t.Errorf("%d figures day by day beside those send by send", len(days))
	}
	for n, times := range played {
		if times != 1 {
			t.Errorf("trial %d was played %d times", n, times)
		}
	}
	if len(played) != 3*8 {
		t.Errorf("%d trials were played, want all 24", len(played))
	}
	metric := func(name string, arm int) float64 {
		at := slices.Index(s.Metrics, name)
		var v []float64
		for _, r := range all {
			if _, a := s.Pair(r.Point); a == arm {
				v = append(v, r.Metrics[at])
			}
		}
		return stats.Mean(v)
	}
	end := func(v *Series) Num { return v.Y[len(v.Y)-1] }
	cum := figs["sends-cumulative"]
	for arm, name := range []string{"ab", "thompson", "oracle"} {
		near(t, name+"'s conversions", end(seriesNamed(t, panel(t, cum, "conversions"), name)), metric("conversions", arm), 1e-9)
		near(t, name+"'s regret", end(seriesNamed(t, panel(t, cum, "regret"), name)), metric("regret", arm), 1e-9)
	}
	near(t, "thompson's lead", end(seriesNamed(t, panel(t, cum, "conversions less those of ab"), "thompson")), metric("conversions", 1)-metric("conversions", 0), 1e-9)

	// Of the middle run: round robin sends each arm a third, and what converted in
	// its bars is its record's conversions.
	var middle uint64
	for _, c := range Choose(m, 8) {
		if c.Arm == 0 {
			middle = c.Middle()
		}
	}
	traffic := figs["sends-traffic"].Panels[0]
	yes, no := seriesNamed(t, &traffic, "ab, converted"), seriesNamed(t, &traffic, "ab, not converted")
	sum := Num(0)
	for i, want := range []float64{134, 133, 133} {
		near(t, fmt.Sprintf("round robin's sends of line %d", i), yes.Y[i]+no.Y[i], want, 0)
		sum += yes.Y[i]
	}
	near(t, "conversions in the bars", sum, all[middle].Metrics[slices.Index(s.Metrics, "conversions")], 0)
	if yes.Stack != "ab" || no.Stack != "ab" || yes.Faint || !no.Faint || yes.Color != 0 || traffic.Series[2].Stack != "thompson" {
		t.Errorf("the stacks are %+v", traffic.Series)
	}
	for k, at := range traffic.Replay.At { // each frame has as many sends as its place says
		n := Num(0)
		for i := range 3 {
			n += yes.Frames[k][i] + no.Frames[k][i]
		}
		near(t, "sends of a frame", n, float64(at), 0)
	}
	share := panel(t, figs["sends-share"], "ab")
	dot := share.Series[1]
	near(t, "a share", dot.X[0], 133./400, 1e-12)
	near(t, "a rate", dot.Y[0], float64(yes.Y[1])/133, 1e-12)
	if dot.Name != "You Won't Believe This..." || !strings.Contains(dot.Text[0], "true rate 0.5") {
		t.Errorf("the dot is %q, %q", dot.Name, dot.Text)
	}
	if figs["sends-traffic"].Panels[1].Name != "oracle" {
		t.Errorf("the second panel of traffic is %q, want the oracle's", figs["sends-traffic"].Panels[1].Name)
	}
	beliefs := panel(t, figs["sends-beliefs"], "thompson")
	v := seriesNamed(t, beliefs, "You Won't Believe This...")
	last := len(v.Y) - 1
	if !(v.Low[last] < v.Y[last] && v.Y[last] < v.High[last]) || v.X[last] != 400 {
		t.Errorf("thompson believes %v [%v, %v] at send %v", v.Y[last], v.Low[last], v.High[last], v.X[last])
	}
	near(t, "a true rate", end(seriesNamed(t, beliefs, "true rate of You Won't Believe This...")), .5, 0)
}

// TestLaiRobbins checks the constant against shared/reference/bandits.md, and
// where a rate is 0 or 1; the last was computed by scipy 1.10.1: .2 /
// (rel_entr(.3, .5) + rel_entr(.7, .5)) + .5 / (rel_entr(0, .5) + rel_entr(1, .5)).
func TestLaiRobbins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rates []float64
		want  float64
	}{
		{[]float64{.9, .8}, 2.2521},
		{[]float64{.02, .03, .04, .05, .06}, 20.9019},
		{[]float64{.4, .4}, 0},
		{[]float64{.4, 1}, 0}, // one failure tells them apart
		{[]float64{.3, .5, 0}, 3.1519868},
	} {
		if got := laiRobbins(c.rates); math.Abs(got-c.want) > 5e-5 {
			t.Errorf("%v: %v, want %v", c.rates, got, c.want)
		}
	}
}

// logRegret plays runs of 10,000 sends in which an arm's regret after t sends is
// (2 + arm + replication / 10) ln t, at rates .9 and .8, or at ones that are drawn.
func logRegret(m *report.Model, drawn bool) Play {
	return func(_ context.Context, n uint64, _ Wanted, begin func(*envs.Spec) error, step func(Step) error) error {
		point, r := m.Study.Split(n)
		_, arm := m.Study.Pair(point)
		spec := envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 2, Names: []string{"a", "b"}}, Horizon: 10_000, Online: true, Credited: true,
			Trace: []string{"converted", "caused", "gap", "rate.a", "rate.b"}}
		if err := begin(&spec); err != nil {
			return err
		}
		c := 2 + float64(arm) + float64(r)/10
		rates := []float64{.9, .8}
		if drawn {
			rates[1] -= float64(r) / 100
		}
		for t := range spec.Horizon {
			gap := 0.0
			if t > 0 {
				gap = c * math.Log(float64(t+1)/float64(t))
			}
			if err := step(Step{Step: t, Action: []float64{float64(t % 2)}, Trace: []float64{1, 1, gap, rates[0], rates[1]}}); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestSlope: the slope of a logarithm is its factor, 2 plus the arm plus the mean
// of r / 10 over eight replications; beside it stands a line of slope C.
func TestSlope(t *testing.T) {
	t.Parallel()
	s := parse(t, emailStudy)
	m := modelOf(t, s, ran(t, s), "")
	for _, drawn := range []bool{false, true} {
		sends, _, err := Again(t.Context(), m, logRegret(m, drawn))
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(sends); err != nil {
			t.Fatal(err)
		}
		f := sends[slices.IndexFunc(sends, func(f Figure) bool { return f.ID == "sends-log" })]
		for _, want := range []string{"ab 2.35 [2.", "thompson 3.35 [3.", "from send 1,000 to 10,000"} {
			if !strings.Contains(f.Caption, want) {
				t.Errorf("no %q in %q", want, f.Caption)
			}
		}
		line := f.Panels[0].Series[len(f.Panels[0].Series)-1]
		if drawn {
			if line.Color == -1 && line.Dashed || strings.Contains(f.Caption, "constant") {
				t.Errorf("rates differ between replications, and there is a slope: %+v", line)
			}
			continue
		}
		if !strings.Contains(f.Caption, "constant of Lai and Robbins is 2.252") || line.Name != "slope 2.252 (Lai and Robbins)" {
			t.Errorf("the slope is %q, the caption %q", line.Name, f.Caption)
		}
		last := len(line.X) - 1
		near(t, "its first place", line.X[0], 1000, 0)
		near(t, "its start, the best arm's regret", line.Y[0], 3.35*math.Log(1000), 1e-6) // thompson, which beats ab in the records
		near(t, "its rise", line.Y[last]-line.Y[0], 2.2521*math.Log(10), 1e-3)
	}
}

// TestSendsOfWorlds: worlds of every kind have figures that can be drawn, and
// those whose regret does not grow with ln t alone are without its slope.
func TestSendsOfWorlds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  string
		want string // the figures beside cumulative, traffic, share, beliefs
	}{
		"drawn":      {"{name: email, horizon: 300}", "sends-log"},
		"delayed":    {"{name: email, horizon: 300, delay: geometric, delay_mean: 20, window: 50}", "sends-log"},
		"batch":      {"{name: email, horizon: 300, batch: 50, anonymous: true}", "sends-log"},
		"abrupt":     {"{name: email, horizon: 300, world: abrupt}", ""},
		"fatigue":    {"{name: email, horizon: 300, world: fatigue}", ""},
		"contexts":   {"{name: email, horizon: 300, contexts: [segment, device, hour]}", ""},
		"revenue":    {"{name: email, horizon: 300, revenue: lognormal}", ""},
		"recipients": {"{name: email, horizon: 300, recipients: {number: 40}}", ""},
		"two sends":  {"{name: email, horizon: 2}", "sends-log"},
		"lottery":    {"{name: email, horizon: 50, rates: [0, 0, 0.001]}", "sends-log"},
	} {
		src := strings.Replace(emailStudy, "{name: email, rates: [0.2, 0.5, 0.3], horizon: 400}", c.env, 1)
		s := parse(t, strings.Replace(src, "replications: 8", "replications: 3", 1))
		all := ran(t, s)
		figs, days, _ := again(t, s, modelOf(t, s, all, ""))
		if len(days) > 0 {
			t.Errorf("%s: pictures day by day", name)
		}
		for _, id := range []string{"sends-cumulative", "sends-traffic", "sends-share", "sends-beliefs"} {
			if figs[id] == nil && !(name == "two sends" && id == "sends-beliefs") {
				t.Errorf("%s: no figure %s", name, id)
			}
		}
		if (figs["sends-log"] != nil) != (c.want == "sends-log") {
			t.Errorf("%s: figure sends-log %v", name, figs["sends-log"])
		}
		text := fmt.Sprint(figs)
		if strings.Contains(text, "NaN of") || strings.Contains(text, "%!") {
			t.Errorf("%s: %s", name, text)
		}
		if name == "revenue" && panel(t, figs["sends-cumulative"], "revenue").Y.Label != "revenue so far" {
			t.Error("no revenue")
		}
		if _, ok := KPI(modelOf(t, s, all, ""), runsOf(t, s, all), counted(t, s, all)); !ok && name != "lottery" && name != "two sends" {
			t.Errorf("%s: no tiles", name)
		}
	}
}

// TestAgainDays: a study that trains first is shown day by day, without a look at
// its specs.
func TestAgainDays(t *testing.T) {
	t.Parallel()
	m := build(t, parse(t, sweepStudy), sweep)
	sends, days, err := Again(t.Context(), m, tenDays(m))
	if err != nil || len(sends) > 0 || len(days) == 0 {
		t.Errorf("%d figures send by send, %d day by day, error %v", len(sends), len(days), err)
	}
	s := parse(t, emailStudy)
	broken := errors.New("broken")
	_, _, err = Again(t.Context(), modelOf(t, s, ran(t, s), ""), func(context.Context, uint64, Wanted, func(*envs.Spec) error, func(Step) error) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the player's", err)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for h := range 300 {
		h := (h + 2) * (h/10 + 1)
		for _, all := range [][]int{nicePlaces(h), linePlaces(h)} {
			if all[0] < 1 || all[len(all)-1] != h || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
				t.Fatalf("places of %d: %v", h, all)
			}
		}
		line := linePlaces(h)
		for _, n := range append(nicePlaces(h), max(h/10, 1)) {
			if _, ok := slices.BinarySearch(line, n); !ok {
				t.Fatalf("the lines of %d have no place %d: %v", h, n, line)
			}
		}
	}
	want := "[10 15 20 30 40 50 60 80 100 150 200 300 400 500 600 800 1000 1500 2000 3000 4000 5000 6000 8000 10000]"
	if got := fmt.Sprint(nicePlaces(10_000)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestBudget: all runs together have at most maxSends sends, and three an arm are
// played in any case.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := parse(t, emailStudy)
	m := modelOf(t, s, ran(t, s), "")
	for horizon, want := range map[int]int{200_000: 8, 400_000: 6, 10_000_000: 3} {
		runs := 0
		_, _, err := Again(t.Context(), m, func(_ context.Context, _ uint64, _ Wanted, begin func(*envs.Spec) error, _ func(Step) error) error {
			err := begin(&envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 2}, Horizon: horizon, Online: true, Credited: true, Trace: []string{"converted", "caused", "gap"}})
			if err == nil {
				runs++
			}
			return err
		})
		if err != nil || runs != 3*want {
			t.Errorf("horizon %d: %d runs of three arms, want %d each; error %v", horizon, runs, want, err)
		}
	}
}
