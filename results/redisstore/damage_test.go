package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

// damages returns what Check finds.
func damages(t *testing.T, s *redisstore.Store, study string) []results.Damage {
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

// create makes a study with records of trials 0 to n-1.
func create(t testing.TB, s *redisstore.Store, study string, points, replications, n uint64) results.Plan {
	t.Helper()
	p := storetest.NewPlan(study, points, replications)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	commit(t, s, p, storetest.NewRecords(&p, 0, n)...)
	return p
}

func commit(t testing.TB, s *redisstore.Store, p results.Plan, rs ...results.Record) []results.Verdict {
	t.Helper()
	vs, err := s.Commit(t.Context(), p.Study, p.Generation, rs)
	if err != nil {
		t.Fatal(err)
	}
	return vs
}

// vandal changes what a server holds. Keys are those of a study's incarnation.
type vandal struct {
	t   *testing.T
	rdb redis.UniversalClient
}

func (v vandal) own(study, key string) string {
	inc, err := v.rdb.HGet(v.t.Context(), v.plan(study), "inc").Result()
	if err != nil {
		v.t.Fatal(err)
	}
	return "overnight:{" + study + "}:" + inc + ":" + key
}

func (v vandal) plan(study string) string { return "overnight:{" + study + "}:plan" }

func (v vandal) get(key, field string) string {
	text, err := v.rdb.HGet(v.t.Context(), key, field).Result()
	if err != nil {
		v.t.Fatal(err)
	}
	return text
}

func (v vandal) set(key, field, value string) {
	if err := v.rdb.HSet(v.t.Context(), key, field, value).Err(); err != nil {
		v.t.Fatal(err)
	}
}

func (v vandal) do(args ...any) {
	if err := v.rdb.Do(v.t.Context(), args...).Err(); err != nil {
		v.t.Fatal(err)
	}
}

// flip changes a bit of a hash's field, counted from the end where at is
// negative.
func (v vandal) flip(key, field string, at int) {
	b := []byte(v.get(key, field))
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	v.set(key, field, string(b))
}

// TestDamagedRecord: a record that was changed is named by Scan and Check, and
// Discard lets its trial run again; so does a commit in the same generation.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	addr := server(t).Addr
	for i, test := range []struct {
		what   string
		change func(vandal)
	}{
		{"the status", func(v vandal) { v.flip(v.own("study", "r:0"), "6", 0) }},
		{"the offset", func(v vandal) { v.flip(v.own("study", "r:0"), "6", 1) }},
		{"a metric", func(v vandal) { v.flip(v.own("study", "r:0"), "6", 5) }},
		{"the CRC", func(v vandal) { v.flip(v.own("study", "r:0"), "6", -1) }},
		{"the rest", func(v vandal) { v.flip(v.own("study", "r:0"), "6", -6) }},
		{"no bytes", func(v vandal) { v.set(v.own("study", "r:0"), "6", "") }},
		{"some bytes", func(v vandal) { v.set(v.own("study", "r:0"), "6", "abcdefghi") }},
		{"gone", func(v vandal) { v.do("hdel", v.own("study", "r:0"), "6") }},
		{"the record of another trial", func(v vandal) { v.set(v.own("study", "r:0"), "6", v.get(v.own("study", "r:0"), "8")) }},
		{"the record of another study", func(v vandal) { v.set(v.own("study", "r:0"), "6", v.get(v.own("other", "r:0"), "6")) }},
		{"no curves any more", func(v vandal) { v.do("hdel", v.own("study", "c:0"), "6") }},
		{"the curves of another trial", func(v vandal) { v.set(v.own("study", "c:0"), "6", v.get(v.own("study", "c:0"), "9")) }},
		{"a bit of the curves", func(v vandal) { v.flip(v.own("study", "c:0"), "6", -3) }},
		{"the worker's name", func(v vandal) {
			key := v.own("study", "workers")
			v.set(key, "alone", v.get(key, "alone")+"7")
		}},
	} {
		t.Run(test.what, func(t *testing.T) {
			rdb := redis.NewClient(&redis.Options{Addr: addr, DB: i})
			t.Cleanup(func() { _ = rdb.Close() })
			v := vandal{t, rdb}
			s := open(t, rdb, redisstore.Options{})
			p := storetest.NewPlan("study", 4, 5)
			if err := s.Create(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			rs := storetest.NewRecords(&p, 0, 20)
			rs[6].Worker = "alone"
			commit(t, s, p, rs...)
			create(t, s, "other", 5, 4, 20)
			if ds := damages(t, s, ""); len(ds) != 0 {
				t.Fatalf("Check of an intact store: %v", ds)
			}
			test.change(v)
			s = open(t, rdb, redisstore.Options{}) // one that knows nothing

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

// TestDamagedRecordReplaced: a valid record of a trial whose record is damaged,
// or gone, or not in the ledger, is the first valid one.
func TestDamagedRecordReplaced(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	v := vandal{t, rdb}
	for _, test := range []struct {
		study  string
		change func(study string)
	}{
		{"flipped", func(study string) { v.flip(v.own(study, "r:0"), "6", 5) }},
		{"of-another-trial", func(study string) { v.set(v.own(study, "r:0"), "6", v.get(v.own(study, "r:0"), "8")) }},
		{"gone", func(study string) { v.do("hdel", v.own(study, "r:0"), "6") }},
		{"unmarked", func(study string) { v.do("setbit", v.own(study, "l:0"), 1, 0) }},
	} {
		s := open(t, rdb, redisstore.Options{})
		p := create(t, s, test.study, 4, 5, 20)
		test.change(test.study)
		got := commit(t, s, p, storetest.NewRecord(&p, 5), storetest.NewRecord(&p, 6), storetest.NewRecord(&p, 7))
		if got[0] != results.Duplicate || got[1] != results.Committed || got[2] != results.Duplicate {
			t.Errorf("%s: verdicts %v, want the second committed", test.study, got)
		}
		if ds := damages(t, s, test.study); len(ds) != 0 {
			t.Errorf("%s: Check: %v", test.study, ds)
		}
		if got, err := s.Tally(t.Context(), p.Study); err != nil || got.Total() != 20 || got.Failed != 2 {
			t.Errorf("%s: tally %+v, error %v", test.study, got, err)
		}
		checkLeaders(t, s, p)
	}
}

// checkLeaders compares the leaderboard with the records.
func checkLeaders(t *testing.T, s *redisstore.Store, p results.Plan) {
	t.Helper()
	n := make(map[uint64]uint64)
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Status == results.Done && r.Metrics[p.Objective] == r.Metrics[p.Objective] {
			n[r.Point]++
		}
	}
	leaders, err := s.Leaders(t.Context(), p.Study, int(p.Points), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range leaders {
		if l.N != n[l.Point] {
			t.Errorf("study %s: point %d leads with %d records, want %d", p.Study, l.Point, l.N, n[l.Point])
		}
	}
}

// TestDamageElsewhere: plans, tallies, the ledger, digests, data and checkpoints
// are checked too.
func TestDamageElsewhere(t *testing.T) {
	t.Parallel()
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of "abc"
	addr := server(t).Addr
	for i, test := range []struct {
		what    string
		change  func(vandal)
		want    string // in the only damage
		refused func(*testing.T, *redisstore.Store) error
	}{
		{"a plan", func(v vandal) { v.flip(v.plan("study"), "head", 40) }, `plan of study "study"`, plan},
		{"a plan's generation", func(v vandal) { v.set(v.plan("study"), "gen", "2") }, `plan of study "study"`, plan},
		{"a plan without its head", func(v vandal) { v.do("hdel", v.plan("study"), "head") }, `plan of study "study"`, plan},
		{"a plan's body", func(v vandal) { v.flip(v.plan("study"), "body", 0) }, `plan of study "study"`, plan},
		{"a plan's source", func(v vandal) { v.do("hdel", v.plan("study"), "source") }, `plan of study "study"`, plan},
		{"a record not in the ledger", func(v vandal) { v.do("setbit", v.own("study", "l:0"), 2, 0) }, "trial 5: a record is there, and the ledger", ledger},
		{"a tally", func(v vandal) { v.do("hincrby", v.plan("study"), "done", -1) }, "tally", ledger},
		{"tallies", func(v vandal) {
			v.do("hincrby", v.plan("study"), "done", -1)
			v.do("hincrby", v.plan("study"), "failed", 1)
		}, "tally", nil},
		{"curves of nobody", func(v vandal) { v.set(v.own("study", "c:0"), "7", "x") }, "trial 7: curves", nil},
		{"an error text of nobody", func(v vandal) { v.set(v.own("study", "e:0"), "6", "x") }, "trial 6: an error text", nil},
		{"a digest", func(v vandal) { v.flip(v.own("finished", "r:0"), "6", 5) }, "study finished, trial 6", nil},
		{"data", func(v vandal) { v.do("set", "overnight:{:blob:"+sum+"}:data", "abd") }, "data ba7816bf8f01", blob},
		{"a checkpoint", func(v vandal) { v.flip(v.own("study", "saved"), "0:20", -1) }, "checkpoint of trial 20", checkpoint},
	} {
		t.Run(test.what, func(t *testing.T) {
			rdb := redis.NewClient(&redis.Options{Addr: addr, DB: i})
			t.Cleanup(func() { _ = rdb.Close() })
			s := open(t, rdb, redisstore.Options{})
			if err := s.PutBlob(t.Context(), sum, []byte("abc")); err != nil {
				t.Fatal(err)
			}
			create(t, s, "study", 4, 6, 20)
			if err := s.SaveCheckpoint(t.Context(), "study", 1, 20, []byte("state")); err != nil {
				t.Fatal(err)
			}
			finished := create(t, s, "finished", 4, 5, 20)
			digest, _, err := results.Digest(t.Context(), s, finished)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Update(t.Context(), "finished", func(p *results.Plan) error {
				p.Digest, p.Body = digest, []byte("data "+sum)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if ds := damages(t, s, ""); len(ds) != 0 {
				t.Fatalf("Check of an intact store: %v", ds)
			}
			test.change(vandal{t, rdb})
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
				if _, err := s.Discard(t.Context(), ds[0].Study, []uint64{ds[0].Trial}); err != nil {
					t.Errorf("Discard: %v", err)
				}
				if ds := damages(t, s, ""); len(ds) != 0 {
					t.Errorf("Check after Discard: %v", ds)
				}
			}
			ps, err := s.Studies(t.Context())
			if len(ps) != 2 || err != nil || ps[0].Study != "study" && ps[1].Study != "study" {
				t.Errorf("Studies: %v, error %v, want both", ps, err)
			}
			if err := s.Delete(t.Context(), "study"); err != nil { // what is damaged can go
				t.Errorf("Delete: %v", err)
			}
		})
	}
}

func plan(t *testing.T, s *redisstore.Store) error { return second(s.Plan(t.Context(), "study")) }

func ledger(t *testing.T, s *redisstore.Store) error { return second(s.Ledger(t.Context(), "study")) }

func checkpoint(t *testing.T, s *redisstore.Store) error {
	return second(s.Checkpoint(t.Context(), "study", 1, 20))
}

func blob(t *testing.T, s *redisstore.Store) error {
	return second(s.Blob(t.Context(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
}

func second[T any](_ T, err error) error { return err }

// TestDigestFixed: a digest that no longer is that of the records is seen.
func TestDigestFixed(t *testing.T) {
	t.Parallel()
	s := open(t, client(t, server(t).Addr), redisstore.Options{})
	p := create(t, s, "study", 4, 5, 20)
	if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Digest = "other"; return nil }); err != nil {
		t.Fatal(err)
	}
	if ds := damages(t, s, ""); len(ds) != 1 || !strings.Contains(ds[0].What, "digest: other was fixed") {
		t.Errorf("Check: %v", ds)
	}
}

// TestCheckEnds: a check that is stopped ends at once, and one whose context ends
// doesn't pass for a clean one.
func TestCheckEnds(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	s := open(t, rdb, redisstore.Options{})
	create(t, s, "study", 100, 20, 2000)
	v := vandal{t, rdb}
	for _, bucket := range []string{"r:0", "r:1", "r:2"} {
		v.do("del", v.own("study", bucket))
	}
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
	if last == nil {
		t.Error("a check whose context ends has no error")
	}
	for _, err := range s.Check(t.Context(), "none") {
		last = err
	}
	if !errors.Is(last, results.ErrNotFound) {
		t.Errorf("a check of a missing study: last error %v", last)
	}
}
