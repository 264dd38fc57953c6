package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
)

func testPlans(t *testing.T, s results.Store) {
	first := study(t, s, 2, 3)
	second := NewPlan(name(t, "another"), 1, 1)
	second.Created = first.Created.Add(time.Second)
	second.State = results.Paused
	if err := s.Create(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	wantError(t, "Create of a taken name", s.Create(t.Context(), first), results.ErrExists)
	wantError(t, "Create after its context ended", s.Create(ended(t), NewPlan(name(t, "third"), 1, 1)), ended(t).Err())

	got, err := s.Studies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got = slices.DeleteFunc(got, func(p results.Plan) bool { return p.Study != first.Study && p.Study != second.Study })
	for _, p := range []*results.Plan{&first, &second} {
		p.Body, p.Source = nil, nil
	}
	if diff := cmp.Diff([]results.Plan{first, second}, got); diff != "" {
		t.Errorf("Studies, want -, got +:\n%s", diff)
	}

	missing := name(t, "missing")
	_, err = s.Plan(t.Context(), missing)
	wantError(t, "Plan", err, results.ErrNotFound)
	_, err = s.Update(t.Context(), missing, func(*results.Plan) error { t.Error("called for a missing plan"); return nil })
	wantError(t, "Update", err, results.ErrNotFound)
	wantError(t, "Delete", s.Delete(t.Context(), missing), results.ErrNotFound)
	_, err = s.Ledger(t.Context(), missing)
	wantError(t, "Ledger", err, results.ErrNotFound)
	_, err = s.Tally(t.Context(), missing)
	wantError(t, "Tally", err, results.ErrNotFound)
	_, err = s.Commit(t.Context(), missing, 1, NewRecords(&first, 0, 1))
	wantError(t, "Commit", err, results.ErrNotFound)
	_, err = s.Discard(t.Context(), missing, nil)
	wantError(t, "Discard", err, results.ErrNotFound)
	n := 0
	for _, err := range s.Scan(t.Context(), missing, 0, 9) {
		wantError(t, "Scan", err, results.ErrNotFound)
		n++
	}
	if n != 1 {
		t.Errorf("Scan of a missing study yields %d times, want one error", n)
	}
}

func testPlanRoundTrip(t *testing.T, s results.Store) {
	for _, p := range []results.Plan{
		NewPlan(name(t, "plain"), 3, 4),
		{Study: name(t, "bare")},
		{
			Study: name(t, `odd "quoted" 'name' % _ ; -- é @2`), Identity: "x", Engine: 7, Points: 1 << 40, Trials: 1 << 60,
			Metrics: []string{"return", "Return", "a b", `"`, "trial", "m0"}, Objective: 5, Generation: 1<<32 - 1,
			State: results.Stopped, Digest: "d", Created: time.Unix(1, 1).UTC(),
			Body: []byte{0, 1, 255}, Source: []byte("\x00\n"),
			Ended: time.Date(2026, 3, 2, 1, 2, 3, 999999999, time.UTC), Epoch: 1<<32 - 1,
			Submitted: true, Priority: results.MaxPriority, MaxSlots: 1 << 30, Keep: 1<<63 - 1, Wanted: 1<<60 - 1,
		},
		{Study: name(t, "some"), Epoch: 3, Keep: time.Hour, Trials: 2, Wanted: 1},
	} {
		if err := s.Create(t.Context(), p); err != nil {
			t.Fatalf("Create %q: %v", p.Study, err)
		}
		if diff := cmp.Diff(p, plan(t, s, p.Study)); diff != "" {
			t.Errorf("plan %q, want -, got +:\n%s", p.Study, diff)
		}
		if err := s.Delete(t.Context(), p.Study); err != nil {
			t.Errorf("Delete %q: %v", p.Study, err)
		}
	}
	for what, p := range map[string]results.Plan{
		"no name":           NewPlan("", 1, 1),
		"a metric twice":    {Study: name(t, "twice"), Metrics: []string{"a", "a"}},
		"an unnamed metric": {Study: name(t, "unnamed"), Metrics: []string{""}},
		"too many trials":   {Study: name(t, "many"), Trials: 1 << 63},
		"an endless name":   NewPlan(strings.Repeat("x", results.MaxName+1), 1, 1),
		"a name with 0":     NewPlan("x\x00", 1, 1),
		"too much priority": {Study: name(t, "priority"), Priority: results.MaxPriority + 1},
		"more wanted":       {Study: name(t, "wanted"), Trials: 3, Wanted: 4},
		"negative slots":    {Study: name(t, "slots"), MaxSlots: -1},
		"a time to come":    {Study: name(t, "late"), Created: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := s.Create(t.Context(), p); err == nil {
			t.Errorf("Create takes a plan with %s", what)
		}
	}
}

func testUpdate(t *testing.T, s results.Store) {
	p := study(t, s, 2, 3)
	change := func(p *results.Plan) {
		p.State, p.Digest, p.Generation, p.Engine = results.Finished, "abc", 5, 2
		p.Trials, p.Identity, p.Objective = 8, "new", 1
		p.Body, p.Source = []byte("body 2"), nil
		p.Ended, p.Epoch, p.Submitted = time.Unix(1_900_000_000, 7).UTC(), 4, true
		p.Priority, p.MaxSlots, p.Keep, p.Wanted = 50, 3, 720*time.Hour, 7
	}
	want := p
	change(&want)
	if diff := cmp.Diff(want, update(t, s, p.Study, change)); diff != "" {
		t.Errorf("Update returns, want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff(want, plan(t, s, p.Study)); diff != "" {
		t.Errorf("Update stores, want -, got +:\n%s", diff)
	}
	// Every part of it is read by Studies, and can go back to nothing.
	all, err := s.Studies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want.Body = nil
	i := slices.IndexFunc(all, func(p results.Plan) bool { return p.Study == want.Study })
	if i < 0 {
		t.Fatalf("Studies is without %s", want.Study)
	}
	if diff := cmp.Diff(want, all[i]); diff != "" {
		t.Errorf("Studies after Update, want -, got +:\n%s", diff)
	}
	back := func(p *results.Plan) {
		p.State, p.Digest, p.Ended, p.Submitted = results.Running, "", time.Time{}, false
		p.Priority, p.MaxSlots, p.Keep = 0, 0, 0
	}
	want.Body = []byte("body 2")
	back(&want)
	update(t, s, p.Study, back)
	if diff := cmp.Diff(want, plan(t, s, p.Study)); diff != "" {
		t.Errorf("a second Update stores, want -, got +:\n%s", diff)
	}
	no := errors.New("no")
	_, err = s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.State = results.Cancelled; return no })
	wantError(t, "Update with a change that fails", err, no)
	if diff := cmp.Diff(want, plan(t, s, p.Study)); diff != "" {
		t.Errorf("a change that failed was stored, want -, got +:\n%s", diff)
	}
}

func testUpdateRefuses(t *testing.T, s results.Store) {
	p := study(t, s, 2, 3)
	p = update(t, s, p.Study, func(p *results.Plan) { p.Epoch = 3 })
	for what, change := range map[string]func(*results.Plan){
		"a new name":           func(p *results.Plan) { p.Study += "x" },
		"fewer trials":         func(p *results.Plan) { p.Trials-- },
		"fewer points":         func(p *results.Plan) { p.Points-- },
		"an older generation":  func(p *results.Plan) { p.Generation-- },
		"an older epoch":       func(p *results.Plan) { p.Epoch-- },
		"too much priority":    func(p *results.Plan) { p.Priority = results.MaxPriority + 1 },
		"another creation":     func(p *results.Plan) { p.Created = p.Created.Add(1) },
		"a metric less":        func(p *results.Plan) { p.Metrics = p.Metrics[1:] },
		"other metrics":        func(p *results.Plan) { p.Metrics[0] = "other" },
		"a metric there twice": func(p *results.Plan) { p.Metrics = append(p.Metrics, "spend") },
	} {
		if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { change(p); return nil }); err == nil {
			t.Errorf("Update takes %s", what)
		}
	}
	if diff := cmp.Diff(p, plan(t, s, p.Study)); diff != "" {
		t.Errorf("a refused change was stored, want -, got +:\n%s", diff)
	}
}

func testUpdateConcurrent(t *testing.T, s results.Store) {
	p := study(t, s, 2, 3)
	const callers, times = 8, 10
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range times {
				if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Generation++; return nil }); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := plan(t, s, p.Study).Generation, p.Generation+callers*times; got != want {
		t.Errorf("generation %d after %d updates of one each, want %d", got, callers*times, want)
	}
}

func testDelete(t *testing.T, s results.Store) {
	p := study(t, s, 2, 3)
	other := NewPlan(name(t, "other"), 2, 3)
	if err := s.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	commit(t, s, p, NewRecords(&p, 0, 4)...)
	commit(t, s, other, NewRecords(&other, 0, 5)...)
	if err := s.SaveCheckpoint(t.Context(), p.Study, p.Generation, 5, []byte("state")); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), p.Study); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	_, err := s.Plan(t.Context(), p.Study)
	wantError(t, "Plan after Delete", err, results.ErrNotFound)
	_, err = s.Commit(t.Context(), p.Study, p.Generation, NewRecords(&p, 0, 1))
	wantError(t, "Commit after Delete", err, results.ErrNotFound)
	if got := len(scan(t, s, other.Study, 0, 6)); got != 5 {
		t.Errorf("%d records of the other study are left, want 5", got)
	}

	// Under its name comes a new study, which has nothing of the old one.
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatalf("Create after Delete: %v", err)
	}
	if got := scan(t, s, p.Study, 0, 6); len(got) != 0 {
		t.Errorf("a new study begins with %d records of a deleted one", len(got))
	}
	if got := tally(t, s, p.Study); got != (results.Tally{}) {
		t.Errorf("a new study begins with tally %+v", got)
	}
	_, err = s.Checkpoint(t.Context(), p.Study, p.Generation, 5)
	wantError(t, "Checkpoint after Delete", err, results.ErrNotFound)
	if got := commit(t, s, p, NewRecords(&p, 0, 6)...); !slices.Equal(got, verdicts(results.Committed, 6)) {
		t.Errorf("commits to the new study: %v", got)
	}
}

func testCancelled(t *testing.T, s results.Store) {
	p := study(t, s, 2, 3)
	update(t, s, p.Study, func(p *results.Plan) { p.State = results.Cancelled; p.Generation++ })
	if got := commit(t, s, p, NewRecords(&p, 0, 2)...); !slices.Equal(got, verdicts(results.Stale, 2)) {
		t.Errorf("commit to a cancelled study: %v, want stale", got)
	}
	if got := scan(t, s, p.Study, 0, p.Trials); len(got) != 0 {
		t.Errorf("a cancelled study has %d records", len(got))
	}
}

func testExtend(t *testing.T, s results.Store) {
	p := study(t, s, 2, 3)
	commit(t, s, p, NewRecords(&p, 0, 6)...)
	more := update(t, s, p.Study, func(p *results.Plan) {
		p.Trials = 10
		p.Metrics = append(p.Metrics, "roi")
	})
	if got := commit(t, s, more, NewRecords(&more, 6, 10)...); !slices.Equal(got, verdicts(results.Committed, 4)) {
		t.Errorf("commits of new trials: %v", got)
	}
	l, err := s.Ledger(t.Context(), p.Study)
	if err != nil {
		t.Fatal(err)
	}
	if l.Len() != 10 || l.Count() != 10 {
		t.Errorf("ledger has %d of %d trials, want 10 of 10", l.Count(), l.Len())
	}
	for _, r := range scan(t, s, p.Study, 0, 10) {
		want := NewRecord(&more, r.Trial)
		if r.Trial < 6 { // from before there was the metric
			want = NewRecord(&p, r.Trial)
			if r.Status == results.Done {
				want.Metrics = append(want.Metrics, nan)
			}
		}
		if diff := cmp.Diff(want, r, sameRecords()); diff != "" {
			t.Errorf("trial %d, want -, got +:\n%s", r.Trial, diff)
		}
	}
}
