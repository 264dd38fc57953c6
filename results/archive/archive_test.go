package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
	"overnight/results/archive"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

var write = flag.Bool("write", false, "write the golden file, if it is missing")

const (
	abc    = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // SHA-256 of "abc", FIPS 180-2
	absent = "0000000000000000000000000000000000000000000000000000000000000000"
)

func open(t testing.TB, dir string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), dir, sqlitestore.Options{})
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

// create stores a study with data, and records of its first trials; a finished
// one where these are all.
func create(t testing.TB, s results.Store, name string, records uint64) results.Plan {
	t.Helper()
	p := storetest.NewPlan(name, 20, 15)
	p.Body = []byte(`{"data": "` + abc + `", "of": "` + absent + `"}`)
	p.Generation = 3
	if err := s.PutBlob(t.Context(), abc, []byte("abc")); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if records > 0 {
		if _, err := s.Commit(t.Context(), name, p.Generation, storetest.NewRecords(&p, 0, records)); err != nil {
			t.Fatal(err)
		}
	}
	if records < p.Trials {
		return p
	}
	digest, missing, err := results.Digest(t.Context(), s, p)
	if missing != 0 || err != nil {
		t.Fatal(missing, err)
	}
	p, err = s.Update(t.Context(), name, func(p *results.Plan) error {
		p.State, p.Digest = results.Finished, digest
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func written(t testing.TB, s results.Store, study string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := archive.Write(t.Context(), &b, s, study); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// content returns what is in the gzip stream.
func content(t testing.TB, file []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// zip returns a gzip stream of a content.
func zip(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// reader hides all methods but Read, as a pipe has no others.
type reader struct{ io.Reader }

func records(t testing.TB, s results.Store, study string) []results.Record {
	t.Helper()
	var rs []results.Record
	for r, err := range s.Scan(t.Context(), study, 0, 1<<40) {
		if err != nil {
			t.Fatal(err)
		}
		r.Generation = 0 // that of the import
		rs = append(rs, r)
	}
	return rs
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{0, 1, 299, 300} {
		from, to := open(t, t.TempDir()), open(t, t.TempDir())
		p := create(t, from, "study", n)
		file := written(t, from, "study")
		for rename, r := range map[string]io.Reader{"": bytes.NewReader(file), "other": reader{bytes.NewReader(file)}} {
			want := p
			if rename != "" {
				want.Study = rename
			}
			got, err := archive.Read(t.Context(), r, to, rename)
			if got != want.Study || err != nil {
				t.Fatalf("%d records: Read as %q: %q, error %v", n, rename, got, err)
			}
			back, err := to.Plan(t.Context(), got)
			if err != nil {
				t.Fatal(err)
			}
			if over := back.State == results.Finished; over != (time.Since(back.Ended) < time.Hour) {
				t.Errorf("%d records: the study is %s since %v, want since its import where it is finished", n, back.State, back.Ended)
			}
			want.Ended = back.Ended
			if diff := cmp.Diff(want, back); diff != "" {
				t.Errorf("%d records: plan, want -, got +:\n%s", n, diff)
			}
			a, b := records(t, from, "study"), records(t, to, got)
			if len(a) != len(b) || len(b) != int(n) {
				t.Fatalf("%d records: %d are read", n, len(b))
			}
			for i := range a {
				x, err := a[i].AppendBinary(nil)
				if err != nil {
					t.Fatal(err)
				}
				if y, err := b[i].AppendBinary(nil); err != nil || !bytes.Equal(x, y) {
					t.Errorf("trial %d is another: error %v", a[i].Trial, err)
				}
			}
			if data, err := to.Blob(t.Context(), abc); string(data) != "abc" || err != nil {
				t.Errorf("data %q, error %v", data, err)
			}
		}
		if again := written(t, to, "study"); !bytes.Equal(content(t, again), content(t, file)) {
			t.Errorf("%d records: what was read is written as another content", n)
		}
	}
}

func TestTaken(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	create(t, s, "study", 300)
	file := written(t, s, "study")
	for _, r := range []io.Reader{bytes.NewReader(file), reader{bytes.NewReader(file)}} {
		if _, err := archive.Read(t.Context(), r, s, ""); !errors.Is(err, results.ErrExists) || !strings.Contains(err.Error(), "--as") {
			t.Errorf("Read under a name that is taken: %v", err)
		}
	}
	if got := len(records(t, s, "study")); got != 300 {
		t.Errorf("the study that was there has %d records, want 300", got)
	}
}

// studies returns the names in a store.
func studies(t testing.TB, s results.Store) []string {
	t.Helper()
	ps, err := s.Studies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range ps {
		names = append(names, p.Study)
	}
	return names
}

// TestDamaged changes every byte of an archive, and truncates it everywhere: it
// is refused, and nothing of it stays.
func TestDamaged(t *testing.T) {
	t.Parallel()
	from := open(t, t.TempDir())
	create(t, from, "study", 20)
	file := written(t, from, "study")
	plain := content(t, file)
	to := open(t, t.TempDir())
	refused := func(what string, at int, file []byte) {
		t.Helper()
		_, err := archive.Read(t.Context(), reader{bytes.NewReader(file)}, to, "")
		if err == nil {
			t.Errorf("%s %d is taken", what, at)
		}
		if _, err := archive.Read(t.Context(), bytes.NewReader(file), to, ""); err == nil {
			t.Errorf("%s %d is taken from a file", what, at)
		}
	}
	for i := 0; i < len(file); i += 1 + i/64 {
		if i < 4 || i > 9 { // gzip's flags, time and system say nothing of the content
			changed := bytes.Clone(file)
			changed[i] ^= 0x55
			refused("a change of byte", i, changed)
		}
		refused("an end at byte", i, file[:i])
	}
	for i := 0; i < len(plain); i += 1 + i/64 {
		changed := bytes.Clone(plain)
		changed[i] ^= 1
		refused("a change of the content's byte", i, zip(t, changed))
		refused("an end at the content's byte", i, zip(t, plain[:i]))
	}
	refused("something behind byte", len(file), append(bytes.Clone(file), 0))
	refused("another archive behind byte", len(file), append(bytes.Clone(file), file...))
	refused("something behind the content's byte", len(plain), zip(t, append(bytes.Clone(plain), 0)))
	if got := studies(t, to); len(got) != 0 {
		t.Errorf("of archives that were refused there are %q", got)
	}
}

// TestRollback: an import that fails half-way, here because its context ends,
// leaves nothing.
func TestRollback(t *testing.T) {
	t.Parallel()
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	create(t, from, "study", 300)
	ctx, cancel := context.WithCancel(t.Context())
	file := written(t, from, "study")
	s := cancelling{Store: to, cancel: cancel}
	if _, err := archive.Read(ctx, bytes.NewReader(file), s, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: error %v", err)
	}
	if got := studies(t, to); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
	if _, err := archive.Read(t.Context(), bytes.NewReader(file), to, ""); err != nil {
		t.Errorf("Read after that: %v", err)
	}
}

// cancelling is a store whose caller gives up after the first commit.
type cancelling struct {
	results.Store
	cancel context.CancelFunc
}

func (s cancelling) Commit(ctx context.Context, study string, generation uint32, rs []results.Record) ([]results.Verdict, error) {
	defer s.cancel()
	return s.Store.Commit(ctx, study, generation, rs)
}

func TestSalvage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := open(t, dir), open(t, t.TempDir())
	p := create(t, from, "study", 300)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "overnight.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE records_1 SET attempts = 9 WHERE trial IN (5, 299)"); err != nil {
		t.Fatal(err)
	}
	if err := archive.Write(t.Context(), io.Discard, from, "study"); !errors.Is(err, results.ErrDamaged) || !strings.Contains(err.Error(), "trial 5") || !strings.Contains(err.Error(), "fsck study") {
		t.Errorf("Write of a damaged study: %v", err)
	}
	var b bytes.Buffer
	left, err := archive.Salvage(t.Context(), &b, from, "study")
	if err != nil || !slices.Equal(left, []uint64{5, 299}) {
		t.Fatalf("Salvage leaves out %v, error %v", left, err)
	}
	if _, err := archive.Read(t.Context(), &b, to, ""); err != nil {
		t.Fatal(err)
	}
	got, err := to.Plan(t.Context(), "study")
	if err != nil {
		t.Fatal(err)
	}
	if got.State != results.Running || got.Digest != "" {
		t.Errorf("state %s, digest %q, want a study that can go on", got.State, got.Digest)
	}
	if _, err := to.Commit(t.Context(), "study", got.Generation, []results.Record{storetest.NewRecord(&p, 5), storetest.NewRecord(&p, 299)}); err != nil {
		t.Fatal(err)
	}
	if digest, missing, err := results.Digest(t.Context(), to, got); digest != p.Digest || missing != 0 || err != nil {
		t.Errorf("digest %s, %d missing, error %v, want %s", digest, missing, err, p.Digest)
	}
}

// TestGolden reads the file of version 1, and writes its content again.
func TestGolden(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	p := create(t, s, "golden", 300)
	path := filepath.Join("testdata", "v1.overnight")
	file, err := os.ReadFile(path)
	if os.IsNotExist(err) && *write {
		file = written(t, s, "golden")
		err = os.WriteFile(path, file, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, written(t, s, "golden")), content(t, file)) {
		t.Errorf("Write gives another content than %s", path)
	}
	if _, err := archive.Read(t.Context(), bytes.NewReader(file), s, "read"); err != nil {
		t.Fatal(err)
	}
	if digest, _, err := results.Digest(t.Context(), s, results.Plan{Study: "read", Trials: p.Trials}); digest != p.Digest || err != nil {
		t.Errorf("digest %s, error %v, want %s", digest, err, p.Digest)
	}
}

func TestNewer(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	_, err := archive.Read(t.Context(), bytes.NewReader(zip(t, []byte("overnight archive\n\x02"))), s, "")
	if err == nil || !strings.Contains(err.Error(), "version 2") || errors.Is(err, results.ErrDamaged) {
		t.Errorf("version 2: %v", err)
	}
	if err := archive.Write(t.Context(), io.Discard, s, "none"); !errors.Is(err, results.ErrNotFound) {
		t.Errorf("a missing study: %v", err)
	}
}
