package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// rows returns what a query yields, a line a row, as sqlite3 shows it.
func rows(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rs, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rs.Close()
	columns, err := rs.Columns()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{strings.Join(columns, "|")}
	for rs.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rs.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			if v = *v.(*any); v == nil {
				v = ""
			}
			cells = append(cells, fmt.Sprint(v))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// points yields descriptions of the points 0, 1, ...
func points(values ...[]any) iter.Seq2[uint64, []any] {
	return func(yield func(uint64, []any) bool) {
		for i, v := range values {
			if !yield(uint64(i), v) {
				return
			}
		}
	}
}

// TestView: a person can query a study under its own name, with points described
// and metrics named.
func TestView(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := create(t, s, "delay-volatility", 2, 6, 9)
	db := database(t, dir)
	want := []string{
		"trial|point|replication|status|return|regret|spend|attempts|elapsed_ms|worker|finished|error",
		"1|1|0|done|0.1|+Inf|2.1|1|0.001|host-1|2027-01-15T08:00:00.000Z|",
		"7|1|3|failed||||1|0.007|host-1|2027-01-15T08:00:00.000Z|trial 7: return is NaN\n\tat episode 3 \x00 \xff é",
	}
	const query = `SELECT * FROM "delay-volatility" WHERE trial IN (1, 7) ORDER BY trial`
	if diff := cmp.Diff(want, rows(t, db, query)); diff != "" {
		t.Errorf("before points are described, want -, got +:\n%s", diff)
	}

	described := func(columns []string, values ...[]any) {
		t.Helper()
		if err := s.Describe(t.Context(), p.Study, columns, points(values...)); err != nil {
			t.Fatal(err)
		}
	}
	described([]string{"other"}, []any{nil}, []any{1})
	columns := []string{"arm", "task", "env.delay", "lr", "trial", "Return", "on"}
	described(columns, []any{"random", "steady", "none", 0.5, int64(-3), nil, true}, []any{`re"inforce`, "jumps", "late", 1e-4, uint64(7), "x", false})
	want = []string{
		"trial|point|replication|status|arm|task|env.delay|lr|trial_2|Return|on|return_2|regret|spend|attempts|elapsed_ms|worker|finished|error",
		`1|1|0|done|re"inforce|jumps|late|0.0001|7|x|0|0.1|+Inf|2.1|1|0.001|host-1|2027-01-15T08:00:00.000Z|`,
	}
	if diff := cmp.Diff(want, rows(t, db, query)[:2]); diff != "" {
		t.Errorf("with points described, want -, got +:\n%s", diff)
	}
	got := rows(t, db, `SELECT arm, "on", count(*) AS n, count(return_2) AS finite FROM "delay-volatility" WHERE status = 'done' GROUP BY arm ORDER BY n`)
	if diff := cmp.Diff([]string{"arm|on|n|finite", `re"inforce|0|3|3`, "random|1|5|4"}, got); diff != "" {
		t.Errorf("by arm, want -, got +:\n%s", diff)
	}

	// A metric more appears, and studies has the names.
	_, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Metrics = append(p.Metrics, "roi"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if got := rows(t, db, query)[0]; !strings.Contains(got, "|spend|roi|attempts|") {
		t.Errorf("with a metric more: %s", got)
	}
	if diff := cmp.Diff([]string{"name|view|done|failed", "delay-volatility|delay-volatility|8|1"}, rows(t, db, "SELECT name, view, done, failed FROM studies")); diff != "" {
		t.Errorf("studies, want -, got +:\n%s", diff)
	}
}

// TestViewNames: views of studies whose names are taken get others, and deleted
// studies leave nothing in the schema.
func TestViewNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	db := database(t, dir)
	before := rows(t, db, "SELECT name FROM sqlite_schema ORDER BY name")
	names := []string{"plain", "Plain", "studies", "records_2", "records_9", "sqlite_x", `a "quoted" one; DROP TABLE studies; --`, "name@2", "{id}", "é", "1", "select"}
	views := []string{"plain", "2 Plain", "3 studies", "4 records_2", "5 records_9", "6 sqlite_x", names[6], "name@2", "{id}", "é", "1", "select"}
	for i, name := range names {
		// Metrics are as odd as names can be.
		p := storetest.NewPlan(name, 1, 3)
		p.Metrics = []string{name, strings.ToUpper(name) + "x", "trial"}
		if err := s.Create(t.Context(), p); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		commit(t, s, p, storetest.NewRecords(&p, 0, 3)...)
		if err := s.Describe(t.Context(), name, []string{"arm"}, points([]any{name})); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		view := strings.ReplaceAll(views[i], `"`, `""`)
		got := rows(t, db, fmt.Sprintf(`SELECT arm, count(*) FROM "%s"`, view))
		if want := []string{"arm|count(*)", name + "|3"}; !slices.Equal(got, want) {
			t.Errorf("view %s: %q, want %q", views[i], got, want)
		}
	}
	for _, name := range names {
		if err := s.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, rows(t, db, "SELECT name FROM sqlite_schema ORDER BY name")); diff != "" {
		t.Errorf("schema after all studies were deleted, want -, got +:\n%s", diff)
	}
	if got := rows(t, db, "SELECT (SELECT count(*) FROM studies) + (SELECT count(*) FROM bodies)"); got[1] != "0" {
		t.Errorf("%s rows of deleted studies are left", got[1])
	}
}

func TestDescribeRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	create(t, s, "study", 2, 1, 2)
	for what, test := range map[string]struct {
		columns []string
		values  []any
		want    string
	}{
		"too few values": {[]string{"a", "b"}, []any{1}, "1 values for 2 columns"},
		"a list":         {[]string{"a"}, []any{[]int{1}}, `column "a" holds a []int`},
		"no name":        {[]string{""}, []any{1}, "can't name a column"},
		"a zero byte":    {[]string{"a\x00"}, []any{1}, "can't name a column"},
	} {
		if err := s.Describe(t.Context(), "study", test.columns, points(test.values)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", what, err, test.want)
		}
	}
	// What was refused left the view as it was.
	if got := rows(t, database(t, dir), `SELECT count(*) FROM "study"`); got[1] != "2" {
		t.Errorf("the view has %s trials, want 2", got[1])
	}
	if ds := damages(t, s, ""); len(ds) != 0 {
		t.Errorf("Check: %v", ds)
	}
}
