package answer

import (
	"context"
	"slices"
	"strings"
	"testing"

	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
	"overnight/results/report"
	"overnight/worker/trial"
)

const emailSource = `
study: lines
env: {name: email, horizon: 200}
agents: [{as: ab, name: uniform}, {name: thompson}]
baseline: ab
replications: 6
objective: {metric: regret, goal: minimize}
`

// TestEmail: a study of sends begins with tiles, has one section of pictures send
// by send and none day by day, and reads its records once.
func TestEmail(t *testing.T) {
	t.Parallel()
	s, err := jobs.Parse("study.yaml", []byte(emailSource), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := trial.New(s, catalog.New(), trial.Options{})
	var all []results.Record
	for n := range s.Trials() {
		rec, err := r.Run(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	read := 0
	records := func(yield func(results.Record, error) bool) {
		read++
		for _, rec := range all {
			if !yield(rec, nil) {
				return
			}
		}
	}
	m, err := report.Build(s, records, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	read = 0
	d, err := Build(t.Context(), Input{Model: m, Records: records, Play: func(ctx context.Context, n uint64, want figure.Wanted, begin func(*envs.Spec) error, step func(figure.Step) error) error {
		return r.Rollout(ctx, n, trial.RolloutOptions{Episodes: want.Episodes}, begin, func(s trial.RolloutStep) error {
			return step(figure.Step{Episode: s.Episode, Step: s.Step, Action: s.Action, Reward: s.Reward, Trace: s.Trace})
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := figure.Check(Figures(d)); err != nil {
		t.Error(err)
	}
	if read != 1 {
		t.Errorf("the records were read %d times, want once", read)
	}
	if len(d.Lead) != 2 || d.Lead[0].ID != "kpi" || d.Lead[1].ID != "arms" {
		t.Errorf("the lead is %v", d.Lead)
	}
	var ids []string
	for _, sec := range d.Sections {
		ids = append(ids, sec.ID)
		if sec.ID == "sends" && !strings.Contains(strings.Join(sec.Text, ""), "run again") {
			t.Errorf("section sends does not say where it is from: %q", sec.Text)
		}
	}
	if !slices.Contains(ids, "sends") || slices.Contains(ids, "days") {
		t.Errorf("the sections are %v, want sends and no days", ids)
	}
	if _, err := Build(t.Context(), Input{Model: m, Records: func(yield func(results.Record, error) bool) {
		yield(results.Record{}, context.DeadlineExceeded)
	}}); err == nil {
		t.Error("records that can't be read gave a document")
	}
}
