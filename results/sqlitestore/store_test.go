package sqlitestore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// TestMain runs the tests, or what a test asks of a process of its own (see
// child).
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := child(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) results.Store { return open(t, t.TempDir(), sqlitestore.Options{}) })
}

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

// create stores a new study with records of its first trials.
func create(t testing.TB, s results.Store, name string, points, replications, records uint64) results.Plan {
	t.Helper()
	p := storetest.NewPlan(name, points, replications)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	commit(t, s, p, storetest.NewRecords(&p, 0, records)...)
	return p
}

func commit(t testing.TB, s results.Store, p results.Plan, rs ...results.Record) {
	t.Helper()
	verdicts, err := s.Commit(t.Context(), p.Study, p.Generation, rs)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		if v != results.Committed {
			t.Fatalf("trial %d: verdict %v", rs[i].Trial, v)
		}
	}
}

// database opens a store's file as people and other programs do.
func database(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "overnight.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func change(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none")
	for _, o := range []sqlitestore.Options{{ReadOnly: true}, {MustExist: true}} {
		_, err := sqlitestore.Open(t.Context(), missing, o)
		if !errors.Is(err, results.ErrNotFound) || !strings.Contains(err.Error(), missing) {
			t.Errorf("%+v of a missing folder: error %v", o, err)
		}
		if _, err := os.Stat(missing); !os.IsNotExist(err) {
			t.Errorf("%+v made the folder: %v", o, err)
		}
	}

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		prepare func(dir string)
		is      error
		want    string
	}{
		"a newer store": {func(dir string) {
			if err := open(t, dir, sqlitestore.Options{}).Close(); err != nil {
				t.Fatal(err)
			}
			change(t, database(t, dir), "PRAGMA user_version = 3")
		}, nil, "format 3, and this overnight reads up to 2: use the newer overnight"},
		"a database of something else": {func(dir string) {
			change(t, database(t, dir), "CREATE TABLE t (x)")
		}, nil, "database of something else"},
		"a versioned database of something else": {func(dir string) {
			change(t, database(t, dir), "PRAGMA user_version = 1")
		}, nil, "database of something else"},
		"no database": {func(dir string) {
			if err := os.WriteFile(filepath.Join(dir, "overnight.db"), []byte(strings.Repeat("not a database\n", 100)), 0o644); err != nil {
				t.Fatal(err)
			}
		}, results.ErrDamaged, "overnight fsck"},
	} {
		dir := t.TempDir()
		test.prepare(dir)
		for _, o := range []sqlitestore.Options{{}, {ReadOnly: true}} {
			_, err := sqlitestore.Open(t.Context(), dir, o)
			if err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%s, %+v: error %v, want one with %q", what, o, err, test.want)
			}
		}
	}
	if _, err := sqlitestore.Open(t.Context(), file, sqlitestore.Options{}); err == nil {
		t.Error("a file is opened as a folder")
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := create(t, s, "study", 10, 10, 50)
	if _, err := s.Beat(t.Context(), results.Worker{ID: "w"}, 0); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir, sqlitestore.Options{ReadOnly: true})
	for what, err := range map[string]error{
		"Create": r.Create(t.Context(), storetest.NewPlan("x", 1, 1)),
		"Delete": r.Delete(t.Context(), p.Study),
		"Give":   r.Give(t.Context(), results.Order{}),
		"Commit": second(r.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, 0, 1))),
		"Beat":   second(r.Beat(t.Context(), results.Worker{}, 0)),
	} {
		if !errors.Is(err, sqlitestore.ErrReadOnly) {
			t.Errorf("%s: error %v, want ErrReadOnly", what, err)
		}
	}
	// It reads what is committed after it was opened.
	commit(t, s, p, storetest.NewRecords(&p, 50, 100)...)
	if digest, missing, err := results.Digest(t.Context(), r, p); digest == "" || missing != 0 || err != nil {
		t.Errorf("digest %q, %d missing, error %v", digest, missing, err)
	}
	if ws, err := r.Workers(t.Context()); len(ws) != 1 || err != nil {
		t.Errorf("workers %v, error %v", ws, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestClosed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), sqlitestore.Options{})
	p := create(t, s, "study", 1, 10, 5)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Commit":  second(s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, 5, 6))),
		"Create":  s.Create(t.Context(), storetest.NewPlan("x", 1, 1)),
		"Plan":    second(s.Plan(t.Context(), p.Study)),
		"Beat":    second(s.Beat(t.Context(), results.Worker{}, 0)),
		"Workers": second(s.Workers(t.Context())),
		"Follow":  s.Follow(t.Context(), p.Study, nil),
		"again":   s.Close(),
	} {
		if what == "again" && err != nil || what != "again" && !errors.Is(err, sqlitestore.ErrClosed) {
			t.Errorf("%s after Close: error %v", what, err)
		}
	}
	var last error
	for _, err := range s.Scan(t.Context(), p.Study, 0, 9) {
		last = err
	}
	if !errors.Is(last, sqlitestore.ErrClosed) {
		t.Errorf("Scan after Close: error %v", last)
	}
}

// TestBlobsDropped: Delete drops the data that no plan names, unless they are so
// new that their plan may be about to come.
func TestBlobsDropped(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	s := open(t, t.TempDir(), sqlitestore.Options{Now: func() time.Time { return now }})
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of "abc", FIPS 180-2
	put := func() {
		t.Helper()
		if err := s.PutBlob(t.Context(), sum, []byte("abc")); err != nil {
			t.Fatal(err)
		}
	}
	study := func(name string) {
		t.Helper()
		p := storetest.NewPlan(name, 1, 1)
		p.Body = []byte("data: " + sum)
		if err := s.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(name string, left bool) {
		t.Helper()
		if err := s.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		_, err := s.Blob(t.Context(), sum)
		if left && err != nil || !left && !errors.Is(err, results.ErrNotFound) {
			t.Errorf("after %s was deleted: data: error %v, want them left: %v", name, err, left)
		}
	}
	put()
	study("a")
	study("b")
	now = now.Add(2 * time.Hour)
	remove("a", true) // b uses them
	put()             // for a study that is about to come
	remove("b", true)
	study("c")
	now = now.Add(2 * time.Hour)
	remove("c", false)
}

// TestCompact: the room of a deleted study is given back.
func TestCompact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	create(t, s, "large", 1000, 20, 20000)
	p := create(t, s, "small", 10, 2, 20)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "overnight.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := size()
	if err := s.Delete(t.Context(), "large"); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := size(); after > before/10 {
		t.Errorf("the file has %d bytes, %d before", after, before)
	}
	if _, missing, err := results.Digest(t.Context(), s, p); missing != 0 || err != nil {
		t.Errorf("the other study: %d missing, error %v", missing, err)
	}
}
