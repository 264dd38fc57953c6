package sqlitestore_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// former returns a folder with the store of format 1 in testdata.
func former(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"overnight.db", "fleet.db"} {
		f, err := os.Open(filepath.Join("testdata", "format1", file+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func format(t *testing.T, dir string) (version int) {
	t.Helper()
	if err := database(t, dir).QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

// checkFormer compares what a store has with what was written in format 1.
func checkFormer(t *testing.T, s *sqlitestore.Store) {
	t.Helper()
	const digest = "31ec4cdb96bfcf4fa582780bd964ed1e45dfc93541dc20fda9ebdd590a408133" // as storetest has it of these records
	if ds := damages(t, s, ""); len(ds) != 0 {
		t.Errorf("Check: %v", ds)
	}
	p, err := s.Plan(t.Context(), "finished")
	if err != nil {
		t.Fatal(err)
	}
	want := storetest.NewPlan("finished", 4, 5)
	want.State, want.Digest, want.Body = results.Finished, digest, p.Body
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("plan, want -, got +:\n%s", diff)
	}
	if refs := results.DataRefs(p.Body); len(refs) != 1 {
		t.Errorf("the plan names the data %v, want one", refs)
	} else if data, err := s.Blob(t.Context(), refs[0]); err != nil || string(data) != "a,b\n1,2\n" {
		t.Errorf("data %q, error %v", data, err)
	}
	if got, missing, err := results.Digest(t.Context(), s, p); got != digest || missing != 0 || err != nil {
		t.Errorf("digest %s, %d missing, error %v", got, missing, err)
	}
	trial := uint64(0)
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		w := storetest.NewRecord(&p, trial)
		if !results.Equal(&w, &r) || r.Worker != w.Worker || r.Error != w.Error || !r.Finished.Equal(w.Finished) || r.Elapsed != w.Elapsed {
			t.Errorf("trial %d: %+v, want %+v", trial, r, w)
		}
		trial++
	}
	tally, err := s.Tally(t.Context(), p.Study)
	if want := (results.Tally{Done: 18, Failed: 2, Duplicates: 2}); tally != want || err != nil {
		t.Errorf("tally %+v, error %v, want %+v", tally, err, want)
	}
	all, err := s.Studies(t.Context())
	if err != nil || len(all) != 2 || all[0].Study != "finished" || all[1].Study != "half way" || all[1].State != results.Running {
		t.Errorf("studies %+v, error %v", all, err)
	}
	if state, err := s.Checkpoint(t.Context(), "half way", 1, 10); err != nil || string(state) != "state" {
		t.Errorf("checkpoint %q, error %v", state, err)
	}
}

// TestFormerReadOnly: a store of the format before is read as it is, and stays so.
func TestFormerReadOnly(t *testing.T) {
	t.Parallel()
	dir := former(t)
	s := open(t, dir, sqlitestore.Options{ReadOnly: true})
	checkFormer(t, s)
	ws, err := s.Workers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := time.Unix(1_790_000_000, 0).UTC()
	want := []results.Worker{
		{ID: "busy", Host: "h", Slots: 2, Version: "v1", Engine: 1, Held: []results.Held{{Job: "j1"}, {Job: `j"2`}}, Done: 7, Started: seen, Seen: seen},
		{ID: "idle", Slots: 1, Free: 1, Seen: seen},
	}
	if diff := cmp.Diff(want, ws); diff != "" {
		t.Errorf("workers, want -, got +:\n%s", diff)
	}
	if ls, err := s.Leaders(t.Context(), "half way", 9, false); err != nil || len(ls) == 0 {
		t.Errorf("leaders %v, error %v", ls, err)
	}
	if got := format(t, dir); got != 1 {
		t.Errorf("reading made it format %d", got)
	}
}

// TestFormerMigrated: opened for writing, a store of the format before becomes one
// of this format with all that it had, and a reader that was there before reads
// on.
func TestFormerMigrated(t *testing.T) {
	t.Parallel()
	dir := former(t)
	before := open(t, dir, sqlitestore.Options{ReadOnly: true})
	checkFormer(t, before)
	s := open(t, dir, sqlitestore.Options{MustExist: true, Now: func() time.Time { return time.Unix(1_790_000_001, 0) }})
	if got := format(t, dir); got != 2 {
		t.Fatalf("format %d, want 2", got)
	}
	checkFormer(t, s)
	checkFormer(t, before)

	orders, err := s.Beat(t.Context(), results.Worker{ID: "busy", Rate: 2}, 0)
	if err != nil || len(orders) != 1 || orders[0].Kind != results.Pause || orders[0].Study != "half way" {
		t.Errorf("orders %v, error %v", orders, err)
	}
	for what, r := range map[string]*sqlitestore.Store{"the writer": s, "the reader": before} {
		if ws, err := r.Workers(t.Context()); err != nil || len(ws) != 1 || ws[0].ID != "busy" || ws[0].Rate != 2 {
			t.Errorf("%s: workers %v, error %v; want the one that has beaten since", what, ws, err)
		}
	}
	if by, err := s.Lease(t.Context(), "serve", "me", time.Minute); by != "me" || err != nil {
		t.Errorf("lease: %q, error %v", by, err)
	}

	// What is new is kept, and the reader of before sees it.
	p, err := s.Plan(t.Context(), "half way")
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, p, storetest.NewRecords(&p, 0, 3)...)
	commit(t, s, p, storetest.NewRecords(&p, 9, 12)...)
	set := func(p *results.Plan) {
		p.Ended, p.Epoch, p.Submitted, p.Priority, p.MaxSlots, p.Keep = time.Unix(1_800_000_000, 1).UTC(), 7, true, 9, 8, time.Hour
	}
	if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { set(p); return nil }); err != nil {
		t.Fatal(err)
	}
	set(&p)
	for what, r := range map[string]*sqlitestore.Store{"the writer": s, "the reader": before} {
		got, err := r.Plan(t.Context(), p.Study)
		if diff := cmp.Diff(p, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, plan, want -, got +:\n%s", what, err, diff)
		}
		tally, err := r.Tally(t.Context(), p.Study)
		if tally.Total() != 12 || tally.Used != 33*time.Microsecond || err != nil {
			t.Errorf("%s: tally %+v, error %v; want 12 trials, and the core time of those since", what, tally, err)
		}
		if ds := damages(t, r, ""); len(ds) != 0 {
			t.Errorf("%s: Check: %v", what, ds)
		}
	}
}

// TestDamagedMore: the newer fields of a plan are under its CRC.
func TestDamagedMore(t *testing.T) {
	t.Parallel()
	for _, change_ := range []string{
		`UPDATE studies SET more = '{"epoch":8}'`,
		`UPDATE studies SET more = ''`,
		`UPDATE studies SET more = '{'`,
	} {
		dir := t.TempDir()
		s := open(t, dir, sqlitestore.Options{})
		p := create(t, s, "study", 2, 2, 1)
		if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Epoch = 9; return nil }); err != nil {
			t.Fatal(err)
		}
		change(t, database(t, dir), change_)
		if ds := damages(t, s, ""); len(ds) != 1 || ds[0].Study != p.Study {
			t.Errorf("%s: Check: %v, want the plan", change_, ds)
		}
	}
}
