package live

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
	"overnight/results/figure"
	"overnight/results/stats"
	"overnight/results/storetest"
)

// TestCampaign reads the tiles of a study whose objective is not the conversions: of
// the best learner, by the objective, and of the baseline, with the difference over
// the replications that both have.
func TestCampaign(t *testing.T) {
	t.Parallel()
	study := parse(t, `
study: campaign
env: {name: email, horizon: 2000}
agents: [{as: ab, name: uniform}, {name: thompson}, {name: epsilon_greedy}, {name: oracle}]
baseline: ab
replications: 9
objective: {metric: regret, goal: minimize}
`)
	s := storetest.NewMemory(time.Now)
	p := plan(t, s, study)
	v, err := New(study, study.Name, s)
	if err != nil {
		t.Fatal(err)
	}
	index := func(name string) int {
		i := slices.Index(study.Metrics, name)
		if i < 0 {
			t.Fatalf("no metric %q among %q", name, study.Metrics)
		}
		return i
	}
	tiles := func() figure.Figure {
		t.Helper()
		read(t, v)
		for _, f := range figures(t, v) {
			if err := f.Check(); err != nil {
				t.Error(err)
			}
			if f.ID == "live-campaign" {
				return f
			}
		}
		return figure.Figure{}
	}
	put := func(arm string, replication uint64, conversions float64) {
		t.Helper()
		r := results.Record{Replication: replication, Status: results.Failed, Error: "no", Attempts: 1}
		for i := range study.Points() {
			if _, a := study.Pair(i); study.Arms[a].Label == arm {
				r.Point, r.Trial = i, replication*study.Points()+i
			}
		}
		if conversions >= 0 {
			r.Status, r.Error, r.Metrics = results.Done, "", make([]float64, len(study.Metrics))
			r.Metrics[index("conversions")], r.Metrics[index("rate")] = conversions, conversions/2000
			r.Metrics[index("regret")] = 1000 - conversions
		}
		if _, err := s.Commit(t.Context(), study.Name, p.Generation, []results.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if f := tiles(); f.ID != "" {
		t.Errorf("tiles of nothing: %+v", f)
	}
	texts := func(f figure.Figure) (all []string) {
		for _, tile := range f.Panels[0].Tiles {
			all = append(all, fmt.Sprintf("%d %s: %s (%s)", tile.Color, tile.Label, tile.Value, tile.Note))
		}
		return all
	}
	put("thompson", 0, 900)
	put("ab", 0, 600)
	want := []string{
		"-1 sends a run: 2,000 (1 complete replication)", "1 conversions a run, thompson: 900 ()", "0 conversions a run, ab: 600 ()",
		"1 conversions more than ab: +300 (+50 %)", "1 conversion rate, thompson: 45 % (ab 30 %)",
	}
	if d := cmp.Diff(want, texts(tiles())); d != "" {
		t.Errorf("after one replication (-want +got):\n%s", d)
	}
	// The oracle and a worse learner change nothing; a run that failed is in no mean.
	for r := range uint64(8) {
		put("oracle", r, 990)
		put("epsilon_greedy", r, 700+float64(r))
		if r > 0 {
			put("ab", r, 600+10*float64(r))
			put("thompson", r, []float64{900, 910, -1, 920, 930, 940, 950, 960}[r])
		}
	}
	f := tiles()
	bounds := func(sign string, places int, x ...float64) string {
		e := stats.Live(x, 0.95)
		if !e.Known() {
			t.Fatalf("no interval of %v", x)
		}
		return fmt.Sprintf("[%s%.*f, %s%.*f]", sign, places, e.Low, sign, places, e.High)
	}
	want = []string{
		"-1 sends a run: 2,000 (8 complete replications)",
		fmt.Sprintf("1 conversions a run, thompson: 930 (%s)", bounds("", 0, 900, 910, 920, 930, 940, 950, 960)),
		fmt.Sprintf("0 conversions a run, ab: 635 (%s)", bounds("", 0, 600, 610, 620, 630, 640, 650, 660, 670)),
		fmt.Sprintf("1 conversions more than ab: +292.9 (%s; +46.1 %%)", bounds("+", 1, 300, 300, 290, 290, 290, 290, 290)),
		"1 conversion rate, thompson: 46.5 % (ab 31.8 %)",
	}
	if d := cmp.Diff(want, texts(f)); d != "" {
		t.Errorf("after eight replications (-want +got):\n%s", d)
	}
	if want := "thompson has 930 conversions in 2,000 sends, +292.9 against ab."; f.Caption != want {
		t.Errorf("the caption says %q, want %q", f.Caption, want)
	}
}

// TestCampaignOfTasks: each task has the sends of its own runs.
func TestCampaignOfTasks(t *testing.T) {
	t.Parallel()
	study := parse(t, `
study: tasks
envs: [{as: short, name: email, horizon: 100}, {as: long, name: email, horizon: 2000}]
agents: [{name: thompson}]
replications: 2
objective: {metric: conversions, goal: maximize}
`)
	s := storetest.NewMemory(time.Now)
	p := plan(t, s, study)
	v, err := New(study, study.Name, s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range study.Points() {
		r := results.Record{Trial: i, Point: i, Status: results.Done, Attempts: 1, Metrics: make([]float64, len(study.Metrics))}
		task, _ := study.Pair(i)
		r.Metrics[slices.Index(study.Metrics, "conversions")] = []float64{50, 500}[task]
		r.Metrics[slices.Index(study.Metrics, "rate")] = []float64{.5, .25}[task]
		if _, err := s.Commit(t.Context(), study.Name, p.Generation, []results.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	read(t, v)
	want := "short: thompson has 50 conversions in 100 sends. long: thompson has 500 conversions in 2,000 sends."
	if got := figures(t, v)[0].Caption; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
