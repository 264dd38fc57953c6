package answer

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
	"overnight/results/page"
	"overnight/results/report"
)

const source = `
study: levels
question: Which is best?
env: {name: marketing, volatility_scale: {grid: [0, 1]}}
agents:
  - {name: random}
  - {name: equal}
  - {as: learner, name: reinforce, train: {episodes: 10}}
baseline: random
replications: %n
evaluate: {final: 10}
objective: {metric: optimality, goal: maximize}
`

func study(t *testing.T, replications string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("study.yaml", []byte(strings.Replace(source, "%n", replications, 1)), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// records gives random .5, equal .7 and learner .9, less .1 where volatility is 1,
// all plus r/100 in replication r. The learner of the last replication ends at .4.
func records(s *jobs.Study) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for trial := range s.Trials() {
			point, replication := s.Split(trial)
			_, arm := s.Pair(point)
			score := .5 + .2*float64(arm) + float64(replication)/100 - .1*float64(point%2)
			if arm == 2 && replication+1 == s.Replications {
				score = .4
			}
			rec := results.Record{Trial: trial, Point: point, Replication: replication, Status: results.Done, Metrics: make([]float64, len(s.Metrics))}
			for i, m := range s.Metrics {
				if m == "optimality" {
					rec.Metrics[i] = score
				}
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func document(t *testing.T, s *jobs.Study, all iter.Seq2[results.Record, error]) page.Document {
	t.Helper()
	m, err := report.Build(s, all, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Build(context.Background(), Input{Model: m, Records: all, Source: []byte(source), Made: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAnswer checks the sentences against numbers worked out by hand: the means
// over replications 0..9 and both levels are .495 (.5 - .05 + .045), .695, and for
// the learner (9 x .85 + .36 + .4) / 10 = .841, since r/100 sums to .36 over the
// first nine.
func TestAnswer(t *testing.T) {
	t.Parallel()
	s := study(t, "10")
	got := strings.Join(document(t, s, records(s)).Answer, "\n")
	for _, want := range []string{
		`Best is learner: mean optimality 0\.84 \[.*\] over 2 points and 10 replications; its worst run has 0\.4\.`,
		`the next, equal`,
		`Better than random: learner \(\+0\.35 \[.*\]\) and equal \(\+0\.2`,
		`2 of 20 runs of learner ended worse than the run of random with the same noise \(10\x{a0}%`,
		`What the runs of learner differ by \(estimated shares of the variance\): `,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	s := study(t, "10")
	d := document(t, s, records(s))
	text := func(d page.Document) string {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if diff := cmp.Diff(text(d), text(document(t, s, records(s)))); diff != "" {
		t.Errorf("the same records gave another document: %s", diff)
	}
	if err := figure.Check(Figures(d)); err != nil {
		t.Error(err)
	}
	ids := map[string]bool{}
	for _, sec := range d.Sections {
		if ids[sec.ID] || len(sec.Figures)+len(sec.Tables)+len(sec.Text) == 0 {
			t.Errorf("section %q is there twice or empty", sec.ID)
		}
		ids[sec.ID] = true
		for _, tab := range sec.Tables {
			for _, row := range tab.Rows {
				if len(row) != len(tab.Columns) {
					t.Errorf("table %s: a row of %d cells under %d columns", tab.ID, len(row), len(tab.Columns))
				}
			}
		}
	}
	for _, id := range []string{"arms", "factors", "sensitivity", "points"} {
		if !ids[id] {
			t.Errorf("there is no section %s", id)
		}
	}
	if len(d.Lead) != 1 {
		t.Errorf("%d figures lead, want 1", len(d.Lead))
	}
}

// TestUnfinished: a document can be made at any time of a study.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	s := study(t, "3")
	first := func(n int) iter.Seq2[results.Record, error] {
		return func(yield func(results.Record, error) bool) {
			for r, err := range records(s) {
				if n--; n < 0 || !yield(r, err) {
					return
				}
			}
		}
	}
	for n := range int(s.Trials()) {
		d := document(t, s, first(n))
		text := strings.Join(d.Answer, "\n")
		want := "18 trials have no record yet"
		if n == 0 {
			want = "No trial has a result yet."
		}
		if !strings.Contains(text, want) || strings.Contains(text, "NaN") {
			t.Errorf("%d records: %s", n, text)
		}
		if err := figure.Check(Figures(d)); err != nil {
			t.Errorf("%d records: %v", n, err)
		}
	}
}

const settingsSource = `
study: settings
envs:
  - {as: calm, name: marketing, volatility_scale: 0}
  - {as: wild, name: marketing, volatility_scale: {grid: [1, 2]}}
agents:
  - {name: equal}
  - {as: learner, name: reinforce, train: {episodes: 10}, learning_rate: {grid: [0.001, 0.1]}}
  - {name: oracle}
replications: {min: 6, max: 12, until: {half_width: 0.0001}}
evaluate: {final: 10}
objective: {metric: regret, goal: minimize, summary: iqm}
`

// settingsRecords gives equal -.7; the learner -.9 with the first rate and -.1
// with the other, so that it is worse on the whole and better at its first
// setting. Less is better, and scores are negative.
func settingsRecords(s *jobs.Study) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		var p jobs.Point
		for trial := range s.Trials() {
			point, replication := s.Split(trial)
			if err := s.Resolve(point, &p); err != nil {
				yield(results.Record{}, err)
				return
			}
			score := -.7 + .01*float64(replication*replication%7)
			if p.Arm == 1 {
				score = -.9 + .8*float64(p.Levels[len(p.Levels)-1].Level) + .01*float64(replication%5)
			}
			rec := results.Record{Trial: trial, Point: point, Replication: replication, Status: results.Done, Metrics: make([]float64, len(s.Metrics))}
			for i, m := range s.Metrics {
				if m == "regret" {
					rec.Metrics[i] = score
				}
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// TestAnswerOfSettings: an arm with several settings stands beside the other with
// all of them. The sentence took the first one alone, and then said that the arm
// with the worse score was ahead; its numbers were in no table.
func TestAnswerOfSettings(t *testing.T) {
	t.Parallel()
	s, err := jobs.Parse("settings.yaml", []byte(settingsSource), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := report.Build(s, settingsRecords(s), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Compare(report.CompareOptions{AllPairs: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Build(context.Background(), Input{Model: m})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(d.Answer, "\n")
	for _, r := range c.Rows() {
		if r.Arm != "learner" {
			continue
		}
		low, high := float64(r.DifferenceLow), float64(r.DifferenceHigh)
		want := "It is ahead of the next, learner, by " + report.Say(float64(r.Difference), low, high) + "."
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for _, want := range []string{"On calm, best is equal: IQM regret -0.6", "On wild, best is equal"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for _, sec := range d.Sections {
		for _, table := range sec.Tables {
			seen := map[string]bool{}
			for _, n := range table.Notes {
				if seen[n] {
					t.Errorf("%s says twice %q", table.ID, n)
				}
				seen[n] = true
			}
		}
	}
}

// TestAnswerOfOne: one arm run once has neither a worst of several runs nor
// factors.
func TestAnswerOfOne(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"random", "oracle"} {
		src := "study: one\nenv: {name: marketing}\nagents: [{name: " + agent + "}]\nevaluate: {final: 1}\n"
		s, err := jobs.Parse("one.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := report.Build(s, func(yield func(results.Record, error) bool) {
			yield(results.Record{Metrics: make([]float64, len(s.Metrics)), Status: results.Done}, nil)
		}, report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := Build(context.Background(), Input{Model: m})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{agent + " has mean return 0.", "Each arm was run once, so nothing here tells luck from skill."}
		if diff := cmp.Diff(want, d.Answer); diff != "" {
			t.Errorf("%s: -want +got\n%s", agent, diff)
		}
	}
}

// TestAnswerOfFailures: a study that ended with nothing does not say "yet".
func TestAnswerOfFailures(t *testing.T) {
	t.Parallel()
	s := study(t, "6")
	all := func(yield func(results.Record, error) bool) {
		for r, err := range records(s) {
			r.Status, r.Metrics, r.Error = results.Failed, nil, "it fell"
			if !yield(r, err) {
				return
			}
		}
	}
	d := document(t, s, all)
	if len(d.Answer) < 2 || d.Answer[0] != "No trial has a result." || !strings.HasPrefix(d.Answer[1], "36 trials gave no result (36 failed") {
		t.Errorf("%q", d.Answer)
	}
}

// TestLuckIsNoEffect: a factor that can't be told from luck moves nothing, however
// its levels' means differ; one that can does.
func TestLuckIsNoEffect(t *testing.T) {
	t.Parallel()
	s := study(t, "10")
	for effect, want := range map[float64]string{
		0:  "No factor can be told from luck.",
		.5: "Of the factors, volatility_scale moves it most: from a mean of",
	} {
		all := func(yield func(results.Record, error) bool) {
			for r, err := range records(s) {
				for i := range r.Metrics {
					r.Metrics[i] = math.Sin(float64(r.Trial*r.Trial)) - effect*float64(r.Point%2)*4
				}
				if !yield(r, err) {
					return
				}
			}
		}
		got := strings.Join(document(t, s, all).Answer, "\n")
		if !strings.Contains(got, want) {
			t.Errorf("with an effect of %v no %q in\n%s", effect, want, got)
		}
	}
}

// TestManyLearners: an answer stays short however many arms learn.
func TestManyLearners(t *testing.T) {
	t.Parallel()
	src := strings.Replace(source, "%n", "10", 1)
	src = strings.Replace(src, "baseline:", `  - {as: b, name: reinforce, train: {episodes: 20}}
  - {as: c, name: reinforce, train: {episodes: 30}}
  - {as: d, name: reinforce, train: {episodes: 40}}
baseline:`, 1)
	s, err := jobs.Parse("study.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	answer := document(t, s, records(s)).Answer
	got := strings.Join(answer, "\n")
	for _, want := range []string{
		"Shares of runs that ended worse than the run of random with the same noise: learner 10\u00a0%.",
		"No run of d, c or b ended worse than the run of random with the same noise.",
		"What the runs of d differ by", "What the runs of b differ by",
		"For 1 learning arm more see what matters, below.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "What the runs of learner") || len(answer) > 9 {
		t.Errorf("%d sentences:\n%s", len(answer), got)
	}
}
