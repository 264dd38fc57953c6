package sqlitestore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore"
)

// TestBeatWaitsForNothing: beats go on while a write is under way, and don't
// write to the database that commits sync.
func TestBeatWaitsForNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := create(t, s, "study", 1, 1, 1)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "overnight.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	_, err := s.Update(t.Context(), p.Study, func(*results.Plan) error {
		for range 100 {
			if _, err := s.Beat(t.Context(), results.Worker{ID: "w"}, 0); err != nil {
				return err
			}
		}
		if after := size(); after != before {
			t.Errorf("beats let the log grow from %d to %d bytes", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestForget: workers and orders of the day before yesterday are forgotten, and
// the numbers of orders go on.
func TestForget(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0).UTC()
	s := open(t, t.TempDir(), sqlitestore.Options{Now: func() time.Time { return now }})
	beat := func(id string) []results.Order {
		t.Helper()
		orders, err := s.Beat(t.Context(), results.Worker{ID: id}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return orders
	}
	give := func() {
		t.Helper()
		if err := s.Give(t.Context(), results.Order{Kind: results.Drain}); err != nil {
			t.Fatal(err)
		}
	}
	beat("old")
	give()
	first := beat("old")
	if len(first) != 1 || !first[0].Made.Equal(now) {
		t.Errorf("orders %v, want one of %v", first, now)
	}
	now = now.Add(48 * time.Hour)
	give()
	second := beat("new")
	if len(second) != 1 || second[0].ID <= first[0].ID {
		t.Errorf("two days later: orders %v, want one above %v", second, first)
	}
	workers, err := s.Workers(t.Context())
	if err != nil || len(workers) != 1 || workers[0].ID != "new" || !workers[0].Seen.Equal(now) {
		t.Errorf("two days later: workers %v, error %v", workers, err)
	}
}

// TestDamagedFleet: what a loss of power does to fleet.db stops nobody.
func TestDamagedFleet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	if _, err := s.Beat(t.Context(), results.Worker{ID: "w"}, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fleet.db"), make([]byte, 4096), 0o644); err != nil {
		t.Fatal(err)
	}
	if ws, err := open(t, dir, sqlitestore.Options{ReadOnly: true}).Workers(t.Context()); len(ws) != 0 || err != nil {
		t.Errorf("workers %v, error %v", ws, err)
	}
	s = open(t, dir, sqlitestore.Options{})
	if _, err := s.Beat(t.Context(), results.Worker{ID: "w"}, 0); err != nil {
		t.Error(err)
	}
}
