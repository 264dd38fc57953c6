package metrics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"overnight/coordinator"
	"overnight/coordinator/web"
	"overnight/results"
)

// store is a Store and a fleet that tests set.
type store struct {
	mu      sync.Mutex
	plans   []results.Plan
	tallies map[string]results.Tally
	ledgers map[string]*results.Ledger
	workers []results.Worker
	away    bool
	read    int // tallies
}

func newStore() *store {
	return &store{tallies: map[string]results.Tally{}, ledgers: map[string]*results.Ledger{}}
}

var errAway = errors.New("away")

func (s *store) Studies(context.Context) ([]results.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	return slices.Clone(s.plans), nil
}

func (s *store) Tally(_ context.Context, study string) (results.Tally, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read++
	return s.tallies[study], nil
}

func (s *store) Ledger(_ context.Context, study string) (*results.Ledger, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledgers[study], nil
}

func (s *store) Workers(context.Context) ([]results.Worker, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.workers), nil
}

// change changes the store under its lock.
func (s *store) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *store) add(name string, state results.State, trials uint64, t results.Tally) {
	s.change(func() {
		s.plans = append(s.plans, results.Plan{
			Study: name, State: state, Trials: trials, Generation: 1, Submitted: true, Created: time.Unix(int64(len(s.plans)), 0),
		})
		s.tallies[name] = t
	})
}

func (s *store) state(name string, state results.State) {
	s.change(func() {
		for i := range s.plans {
			if s.plans[i].Study == name {
				s.plans[i].State = state
			}
		}
	})
}

// scrape returns the overnight series by name and labels, as Prometheus parses
// them; of histograms the count.
func scrape(t *testing.T, h http.Handler) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for name, f := range families {
		if !strings.HasPrefix(name, "overnight_") || name == "overnight_build_info" {
			continue
		}
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		for _, m := range f.Metric {
			key := name
			for _, l := range m.Label {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			out[strings.TrimPrefix(key, "overnight_")] = value(m)
		}
	}
	return out
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Counter != nil:
		return m.Counter.GetValue()
	}
	return float64(m.Histogram.GetSampleCount())
}

// start returns metrics on a store with a fleet that runs until the test ends.
func start(t *testing.T, s *store, change func(*Options)) *Service {
	t.Helper()
	f := web.NewFleet(s, nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	synctest.Wait()
	o := Options{Store: s, Fleet: f, Version: "v1", Engine: 1}
	if change != nil {
		change(&o)
	}
	return NewService(o)
}

// TestService walks a store through a morning, and compares every series.
func TestService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.add("old", results.Finished, 10, results.Tally{Done: 8, Dead: 2, Used: time.Hour})
		s.add("one", results.Running, 100, results.Tally{Done: 20, Stale: 5, Used: 10 * time.Second, Wasted: time.Second})
		s.add("waits", results.Paused, 50, results.Tally{})
		s.change(func() {
			s.plans = append(s.plans, results.Plan{Study: "of-run", State: results.Running, Trials: 1000}) // not submitted
			s.workers = []results.Worker{
				{ID: "a", Slots: 4, Seen: time.Unix(1, 0), Held: []results.Held{{Study: "one", Generation: 1, Trials: []results.Span{{From: 20, To: 25}, {From: 30, To: 31}}}}},
				{ID: "b", Slots: 2, Seen: time.Unix(1, 0), Held: []results.Held{{Study: "one", Generation: 0, Trials: []results.Span{{From: 40, To: 50}}}}}, // of before a retry
				{ID: "gone", Slots: 0, Seen: time.Unix(1, 0)},
			}
		})
		leads := true
		m := start(t, s, func(o *Options) {
			o.Leader = func() bool { return leads }
			o.StoreUsed = func(context.Context) (float64, bool) { return 0.25, true }
		})
		want := map[string]float64{
			"leader": 1, "store_up": 1, "trials_pending": 74, "trials_running": 6, "trials_dead": 2,
			"trials_committed_total": 30, "trials_refused_total": 5, "trials_duplicates_total": 0, "trials_differs_total": 0,
			"workers": 2, "slots": 6, "lease_age_seconds": 0, "store_used_ratio": 0.25, "recovery_seconds": 0,
			"jobs_lost_total": 0, "counts_went_back_total": 0,
			"core_seconds_total study=one": 10, "core_seconds_wasted_total study=one": 1,
			"core_seconds_total study=waits": 0, "core_seconds_wasted_total study=waits": 0,
			"core_seconds_total study=other": 3600, "core_seconds_wasted_total study=other": 0,
		}
		check := func(what string) {
			t.Helper()
			s.change(func() {
				for i := range s.workers {
					s.workers[i].Seen = s.workers[i].Seen.Add(time.Second)
				}
			})
			time.Sleep(lookAgain)
			synctest.Wait()
			if diff := cmp.Diff(want, scrape(t, m.Handler())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		check("at first")

		s.change(func() {
			s.tallies["one"] = results.Tally{Done: 60, Failed: 2, Dead: 1, Stale: 6, Duplicates: 3, Differs: 1, Used: 40 * time.Second, Wasted: 2 * time.Second}
		})
		s.add("two", results.Running, 10, results.Tally{Done: 4, Used: 3 * time.Second}) // since then
		m.Observe(coordinator.Event{Kind: coordinator.Recovered, Took: 11 * time.Second})
		m.Observe(coordinator.Event{Kind: coordinator.JobLost})
		m.Observe(coordinator.Event{Kind: coordinator.CountsWentBack})
		maps.Copy(want, map[string]float64{
			"trials_pending": 100 - 63 - 6 + 6, "trials_dead": 3, "trials_committed_total": 30 + 43 + 4,
			"trials_refused_total": 6, "trials_duplicates_total": 3, "trials_differs_total": 1, "recovery_seconds": 1,
			"jobs_lost_total": 1, "counts_went_back_total": 1,
			"core_seconds_total study=one": 40, "core_seconds_wasted_total study=one": 2,
			"core_seconds_total study=two": 3, "core_seconds_wasted_total study=two": 0,
		})
		check("later")

		// A study ends: its label goes, and its last core time is in "other".
		s.state("one", results.Finished)
		s.change(func() {
			s.tallies["one"] = results.Tally{Done: 97, Failed: 2, Dead: 1, Stale: 6, Duplicates: 3, Differs: 1, Used: 50 * time.Second, Wasted: 2 * time.Second}
			s.workers = s.workers[:0]
		})
		delete(want, "core_seconds_total study=one")
		delete(want, "core_seconds_wasted_total study=one")
		maps.Copy(want, map[string]float64{
			"trials_pending": 6, "trials_running": 0, "trials_committed_total": 77 + 37, "workers": 0, "slots": 0,
			"core_seconds_total study=other": 3610,
		})
		check("ended")
		read := s.read
		check("the same")
		if n := s.read - read; n != 2 {
			t.Errorf("%d counts read, want those of two studies that have not ended", n)
		}

		// A retry sets counts back: counters stay.
		s.change(func() { s.tallies["two"] = results.Tally{Done: 1, Used: 3 * time.Second} })
		want["trials_pending"] = 9
		check("set back")

		// A study that stops by itself has something to do until it has ended: else a
		// fleet that is scaled by this number would never come back.
		s.change(func() {
			for i := range s.plans {
				if s.plans[i].Study == "two" {
					s.plans[i].Wanted = 1 // and it has a record
				}
			}
		})
		want["trials_pending"] = 1
		check("nothing known to be wanted")

		s.change(func() { s.away = true })
		alone := map[string]float64{"leader": 1, "store_up": 0, "recovery_seconds": 1, "jobs_lost_total": 1, "counts_went_back_total": 1}
		kept := want
		want = alone
		check("store away")
		s.change(func() { s.away = false })
		want = kept
		check("store back")
		leads = false
		want = map[string]float64{"leader": 0, "store_up": 1, "recovery_seconds": 1, "jobs_lost_total": 1, "counts_went_back_total": 1}
		check("standby")

		// It leads again; in the meantime the largest study was removed.
		leads = true
		want = kept
		s.change(func() { s.plans = slices.DeleteFunc(s.plans, func(p results.Plan) bool { return p.Study == "one" }) })
		want["trials_dead"] = 2
		check("leads again")
	})
}

// lookAgain is past the age at which a sample or the fleet is read anew.
const lookAgain = 1100 * time.Millisecond

// TestLabels holds the bound on labels with 1,000 studies that run, that a label
// stays with its study while it runs, and that no core time is lost.
func TestLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.add("other", results.Running, 1, results.Tally{})
		for i := range 1000 {
			s.add(fmt.Sprintf("s%d", i), results.Running, 10, results.Tally{})
		}
		m := start(t, s, nil)
		labels := func() (set []string, sum float64) {
			time.Sleep(lookAgain)
			got := scrape(t, m.Handler())
			for k, v := range got {
				if study, ok := strings.CutPrefix(k, "core_seconds_total study="); ok {
					set = append(set, study)
					sum += v
				}
			}
			if n := len(got); n > 16+2*51 {
				t.Errorf("%d series", n)
			}
			slices.Sort(set)
			return set, sum
		}
		first, _ := labels()
		if len(first) != 51 || !slices.Contains(first, "other") || !slices.Contains(first, "s0") || !slices.Contains(first, "s49") {
			t.Fatalf("%d labels: %v", len(first), first)
		}
		s.change(func() {
			for name := range s.tallies {
				s.tallies[name] = results.Tally{Used: time.Second}
			}
		})
		again, sum := labels()
		if diff := cmp.Diff(first, again); diff != "" || sum != 1001 {
			t.Errorf("%v core seconds, want 1001; labels (-first +again):\n%s", sum, diff)
		}
		s.state("s7", results.Finished)
		after, _ := labels()
		if len(after) != 51 || slices.Contains(after, "s7") || !slices.Contains(after, "s50") {
			t.Errorf("%d labels: %v, want s50 in place of s7", len(after), after)
		}
		for i := range 1000 {
			s.state(fmt.Sprintf("s%d", i), results.Cancelled)
		}
		if end, _ := labels(); len(end) != 1 {
			t.Errorf("labels %v, want other alone", end)
		}
	})
}

// TestLeaseAge holds that a lost worker counts while what it held is neither
// committed nor held by another, and not afterwards.
func TestLeaseAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.add("one", results.Running, 100, results.Tally{})
		held := func(from, to uint64) []results.Held {
			return []results.Held{{Study: "one", Generation: 1, Trials: []results.Span{{From: from, To: to}}}}
		}
		s.change(func() {
			s.ledgers["one"] = results.NewLedger(100)
			s.workers = []results.Worker{{ID: "lost", Slots: 1, Held: held(10, 20)}, {ID: "lives", Slots: 1, Held: held(50, 60)}}
		})
		m := start(t, s, nil)
		clock := time.Unix(0, 0)
		// after lets the living worker beat for d and returns the age.
		after := func(d time.Duration) time.Duration {
			for range d / time.Second {
				clock = clock.Add(time.Second)
				s.change(func() { s.workers[1].Seen = clock })
				time.Sleep(time.Second)
				synctest.Wait()
			}
			return time.Duration(scrape(t, m.Handler())["lease_age_seconds"] * float64(time.Second))
		}
		near := func(what string, got, want time.Duration) {
			t.Helper()
			if got < want-2*time.Second || got > want+2*time.Second {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		near("alive", after(4*time.Second), 4*time.Second)
		near("lost", after(16*time.Second), 20*time.Second)
		s.change(func() {
			for i := uint64(10); i < 15; i++ {
				s.ledgers["one"].Add(i)
			}
		})
		near("half committed", after(5*time.Second), 25*time.Second)
		s.change(func() { s.workers[1].Held = held(14, 60) })
		near("the rest held", after(5*time.Second), 0)
		s.change(func() { s.workers[1].Held = nil })
		near("settled", after(5*time.Second), 0)
	})
}

func TestWorker(t *testing.T) {
	t.Parallel()
	h := NewWorker("v1", 3, func() WorkerState { return WorkerState{Committed: 7, Slots: 4, Busy: 2} })
	want := map[string]float64{"worker_trials_committed_total": 7, "worker_slots": 4, "worker_busy": 2}
	if diff := cmp.Diff(want, scrape(t, h)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(w.Body.String(), `overnight_build_info{engine="3",goversion="go1.`) {
		t.Errorf("no build_info in\n%.2000s", w.Body)
	}
}
