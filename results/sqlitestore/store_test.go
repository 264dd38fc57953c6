package sqlitestore_test

import (
	"testing"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// open opens a store in dir and closes it when the test ends.
func open(t testing.TB, dir string, o sqlitestore.Options) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), dir, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) results.Store { return open(t, t.TempDir(), sqlitestore.Options{}) })
}
