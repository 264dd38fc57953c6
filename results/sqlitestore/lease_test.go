package sqlitestore_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"overnight/results/sqlitestore"
)

// TestLeaseClock: leases end by the store's clock, in every process that has the
// store open, and one that was set back keeps nobody waiting for longer.
func TestLeaseClock(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(1_800_000_000_000_000_000)
	dir := t.TempDir()
	o := sqlitestore.Options{Now: func() time.Time { return time.Unix(0, clock.Load()) }}
	one, two := open(t, dir, o), open(t, dir, o)
	for _, step := range []struct {
		what    string
		forward time.Duration
		s       *sqlitestore.Store
		holder  string
		ttl     time.Duration
		want    string
	}{
		{"free", 0, one, "a", 10 * time.Second, "a"},
		{"taken", 9 * time.Second, two, "b", 10 * time.Second, "a"},
		{"renewed", 0, one, "a", 10 * time.Second, "a"},
		{"renewed, a moment before its end", 10*time.Second - 1, two, "b", 10 * time.Second, "a"},
		{"run out", 1, two, "b", 10 * time.Second, "b"},
		{"lost", 0, one, "a", 10 * time.Second, "b"},
		{"after the clock was set back by an hour", -time.Hour, one, "a", 10 * time.Second, "b"},
		{"nine seconds later", 9 * time.Second, one, "a", 10 * time.Second, "b"},
		{"ten seconds later", time.Second, one, "a", 10 * time.Second, "a"},
		{"after two days", 48 * time.Hour, two, "b", time.Second, "b"},
	} {
		clock.Add(int64(step.forward))
		by, err := step.s.Lease(t.Context(), "study/x", step.holder, step.ttl)
		if by != step.want || err != nil {
			t.Errorf("%s: %s asks and %q has it, error %v; want %q", step.what, step.holder, by, err, step.want)
		}
	}
}

func TestLeaseRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	for what, err := range map[string]error{
		"no name":         second(s.Lease(t.Context(), "", "a", time.Second)),
		"no holder":       second(s.Lease(t.Context(), "n", "", time.Second)),
		"a negative time": second(s.Lease(t.Context(), "n", "a", -1)),
	} {
		if err == nil {
			t.Errorf("Lease takes %s", what)
		}
	}
	r := open(t, dir, sqlitestore.Options{ReadOnly: true})
	if _, err := r.Lease(t.Context(), "n", "a", time.Second); !errors.Is(err, sqlitestore.ErrReadOnly) {
		t.Errorf("Lease of a store for reading: error %v, want ErrReadOnly", err)
	}
}
