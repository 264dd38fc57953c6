package storetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"overnight/results"
	"overnight/results/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) results.Store { return storetest.NewMemory(nil) })
}

// TestMemoryFaults: what the hooks do, and that they belong to a handle.
func TestMemoryFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := storetest.NewMemory(nil)
		p := storetest.NewPlan("study", 2, 3)
		if err := m.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		cut := errors.New("cut")
		refuse := func(_ context.Context, op, study string) error {
			if op != "Commit" || study != "study" {
				t.Errorf("hook called with %s %s", op, study)
			}
			time.Sleep(time.Second)
			return cut
		}
		commit := func(s results.Store, want error, records uint64) {
			t.Helper()
			_, err := s.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, 0, 2))
			if !errors.Is(err, want) {
				t.Errorf("Commit: error %v, want %v", err, want)
			}
			if l, err := m.Ledger(t.Context(), p.Study); err != nil || l.Count() != records {
				t.Errorf("%d records, error %v, want %d", l.Count(), err, records)
			}
		}
		began := time.Now()
		commit(m.With(storetest.Hooks{Before: refuse}), cut, 0)
		before := m.Snapshot()
		commit(m.With(storetest.Hooks{After: refuse}), cut, 2)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("two hooks of a second took %v", took)
		}
		commit(m, nil, 2)
		m.Rewind(before)
		if l, err := m.Ledger(t.Context(), p.Study); err != nil || l.Count() != 0 {
			t.Errorf("after Rewind: %d records, error %v, want none", l.Count(), err)
		}
		commit(m, nil, 2)
		m.Rewind(before) // a snapshot stays as it was
		commit(m, nil, 2)
	})
}

// TestMemoryLease: leases end by the store's clock.
func TestMemoryLease(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	m := storetest.NewMemory(func() time.Time { return now })
	for i, step := range []struct {
		forward time.Duration
		holder  string
		want    string
	}{{0, "a", "a"}, {9 * time.Second, "b", "a"}, {0, "a", "a"}, {10*time.Second - 1, "b", "a"}, {1, "b", "b"}, {0, "a", "b"}} {
		now = now.Add(step.forward)
		if by, err := m.Lease(t.Context(), "lease", step.holder, 10*time.Second); by != step.want || err != nil {
			t.Errorf("step %d: %q has it, error %v, want %q", i, by, err, step.want)
		}
	}
}
