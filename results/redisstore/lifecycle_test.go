package redisstore_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

// everyKey returns the keys that a server holds, without those that calls leave for
// a minute.
func everyKey(t *testing.T, rdb *redis.Client) []string {
	t.Helper()
	all, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(key string) bool { return strings.Contains(key, ":did:") && rdb.TTL(t.Context(), key).Val() > 0 })
	slices.Sort(all)
	return all
}

// fill gives a study everything that a study can have.
func fill(t *testing.T, s *redisstore.Store, study string) results.Plan {
	t.Helper()
	p := create(t, s, study, 100, 2000, 1500)
	commit(t, s, p, storetest.NewRecords(&p, 199_000, 199_500)...) // in another segment
	if err := s.SaveCheckpoint(t.Context(), study, 1, 7777, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Discard(t.Context(), study, []uint64{1, 199_001}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Leaders(t.Context(), study, 3, false); err != nil {
		t.Fatal(err)
	}
	p.Generation = 2
	if err := s.SaveCheckpoint(t.Context(), study, 2, 7777, []byte("x")); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDeleteLeavesNothing: no key of a deleted study is left, even where the
// delete was killed in the middle.
func TestDeleteLeavesNothing(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	s := open(t, rdb, redisstore.Options{})
	empty := everyKey(t, rdb)

	fill(t, s, "study")
	if err := s.Delete(t.Context(), "study"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, everyKey(t, rdb)); diff != "" {
		t.Errorf("keys after Delete, want -, got +:\n%s", diff)
	}

	// Killed: Studies doesn't show it, and another Delete sweeps.
	fill(t, s, "killed")
	if err := s.DropOnly(t.Context(), "killed"); err != nil {
		t.Fatal(err)
	}
	if ps, err := s.Studies(t.Context()); len(ps) != 0 || err != nil {
		t.Errorf("Studies: %v, error %v", ps, err)
	}
	if err := s.Delete(t.Context(), "killed"); !errors.Is(err, results.ErrNotFound) {
		t.Errorf("another Delete: %v", err)
	}
	if diff := cmp.Diff(empty, everyKey(t, rdb)); diff != "" {
		t.Errorf("keys after a second Delete, want -, got +:\n%s", diff)
	}

	// Killed, and created again: the new study has nothing of the old one.
	fill(t, s, "again")
	if err := s.DropOnly(t.Context(), "again"); err != nil {
		t.Fatal(err)
	}
	p := create(t, s, "again", 100, 2000, 3)
	if l, err := s.Ledger(t.Context(), "again"); err != nil || l.Count() != 3 {
		t.Errorf("ledger %v, error %v", l, err)
	}
	if err := s.Delete(t.Context(), p.Study); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, everyKey(t, rdb)); diff != "" {
		t.Errorf("keys after Create and Delete, want -, got +:\n%s", diff)
	}

	// Killed, and never touched again: Studies sweeps after a while.
	fill(t, s, "forgotten")
	if err := s.DropOnly(t.Context(), "forgotten"); err != nil {
		t.Fatal(err)
	}
	if err := s.EnterOnly(t.Context(), "never-made"); err != nil {
		t.Fatal(err)
	}
	s.KeepNothing()
	if ps, err := s.Studies(t.Context()); len(ps) != 0 || err != nil {
		t.Errorf("Studies: %v, error %v", ps, err)
	}
	if diff := cmp.Diff(empty, everyKey(t, rdb)); diff != "" {
		t.Errorf("keys after Studies, want -, got +:\n%s", diff)
	}
}

// TestBlobsOfDeleted: data that no plan names any more go with the last that did.
func TestBlobsOfDeleted(t *testing.T) {
	t.Parallel()
	s := open(t, client(t, server(t).Addr), redisstore.Options{})
	data := []byte("a,b\n")
	digest := sha256.Sum256(data)
	sum := hex.EncodeToString(digest[:])
	if err := s.PutBlob(t.Context(), sum, data); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		p := storetest.NewPlan(name, 1, 1)
		p.Body = []byte("data: " + sum)
		if err := s.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		fresh bool
		want  error
	}{
		{"a", true, nil},  // two others name it
		{"b", false, nil}, // one does
		{"c", false, results.ErrNotFound},
	} {
		if !test.fresh {
			s.KeepNothing()
		}
		if err := s.Delete(t.Context(), test.name); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Blob(t.Context(), sum); !errors.Is(err, test.want) {
			t.Errorf("after Delete of %s: error %v, want %v", test.name, err, test.want)
		}
	}
}

// TestScanOfOneMoment: a long scan yields what Discard removes while it goes on,
// far ahead of it, with error texts and curves, and not what comes in its place.
func TestScanOfOneMoment(t *testing.T) {
	t.Parallel()
	s := open(t, client(t, server(t).Addr), redisstore.Options{})
	const trials = 40_000
	p := create(t, s, "study", 100, trials/100, trials)
	var gone []uint64
	for i := uint64(0); i < trials; i += 3 {
		gone = append(gone, i)
	}
	n := uint64(0)
	for r, err := range s.Scan(t.Context(), p.Study, 0, trials) {
		if err != nil {
			t.Fatalf("trial %d is number %d: %v", r.Trial, n, err)
		}
		if n == 0 {
			generation, err := s.Discard(t.Context(), p.Study, gone)
			if err != nil || generation != 2 {
				t.Fatalf("generation %d, error %v", generation, err)
			}
			now := p
			now.Generation = generation
			for _, trial := range gone[:2000] {
				other := storetest.NewRecord(&now, trial)
				other.Status, other.Metrics, other.Curves, other.Error = results.Failed, nil, nil, "new"
				commit(t, s, now, other)
			}
			if _, err := s.Discard(t.Context(), p.Study, gone[:1000]); err != nil {
				t.Fatal(err)
			}
		}
		want := storetest.NewRecord(&p, n)
		if diff := cmp.Diff(want, r, sameFloats); diff != "" {
			t.Fatalf("trial %d, want -, got +:\n%s", n, diff)
		}
		n++
	}
	if n != trials {
		t.Errorf("%d records, want %d", n, trials)
	}
	l, err := s.Ledger(t.Context(), p.Study)
	if err != nil || l.Count() != trials-uint64(len(gone))+1000 {
		t.Errorf("ledger %v, error %v", l, err)
	}
	if ds := damages(t, s, ""); len(ds) != 0 {
		t.Errorf("Check: %v", ds)
	}
	checkLeaders(t, s, p)
}

// TestLeadersKeepRight: another objective, and commits while a leaderboard is
// built by several at once.
func TestLeadersKeepRight(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	s := open(t, rdb, redisstore.Options{})
	p := create(t, s, "study", 3000, 10, 9000)
	checkLeaders(t, s, p)
	for round := range uint64(3) {
		if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Objective = 1 + int(round%2); return nil }); err != nil {
			t.Fatal(err)
		}
		p.Objective = 1 + int(round%2)
		var wg sync.WaitGroup
		for i := range uint64(4) {
			wg.Go(func() {
				from := 9000 + 4000*round + 1000*i
				for at := from; at < from+1000; at += 50 {
					commit(t, s, p, storetest.NewRecords(&p, at, at+50)...)
				}
			})
			wg.Go(func() {
				other := open(t, rdb, redisstore.Options{})
				for range 5 {
					if _, err := other.Leaders(t.Context(), p.Study, 10, true); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		checkLeaders(t, s, p)
	}
	if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Objective = 9; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Leaders(t.Context(), p.Study, 10, true); err == nil {
		t.Error("leaders by an objective that is not there")
	}
	commit(t, s, p, storetest.NewRecords(&p, 29_000, 29_100)...)
}

// TestHugeStudy: a study of far more trials than memory has bits for takes
// records at both ends.
func TestHugeStudy(t *testing.T) {
	t.Parallel()
	s := open(t, client(t, server(t).Addr), redisstore.Options{})
	p := storetest.NewPlan("huge", 1<<40, 1<<20)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(storetest.NewRecords(&p, 0, 200), storetest.NewRecords(&p, 1<<50, 1<<50+200), storetest.NewRecords(&p, p.Trials-200, p.Trials))
	commit(t, s, p, want...)
	commit(t, s, p, want...)
	var got []results.Record
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got, sameFloats); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if _, err := s.Ledger(t.Context(), p.Study); err == nil {
		t.Error("a ledger of 2^60 trials is made")
	}
	if l, err := s.Leaders(t.Context(), p.Study, 1000, false); err != nil || len(l) == 0 {
		t.Errorf("leaders %v, error %v", l, err)
	}
	if ds := damages(t, s, ""); len(ds) != 0 {
		t.Errorf("Check: %v", ds)
	}
	if err := s.Delete(t.Context(), p.Study); err != nil {
		t.Fatal(err)
	}
}
