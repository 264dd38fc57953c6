package report

import (
	"bytes"
	"fmt"
	"iter"
	"testing"

	"overnight/internal/catalog"
	"overnight/internal/param"
	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
)

func parse(t testing.TB, src string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("study.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// play yields a record for each trial: its objective is a random number plus the
// point's number.
func play(s *jobs.Study) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		draw := rng.New(rng.Root(1, "play"))
		metrics := make([]float64, len(s.Metrics))
		for trial := range s.Trials() {
			point, replication := s.Split(trial)
			for i := range metrics {
				metrics[i] = float64(point) + draw.Float64()
			}
			if !yield(results.Record{Trial: trial, Point: point, Replication: replication, Status: results.Done, Metrics: metrics}, nil) {
				return
			}
		}
	}
}

// TestOpposite: the baseline's points beside a learner's are those at the same
// levels of what both have, though the learner's rows also number a shared
// factor that the baseline does not have.
func TestOpposite(t *testing.T) {
	t.Parallel()
	s := parse(t, `
study: beside
factors: {lr: {grid: [0.001, 0.01]}}
envs:
  - {as: steady, name: marketing, volatility_scale: {grid: [0, 1]}}
  - {as: jumps, name: marketing, budget: {grid: [300, 600, 900]}}
agents:
  - {name: random}
  - {as: learner, name: reinforce, learning_rate: $lr, gamma: {grid: [0.9, 1]}}
baseline: random
replications: 2
objective: {metric: optimality}
`)
	m, err := Build(s, play(s), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Tally.Done != s.Trials() || m.Tally.Missing != 0 {
		t.Errorf("tally %+v of %d trials", m.Tally, s.Trials())
	}
	checked := 0
	for _, l := range m.lines(true) {
		beside := m.opposite(l)
		if l.arm == 0 {
			if beside != nil {
				t.Error("the baseline stands beside itself")
			}
			continue
		}
		for i, p := range l.points {
			if len(beside[i]) != 1 {
				t.Fatalf("point %d has %v beside it, want one point", p, beside[i])
			}
			ours, err := s.Point(uint64(p))
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := s.Point(uint64(beside[i][0]))
			if err != nil {
				t.Fatal(err)
			}
			if theirs.Arm != 0 || ours.Task != theirs.Task || !bytes.Equal(param.AppendCanonical(nil, ours.Env), param.AppendCanonical(nil, theirs.Env)) {
				t.Errorf("point %d has point %d beside it, with another environment", p, beside[i][0])
			}
			checked++
		}
	}
	if checked != 2*2*2+3*2*2 {
		t.Errorf("%d points checked, want 20", checked)
	}
}

// TestSampled: a sampled design with one replication has intervals over rows;
// the difference only where each row has a baseline run of its own.
func TestSampled(t *testing.T) {
	t.Parallel()
	const src = `
study: sampled
env: {name: marketing, volatility_scale: %s}
agents:
  - {name: equal}
  - {as: learner, name: reinforce, learning_rate: {log_uniform: [1e-4, 0.1]}}
baseline: equal
design: {kind: random, points: 30}
`
	for volatility, known := range map[string]bool{"{uniform: [0, 2]}": true, "1": false} {
		s := parse(t, fmt.Sprintf(src, volatility))
		m, err := Build(s, play(s), Options{})
		if err != nil {
			t.Fatal(err)
		}
		learner := m.ArmTable().Rows()[1]
		if !learner.Low.finite() || !learner.Difference.finite() {
			t.Errorf("volatility %s: learner %+v has no interval or no difference", volatility, learner)
		}
		if learner.DifferenceLow.finite() != known {
			t.Errorf("volatility %s: the difference's interval is known: %v, want %v", volatility, !known, known)
		}
	}
}

func BenchmarkMillionTrials(b *testing.B) {
	s := parse(b, `
study: million
env: {name: function, function: noop, x1: {uniform: [0, 1]}, x2: {uniform: [0, 1]}}
agents: [{name: random}]
design: {kind: random, points: 50000}
replications: 20
`)
	for b.Loop() {
		m, err := Build(s, play(s), Options{})
		if err != nil {
			b.Fatal(err)
		}
		points, err := m.PointTable()
		if err != nil {
			b.Fatal(err)
		}
		rendered(b, points, Style{Width: 80})
		rendered(b, m.ArmTable(), Style{Width: 80})
		rendered(b, m.WhatMatters(), Style{Width: 80})
	}
}
