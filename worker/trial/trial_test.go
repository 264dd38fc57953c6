package trial_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/worker/trial"
)

func study(t testing.TB, text string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("test.yaml", []byte(text), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const learners = `
study: learners
env: {name: marketing, delay: {grid: {none: [1], late: [0, 0, 0, 1]}}}
agents:
  - {name: random}
  - {name: oracle}
  - {as: notebook, name: reinforce, faithful: true}
  - {as: corrected, name: reinforce, precision: float64}
train: {episodes: 70}
evaluate: {every: 20, episodes: 3, final: 5}
record: {curves: {points: 10}}
replications: 2
objective: {metric: optimality}
`

func run(t *testing.T, r *trial.Runner, n uint64) results.Record {
	t.Helper()
	rec, err := r.Run(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Status != results.Done {
		t.Fatalf("trial %d: %v %s", n, rec.Status, rec.Error)
	}
	return rec
}

var ignoreSchedule = []cmp.Option{
	cmpopts.IgnoreFields(results.Record{}, "Elapsed", "Finished"), cmpopts.EquateNaNs(),
}

// TestOrder holds that a trial's record does not depend on what its runner did
// before.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := study(t, learners)
	up := trial.New(s, catalog.New(), trial.Options{})
	down := trial.New(s, catalog.New(), trial.Options{Oracle: trial.NewOracleCache(1)})
	n := s.Trials()
	want := make([]results.Record, n)
	for i := range n {
		want[i] = run(t, up, i)
	}
	for i := n; i > 0; i-- {
		got := run(t, down, i-1)
		if diff := cmp.Diff(want[i-1], got, ignoreSchedule...); diff != "" {
			t.Errorf("trial %d depends on the order (-up +down):\n%s", i-1, diff)
		}
	}
}

// TestPaired holds that with `paired: all` arms meet the same episodes: the
// oracle's optimality is exactly 1 against itself, and nobody beats it by more
// than the noise that a policy can't see.
func TestPaired(t *testing.T) {
	t.Parallel()
	s := study(t, learners)
	r := trial.New(s, catalog.New(), trial.Options{})
	at := -1
	for i, m := range s.Metrics {
		if m == "optimality" {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("no optimality in %v", s.Metrics)
	}
	for i := range s.Points() {
		p, err := s.Point(i)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, r, i).Metrics[at]
		if s.Arms[p.Arm].Label == "oracle" && got != 1 {
			t.Errorf("point %d: the oracle's optimality is %v, want exactly 1", i, got)
		}
		if got > 1.01 || got < 0.3 {
			t.Errorf("point %d: optimality %v is beyond reason", i, got)
		}
	}
}

// TestCheckpoint interrupts a training again and again; the record is the same,
// bit for bit.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	s := study(t, learners)
	for n := range s.Points() {
		p, err := s.Point(n)
		if err != nil {
			t.Fatal(err)
		}
		want := run(t, trial.New(s, catalog.New(), trial.Options{}), n)
		var state []byte
		saves := 0
		var got results.Record
		for attempt := 0; ; attempt++ {
			ctx, cancel := context.WithCancel(t.Context())
			now := time.Unix(0, 0)
			calls := 0
			r := trial.New(s, catalog.New(), trial.Options{
				CheckpointAfter: time.Second,
				// Every look at the clock costs half a second; a fresh runner each time, as
				// after a crash. It is interrupted after some saves.
				Clock: func() time.Time { calls++; now = now.Add(500 * time.Millisecond); return now },
				Save: func(_ uint64, b []byte) error {
					state = append([]byte(nil), b...)
					if saves++; saves%2 == 0 {
						cancel()
					}
					return nil
				},
				Load: func(uint64) []byte { return state },
			})
			got, err = r.Run(ctx, n)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, trial.ErrInterrupted) || attempt > 100 {
				t.Fatalf("attempt %d: %v", attempt, err)
			}
		}
		if diff := cmp.Diff(want, got, ignoreSchedule...); diff != "" {
			t.Errorf("arm %s: interrupted training differs (-whole +interrupted):\n%s", s.Arms[p.Arm].Label, diff)
		}
		if p.Train.Episodes > 0 && saves < 2 {
			t.Errorf("arm %s was saved %d times: nothing was interrupted", s.Arms[p.Arm].Label, saves)
		}
	}
}

// TestDamagedCheckpoint holds that a trial whose checkpoint can't be read begins
// anew, with the same result.
func TestDamagedCheckpoint(t *testing.T) {
	t.Parallel()
	s := study(t, learners)
	for n := range s.Points() {
		p, err := s.Point(n)
		if err != nil {
			t.Fatal(err)
		}
		if p.Train.Episodes == 0 {
			continue
		}
		want := run(t, trial.New(s, catalog.New(), trial.Options{}), n)
		for _, b := range [][]byte{{}, {9}, {1, 5}, {1, 5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
			r := trial.New(s, catalog.New(), trial.Options{Load: func(uint64) []byte { return b }})
			if diff := cmp.Diff(want, run(t, r, n), ignoreSchedule...); diff != "" {
				t.Errorf("checkpoint %v changes the result (-without +with):\n%s", b, diff)
			}
		}
	}
}

// TestCurvesOfSteps holds the bound on curves where the number of episodes is
// not known beforehand.
func TestCurvesOfSteps(t *testing.T) {
	t.Parallel()
	for _, budget := range []string{"{steps: 3000}", "{updates: 150}"} {
		s := study(t, strings.NewReplacer("{episodes: 70}", budget, "{every: 20,", "{every: 2,").Replace(learners))
		rec := run(t, trial.New(s, catalog.New(), trial.Options{}), s.Points()-1)
		if len(rec.Curves) < 3 {
			t.Errorf("%s: %d curves", budget, len(rec.Curves))
		}
		for _, c := range rec.Curves {
			if len(c.X) > 10 || len(c.X) < 5 {
				t.Errorf("%s: curve %s has %d values, want 5 to 10", budget, c.Name, len(c.X))
			}
		}
	}
}

// TestLimit holds that a trial is stopped between episodes when its time is up.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := study(t, strings.Replace(learners, "replications: 2", "limits: {time: 10s}", 1))
	now := time.Unix(0, 0)
	r := trial.New(s, catalog.New(), trial.Options{Clock: func() time.Time { now = now.Add(time.Second); return now }})
	rec, err := r.Run(t.Context(), s.Points()-1)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Status != results.Overrun || !strings.Contains(rec.Error, "10s") {
		t.Errorf("got %v %q, want overrun", rec.Status, rec.Error)
	}
}

// TestRollout holds that the steps shown are those behind the return.
func TestRollout(t *testing.T) {
	t.Parallel()
	s := study(t, learners)
	r := trial.New(s, catalog.New(), trial.Options{})
	for n := range s.Points() {
		rec := run(t, r, n)
		var total float64
		var spec *envs.Spec
		err := r.Rollout(t.Context(), n, trial.RolloutOptions{Episodes: 5}, func(sp *envs.Spec) error { spec = sp; return nil }, func(st trial.RolloutStep) error {
			total += st.Reward
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := total/5, rec.Metrics[0]; math.Abs(got-want) > 1e-9*want {
			t.Errorf("point %d: steps give %v, the return is %v", n, got, want)
		}
		if c := trial.Columns(spec); len(c) != spec.Action.N+1+len(spec.Trace) {
			t.Errorf("columns %v", c)
		}
	}
}

// TestCurves holds the bounds of what is recorded.
func TestCurves(t *testing.T) {
	t.Parallel()
	s := study(t, learners)
	rec := run(t, trial.New(s, catalog.New(), trial.Options{}), s.Points()-1)
	names := map[string]int{}
	for _, c := range rec.Curves {
		names[c.Name] = len(c.X)
		if len(c.X) > 10 || len(c.X) != len(c.Y) {
			t.Errorf("curve %s has %d and %d values, want at most 10", c.Name, len(c.X), len(c.Y))
		}
		for i := 1; i < len(c.X); i++ {
			if c.X[i] <= c.X[i-1] {
				t.Errorf("curve %s does not ascend: %v", c.Name, c.X)
			}
		}
	}
	if names["train_return"] != 10 || names["return"] != 3 {
		t.Errorf("got curves %v, want 10 training returns and 3 checks", names)
	}
}

func BenchmarkNoop(b *testing.B) {
	s := study(b, "study: noop\nenv: {name: function, function: noop, x1: {grid: [1, 2, 3]}}\nagents: [{name: random}]\n")
	r := trial.New(s, catalog.New(), trial.Options{})
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		if _, err := r.Run(context.Background(), n%3); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkNotebook(b *testing.B) {
	s := study(b, "study: train\nenv: {name: marketing}\nagents: [{name: reinforce, faithful: true}]\ntrain: {episodes: 100}\nevaluate: {final: 10}\nreplications: 100000\n")
	r := trial.New(s, catalog.New(), trial.Options{})
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		if _, err := r.Run(context.Background(), n); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
