package figure

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results/report"
	"overnight/results/sqlitestore"
	"overnight/worker/trial"
)

func TestZZReal(t *testing.T) {
	path := os.Getenv("H6DB")
	if path == "" {
		t.Skip("H6DB not set")
	}
	ctx := t.Context()
	st, err := sqlitestore.Open(ctx, path, sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	name := os.Getenv("H6STUDY")
	p, err := st.Plan(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jobs.DecodeStudy(p.Body, catalog.New())
	if err != nil {
		t.Fatal(err)
	}
	s.Name = name
	m, err := report.Build(s, st.Scan(ctx, name, 0, p.Trials), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t0 := time.Now()
	r := NewRuns(m)
	for rec, err := range st.Scan(ctx, name, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		r.Add(&rec)
	}
	fmt.Println("scan", time.Since(t0))
	t0 = time.Now()
	var all []Figure
	for _, id := range []string{"arms", "effects", "profiles", "heat", "slices", "contours", "parallel", "lost", "failed", "learning", "training", "diagnostics"} {
		if f := everything(m, nil, r)[id]; f != nil {
			all = append(all, *f)
		}
	}
	table, err := m.Sensitivity(report.SensitivityOptions{})
	if err != nil {
		fmt.Println(err)
	} else {
		all = append(all, Sensitivity(m, table)...)
	}
	fmt.Println("build x12", time.Since(t0))
	t0 = time.Now()
	runner := trial.New(s, catalog.New(), trial.Options{})
	d, err := Days(ctx, m, Choose(m, 3), func(ctx context.Context, n, episodes uint64, begin func(*envs.Spec) error, step func(Step) error) error {
		return runner.Rollout(ctx, n, episodes, begin, func(r trial.RolloutStep) error { return step(Step(r)) })
	}, 20)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("days", time.Since(t0))
	all = append(all, d...)
	if err := Check(all); err != nil {
		t.Error(err)
	}
	for _, f := range all {
		fmt.Println("==", f.ID, "|", f.Title, "\n  C:", f.Caption, "\n  N:", f.Note)
		for _, p := range f.Panels {
			fmt.Printf("     [%s] %s\n", p.Name, p.Kind)
		}
	}
	b, _ := json.Marshal(all)
	fmt.Println(len(b))
	os.WriteFile("/tmp/h6real.json", b, 0o644)
}
