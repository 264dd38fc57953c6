package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
)

func runsOf(t testing.TB, s *jobs.Study, all []results.Record) *Runs {
	t.Helper()
	runs := NewRuns(modelOf(t, s, all, ""))
	for i := range all {
		runs.Add(&all[i])
	}
	return runs
}

func counted(t testing.TB, s *jobs.Study, all []results.Record) []*report.Model {
	t.Helper()
	var models []*report.Model
	for _, metric := range CountedMetrics(s) {
		models = append(models, modelOf(t, s, all, metric))
	}
	return models
}

// TestKPI sets tiles against numbers worked out by hand. In replication r ab
// converts 1,000 + 10 r of 10,000 and thompson 1,500 + 20 r: means 1,035 and 1,570,
// difference 535 with standard deviation 10 sqrt(6) = 24.4949, so its interval over
// eight replications is 535 -+ 2.364624 x 24.4949 / sqrt(8) = 20.48; 535 is 51.7 %
// of 1,035.
func TestKPI(t *testing.T) {
	t.Parallel()
	s := parse(t, strings.Replace(emailStudy, "  - {name: oracle}\n", "", 1))
	s.Metrics = append(slices.Clone(s.Metrics), holdoutUplift, holdoutLow, holdoutHigh, mismatchP, stoppedAt)
	at := func(name string) int { return slices.Index(s.Metrics, name) }
	var all []results.Record
	for n := range s.Trials() {
		point, r := s.Split(n)
		_, arm := s.Pair(point)
		rec := results.Record{Trial: n, Point: point, Replication: r, Status: results.Done, Metrics: make([]float64, len(s.Metrics))}
		conversions := 1000 + 10*float64(r)
		rec.Metrics[at("regret")] = 100
		for _, m := range s.Metrics[len(s.Metrics)-5:] {
			rec.Metrics[at(m)] = math.NaN()
		}
		if arm == 1 {
			conversions = 1500 + 20*float64(r)
			rec.Metrics[at("regret")] = 10
			rec.Metrics[at(holdoutUplift)] = .05 + .001*float64(r)
			rec.Metrics[at(holdoutLow)], rec.Metrics[at(holdoutHigh)] = .03, .08
			rec.Metrics[at(mismatchP)] = .5
			rec.Metrics[at(stoppedAt)] = 10_001
			switch r {
			case 2:
				rec.Metrics[at(mismatchP)] = .0004
			case 3:
				rec.Metrics[at(stoppedAt)] = 2500
			}
		}
		rec.Metrics[at("conversions")], rec.Metrics[at("rate")] = conversions, conversions/10_000
		all = append(all, rec)
	}
	f, ok := KPI(modelOf(t, s, all, ""), runsOf(t, s, all), counted(t, s, all))
	if !ok {
		t.Fatal("no tiles")
	}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	// Uplifts .05 to .057: mean .0535, standard deviation .00245, interval -+ .00205.
	want := []Tile{
		{Label: "sends a run", Value: "10,000", Note: "8 replications", Color: -1},
		{Label: "conversions a run, thompson", Value: "1,570", Note: "[1,529, 1,611]", Color: 1},
		{Label: "conversions a run, ab", Value: "1,035", Note: "[1,015, 1,055]", Color: 0},
		{Label: "conversions more than ab, thompson", Value: "+535", Note: "[+515, +555]; +51.7 %", Color: 1},
		{Label: "conversion rate, thompson", Value: "15.7 %", Note: "ab 10.4 %", Color: 1},
		{Label: "uplift over its holdout, thompson", Value: "+5.35 points", Note: "[+5.15, +5.55] over 8 runs; one run's own interval is on average [+3, +8]", Color: 1},
		{Label: "sample-ratio mismatch, thompson", Value: "1 of 8", Note: "runs with P below 0.001; least P 0.0004", Color: 1},
		{Label: "stopped by its rule, thompson", Value: "1 of 8", Note: "runs; median after send 2,500", Color: 1},
	}
	if diff := cmp.Diff(want, f.Panels[0].Tiles); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if want := "thompson has 1,570 [1,529, 1,611] conversions in 10,000 sends, +535 [+515, +555] against ab (+51.7 %)."; f.Caption != want {
		t.Errorf("caption %q, want %q", f.Caption, want)
	}
	if _, ok := KPI(build(t, parse(t, sweepStudy), sweep), NewRuns(build(t, parse(t, sweepStudy), sweep)), nil); ok {
		t.Error("a study without conversions has tiles")
	}
}

// TestKPIOfPoints: runs of one replication share their noise, so that the interval of
// the uplift over a holdout is over replications, as that of conversions is: uplifts
// of 1 to 4 % that are the same at each of five points have the interval of four
// numbers, 2.5 -+ 3.182446 x 1.290994 / 2 = 2.054; of one replication there is none.
// Points count alike in the rate, however many of their runs have failed, and tasks
// without revenue have no tiles of it.
func TestKPIOfPoints(t *testing.T) {
	t.Parallel()
	for replications, want := range map[string]string{
		"4": "[+0.446, +4.55] over 20 runs; one run's own interval is on average [+1, +4]",
		"1": "one run's own interval is on average [+1, +4]",
	} {
		s := parse(t, `
study: points
seed: 5
envs:
  - {as: plain, name: email, horizon: 400, delay: fixed, delay_mean: {grid: [0, 1, 2, 3, 4]}}
  - {as: rich, name: email, horizon: 400, revenue: poisson}
agents: [{as: ab, name: uniform}, {name: thompson}]
baseline: ab
replications: `+replications+`
objective: {metric: conversions, goal: maximize}
`)
		s.Metrics = append(slices.Clone(s.Metrics), holdoutUplift, holdoutLow, holdoutHigh)
		at := func(name string) int { return slices.Index(s.Metrics, name) }
		var all []results.Record
		for n := range s.Trials() {
			point, r := s.Split(n)
			task, arm := s.Pair(point)
			rec := results.Record{Trial: n, Point: point, Replication: r, Status: results.Done, Metrics: slices.Repeat([]float64{math.NaN()}, len(s.Metrics))}
			conversions := 100.0
			if arm == 1 {
				rec.Metrics[at(holdoutUplift)] = .01 * float64(r+1)
				rec.Metrics[at(holdoutLow)], rec.Metrics[at(holdoutHigh)] = .01, .04
				conversions = 200
			}
			if point == 0 { // the first point of ab, of which all runs but one fail
				conversions = 150
				if r > 0 {
					rec.Status, rec.Metrics = results.Failed, nil
				}
			}
			if rec.Metrics != nil {
				rec.Metrics[at("conversions")], rec.Metrics[at("rate")] = conversions, conversions/400
				if s.Tasks[task].Label == "rich" {
					rec.Metrics[at("revenue")] = 50 * conversions
				}
			}
			all = append(all, rec)
		}
		f, ok := KPI(modelOf(t, s, all, ""), runsOf(t, s, all), counted(t, s, all))
		if !ok {
			t.Fatal("no tiles")
		}
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		tiles := func(name string) map[string]Tile {
			of := map[string]Tile{}
			for _, tile := range panel(t, &f, name).Tiles {
				of[tile.Label] = tile
			}
			return of
		}
		plain, rich := tiles("plain"), tiles("rich")
		if got := plain["uplift over its holdout, thompson"].Note; got != want {
			t.Errorf("%s replications: %q, want %q", replications, got, want)
		}
		if got := plain["conversion rate, thompson"].Note; got != "ab 27.5 %" {
			t.Errorf("the rate of ab is %q, want the mean over points", got)
		}
		if _, ok := plain["revenue a run, thompson"]; ok || rich["revenue a run, thompson"].Value != "10,000" {
			t.Errorf("revenue: %v without it, %v with it", plain, rich)
		}
		if strings.Contains(f.Caption, "is -") || strings.Count(f.Caption, "rich: ") != 1 || !strings.Contains(f.Caption, "Its revenue is 10,000") {
			t.Errorf("caption %q", f.Caption)
		}
	}
}

func TestRound3(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    float64
		want string
	}{{4936.2, "4936"}, {103.5, "104"}, {49.357, "49.4"}, {.045678, "0.0457"}, {-1436.4, "-1436"}, {0, "0"}} {
		if got := fmt.Sprint(round3(c.v)); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
}

func TestCommas(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"4936 [4900, 4972]": "4,936 [4,900, 4,972]", "0.12345": "0.12345", "+1234567.8901": "+1,234,567.8901", "999": "999", "1e+12": "1e+12", "": "", "-1000 %": "-1,000 %", "4936.5 [4900.25, 12]": "4,936.5 [4,900.25, 12]",
	} {
		if got := commas(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
