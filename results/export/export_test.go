package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/results"
)

// study has a named and an unnamed grid, a factor of one arm alone, and a name
// with a comma.
const study = `
study: small
env:
  name: marketing
  delay: {grid: {none: [1], "late, very": [0, 1]}}
  volatility_scale: {grid: [0, 0.5]}
agents:
  - {name: equal}
  - {as: learner, name: reinforce, learning_rate: {grid: [1e-3, 0.01]}}
replications: 2
`

func parse(t testing.TB, src string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("small.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// records makes one record for each of the first n trials.
func records(s *jobs.Study, n uint64) []results.Record {
	var rs []results.Record
	for trial := range n {
		point, replication := s.Split(trial)
		r := results.Record{
			Trial: trial, Point: point, Replication: replication, Status: results.Done, Attempts: 1,
			Elapsed: 1500*time.Microsecond + time.Duration(trial), Metrics: make([]float64, len(s.Metrics)),
			Curves: []results.Curve{{Name: "return", X: []float64{10, 20}, Y: []float64{.1 * float64(trial), math.NaN()}}},
		}
		for i := range r.Metrics {
			r.Metrics[i] = float64(trial) + float64(i)/3
		}
		rs = append(rs, r)
	}
	return rs
}

func all(rs []results.Record) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestTrialsCSV(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	rs := records(s, s.Trials())
	rs[1].Metrics[0] = math.NaN()
	rs[2].Metrics[0] = math.Inf(-1)
	rs[3].Status, rs[3].Metrics, rs[3].Attempts = results.Failed, nil, 3
	var b bytes.Buffer
	if err := Trials(&b, s, all(rs), CSV); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{"trial", "point", "replication", "arm", "agent", "status", "attempts", "elapsed_ms",
		"env.delay", "env.volatility_scale", "learner.learning_rate"}, s.Metrics...)
	if !slices.Equal(rows[0], want) {
		t.Errorf("header %q, want %q", rows[0], want)
	}
	if len(rows) != 1+12*2 {
		t.Fatalf("%d rows, want a header and 24", len(rows))
	}
	for i, want := range []string{
		"0,0,0,equal,equal,done,1,1.5,none,0,,0",
		"1,1,0,equal,equal,done,1,1.500001,none,0.5,,",
		"2,2,0,equal,equal,done,1,1.500002,late, very,0,,-Inf",
		"3,3,0,equal,equal,failed,3,1.500003,late, very,0.5,,",
		"4,4,0,learner,reinforce,done,1,1.500004,none,0,0.001,4",
		"5,5,0,learner,reinforce,done,1,1.500005,none,0,0.01,5",
	} {
		if got := strings.Join(rows[i+1][:12], ","); got != want {
			t.Errorf("row %d is %s, want %s", i, got, want)
		}
	}
	if got := strings.Join(rows[13][:5], ","); got != "12,0,1,equal,equal" {
		t.Errorf("the second replication begins with %s", got)
	}
	if got := rows[6][12]; got != "5.333333333333333" {
		t.Errorf("16/3 is written %s, want the shortest text that reads back", got)
	}
}

func TestTrialsJSONL(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	rs := records(s, 5)
	rs[0].Metrics[0] = math.NaN()
	rs[1].Metrics[0] = math.Inf(1)
	var b bytes.Buffer
	if err := Trials(&b, s, all(rs), JSONL); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines, want 5", len(lines))
	}
	for i, want := range []string{
		`{"trial":0,"point":0,"replication":0,"arm":"equal","agent":"equal","status":"done","attempts":1,"elapsed_ms":1.5,"env.delay":"none","env.volatility_scale":0,"learner.learning_rate":null,"` + s.Metrics[0] + `":null,`,
		`{"trial":1,"point":1,"replication":0,"arm":"equal","agent":"equal","status":"done","attempts":1,"elapsed_ms":1.500001,"env.delay":"none","env.volatility_scale":0.5,"learner.learning_rate":null,"` + s.Metrics[0] + `":null,`,
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %s, want it to begin with %s", i, lines[i], want)
		}
	}
	for _, line := range lines {
		// Keys are in the columns' order.
		d, keys := json.NewDecoder(strings.NewReader(line)), []string(nil)
		for depth := 0; ; {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if tok == json.Delim('{') {
				depth++
				continue
			}
			if key, ok := tok.(string); ok && depth == 1 {
				keys = append(keys, key)
				if _, err := d.Token(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !slices.Equal(keys, TrialColumns(s)) {
			t.Errorf("keys %q, want %q", keys, TrialColumns(s))
		}
	}
}

func TestTasksHaveAColumn(t *testing.T) {
	t.Parallel()
	s := parse(t, `
study: two
envs: [{as: steady, name: marketing}, {as: jumps, name: marketing, volatility_scale: 3}]
agents: [{name: equal}]
`)
	var b strings.Builder
	if err := Trials(&b, s, all(records(s, 2)), CSV); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasPrefix(lines[0], "trial,point,replication,arm,agent,task,status,") || !strings.HasPrefix(lines[2], "1,1,0,equal,equal,jumps,done,") {
		t.Errorf("got\n%s", b.String())
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	for format, want := range map[Format]string{CSV: strings.Join(TrialColumns(s), ",") + "\n", JSONL: ""} {
		var b strings.Builder
		if err := Trials(&b, s, all(nil), format); err != nil || b.String() != want {
			t.Errorf("%s of no records: %v, %q, want %q", format, err, b.String(), want)
		}
	}
	var b strings.Builder
	if err := Curves(&b, s, all(nil), CSV); err != nil || b.String() != "trial,point,replication,arm,curve,x,y\n" {
		t.Errorf("no curves: %v, %q", err, b.String())
	}
}

func TestCurves(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	var b strings.Builder
	if err := Curves(&b, s, all(records(s, 5)[3:]), CSV); err != nil {
		t.Fatal(err)
	}
	want := `trial,point,replication,arm,curve,x,y
3,3,0,equal,return,10,0.30000000000000004
3,3,0,equal,return,20,
4,4,0,learner,return,10,0.4
4,4,0,learner,return,20,
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := parse(t, study)
	rs := records(s, 4)
	var b strings.Builder
	err := Trials(&b, s, func(yield func(results.Record, error) bool) {
		_ = yield(rs[0], nil) && yield(results.Record{Trial: 1}, fmt.Errorf("trial 1: %w", results.ErrDamaged)) && yield(rs[2], nil)
	}, CSV)
	if !errors.Is(err, results.ErrDamaged) || !strings.Contains(err.Error(), "trials [1]") || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("with a damaged record: %v and\n%s", err, b.String())
	}
	gone := errors.New("disk gone")
	err = Trials(io.Discard, s, func(yield func(results.Record, error) bool) { yield(results.Record{}, gone) }, CSV)
	if !errors.Is(err, gone) {
		t.Errorf("a scan's error became %v", err)
	}
	rs[0].Point = 1000
	if err := Trials(io.Discard, s, all(rs), JSONL); err == nil || !strings.Contains(err.Error(), "no point 1000") {
		t.Errorf("a record of point 1000 gives %v", err)
	}
	if err := Trials(io.Discard, s, all(nil), "xml"); err == nil || !strings.Contains(err.Error(), "write csv, jsonl or parquet") {
		t.Errorf("format xml gives %v", err)
	}
	full := writer(func([]byte) (int, error) { return 0, gone })
	for _, f := range []Format{CSV, JSONL} {
		if err := Trials(full, s, all(records(s, 2)), f); !errors.Is(err, gone) {
			t.Errorf("%s to a full disk gives %v", f, err)
		}
	}
}

// FuzzCSV compares with encoding/csv.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"", "a,b", " a", "a\"b", "\\.", "a\r\nb", "\u00a0x", "\xff"} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		var got, want bytes.Buffer
		w := csv.NewWriter(&want)
		if err := errors.Join(w.Write([]string{"a", "b"}), w.Write([]string{a, b})); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		table, err := NewTable(&got, CSV, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(table.Row(a, b), table.Close()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%q, %q: got %q, want %q", a, b, got.Bytes(), want.Bytes())
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestTable(t *testing.T) {
	t.Parallel()
	row := []any{uint64(1), -2, 0.1, math.NaN(), true, "a\"b,\nπ", nil, int64(-1 << 62), math.Inf(1)}
	columns := []string{"u", "i", "f", "nan", "b", "s", "null", "big", "inf"}
	for format, want := range map[Format]string{
		CSV:   "u,i,f,nan,b,s,null,big,inf\n1,-2,0.1,,true,\"a\"\"b,\nπ\",,-4611686018427387904,Inf\n",
		JSONL: `{"u":1,"i":-2,"f":0.1,"nan":null,"b":true,"s":"a\"b,\nπ","null":null,"big":-4611686018427387904,"inf":null}` + "\n",
	} {
		var b strings.Builder
		table, err := NewTable(&b, format, columns)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(table.Row(row...), table.Close()); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", format, err, b.String(), want)
		}
		for name, bad := range map[string][]any{"too few": row[:3], "too many": append(row[:9:9], 1), "a type": {struct{}{}, 1, 1, 1, 1, 1, 1, 1, 1}} {
			table, err := NewTable(io.Discard, format, columns)
			if err != nil {
				t.Fatal(err)
			}
			if err := table.Row(bad...); err == nil {
				t.Errorf("%s: %s cells are taken", format, name)
			}
			if err := table.Row(row...); err == nil {
				t.Errorf("%s: the error of %s cells did not stay", format, name)
			}
		}
	}
	if _, err := NewTable(io.Discard, CSV, []string{"a", "a"}); err == nil {
		t.Error("two columns of one name are taken")
	}
	if _, err := NewTable(io.Discard, CSV, nil); err == nil {
		t.Error("no columns are taken")
	}
}

// TestColumnNames: names that collide stay apart.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	s := &jobs.Study{
		Factors: []jobs.Factor{{Name: "trial"}, {Name: "roi"}},
		Metrics: []string{"return", "roi"},
	}
	got := TrialColumns(s)[8:]
	want := []string{"factor.trial", "roi", "return", "metric.roi"}
	if !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

func BenchmarkTrials(b *testing.B) {
	s := parse(b, study)
	rs := records(s, s.Trials())
	const passes = 1000
	scan := func(yield func(results.Record, error) bool) {
		for range passes {
			for i := range rs {
				if !yield(rs[i], nil) {
					return
				}
			}
		}
	}
	for _, f := range []Format{CSV, JSONL} {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Trials(io.Discard, s, scan, f); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*passes*float64(len(rs))/b.Elapsed().Seconds(), "records/s")
		})
	}
}
