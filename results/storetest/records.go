package storetest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
)

var nan = math.NaN()

func testCommit(t *testing.T, s results.Store) {
	p := study(t, s, 4, 2)
	if got := commit(t, s, p, NewRecords(&p, 2, 5)...); !slices.Equal(got, verdicts(results.Committed, 3)) {
		t.Errorf("new records: %v, want committed", got)
	}
	if got := commit(t, s, p); len(got) != 0 {
		t.Errorf("no records: %v", got)
	}

	// What depends on the schedule has no say in what is equal.
	again := NewRecords(&p, 2, 5)
	for i := range again {
		again[i].Attempts, again[i].Worker, again[i].Finished, again[i].Elapsed = 7, "other", time.Unix(9, 0), 0
		again[i].Error += "x"
	}
	if got := commit(t, s, p, again...); !slices.Equal(got, verdicts(results.Duplicate, 3)) {
		t.Errorf("equal records: %v, want duplicates", got)
	}

	other := NewRecord(&p, 3)
	other.Metrics[1] = math.Nextafter(0.5, 1)
	curves := NewRecord(&p, 3)
	curves.Curves[0].Y[1] = 0 // and not -0.0
	dead := results.Record{Trial: 4, Status: results.Dead}
	if got := commit(t, s, p, other, curves, dead); !slices.Equal(got, verdicts(results.Differs, 3)) {
		t.Errorf("different records: %v, want differs", got)
	}
	got := scan(t, s, p.Study, 0, p.Trials)
	if diff := cmp.Diff(NewRecords(&p, 2, 5), got, sameRecords()); diff != "" {
		t.Errorf("records, want those committed first, -, got +:\n%s", diff)
	}
	want := results.Tally{Done: 3, Duplicates: 3, Differs: 3, Used: 9 * time.Microsecond, Wasted: 6 * time.Microsecond}
	if got := tally(t, s, p.Study); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
}

func testCommitRoundTrip(t *testing.T, s results.Store) {
	p := study(t, s, 7, 30)
	want := NewRecords(&p, 0, p.Trials)
	want[1] = results.Record{Trial: 1, Point: 1, Status: results.Dead, Error: "exit status 2", Attempts: 3, Generation: 1}
	want[2] = results.Record{Trial: 2, Point: 6, Replication: 9, Status: results.Overrun, Attempts: 1<<32 - 1, Generation: 1, Elapsed: math.MaxInt64}
	want[4] = results.Record{Trial: 4, Status: results.Failed, Generation: 1, Worker: strings.Repeat("w", results.MaxName), Error: strings.Repeat("e", results.MaxError)}
	long := make([]float64, 5000)
	for i := range long {
		long[i] = float64(i) / 7
	}
	want[6].Curves = []results.Curve{{Name: "empty"}, {Name: "long", X: long, Y: long}, {Name: "same X", X: long, Y: slices.Repeat([]float64{nan}, len(long))}}
	want[6].Finished = time.Unix(0, -1).UTC()
	if got := commit(t, s, p, want...); !slices.Equal(got, verdicts(results.Committed, len(want))) {
		t.Fatalf("verdicts: %v", got)
	}
	if diff := cmp.Diff(want, scan(t, s, p.Study, 0, p.Trials), sameRecords()); diff != "" {
		t.Errorf("records, want -, got +:\n%s", diff)
	}
	if got := commit(t, s, p, want...); !slices.Equal(got, verdicts(results.Duplicate, len(want))) {
		t.Errorf("the same again: %v, want duplicates", got)
	}
	if got := tally(t, s, p.Study); got.Used < 0 || got.Wasted < 0 {
		t.Errorf("after trials of 292 years: tally %+v, want times that don't turn negative", got)
	}
	for i := range want {
		want[i].Curves = nil
	}
	var skimmed []results.Record
	for r, err := range results.Skim(t.Context(), s, p.Study, 3, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		skimmed = append(skimmed, r)
	}
	if diff := cmp.Diff(want[3:], skimmed, sameRecords()); diff != "" {
		t.Errorf("records without curves, want -, got +:\n%s", diff)
	}
}

func testCommitRefuses(t *testing.T, s results.Store) {
	p := study(t, s, 4, 2)
	for what, break_ := range map[string]func(*results.Record){
		"a trial beyond the plan's": func(r *results.Record) { r.Trial = p.Trials },
		"a point beyond the plan's": func(r *results.Record) { r.Point = p.Points },
		"no status":                 func(r *results.Record) { r.Status = 0 },
		"an unknown status":         func(r *results.Record) { r.Status = results.Overrun + 1 },
		"too few metrics":           func(r *results.Record) { r.Metrics = r.Metrics[1:] },
		"metrics of a failure":      func(r *results.Record) { r.Status = results.Failed },
		"a curve without a name":    func(r *results.Record) { r.Curves = []results.Curve{{}} },
		"X that don't ascend": func(r *results.Record) {
			r.Curves = []results.Curve{{Name: "c", X: []float64{1, 1}, Y: []float64{1, 1}}}
		},
		"a curve without Y":      func(r *results.Record) { r.Curves = []results.Curve{{Name: "c", X: []float64{1}}} },
		"two curves of one name": func(r *results.Record) { r.Curves = []results.Curve{{Name: "c"}, {Name: "c"}} },
		"an endless error":       func(r *results.Record) { r.Error = strings.Repeat("x", results.MaxError+1) },
		"a negative time":        func(r *results.Record) { r.Elapsed = -1 },
		"an enormous curve": func(r *results.Record) {
			x := make([]float64, results.MaxRecord/16)
			for i := range x {
				x[i] = float64(i)
			}
			r.Curves = []results.Curve{{Name: "c", X: x, Y: x}}
		},
	} {
		rs := NewRecords(&p, 0, 2)
		break_(&rs[1])
		if _, err := s.Commit(t.Context(), p.Study, p.Generation, rs); err == nil {
			t.Errorf("Commit takes a record with %s", what)
		}
	}
	if got := scan(t, s, p.Study, 0, p.Trials); len(got) != 0 {
		t.Errorf("of calls that were refused %d records are stored", len(got))
	}
	_, err := s.Commit(ended(t), p.Study, p.Generation, NewRecords(&p, 0, 2))
	wantError(t, "Commit after its context ended", err, context.Canceled)
}

func testCommitOneBatch(t *testing.T, s results.Store) {
	p := study(t, s, 4, 2)
	first, same, other := NewRecord(&p, 3), NewRecord(&p, 3), NewRecord(&p, 3)
	same.Worker = "other"
	other.Metrics[0] = 77
	want := []results.Verdict{results.Committed, results.Duplicate, results.Differs, results.Committed}
	if got := commit(t, s, p, first, same, other, NewRecord(&p, 0)); !slices.Equal(got, want) {
		t.Errorf("one trial three times in a batch: %v, want %v", got, want)
	}
	if diff := cmp.Diff([]results.Record{NewRecord(&p, 0), first}, scan(t, s, p.Study, 0, p.Trials), sameRecords()); diff != "" {
		t.Errorf("records, want the first, -, got +:\n%s", diff)
	}
	if got, want := tally(t, s, p.Study), (results.Tally{Done: 2, Duplicates: 1, Differs: 1, Used: 3 * time.Microsecond, Wasted: 6 * time.Microsecond}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
}

func testStale(t *testing.T, s results.Store) {
	p := study(t, s, 4, 2)
	commit(t, s, p, NewRecord(&p, 0))
	now := update(t, s, p.Study, func(p *results.Plan) { p.Generation = 9 })
	late := NewRecords(&p, 0, 3)
	late[1].Generation = 9 // the caller's generation counts
	if got := commit(t, s, p, late...); !slices.Equal(got, verdicts(results.Stale, 3)) {
		t.Errorf("records of an older generation: %v, want stale", got)
	}
	ahead := now
	ahead.Generation++
	if got := commit(t, s, ahead, late...); !slices.Equal(got, verdicts(results.Stale, 3)) {
		t.Errorf("records of a generation that is not there yet: %v, want stale", got)
	}
	want := []results.Verdict{results.Duplicate, results.Committed}
	if got := commit(t, s, now, late[:2]...); !slices.Equal(got, want) {
		t.Errorf("records of this generation: %v, want %v", got, want)
	}
	wantRecords := NewRecords(&p, 0, 2)
	wantRecords[1].Generation = 9
	if diff := cmp.Diff(wantRecords, scan(t, s, p.Study, 0, p.Trials), sameRecords()); diff != "" {
		t.Errorf("records, want -, got +:\n%s", diff)
	}
	if got, want := tally(t, s, p.Study), (results.Tally{Done: 2, Duplicates: 1, Stale: 6, Used: time.Microsecond, Wasted: 6 * time.Microsecond}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
}

func testScan(t *testing.T, s results.Store) {
	p := study(t, s, 10, 100)
	for i := p.Trials; i > 0; i-- { // backwards, and not every one
		if i%7 == 0 {
			commit(t, s, p, NewRecord(&p, i-1))
		}
	}
	for _, r := range [][2]uint64{{0, p.Trials}, {0, math.MaxUint64}, {6, 7}, {7, 13}, {13, 14}, {500, 600}, {600, 500}, {p.Trials, p.Trials + 9}, {math.MaxUint64, math.MaxUint64}} {
		var want []uint64
		for i := r[0]; i < min(r[1], p.Trials); i++ {
			if (i+1)%7 == 0 {
				want = append(want, i)
			}
		}
		var got []uint64
		for _, rec := range scan(t, s, p.Study, r[0], r[1]) {
			got = append(got, rec.Trial)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Scan(%d, %d) yields %v, want %v", r[0], r[1], got, want)
		}
	}
	l, err := s.Ledger(t.Context(), p.Study)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Trials {
		if l.Has(i) != ((i+1)%7 == 0) {
			t.Errorf("ledger has trial %d: %v", i, l.Has(i))
		}
	}
	var last error
	for _, err := range s.Scan(ended(t), p.Study, 0, p.Trials) {
		last = err
	}
	wantError(t, "Scan after its context ended", last, context.Canceled)

	// What is yielded is the caller's: changing it changes nothing that follows.
	n := 0
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(NewRecord(&p, r.Trial), r, sameRecords()); diff != "" {
			t.Fatalf("trial %d, want -, got +:\n%s", r.Trial, diff)
		}
		for i := range r.Metrics {
			r.Metrics[i] = 1e9
		}
		_ = append(r.Metrics, 1e9, 1e9, 1e9)
		if n++; n == 50 {
			break // and who stops early leaves nothing behind
		}
	}
	commit(t, s, p, NewRecord(&p, 0))
}

func testScanSnapshot(t *testing.T, s results.Store) {
	p := study(t, s, 100, 10)
	commit(t, s, p, NewRecords(&p, 0, 500)...)
	var got int
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		if got == 0 { // commits and discards go on beside it, and it doesn't see them
			commit(t, s, p, NewRecords(&p, 500, 1000)...)
			if _, err := s.Discard(t.Context(), p.Study, []uint64{400, 499}); err != nil {
				t.Fatal(err)
			}
		}
		if r.Trial != uint64(got) {
			t.Fatalf("trial %d is number %d", r.Trial, got)
		}
		got++
	}
	if got != 500 {
		t.Errorf("Scan yields %d records, want the 500 of its beginning", got)
	}
	if got := len(scan(t, s, p.Study, 0, p.Trials)); got != 998 {
		t.Errorf("the next Scan yields %d, want 998", got)
	}
}

func testDiscard(t *testing.T, s results.Store) {
	p := study(t, s, 4, 5)
	commit(t, s, p, NewRecords(&p, 0, 20)...)
	if err := s.SaveCheckpoint(t.Context(), p.Study, p.Generation, 3, []byte("x")); err != nil {
		t.Fatal(err)
	}
	update(t, s, p.Study, func(p *results.Plan) { p.Digest = "fixed" })
	generation, err := s.Discard(t.Context(), p.Study, []uint64{7, 3, 19, 3, 99})
	if err != nil {
		t.Fatal(err)
	}
	now := plan(t, s, p.Study)
	if generation != p.Generation+1 || now.Generation != generation || now.Digest != "" {
		t.Errorf("Discard returns generation %d, the plan has %d and digest %q, want %d and none", generation, now.Generation, now.Digest, p.Generation+1)
	}
	l, err := s.Ledger(t.Context(), p.Study)
	if err != nil {
		t.Fatal(err)
	}
	if l.Count() != 17 || l.Has(3) || l.Has(7) || l.Has(19) {
		t.Errorf("ledger has %d trials; 3: %v, 7: %v, 19: %v; want 17 without these", l.Count(), l.Has(3), l.Has(7), l.Has(19))
	}
	if got, want := tally(t, s, p.Study), (results.Tally{Done: 16, Failed: 1, Used: 190 * time.Microsecond}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
	if got := commit(t, s, p, NewRecord(&p, 3)); got[0] != results.Stale {
		t.Errorf("a late record of a discarded trial: %v, want stale", got)
	}
	other := NewRecord(&now, 3)
	other.Metrics[0] = 5
	if got := commit(t, s, now, other); got[0] != results.Committed {
		t.Errorf("a new record of a discarded trial: %v, want committed", got)
	}

	// Nothing to remove still raises the generation, and leaves the digest.
	update(t, s, p.Study, func(p *results.Plan) { p.Digest = "fixed" })
	if generation, err = s.Discard(t.Context(), p.Study, nil); err != nil || generation != p.Generation+2 {
		t.Errorf("Discard of nothing: generation %d, error %v; want %d", generation, err, p.Generation+2)
	}
	if got := plan(t, s, p.Study); got.Digest != "fixed" {
		t.Errorf("Discard of nothing cleared the digest")
	}
}

func testDigest(t *testing.T, s results.Store) {
	p := study(t, s, 4, 5)
	commit(t, s, p, NewRecords(&p, 3, 20)...)
	if got, missing, err := results.Digest(t.Context(), s, p); got != "" || missing != 3 || err != nil {
		t.Errorf("Digest with three trials missing: %q, %d missing, %v", got, missing, err)
	}
	commit(t, s, p, NewRecords(&p, 0, 3)...)
	// Computed by results/testdata/digest.py from the description of the format.
	const want = "31ec4cdb96bfcf4fa582780bd964ed1e45dfc93541dc20fda9ebdd590a408133"
	if got, missing, err := results.Digest(t.Context(), s, p); got != want || missing != 0 || err != nil {
		t.Errorf("Digest: %q, %d missing, %v; want %s", got, missing, err, want)
	}
	// Of a study that wants some of its trials: the same over these.
	for n, wrong := range map[uint64]error{21: nil, 20: nil, 19: results.ErrSurplus} {
		some := NewPlan(name(t, strconv.FormatUint(n, 10)), 4, 6)
		some.Wanted = n
		if err := s.Create(t.Context(), some); err != nil {
			t.Fatal(err)
		}
		commit(t, s, some, NewRecords(&p, 0, 20)...)
		got, missing, err := results.Digest(t.Context(), s, some)
		if !errors.Is(err, wrong) || missing != n-min(n, 20) || (got == want) != (n == 20) {
			t.Errorf("Digest with 20 records where %d are wanted: %q, %d missing, %v", n, got, missing, err)
		}
	}
}
