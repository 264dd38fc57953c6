package results_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"overnight/results"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	otherNaN := math.Float64frombits(0x7ff8000000000123)
	base := golden()["curves"]
	for _, test := range []struct {
		what   string
		change func(*results.Record)
		want   bool
	}{
		{"nothing", func(*results.Record) {}, true},
		{"the schedule", func(r *results.Record) {
			r.Error, r.Attempts, r.Generation, r.Worker, r.Finished, r.Elapsed = "e", 9, 9, "w", time.Now(), 9
		}, true},
		{"another NaN", func(r *results.Record) { r.Metrics[0] = otherNaN; r.Curves[0].Y[1] = otherNaN }, true},
		{"the order of curves", func(r *results.Record) { slices.Reverse(r.Curves) }, true},
		{"status", func(r *results.Record) { r.Status = results.Failed }, false},
		{"the sign of zero", func(r *results.Record) { r.Metrics[1] = 0 }, false},
		{"a metric less", func(r *results.Record) { r.Metrics = r.Metrics[:3] }, false},
		{"a last bit", func(r *results.Record) { r.Metrics[3] = math.Nextafter(-1, 0) }, false},
		{"a curve less", func(r *results.Record) { r.Curves = r.Curves[:3] }, false},
		{"a curve's name", func(r *results.Record) { r.Curves[3].Name = "e" }, false},
		{"an X", func(r *results.Record) { r.Curves[0].X[1] = 101 }, false},
		{"a Y", func(r *results.Record) { r.Curves[1].Y[2] = 3.5 }, false},
	} {
		r := clone(base)
		test.change(&r)
		if got := results.Equal(&base, &r); got != test.want {
			t.Errorf("records that differ in %s: Equal %v, want %v", test.what, got, test.want)
		}
		if got := sameBytes(&base, &r); got != test.want {
			t.Errorf("records that differ in %s: equal bytes %v, want %v", test.what, got, test.want)
		}
	}
}

func clone(r results.Record) results.Record {
	r.Metrics = slices.Clone(r.Metrics)
	r.Curves = slices.Clone(r.Curves)
	for i, c := range r.Curves {
		r.Curves[i].X, r.Curves[i].Y = slices.Clone(c.X), slices.Clone(c.Y)
	}
	return r
}

func sameBytes(a, b *results.Record) bool {
	return a.Status == b.Status && bytes.Equal(results.AppendResult(nil, a), results.AppendResult(nil, b))
}

// TestEqualIsSameBytes: Equal compares without encoding, and says the same.
func TestEqualIsSameBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := anyRecord(t)
		b := clone(a)
		if rapid.Bool().Draw(t, "another") {
			b = anyRecord(t)
		}
		if len(b.Metrics) > 0 && rapid.Bool().Draw(t, "a metric") {
			b.Metrics[0] = rapid.SampledFrom([]float64{first(a.Metrics), math.NaN(), 0}).Draw(t, "m")
		}
		if got, want := results.Equal(&a, &b), sameBytes(&a, &b); got != want {
			t.Fatalf("Equal %v, equal bytes %v", got, want)
		}
	})
}

// records is a store of nothing but records.
type records struct {
	results.Records
	rs    []results.Record
	fails map[uint64]error
}

func (s records) Tally(context.Context, string) (results.Tally, error) {
	return results.Tally{Done: uint64(len(s.rs))}, nil
}

func (s records) Scan(_ context.Context, _ string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for _, r := range s.rs {
			if r.Trial >= from && r.Trial < to && !yield(r, s.fails[r.Trial]) {
				return
			}
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	p := results.Plan{Study: "s", Trials: 3}
	var rs []results.Record
	for i, name := range []string{"noop", "curves", "failed"} {
		r := golden()[name]
		r.Trial = uint64(i)
		rs = append(rs, r)
	}
	digest := func(rs []results.Record) string {
		t.Helper()
		d, missing, err := results.Digest(t.Context(), records{rs: rs}, p)
		if err != nil || missing != 0 {
			t.Fatalf("%d missing, error %v", missing, err)
		}
		return d
	}
	// From the documented format, by a program of its own (testdata/digest.py).
	const want = "a02751303f8a73cdf8577a4ee23d9947d0bfb0e89879a95ceb9c77150d99c803"
	if got := digest(rs); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	change := func(i int, f func(*results.Record)) []results.Record {
		changed := slices.Clone(rs)
		changed[i] = clone(rs[i])
		f(&changed[i])
		return changed
	}
	if got := digest(change(2, func(r *results.Record) { r.Error, r.Worker, r.Elapsed, r.Attempts = "x", "y", 1, 2 })); got != want {
		t.Errorf("the digest depends on the schedule: %s", got)
	}
	seen := map[string]string{want: "the records"}
	for what, rs := range map[string][]results.Record{
		"another metric":      change(0, func(r *results.Record) { r.Metrics[0] = 1 }),
		"another point":       change(0, func(r *results.Record) { r.Point++ }),
		"another replication": change(0, func(r *results.Record) { r.Replication++ }),
		"another status":      change(2, func(r *results.Record) { r.Status = results.Dead }),
		"another curve":       change(1, func(r *results.Record) { r.Curves[0].Y[0]++ }),
	} {
		got := digest(rs)
		if other := seen[got]; other != "" {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[got] = what
	}

	// Dead and overrun trials are outside, and not missing.
	dead := change(2, func(r *results.Record) { *r = results.Record{Trial: 2, Status: results.Dead} })
	other := change(2, func(r *results.Record) { *r = results.Record{Trial: 2, Point: 7, Status: results.Overrun, Error: "x"} })
	if a, b := digest(dead), digest(other); a != b {
		t.Errorf("dead and overrun trials have digests %s and %s, want the same", a, b)
	}
	if d, missing, err := results.Digest(t.Context(), records{rs: rs[:2]}, p); d != "" || missing != 1 || err != nil {
		t.Errorf("a trial without a record: digest %q, %d missing, error %v", d, missing, err)
	}
	_, _, err := results.Digest(t.Context(), records{rs: rs, fails: map[uint64]error{1: results.ErrDamaged}}, p)
	if !errors.Is(err, results.ErrDamaged) || !strings.Contains(err.Error(), "trial 1") {
		t.Errorf("a damaged record: error %v", err)
	}
}

func TestClipError(t *testing.T) {
	t.Parallel()
	if got := results.ClipError("short"); got != "short" {
		t.Errorf("%q", got)
	}
	for _, text := range []string{strings.Repeat("x", results.MaxError+1), strings.Repeat("é", results.MaxError), strings.Repeat("€", results.MaxError), "x" + strings.Repeat("😀", results.MaxError)} {
		got := results.ClipError(text)
		if len(got) > results.MaxError || len(got) < results.MaxError-4 || !utf8.ValidString(got) || !strings.HasSuffix(got, "(shortened)") {
			t.Errorf("%.9q...: %d bytes, ends with %q", text, len(got), got[len(got)-20:])
		}
	}
}

func TestDataRefs(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a1", 32), strings.Repeat("0f", 32)
	body := fmt.Sprintf(`{"sha256":"%s","identity":"%sX","again":"%s","long":"%s0","upper":"%s"}`, a, b, a, a, strings.ToUpper(a))
	if got := results.DataRefs([]byte(body)); !slices.Equal(got, []string{a, b}) {
		t.Errorf("%v", got)
	}
	if got := results.DataRefs(nil); len(got) != 0 {
		t.Errorf("%v of nothing", got)
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for s, want := range map[results.Status]string{results.Done: "done", results.Failed: "failed", results.Dead: "dead", results.Overrun: "overrun", 9: "status(9)"} {
		if got := s.String(); got != want {
			t.Errorf("status %d is %q, want %q", uint8(s), got, want)
		}
	}
	for d, want := range map[results.Damage]string{
		{Study: "s", Trial: 3, Record: true, What: "w"}: "study s, trial 3: w",
		{Study: "s", What: "w"}:                         "study s: w",
		{What: "w"}:                                     "w",
	} {
		if got := d.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func first(xs []float64) float64 {
	if len(xs) == 0 {
		return 1
	}
	return xs[0]
}
