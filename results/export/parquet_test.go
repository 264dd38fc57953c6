package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"overnight/jobs"
	"overnight/results"
)

// readBack returns a Parquet file's columns and rows, as CSV would have them.
func readBack(t testing.TB, b []byte) (f *parquet.File, header []string, rows [][]string) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Schema().Fields() {
		header = append(header, c.Name())
	}
	for _, g := range f.RowGroups() {
		in := g.Rows()
		buf := make([]parquet.Row, 100)
		for {
			n, err := in.ReadRows(buf)
			for _, row := range buf[:n] {
				var cells []string
				for _, v := range row {
					switch v.Kind() {
					case parquet.Double:
						cells = append(cells, strconv.FormatFloat(v.Double(), 'g', -1, 64))
					case parquet.Int64:
						cells = append(cells, strconv.FormatInt(v.Int64(), 10))
					case parquet.Boolean:
						cells = append(cells, strconv.FormatBool(v.Boolean()))
					case parquet.ByteArray:
						cells = append(cells, string(v.ByteArray()))
					default:
						cells = append(cells, "")
					}
				}
				rows = append(rows, cells)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return f, header, rows
}

// typed has a factor of each type.
const typed = `
study: typed
env:
  name: marketing
  budget: {grid: [300, 900.5]}
  horizon: {grid: [7, 14]}
  delay: {grid: {none: [1], "7": [0, 1]}}
agents:
  - {name: equal}
  - {as: learner, name: reinforce, learning_rate: {grid: [1e-3, 0.01]}, faithful: {grid: [true, false]}}
replications: 2
`

// TestParquetIsCSV: the cells are those of CSV, in its order, with types.
func TestParquetIsCSV(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{"small": study, "typed": typed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := parse(t, src)
			rs := records(s, s.Trials())
			rs[1].Metrics[0] = math.NaN()
			rs[3].Status, rs[3].Metrics = results.Failed, nil
			for what, write := range map[string]func(io.Writer, Format) error{
				"trials": func(w io.Writer, f Format) error { return Trials(w, s, all(rs), f, Meta{"overnight.study", s.Name}) },
				"curves": func(w io.Writer, f Format) error { return Curves(w, s, all(rs), f, Meta{"overnight.study", s.Name}) },
			} {
				var text, binary bytes.Buffer
				if err := errors.Join(write(&text, CSV), write(&binary, Parquet)); err != nil {
					t.Fatal(err)
				}
				want, err := csv.NewReader(&text).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				f, header, rows := readBack(t, binary.Bytes())
				if diff := cmp.Diff(want, append([][]string{header}, rows...)); diff != "" {
					t.Errorf("%s: CSV (-) and Parquet (+) differ:\n%s", what, diff)
				}
				if v, ok := f.Lookup("overnight.study"); !ok || v != s.Name {
					t.Errorf("%s: the file says it is of study %q", what, v)
				}
			}
		})
	}
}

func TestParquetTypes(t *testing.T) {
	t.Parallel()
	s := parse(t, typed)
	got := map[string]Type{}
	for _, c := range trialColumns(s) {
		got[c.Name] = c.Type
	}
	for name, want := range map[string]Type{
		"trial": Integer, "arm": String, "elapsed_ms": Float, "env.budget": Float, "env.horizon": Integer,
		"env.delay": String, "learner.learning_rate": Float, "learner.faithful": Boolean, "return": Float,
	} {
		if got[name] != want {
			t.Errorf("column %s has the type %d, want %d", name, got[name], want)
		}
	}
	if n := factorType(&jobs.Factor{Kind: jobs.IntUniform}); n != Integer {
		t.Errorf("an integer range has the type %d", n)
	}
	if n := factorType(&jobs.Factor{Kind: jobs.LogUniform}); n != Float {
		t.Errorf("a range has the type %d", n)
	}
}

func TestParquetInfinities(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table, err := NewColumns(&b, Parquet, []Column{{Name: "z", Type: Float, Optional: true}, {Name: "a", Type: String, Optional: true}})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(table.Row(math.Inf(1), "x"), table.Row(math.Inf(-1), nil), table.Row(math.NaN(), 7), table.Row(nil, .5), table.Close())
	if err != nil {
		t.Fatal(err)
	}
	_, header, rows := readBack(t, b.Bytes())
	want := [][]string{{"z", "a"}, {"+Inf", "x"}, {"-Inf", ""}, {"", "7"}, {"", "0.5"}}
	if diff := cmp.Diff(want, append([][]string{header}, rows...)); diff != "" {
		t.Error(diff)
	}
}

func TestParquetErrors(t *testing.T) {
	t.Parallel()
	columns := []Column{{Name: "n", Type: Integer}, {Name: "b", Type: Boolean, Optional: true}}
	for name, row := range map[string][]any{
		"text where a number goes": {"x", true},
		"no cell where one must":   {nil, true},
		"too few cells":            {1},
		"too many cells":           {1, true, 2},
		"beyond 63 bits":           {uint64(math.MaxUint64), true},
	} {
		var b bytes.Buffer
		table, err := NewColumns(&b, Parquet, columns)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.Row(row...); err == nil {
			t.Errorf("%s is taken", name)
		}
		if err := table.Close(); err == nil {
			t.Errorf("%s: a file with an error was closed as if whole", name)
		}
	}
	if _, err := NewColumns(io.Discard, Parquet, append(columns, columns[0])); err == nil {
		t.Error("two columns of one name are taken")
	}
	if _, err := NewTable(io.Discard, Parquet, []string{"a"}); err == nil {
		t.Error("parquet without types is taken")
	}
	gone := errors.New("disk gone")
	full := writer(func([]byte) (int, error) { return 0, gone })
	s := parse(t, study)
	if err := Trials(full, s, all(records(s, 2)), Parquet); !errors.Is(err, gone) {
		t.Errorf("a full disk gives %v", err)
	}
}

// TestParquetGroups: many rows go to several row groups, the same bytes each
// time, and memory does not grow with them.
func TestParquetGroups(t *testing.T) {
	t.Parallel()
	write := func(w io.Writer, n int) {
		table, err := NewColumns(w, Parquet, []Column{{Name: "trial", Type: Integer}, {Name: "arm"}, {Name: "x", Type: Float, Optional: true}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			table.Int(int64(i))
			table.Text("arm" + strconv.Itoa(i%3))
			table.Float(math.Sqrt(float64(i)))
			if err := table.End(); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const n = 2*groupRows + 10
	var a, b bytes.Buffer
	write(&a, n)
	write(&b, n)
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same rows give different bytes")
	}
	f, _, rows := readBack(t, a.Bytes())
	if len(f.RowGroups()) != 3 || len(rows) != n {
		t.Fatalf("%d rows in %d groups, want %d in 3", len(rows), len(f.RowGroups()), n)
	}
	for _, i := range []int{0, groupRows - 1, groupRows, n - 1} {
		want := []string{strconv.Itoa(i), fmt.Sprint("arm", i%3), strconv.FormatFloat(math.Sqrt(float64(i)), 'g', -1, 64)}
		if !slices.Equal(rows[i], want) {
			t.Errorf("row %d is %q, want %q", i, rows[i], want)
		}
	}
}

// BenchmarkFormats writes trials of a study with 3 factors and all metrics of the
// marketing problem, a million rows per op: CSV and JSON lines beside Parquet.
func BenchmarkFormats(b *testing.B) {
	s := parse(b, strings.Replace(study, "replications: 2", "replications: 83334", 1))
	rs := records(s, s.Points()*100)
	const rows = 1_000_000
	many := func(yield func(results.Record, error) bool) {
		for i := range uint64(rows) {
			r := rs[i%uint64(len(rs))]
			r.Trial = i
			r.Replication = i / s.Points()
			for k := range r.Metrics {
				r.Metrics[k] = math.Sqrt(float64(i + uint64(k)*rows)) // no two alike
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	for _, f := range []Format{CSV, JSONL, Parquet} {
		b.Run(string(f), func(b *testing.B) {
			var n counter
			for b.Loop() {
				n = 0
				if err := Trials(&n, s, many, f); err != nil {
					b.Fatal(err)
				}
			}
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(n)/rows, "B/row")
			b.ReportMetric(float64(mem.Sys)/1e6, "MB-from-OS")
		})
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }
