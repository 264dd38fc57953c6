package results_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"overnight/results"
)

var write = flag.Bool("write", false, "write golden files that are missing; those that are there don't change")

// golden are records with everything that an encoding can hold.
func golden() map[string]results.Record {
	nan, negativeZero := math.NaN(), math.Copysign(0, -1)
	return map[string]results.Record{
		"least": {Status: results.Dead},
		"noop": {
			Trial: 300, Point: 100, Replication: 1, Status: results.Done, Metrics: []float64{0.5},
			Attempts: 1, Generation: 1, Worker: "host-17", Finished: time.Unix(1_800_000_000, 5).UTC(), Elapsed: 1500,
		},
		"curves": {
			Trial: 1 << 40, Point: 3, Status: results.Done, Metrics: []float64{nan, negativeZero, math.Inf(1), -1},
			Curves: []results.Curve{
				{Name: "a", X: []float64{0, 100, 1 << 53}, Y: []float64{1, nan, math.Inf(-1)}},
				{Name: "b", X: []float64{0, 100, 1 << 53}, Y: []float64{1, 2, 3}},
				{Name: "c", X: []float64{negativeZero, 0.5}, Y: []float64{4, 5}},
				{Name: "d"},
			},
		},
		"failed": {
			Trial: 2, Status: results.Failed, Error: "return is NaN\nat episode 3", Attempts: 1, Generation: 1<<32 - 1,
			Worker: "é", Finished: time.Unix(0, -1).UTC(), Elapsed: math.MaxInt64,
		},
	}
}

// equalRecords compares bit for bit but for the kind of NaN.
var equalRecords = cmp.Comparer(func(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
})

// TestGolden compares both encodings of version 1 with files. A change that
// breaks it needs a new version, and golden files of its own beside these.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, r := range golden() {
		wire, err := r.AppendBinary(nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for kind, got := range map[string][]byte{"record": wire, "result": results.AppendResult(nil, &r)} {
			path := filepath.Join("testdata", "v1", name+"."+kind+".hex")
			want, err := os.ReadFile(path)
			if os.IsNotExist(err) && *write {
				want = []byte(hex.EncodeToString(got) + "\n")
				if err := os.WriteFile(path, want, 0o644); err != nil {
					t.Fatal(err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(got); got != strings.TrimSpace(string(want)) {
				t.Errorf("%s is\n%s, want\n%s", path, got, want)
			}
		}
		var back results.Record
		if err := back.UnmarshalBinary(wire); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r, back, equalRecords); diff != "" {
			t.Errorf("%s, want -, got +:\n%s", name, diff)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	r := golden()["curves"]
	good, err := r.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	least := golden()["least"]
	small, err := least.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(b []byte, i int, with ...byte) []byte {
		return append(append(bytes.Clone(b[:i]), with...), b[i+1:]...)
	}
	// least is: version, trial, point, replication, status, metrics, curves, error,
	// attempts, generation, worker: a byte each; eight of time; elapsed.
	for _, test := range []struct {
		what string
		data []byte
		want string
	}{
		{"nothing", nil, "unexpected EOF"},
		{"another version", change(small, 0, 2), "version 2"},
		{"a byte too many", append(bytes.Clone(small), 0), "1 bytes too many"},
		{"a long zero", change(small, 1, 0x80, 0), "shortest form"},
		{"an endless integer", change(small, 1, bytes.Repeat([]byte{0xff}, 10)...), "64 bits"},
		{"status 0", change(small, 4, 0), "status 0"},
		{"status 5", change(small, 4, 5), "status 5"},
		{"metrics that are not there", change(small, 5, 2), "unexpected EOF"},
		{"2^60 metrics", change(small, 5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10), "unexpected EOF"},
		{"metrics of a dead trial", change(small, 5, 1, 1, 2, 3, 4, 5, 6, 7, 8), "metrics of a trial that is dead"},
		{"2^60 curves", change(small, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10), "unexpected EOF"},
		{"an error of 1 GB", change(small, 7, 0x80, 0x80, 0x80, 0x80, 0x04), "more than 16384"},
		{"2^32 attempts", change(small, 8, 0x80, 0x80, 0x80, 0x80, 0x10), "32 bits"},
		{"a negative time", change(small, 19, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), "elapsed"},
		{"another NaN", bytes.Replace(good, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, []byte{1, 0, 0, 0, 0, 0, 0xf8, 0x7f}, 1), "its one form"},
		{"curves out of order", bytes.Replace(good, []byte{1, 'b', 3}, []byte{1, 'A', 3}, 1), `curve "A" behind curve "a"`},
		{"a curve twice", bytes.Replace(good, []byte{1, 'b', 3}, []byte{1, 'a', 3}, 1), `curve "a" behind curve "a"`},
		{"more points than X", bytes.Replace(good, []byte{1, 'b', 3}, []byte{1, 'b', 4}, 1), "4 points under the 3 X"},
		{"an unknown form of X", bytes.Replace(good, []byte{1, 'b', 3, 0}, []byte{1, 'b', 3, 3}, 1), "form 3"},
		{"a megabyte and one", make([]byte, results.MaxRecord+1), "more than 1048576"},
	} {
		var got results.Record
		err := got.UnmarshalBinary(test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.what, err, test.want)
		}
		if diff := cmp.Diff(results.Record{}, got); diff != "" {
			t.Errorf("%s: the record was changed:\n%s", test.what, diff)
		}
	}
	for n := range good {
		if err := new(results.Record).UnmarshalBinary(good[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are taken", n, len(good))
		}
	}
}

// TestCurvesHaveOneForm: X that could be integers, or those of the curve before,
// are refused in a longer form.
func TestCurvesHaveOneForm(t *testing.T) {
	t.Parallel()
	eight := func(bits uint64) []byte {
		var b []byte
		for ; len(b) < 8; bits >>= 8 {
			b = append(b, byte(bits))
		}
		return b
	}
	one := eight(math.Float64bits(1))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, test := range []struct {
		what string
		data []byte
		ok   bool
	}{
		{"integers", join([]byte{1, 1, 'a', 1, 1, 1}, one), true},
		{"integers as floats", join([]byte{1, 1, 'a', 1, 2}, one, one), false},
		{"floats", join([]byte{1, 1, 'a', 1, 2}, eight(math.Float64bits(0.5)), one), true},
		{"the same X", join([]byte{2, 1, 'a', 1, 1, 1}, one, []byte{1, 'b', 1, 0}, one), true},
		{"the same X again", join([]byte{2, 1, 'a', 1, 1, 1}, one, []byte{1, 'b', 1, 1, 1}, one), false},
		{"no points", []byte{1, 1, 'a', 0, 0}, true},
		{"no points as integers", []byte{1, 1, 'a', 0, 1}, false},
		{"NaN as X", join([]byte{1, 1, 'a', 1, 2}, eight(0x7ff8000000000000), one), false},
		{"X that stand still", join([]byte{1, 1, 'a', 2, 1, 1, 0}, one, one), false},
		{"X beyond 2^53", join([]byte{1, 1, 'a', 1, 1, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10}, one), false},
	} {
		curves, err := results.DecodeCurves(test.data)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v, error %v", test.what, curves, err)
		}
		if err == nil {
			if back := results.AppendCurves(nil, curves); !bytes.Equal(back, test.data) {
				t.Errorf("%s: encodes to %x, want %x", test.what, back, test.data)
			}
		}
	}
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		prefix := []byte("x")
		b, err := r.AppendBinary(prefix)
		if err != nil {
			t.Fatal(err)
		}
		var back results.Record
		if err := back.UnmarshalBinary(b[1:]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back, equalRecords); diff != "" {
			t.Fatalf("want -, got +:\n%s", diff)
		}
		if len(b) > results.MaxRecord {
			t.Fatalf("%d bytes", len(b))
		}
	})
}

// anyRecord draws a valid record with its curves in order.
func anyRecord(t *rapid.T) results.Record {
	float := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Copysign(0, -1), 0, 1, math.Inf(1)}))
	r := results.Record{
		Trial: rapid.Uint64().Draw(t, "trial"), Point: rapid.Uint64().Draw(t, "point"), Replication: rapid.Uint64().Draw(t, "replication"),
		Status:   results.Status(rapid.IntRange(1, 4).Draw(t, "status")),
		Error:    rapid.String().Draw(t, "error"),
		Attempts: rapid.Uint32().Draw(t, "attempts"), Generation: rapid.Uint32().Draw(t, "generation"),
		Worker:  rapid.StringN(0, 9, 64).Draw(t, "worker"),
		Elapsed: time.Duration(rapid.Int64Min(0).Draw(t, "elapsed")),
	}
	if rapid.Bool().Draw(t, "has finished") {
		r.Finished = time.Unix(0, rapid.Int64Min(math.MinInt64+1).Draw(t, "finished")).UTC()
	}
	if r.Status == results.Done {
		r.Metrics = rapid.SliceOfN(float, 1, 5).Draw(t, "metrics")
	}
	for _, name := range []string{"a", "b", "c"}[:rapid.IntRange(0, 3).Draw(t, "curves")] {
		c := results.Curve{Name: name}
		if len(r.Curves) > 0 && rapid.Bool().Draw(t, "same X") {
			c.X = r.Curves[len(r.Curves)-1].X
		} else {
			step := rapid.SampledFrom([]float64{1, 0.25}).Draw(t, "step")
			x := float64(rapid.IntRange(-1, 100).Draw(t, "x"))
			for range rapid.IntRange(0, 4).Draw(t, "points") {
				c.X = append(c.X, x)
				x += step * float64(rapid.IntRange(1, 1000).Draw(t, "dx"))
			}
		}
		for range c.X {
			c.Y = append(c.Y, float.Draw(t, "y"))
		}
		r.Curves = append(r.Curves, c)
	}
	return r
}

// FuzzRecord: what decodes encodes to the same bytes, and nothing crashes.
func FuzzRecord(f *testing.F) {
	for _, r := range golden() {
		b, err := r.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r results.Record
		if r.UnmarshalBinary(data) != nil {
			return
		}
		b, err := r.AppendBinary(nil)
		if err != nil {
			t.Fatalf("what was decoded can't be encoded: %v", err)
		}
		if !bytes.Equal(b, data) {
			t.Fatalf("decoded and encoded again:\n%x, want\n%x", b, data)
		}
	})
}

// BenchmarkRecord measures the wire form of a no-op record and of one with three
// curves of 200 points.
func BenchmarkRecord(b *testing.B) {
	noop := golden()["noop"]
	long := noop
	for _, name := range []string{"a", "b", "c"} {
		c := results.Curve{Name: name}
		for i := range 200 {
			c.X, c.Y = append(c.X, float64(5*i)), append(c.Y, 0.1*float64(i))
		}
		long.Curves = append(long.Curves, c)
	}
	for name, r := range map[string]*results.Record{"noop": &noop, "curves": &long} {
		data, err := r.AppendBinary(nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("append/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				data, _ = r.AppendBinary(data[:0])
			}
		})
		b.Run("unmarshal/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := new(results.Record).UnmarshalBinary(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
