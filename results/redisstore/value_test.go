package redisstore

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"overnight/results"
)

func testHead(points uint64, metrics int) *head {
	h := &head{inc: "incarnation", base: points, plan: results.Plan{
		Study: "s", Points: 1 << 62, Trials: 1 << 62, Created: time.Unix(1_800_000_000, 0).UTC(), Metrics: make([]string, metrics),
	}}
	return h
}

var sameFloats = cmp.Comparer(func(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
})

// TestValueRoundTrip: what is stored is read again, whatever it is.
func TestValueRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		metrics := rapid.IntRange(0, 20).Draw(rt, "metrics")
		h := testHead(rapid.SampledFrom([]uint64{0, 1, 7, 1 << 40}).Draw(rt, "base"), metrics)
		r := results.Record{
			Trial:       rapid.Uint64Range(0, 1<<62-1).Draw(rt, "trial"),
			Status:      rapid.SampledFrom([]results.Status{results.Done, results.Failed, results.Dead, results.Overrun}).Draw(rt, "status"),
			Error:       rapid.StringN(0, 300, -1).Draw(rt, "error"),
			Attempts:    rapid.Uint32().Draw(rt, "attempts"),
			Generation:  rapid.Uint32().Draw(rt, "generation"),
			Worker:      rapid.String().Draw(rt, "worker"),
			Elapsed:     time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(rt, "elapsed")),
			Point:       rapid.Uint64().Draw(rt, "point"),
			Replication: rapid.Uint64().Draw(rt, "replication"),
		}
		if h.base > 0 && rapid.Bool().Draw(rt, "usual place") {
			r.Point, r.Replication = r.Trial%h.base, r.Trial/h.base
		}
		if rapid.Bool().Draw(rt, "has finished") {
			r.Finished = time.Unix(0, rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(rt, "finished")).UTC()
		}
		if r.Status == results.Done && metrics > 0 {
			r.Metrics = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) float64 {
				return math.Float64frombits(rapid.Uint64().Draw(rt, "bits"))
			}), metrics, metrics).Draw(rt, "values")
		}
		var sum [curvesSumBytes]byte
		var curves []byte
		if rapid.Bool().Draw(rt, "has curves") {
			r.Curves = []results.Curve{{Name: "c"}}
			sum, curves = [curvesSumBytes]byte{1, 2, 3}, make([]byte, rapid.IntRange(1, 1<<20).Draw(rt, "length"))
		}
		text := string(h.appendRecord(nil, &r, r.Generation, 5, curves, sum))
		var floats []float64
		v, err := h.readRecord(r.Trial/bucketTrials, text, &floats)
		if err != nil {
			rt.Fatal(err)
		}
		v.Worker = r.Worker
		if err := h.check(&v, text); err != nil {
			rt.Fatal(err)
		}
		if v.worker != 5 || v.errorLen != len(r.Error) || v.curvesLen != len(curves) || v.curvesSum != sum {
			rt.Fatalf("%+v", v)
		}
		want := r
		want.Curves, want.Error = nil, ""
		if diff := cmp.Diff(want, v.Record, sameFloats); diff != "" {
			rt.Fatalf("want -, got +:\n%s", diff)
		}

		// Any bit that flips is seen.
		at := rapid.IntRange(0, 8*len(text)-1).Draw(rt, "bit")
		b := []byte(text)
		b[at/8] ^= 1 << (at % 8)
		v, err = h.readRecord(r.Trial/bucketTrials, string(b), &floats)
		if err == nil {
			v.Worker = r.Worker
			err = h.check(&v, string(b))
		}
		if err == nil {
			rt.Fatalf("bit %d flipped, and nothing is wrong", at)
		}
	})
}

// TestSameResult: stored results are the same where results.Equal says so, and
// where one has a metric more that is NaN.
func TestSameResult(t *testing.T) {
	t.Parallel()
	h := testHead(10, 3)
	nan := math.NaN()
	done := func(metrics ...float64) results.Record {
		return results.Record{Trial: 3, Point: 3, Status: results.Done, Metrics: metrics}
	}
	curve := func(y float64) results.Record {
		r := done(1, 2, 3)
		r.Curves = []results.Curve{{Name: "c", X: []float64{1}, Y: []float64{y}}}
		return r
	}
	late := done(1, 2, 3)
	late.Attempts, late.Worker, late.Elapsed, late.Error = 3, "w", 9, "x"
	for _, test := range []struct {
		what string
		a, b results.Record
		want bool
	}{
		{"the same", done(1, 2, 3), done(1, 2, 3), true},
		{"another value", done(1, 2, 3), done(1, 2, 4), false},
		{"another order", done(1, 2, 3), done(2, 1, 3), false},
		{"another schedule", done(1, 2, 3), late, true},
		{"two NaN", done(1, nan, 3), done(1, math.Float64frombits(0x7ff8000000000123), 3), true},
		{"a NaN more", done(1, 2), done(1, 2, nan), true},
		{"NaN and 0", done(1, 2, nan), done(1, 2, 0), false},
		{"0 and -0", done(1, 2, 0), done(1, 2, math.Copysign(0, -1)), false},
		{"another status", results.Record{Status: results.Failed}, results.Record{Status: results.Dead}, false},
		{"done without metrics, and failed", done(nan, nan, nan), results.Record{Trial: 3, Status: results.Failed}, false},
		{"curves and none", curve(1), done(1, 2, 3), false},
		{"the same curves", curve(nan), curve(nan), true},
		{"other curves", curve(1), curve(2), false},
	} {
		text := func(r results.Record) string {
			data, sum := storeCurves(r.Curves, &compressor{})
			return string(h.appendRecord(nil, &r, 1, 0, data, sum))
		}
		if got := sameResult(text(test.a), text(test.b)); got != test.want {
			t.Errorf("%s: same %v, want %v", test.what, got, test.want)
		}
	}
}

// TestValueSize: a record of three metrics stays within the 64 bytes of a
// compact hash.
func TestValueSize(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ metrics, most int }{{1, 32}, {3, 48}, {5, 64}} {
		h := testHead(1000, test.metrics)
		r := results.Record{Trial: 999_999, Point: 999, Replication: 999, Status: results.Done, Attempts: 1,
			Finished: h.plan.Created.Add(72 * time.Hour), Elapsed: time.Minute}
		for range test.metrics {
			r.Metrics = append(r.Metrics, math.Pi)
		}
		if got := len(h.appendRecord(nil, &r, 3, 100, nil, [curvesSumBytes]byte{})); got > test.most {
			t.Errorf("%d metrics: %d bytes, more than %d", test.metrics, got, test.most)
		}
	}
}

// TestCurvesForms: curves that repeat themselves are stored small, and what does
// not fit its sum is refused.
func TestCurvesForms(t *testing.T) {
	t.Parallel()
	var c compressor
	x := make([]float64, 200)
	random := make([]float64, 200)
	for i := range x {
		x[i], random[i] = float64(10*i), math.Sin(float64(i))
	}
	for _, test := range []struct {
		what string
		y    []float64
		form byte
		most int
	}{
		{"constant", make([]float64, 200), curvesFlate, 300},
		{"random", random, curvesPlain, 200*8 + 250},
	} {
		curves := []results.Curve{{Name: "return", X: x, Y: test.y}}
		data, sum := storeCurves(curves, &c)
		if data[0] != test.form || len(data) > test.most {
			t.Errorf("%s: form %d of %d bytes, want form %d of at most %d", test.what, data[0], len(data), test.form, test.most)
		}
		got, err := readCurves(string(data), sum)
		if diff := cmp.Diff(curves, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, want -, got +:\n%s", test.what, err, diff)
		}
		for _, bad := range []string{"", "\x07", string(data[:len(data)-1]), string(data[:9]) + "x" + string(data[10:])} {
			if _, err := readCurves(bad, sum); err == nil {
				t.Errorf("%s: %d other bytes are read", test.what, len(bad))
			}
		}
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, name := range []string{"a", "a b", "a%20b", "{a}", "}", "", "a:b", "é", "*", "name@2", "\x00\xff"} {
		e := escape(name)
		if strings.ContainsAny(e, "{}: *?[]\\\x00") || strings.Contains(e, "\xff") || seen[e] != "" {
			t.Errorf("%q is written %q, as %q is", name, e, seen[e])
		}
		seen[e] = name
	}
	if got := escape("delay-volatility@2"); got != "delay-volatility@2" {
		t.Errorf("plain names change: %q", got)
	}
}

func FuzzReadRecord(f *testing.F) {
	h := testHead(10, 3)
	for _, r := range []results.Record{
		{Trial: 3, Status: results.Done, Metrics: []float64{1, math.NaN(), 2}, Curves: []results.Curve{{}}},
		{Trial: 3, Status: results.Failed, Error: "x", Attempts: 3, Finished: time.Unix(1, 1)},
	} {
		f.Add(h.appendRecord(nil, &r, 1, 1, nil, [curvesSumBytes]byte{}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var floats []float64
		v, err := h.readRecord(0, string(data), &floats)
		if err == nil && (v.Trial >= 256 || len(v.Metrics) > 3 || v.errorLen > results.MaxError) {
			t.Errorf("%+v", v)
		}
	})
}

func FuzzReadCurves(f *testing.F) {
	data, sum := storeCurves([]results.Curve{{Name: "c", X: []float64{1}, Y: []float64{2}}}, &compressor{})
	f.Add(data, sum[:])
	f.Add([]byte{curvesFlate, 1, 2, 3}, sum[:])
	f.Fuzz(func(t *testing.T, data, sum []byte) {
		var s [curvesSumBytes]byte
		copy(s[:], sum)
		if curves, err := readCurves(string(data), s); err == nil {
			if _, again := storeCurves(curves, &compressor{}); len(curves) > 0 && again != s {
				t.Error("curves have two sums")
			}
		}
	})
}

func FuzzReadPieces(f *testing.F) {
	f.Add("17:0123456789abcdef18:0123456789abcdef")
	f.Add(":")
	f.Fuzz(func(t *testing.T, text string) {
		if n := len(readPieces(text)); n > len(text)/maskBytes {
			t.Errorf("%d pieces of %d bytes", n, len(text))
		}
	})
}

// TestReadHead: the plan's head is read only whole.
func TestReadHead(t *testing.T) {
	t.Parallel()
	s := &Store{options: Options{Namespace: "overnight"}}
	h := testHead(10, 0)
	h.plan.Metrics = []string{"return"}
	fields, err := h.fields()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]any, len(headFields))
	values[0], values[1] = h.inc, "rev"
	for i, name := range headFields {
		for k := 0; k < len(fields); k += 2 {
			if fields[k] == name {
				values[i] = fields[k+1]
			}
		}
	}
	if got, err := s.readHead("s", values); err != nil || got.plan.Points != 1<<62 {
		t.Fatalf("%+v, error %v", got, err)
	}
	text := values[2].(string)
	for i := range len(text) {
		b := []byte(text)
		b[i] ^= 1
		values[2] = string(b)
		if _, err := s.readHead("s", values); !errors.Is(err, results.ErrDamaged) {
			t.Fatalf("byte %d of %s changed: error %v", i, text, err)
		}
	}
}
