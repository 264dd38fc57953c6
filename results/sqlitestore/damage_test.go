package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// damages returns what Check finds.
func damages(t *testing.T, s *sqlitestore.Store, study string) []results.Damage {
	t.Helper()
	var ds []results.Damage
	for d, err := range s.Check(t.Context(), study) {
		if err != nil {
			t.Fatalf("Check: %v", err)
		}
		ds = append(ds, d)
	}
	return ds
}

// TestDamagedRecord: a record that was changed in the file is named by Scan and
// Check, and Discard lets its trial run again.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, change string
	}{
		{"a metric", "UPDATE records_1 SET m0 = 0.25 WHERE trial = 6"},
		{"a metric's sign", "UPDATE records_1 SET m1 = -m1 WHERE trial = 6"},
		{"a metric to NaN", "UPDATE records_1 SET m2 = NULL WHERE trial = 6"},
		{"the status", "UPDATE records_1 SET status = 3 WHERE trial = 6"},
		{"the point", "UPDATE records_1 SET point = point + 1 WHERE trial = 6"},
		{"the replication", "UPDATE records_1 SET replication = 9 WHERE trial = 6"},
		{"the generation", "UPDATE records_1 SET generation = 9 WHERE trial = 6"},
		{"attempts", "UPDATE records_1 SET attempts = 9 WHERE trial = 6"},
		{"the worker", "UPDATE records_1 SET worker = 'x' WHERE trial = 6"},
		{"the time", "UPDATE records_1 SET finished = finished + 1 WHERE trial = 6"},
		{"the duration", "UPDATE records_1 SET elapsed = elapsed + 1 WHERE trial = 6"},
		{"the error", "UPDATE records_1 SET error = 'x' WHERE trial = 6"},
		{"the CRC", "UPDATE records_1 SET crc = crc + 1 WHERE trial = 6"},
		{"the row of another trial", "REPLACE INTO records_1 SELECT 6, generation, status, point, replication, attempts, worker, finished, elapsed, error, curves, crc, m0, m1, m2 FROM records_1 WHERE trial = 8"},
		{"the row of another study", "REPLACE INTO records_1 SELECT * FROM records_2 WHERE trial = 6"},
		{"no curves any more", "DELETE FROM curves_1 WHERE trial = 6"},
		{"the curves of another trial", "UPDATE curves_1 SET curves = (SELECT curves FROM curves_1 WHERE trial = 9) WHERE trial = 6"},
		{"curves without their last byte", "UPDATE curves_1 SET curves = substr(curves, 1, length(curves) - 1) WHERE trial = 6"},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir, sqlitestore.Options{})
			p := create(t, s, "study", 4, 5, 20)
			create(t, s, "other", 5, 4, 20)
			if ds := damages(t, s, ""); len(ds) != 0 {
				t.Fatalf("Check of an intact store: %v", ds)
			}
			change(t, database(t, dir), test.change)

			n := uint64(0)
			for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
				if r.Trial != n || (err != nil) != (n == 6) || err != nil && !errors.Is(err, results.ErrDamaged) {
					t.Errorf("trial %d is number %d, with error %v", r.Trial, n, err)
				}
				n++
			}
			if n != p.Trials {
				t.Errorf("Scan yields %d trials, want it to go on to %d", n, p.Trials)
			}
			if _, _, err := results.Digest(t.Context(), s, p); !errors.Is(err, results.ErrDamaged) || !strings.Contains(err.Error(), "trial 6") {
				t.Errorf("Digest: error %v", err)
			}
			for _, study := range []string{"", "study"} {
				ds := damages(t, s, study)
				if len(ds) != 1 || ds[0].Study != "study" || ds[0].Trial != 6 || !ds[0].Record {
					t.Errorf("Check(%q): %v, want trial 6", study, ds)
				}
			}

			generation, err := s.Discard(t.Context(), p.Study, []uint64{6})
			if err != nil {
				t.Fatal(err)
			}
			if ds := damages(t, s, ""); len(ds) != 0 {
				t.Errorf("Check after Discard: %v", ds)
			}
			p.Generation = generation
			commit(t, s, p, storetest.NewRecord(&p, 6))
			if _, missing, err := results.Digest(t.Context(), s, p); missing != 0 || err != nil {
				t.Errorf("Digest after the trial ran again: %d missing, error %v", missing, err)
			}
		})
	}
}

// TestDamagedRecordReplaced: a valid record of a trial whose record is damaged
// is the first valid one.
func TestDamagedRecordReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := create(t, s, "study", 4, 5, 20)
	change(t, database(t, dir), "UPDATE records_1 SET status = 4, m0 = 1 WHERE trial = 6")
	commit(t, s, p, storetest.NewRecord(&p, 6))
	if ds := damages(t, s, ""); len(ds) != 0 {
		t.Errorf("Check: %v", ds)
	}
	if got, err := s.Tally(t.Context(), p.Study); err != nil || got.Total() != 20 || got.Overrun != 0 {
		t.Errorf("tally %+v, error %v", got, err)
	}
}

// TestDamageElsewhere: plans, tallies, digests, data and checkpoints are checked
// too.
func TestDamageElsewhere(t *testing.T) {
	t.Parallel()
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of "abc"
	for _, test := range []struct {
		what, change string
		want         string // in the only damage
		refused      func(*testing.T, *sqlitestore.Store) error
	}{
		{"a plan", "UPDATE studies SET trials = 19 WHERE name = 'study'", "plan of study \"study\"", plan},
		{"a plan's generation", "UPDATE studies SET generation = 2 WHERE name = 'study'", "plan of study \"study\"", plan},
		{"a plan's metrics", "UPDATE studies SET metrics = replace(metrics, 'regret', 'regrex') WHERE name = 'study'", "plan of study \"study\"", plan},
		{"a plan's state", "UPDATE studies SET state = 'finished' WHERE name = 'study'", "plan of study \"study\"", plan},
		{"a plan's body", "UPDATE bodies SET body = x'00' WHERE study = 1", "plan of study \"study\"", plan},
		{"a plan's source", "UPDATE bodies SET source = x'00' WHERE study = 1", "plan of study \"study\"", plan},
		{"a plan without its body", "DELETE FROM bodies WHERE study = 1", "plan of study \"study\"", plan},
		{"a record gone", "DELETE FROM records_1 WHERE trial = 5", "study study, trial 5: tally", ledger},
		{"a record with curves gone", "DELETE FROM records_1 WHERE trial = 6; UPDATE studies SET done = done - 1 WHERE id = 1", "study study, trial 6: curves", nil},
		{"a tally", "UPDATE studies SET done = done - 1, failed = failed + 1 WHERE name = 'study'", "tally", nil},
		{"a digest", "UPDATE studies SET digest = replace(digest, 'a', 'b') WHERE name = 'finished'", "plan of study \"finished\"", nil},
		{"data", "UPDATE blobs SET data = x'00'", "data ba7816bf8f01", blob},
		{"a checkpoint", "UPDATE checkpoints SET state = x'00'", "checkpoint of trial 20", checkpoint},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir, sqlitestore.Options{})
			create(t, s, "study", 4, 6, 20)
			if err := s.SaveCheckpoint(t.Context(), "study", 1, 20, []byte("state")); err != nil {
				t.Fatal(err)
			}
			if err := s.PutBlob(t.Context(), sum, []byte("abc")); err != nil {
				t.Fatal(err)
			}
			finish(t, s, create(t, s, "finished", 4, 5, 20))
			if ds := damages(t, s, ""); len(ds) != 0 {
				t.Fatalf("Check of an intact store: %v", ds)
			}
			change(t, database(t, dir), test.change)
			ds := damages(t, s, "")
			if len(ds) != 1 || !strings.Contains(ds[0].String(), test.want) {
				t.Errorf("Check: %v, want one with %q", ds, test.want)
			}
			if test.refused != nil {
				if err := test.refused(t, s); !errors.Is(err, results.ErrDamaged) || !strings.Contains(err.Error(), "damaged") {
					t.Errorf("it is read with error %v, want ErrDamaged", err)
				}
			}
			if len(ds) == 1 && ds[0].Record {
				if _, err := s.Discard(t.Context(), "study", []uint64{ds[0].Trial}); err != nil {
					t.Errorf("Discard: %v", err)
				}
				if ds := damages(t, s, ""); len(ds) != 0 {
					t.Errorf("Check after Discard: %v", ds)
				}
			}
			if ps, err := s.Studies(t.Context()); len(ps) != 2 || ps[0].Study != "study" || err != nil {
				t.Errorf("Studies: %v, error %v, want both", ps, err)
			}
			if err := s.Delete(t.Context(), "study"); err != nil { // what is damaged can go
				t.Errorf("Delete: %v", err)
			}
		})
	}
}

func plan(t *testing.T, s *sqlitestore.Store) error { return second(s.Plan(t.Context(), "study")) }

func ledger(t *testing.T, s *sqlitestore.Store) error { return second(s.Ledger(t.Context(), "study")) }

func checkpoint(t *testing.T, s *sqlitestore.Store) error {
	return second(s.Checkpoint(t.Context(), "study", 1, 20))
}

func blob(t *testing.T, s *sqlitestore.Store) error {
	return second(s.Blob(t.Context(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
}

// finish fixes a study's digest.
func finish(t *testing.T, s *sqlitestore.Store, p results.Plan) {
	t.Helper()
	digest, missing, err := results.Digest(t.Context(), s, p)
	if missing != 0 || err != nil {
		t.Fatal(missing, err)
	}
	_, err = s.Update(t.Context(), p.Study, func(p *results.Plan) error {
		p.State, p.Digest = results.Finished, digest
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBytes changes one byte of the file at a time, anywhere: whatever is
// read differently is named by Check, and nothing crashes.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	const seed, rounds = 11, 200
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	studies := []string{"a", "b"}
	for _, name := range studies {
		finish(t, s, create(t, s, name, 20, 20, 400))
	}
	want := contents(t, s, studies)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "overnight.db"))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	noticed := 0
	for range rounds {
		at, mask := rng.IntN(len(file)), byte(1+rng.IntN(255))
		flipped := t.TempDir()
		file[at] ^= mask
		err := os.WriteFile(filepath.Join(flipped, "overnight.db"), file, 0o644)
		file[at] ^= mask
		if err != nil {
			t.Fatal(err)
		}
		s, err := sqlitestore.Open(t.Context(), flipped, sqlitestore.Options{ReadOnly: true})
		if err != nil {
			noticed++
			continue
		}
		got := contents(t, s, studies)
		found := false
		for range s.Check(t.Context(), "") {
			found = true
		}
		if got != want && !found {
			t.Errorf("seed %d: byte %d (page %d, offset %d) xor %#x changes what is read, and Check finds nothing", seed, at, at/4096+1, at%4096, mask)
		}
		if found {
			noticed++
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	t.Logf("seed %d: %d of %d changes were noticed; the others are in room that is not used or say nothing", seed, noticed, rounds)
	if noticed < rounds/4 {
		t.Errorf("seed %d: only %d of %d changes were noticed", seed, noticed, rounds)
	}
}

// contents returns everything that can be read of some studies, as a text.
func contents(t *testing.T, s *sqlitestore.Store, studies []string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range studies {
		p, err := s.Plan(t.Context(), name)
		fmt.Fprintf(&b, "%+v %v\n", p, err != nil)
		tally, err := s.Tally(t.Context(), name)
		fmt.Fprintf(&b, "%+v %v\n", tally, err != nil)
		l, err := s.Ledger(t.Context(), name)
		fmt.Fprintf(&b, "%v %v\n", l, err != nil)
		for r, err := range s.Scan(t.Context(), name, 0, 1<<40) {
			if err != nil {
				fmt.Fprintln(&b, "damaged", r.Trial)
				continue
			}
			wire, err := r.AppendBinary(nil)
			if err != nil {
				t.Errorf("a record that is not valid is read: %v", err)
			}
			b.Write(wire)
		}
	}
	return b.String()
}

// TestDamagedPage: where a page of a table can't be read, Scan names the trials
// on it and goes on behind them.
func TestDamagedPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := create(t, s, "study", 100, 20, 2000)
	if err := s.Compact(t.Context()); err != nil { // writes the log into the file
		t.Fatal(err)
	}
	var page int
	if err := database(t, dir).QueryRow("SELECT pageno FROM dbstat WHERE name = 'records_1' AND pagetype = 'leaf' LIMIT 1 OFFSET 3").Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, dir, (page-1)*4096, 0xff) // the page's type
	s = open(t, dir, sqlitestore.Options{})
	bad, good := 0, 0
	next := uint64(0)
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if r.Trial != next {
			t.Fatalf("trial %d where %d is due: %v", r.Trial, next, err)
		}
		next++
		if errors.Is(err, results.ErrDamaged) {
			bad++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := storetest.NewRecord(&p, r.Trial); !results.Equal(&want, &r) {
			t.Errorf("trial %d is another", r.Trial)
		}
		good++
	}
	if bad == 0 || bad > 200 || good+bad != int(p.Trials) {
		t.Errorf("%d trials are damaged and %d are not, want a page of the first and all %d together", bad, good, p.Trials)
	}
	found := 0
	for _, d := range damages(t, s, "") {
		if d.Record {
			found++
		}
	}
	if found != bad {
		t.Errorf("Check names %d trials, Scan %d", found, bad)
	}
}

// flip changes a byte of a store that is closed.
func flip(t *testing.T, dir string, at int, mask byte) {
	t.Helper()
	path := filepath.Join(dir, "overnight.db")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file[at] ^= mask
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCheckEnds: a check that is stopped ends at once, and one whose context ends
// doesn't pass for a clean one.
func TestCheckEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	create(t, s, "study", 100, 20, 2000)
	change(t, database(t, dir), "UPDATE records_1 SET attempts = 9")
	n := 0
	for _, err := range s.Check(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d damages before the stop, want 3", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range s.Check(ctx, "") {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a check whose context ends: last error %v", last)
	}
	for _, err := range s.Check(ctx, "study") {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a check whose context has ended: last error %v", last)
	}
	for _, err := range s.Check(t.Context(), "none") {
		last = err
	}
	if !errors.Is(last, results.ErrNotFound) {
		t.Errorf("a check of a missing study: last error %v", last)
	}
}
