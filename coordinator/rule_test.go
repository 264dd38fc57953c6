package coordinator_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/stopping"
)

// rules is a study with replications and perhaps more to fill in; its points
// differ in noise, so that they stop at different stages.
const rules = `
study: rules
env: {name: function, function: sphere, x1: {grid: [1, 2]}, noise: {grid: [0.1, 1, 4]}}
agents: [{name: random}, {as: other, name: random}]
baseline: random
paired: none
replications: %s
`

const stoppingRule = "{min: 5, max: 30, check_at: [8, 12, 20], until: {difference_from: random, half_width: 1}}"

// deaf does not tell of commits, so that a coordinator sees them in the ledger
// alone, and of some by chance.
type deaf struct {
	coordinator.Store
	every int // of so many calls, one is told
}

func (d *deaf) Follow(ctx context.Context, study string, fn func([]results.Record)) error {
	n := 0
	return d.Store.Follow(ctx, study, func(rs []results.Record) {
		if n++; d.every > 0 && n%d.every == 0 {
			fn(rs)
		}
	})
}

// TestRuleDeaf: what a coordinator did not hear of it reads, and decides alike.
func TestRuleDeaf(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf(rules, stoppingRule) + "confirm: {top: 1, replications: 4}\n"
	want := ""
	for _, every := range []int{1, 2, 5, 0} {
		s := open(t)
		o := coordinator.Options{Store: &deaf{s, every}, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2, Poll: 20 * time.Millisecond, Lost: 300 * time.Millisecond}
		p := submit(t, text, o)
		o2 := o
		o2.Store = s
		digest := finishApart(t, p.Name, o, o2)
		if want == "" {
			want = digest
		}
		if digest != want {
			t.Errorf("told of one commit in %d: digest %s, want %s", every, digest, want)
		}
		tally, err := s.Tally(context.Background(), p.Name)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := s.Plan(context.Background(), p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if tally.Total() != plan.Wanted || plan.Wanted >= plan.Trials {
			t.Errorf("told of one commit in %d: %d records of %d wanted trials of %d", every, tally.Total(), plan.Wanted, plan.Trials)
		}
	}
}

// blind hides the record of a trial when it is read, so many times, though the
// ledger has it.
type blind struct {
	deaf
	times int
}

func (b *blind) Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for r, err := range b.Store.Scan(ctx, study, from, to) {
			if r.Trial == 7 && b.times > 0 {
				b.times--
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestRuleBlind: a record that the ledger has and that was not there when it was
// read does not hold a study up for ever; one that never is there ends it.
func TestRuleBlind(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]int{"once": 1, "for ever": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			o := coordinator.Options{Store: s, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2, Poll: 20 * time.Millisecond}
			p := submit(t, fmt.Sprintf(rules, stoppingRule), o)
			drain, worked := work(t, o)
			b := &blind{deaf{s, 0}, hidden}
			o.Store = b
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			err := coordinator.Run(ctx, p.Name, o)
			close(drain)
			if err := <-worked; err != nil {
				t.Fatal(err)
			}
			switch {
			case b.times == hidden:
				t.Error("nothing was hidden")
			case hidden == 1 && err != nil:
				t.Errorf("it ended with %v", err)
			case hidden > 1 && (err == nil || !strings.Contains(err.Error(), "overnight fsck")):
				t.Errorf("it ended with %v, want what to do", err)
			}
		})
	}
}

// TestRuleSurplusFailures: failures that the study does not want don't stop it.
func TestRuleSurplusFailures(t *testing.T) {
	t.Parallel()
	s := open(t)
	o := coordinator.Options{Store: s, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2, Poll: 20 * time.Millisecond}
	p := submit(t, fmt.Sprintf(rules, stoppingRule)+"stop_after_failures: 1\n", o)
	last := p.Plan.Trials - p.Plan.Points // the first point's last replication, which has no noise to speak of
	r := results.Record{Trial: last, Point: 0, Replication: last / p.Plan.Points, Status: results.Failed, Error: "out of luck", Attempts: 1}
	if _, err := s.Commit(t.Context(), p.Name, p.Plan.Generation, []results.Record{r}); err != nil {
		t.Fatal(err)
	}
	finish(t, p.Name, o)
	plan, err := s.Plan(t.Context(), p.Name)
	if err != nil {
		t.Fatal(err)
	}
	study, err := jobs.DecodeStudy(plan.Body, o.Catalog)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := stopping.Read(study, s.Scan(t.Context(), p.Name, 0, plan.Trials)); err != nil || out.Surplus() != 1 || out.Failures() != 0 {
		t.Errorf("%d surplus records, %d failures (%v); want the failed one as surplus, so that this shows something", out.Surplus(), out.Failures(), err)
	}
}

// TestRuleSubmitted: what a plan says of a study under another rule.
func TestRuleSubmitted(t *testing.T) {
	t.Parallel()
	s := open(t)
	o := coordinator.Options{Store: s, Queue: queuetest.NewMemory(time.Minute), Catalog: catalog.New(), Slots: 2}
	const points = 12
	var at results.Plan
	for i, c := range []struct {
		replications, more string
		trials, wanted     uint64 // when submitted
		reps               uint64 // of the study that is stored
		anew               bool   // it goes on
	}{
		{"20", "", 20, 0, 20, true},
		{"10", "", 20, 0, 20, false}, // fewer are no reason to forget records
		{stoppingRule, "", 30, 5, 30, true},
		{stoppingRule, "", 30, 5, 30, false},
		{stoppingRule, "confirm: {top: 2, replications: 7}\n", 37, 5, 30, true},
		{"12", "", 37, 12, 12, true}, // what decided is gone, and with it the reason for more
		{"12", "question: Why?\n", 37, 12, 12, true},
		{"40", "", 40, 0, 40, true},
	} {
		p := submit(t, fmt.Sprintf(rules, c.replications)+c.more, o)
		study, err := jobs.DecodeStudy(p.Plan.Body, o.Catalog)
		if err != nil {
			t.Fatal(err)
		}
		wanted := p.Plan.Wanted
		if !c.anew && i > 0 {
			wanted = c.wanted * points // as it was found
		}
		if p.Name != "rules" || p.Plan.Trials != c.trials*points || wanted != c.wanted*points || study.Replications != c.reps {
			t.Errorf("%d: %s has %d trials, %d wanted, %d replications; want %d, %d, %d", i, p.Name, p.Plan.Trials, p.Plan.Wanted, study.Replications, c.trials*points, c.wanted*points, c.reps)
		}
		if goesOn := p.Plan.State == results.Running; goesOn != c.anew {
			t.Errorf("%d: the study is %s", i, p.Plan.State)
		}
		digest := finish(t, p.Name, o)
		if at, err = s.Plan(context.Background(), p.Name); err != nil {
			t.Fatal(err)
		}
		again, missing, err := stopping.Digest(context.Background(), s, at, study)
		if err != nil || missing != 0 || again != digest {
			t.Errorf("%d: digest %s, and %s of the records with %d missing (%v)", i, digest, again, missing, err)
		}
	}
	if at.Wanted != 0 {
		t.Errorf("a plain study ended with %d wanted", at.Wanted)
	}
}

// finishApart is finish where the worker sees another store than the coordinator.
func finishApart(t *testing.T, name string, coordinates, works coordinator.Options) string {
	t.Helper()
	drain, worked := work(t, works)
	if err := coordinator.Run(context.Background(), name, coordinates); err != nil {
		t.Fatal(err)
	}
	close(drain)
	if err := <-worked; err != nil {
		t.Fatal(err)
	}
	p, err := works.Store.Plan(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return p.Digest
}
