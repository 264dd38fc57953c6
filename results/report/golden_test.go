package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"overnight/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; `go test ./results/report -update` writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func fits(t *testing.T, name, text string, width int) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if n := len([]rune(line)); width > 0 && n > width {
			t.Errorf("%s: a line of %d characters, where %d fit: %q", name, n, width, line)
		}
	}
}

// studies are the models of the golden files.
func studies(t *testing.T) map[string]*Model {
	t.Helper()
	models := map[string]*Model{}
	for name, make := range map[string]func() (*plan, []results.Record){
		"sweep":        sweep,
		"tasks":        func() (*plan, []results.Record) { return tasks("regret") },
		"tasks-pooled": func() (*plan, []results.Record) { return tasks("optimality") },
		"many":         many,
	} {
		p, rs := make()
		models[name] = mustBuild(t, p, rs)
	}
	p, rs := sweep()
	models["unfinished"] = mustBuild(t, p, rs[:70])
	models["empty"] = mustBuild(t, p, nil)
	return models
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, m := range studies(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			points, err := m.PointTable()
			if err != nil {
				t.Fatal(err)
			}
			for what, table := range map[string]Table{"points": points, "arms": m.ArmTable(), "matters": m.WhatMatters()} {
				for _, width := range []int{60, 80, 120, 0} {
					file := fmt.Sprintf("%s-%s-%d.txt", name, what, width)
					got := rendered(t, table, Style{Width: width})
					fits(t, file, got, width)
					golden(t, file, got)
				}
				golden(t, fmt.Sprintf("%s-%s.json", name, what), rendered(t, table, Style{Format: JSON}))
				golden(t, fmt.Sprintf("%s-%s.csv", name, what), rendered(t, table, Style{Format: CSV}))
			}
		})
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	digest := "3fb1c9a8f5e64a0db8a2c7d1e0f9484736251403f2e1d0c9b8a79685746352f1"
	models := studies(t)
	p, rs := sweep()
	rs[3].Status, rs[3].Metrics, rs[3].Error = results.Dead, nil, "signal: killed\x1b[31m"
	rs[9].Status, rs[9].Metrics, rs[9].Error = results.Overrun, nil, ""
	trouble := mustBuild(t, p, rs[:400])
	for name, c := range map[string]struct {
		m *Model
		e Ending
	}{
		"sweep":      {models["sweep"], Ending{State: results.Finished, Digest: digest, Elapsed: 12345 * time.Millisecond}},
		"tasks":      {models["tasks"], Ending{State: results.Finished, Digest: digest, Elapsed: 987654 * time.Microsecond, Reused: 12}},
		"many":       {models["many"], Ending{State: results.Finished, Digest: digest, Elapsed: time.Hour + time.Second/3}},
		"unfinished": {models["unfinished"], Ending{File: "studies/delay volatility.yaml"}},
		"empty":      {models["empty"], Ending{State: results.Paused}},
		"trouble":    {trouble, Ending{State: results.Stopped}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, width := range []int{60, 80, 120} {
				var b strings.Builder
				c.e.Width = width
				if err := Summary(&b, c.m, c.e); err != nil {
					t.Fatal(err)
				}
				file := fmt.Sprintf("%s-summary-%d.txt", name, width)
				text, _, _ := strings.Cut(b.String(), "\ndigest ") // which is never broken, as the next command
				text, _, _ = strings.Cut(text, "\nnext: ")
				fits(t, file, text, width)
				golden(t, file, b.String())
			}
		})
	}
}
