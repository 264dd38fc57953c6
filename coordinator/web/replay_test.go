package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"overnight/coordinator"
	"overnight/envs"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
)

// submitted commits a record of every trial of a study that took so long.
func (b *bench) submitted(t *testing.T, src string, took time.Duration) {
	t.Helper()
	s, err := jobs.Parse("x.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := coordinator.Submit(t.Context(), s, []byte(src), coordinator.Options{Store: b.store, Catalog: catalog.New()})
	if err != nil {
		t.Fatal(err)
	}
	var rs []results.Record
	for i := range p.Plan.Trials {
		point, r := s.Split(i)
		rs = append(rs, results.Record{Trial: i, Point: point, Replication: r, Status: results.Done, Attempts: 1, Elapsed: took, Metrics: make([]float64, len(s.Metrics))})
	}
	if _, err := b.store.Commit(t.Context(), p.Name, p.Plan.Generation, rs); err != nil {
		t.Fatal(err)
	}
}

// TestReplay holds which studies' trials a report runs again, that it does so once
// for all who ask, and what it says of the others.
func TestReplay(t *testing.T) {
	t.Parallel()
	const online = "env: {name: email, horizon: 100}\nagents: [{name: uniform}, {name: epsilon_greedy}]\nreplications: 2\n"
	var played atomic.Int64
	b := newBench(t, func(o *Options) {
		o.Play = func(study *jobs.Study) figure.Play {
			return func(_ context.Context, trial uint64, _ figure.Wanted, _ func(*envs.Spec) error, _ func(figure.Step) error) error {
				played.Add(1)
				if trial >= study.Trials() {
					return fmt.Errorf("trial %d of %d", trial, study.Trials())
				}
				return nil
			}
		}
		o.Report = func(ctx context.Context, _ string, again Replay, w io.Writer) error {
			if again.Play == nil {
				_, err := io.WriteString(w, "none: "+again.Why)
				return err
			}
			if err := again.Play(ctx, 1, figure.Wanted{}, nil, func(figure.Step) error { return nil }); err != nil {
				return err
			}
			_, err := io.WriteString(w, "played")
			return err
		}
	})
	b.submitted(t, "study: cheap\n"+online, 20*time.Millisecond)
	b.submitted(t, "study: dear\nseed: 2\n"+online, 1500*time.Millisecond)
	b.submitted(t, "study: trained\nenv: {name: function}\nagents: [{name: random}]\nreplications: 2\n", time.Millisecond)
	for range 2 {
		for name, want := range map[string]string{
			"cheap":   "played",
			"dear":    "none: a trial took up to 1.5s, too long for this service to run it again",
			"trained": "none: to run a trial again its agent would have to be trained again, which this service does not do",
		} {
			if status, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/"+name+"/report", ""); status != 200 || text != want {
				t.Errorf("%s: %d %q, want %q", name, status, text, want)
			}
		}
	}
	if n := played.Load(); n != 1 {
		t.Errorf("played %d times, want once for all who ask", n)
	}
	if len(b.api.analyses.replaying) != 0 {
		t.Error("a turn is held at the end")
	}
	b.api.Play = nil
	b.submitted(t, "study: later\nseed: 3\n"+online, time.Millisecond)
	if _, text := b.ask(t, View, http.MethodGet, "/api/v1/studies/later/report", ""); !strings.Contains(text, "this service runs no trials") {
		t.Errorf("without Play: %q", text)
	}
}
