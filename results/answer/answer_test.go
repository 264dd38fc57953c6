package answer

import (
	"context"
	"encoding/json"
	"iter"
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
		`2 of 20 runs of learner ended worse than the mean of random beside it \(10 %`,
		`What the runs of learner differ by: `,
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
