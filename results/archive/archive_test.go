package archive_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
	"overnight/results/archive"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

func open(t testing.TB) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(context.Background(), t.TempDir(), sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// written returns a store with a study of 60 trials, of which 50 have records,
// and its archive.
func written(t testing.TB) (*sqlitestore.Store, results.Plan, []byte) {
	t.Helper()
	s := open(t)
	p := storetest.NewPlan("study", 6, 10)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, 5, 55)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := archive.Write(t.Context(), &b, s, p.Study); err != nil {
		t.Fatal(err)
	}
	return s, p, b.Bytes()
}

func records(t *testing.T, s results.Records, study string, n uint64) []results.Record {
	t.Helper()
	var out []results.Record
	for r, err := range s.Scan(t.Context(), study, 0, n) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	from, p, file := written(t)
	to := open(t)
	name, err := archive.Read(t.Context(), bytes.NewReader(file), to, "copy")
	if err != nil || name != "copy" {
		t.Fatalf("got %q, %v", name, err)
	}
	want, got := records(t, from, p.Study, p.Trials), records(t, to, name, p.Trials)
	if len(want) != 50 || len(got) != 50 {
		t.Fatalf("%d records became %d, want 50", len(want), len(got))
	}
	for i := range want {
		if !results.Equal(&want[i], &got[i]) || want[i].Worker != got[i].Worker || want[i].Elapsed != got[i].Elapsed {
			t.Errorf("trial %d: %v became %v", want[i].Trial, want[i], got[i])
		}
	}
	old, err := from.Plan(t.Context(), p.Study)
	if err != nil {
		t.Fatal(err)
	}
	q, err := to.Plan(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	old.Study = name
	if diff := cmp.Diff(old, q); diff != "" {
		t.Errorf("plan differs (-old +new):\n%s", diff)
	}
	if _, err := archive.Read(t.Context(), bytes.NewReader(file), to, "copy"); !errors.Is(err, results.ErrExists) {
		t.Errorf("a second time: got %v, want %v", err, results.ErrExists)
	}
	if n := len(records(t, to, name, p.Trials)); n != 50 {
		t.Errorf("a refused import left %d records of 50", n)
	}
}

// TestDamage cuts a file at many places and flips a bit in each byte: nothing
// is left of what was refused.
func TestDamage(t *testing.T) {
	t.Parallel()
	_, _, file := written(t)
	to := open(t)
	try := func(what string, at int, b []byte) {
		t.Helper()
		_, err := archive.Read(t.Context(), bytes.NewReader(b), to, "copy")
		if err == nil {
			t.Fatalf("%s at %d of %d was not noticed", what, at, len(file))
		}
		if _, err := to.Plan(t.Context(), "copy"); !errors.Is(err, results.ErrNotFound) {
			t.Fatalf("%s at %d: the study is there: %v", what, at, err)
		}
	}
	for i := 0; i < len(file); i += 1 + len(file)/50 {
		try("cut", i, file[:i])
	}
	for i := 0; i < len(file); i += 1 + len(file)/150 {
		if i >= len(magicLine) && i < len(magicLine)+10 {
			continue // gzip's header holds a time and flags that say nothing
		}
		b := bytes.Clone(file)
		b[i] ^= 0x10
		try("flip", i, b)
	}
}

const magicLine = "overnight archive 1\n"

func FuzzRead(f *testing.F) {
	_, _, file := written(f)
	f.Add(file)
	f.Add([]byte(magicLine))
	to := open(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		name, err := archive.Read(context.Background(), bytes.NewReader(b), to, "")
		if err == nil {
			if err := to.Delete(context.Background(), name); err != nil {
				t.Fatal(err)
			}
		}
	})
}
