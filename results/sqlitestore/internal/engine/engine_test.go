package engine_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"overnight/results/sqlitestore/internal/engine"
)

func open(t *testing.T) *engine.Conn {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "a ?&%.db"))
}

func openAt(t *testing.T, path string) *engine.Conn {
	t.Helper()
	c, err := engine.Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func prepare(t *testing.T, c *engine.Conn, query string) *engine.Stmt {
	t.Helper()
	st, err := c.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestValues(t *testing.T) {
	t.Parallel()
	c := open(t)
	if err := c.Exec("CREATE TABLE t (i, f, s, b, n); SELECT 1"); err != nil {
		t.Fatal(err)
	}
	insert := prepare(t, c, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)")
	read := prepare(t, c, "SELECT i, f, s, b, n, typeof(s), typeof(b) FROM t WHERE rowid = ?1")
	for i, v := range []struct {
		i int64
		f float64
		s string
		b []byte
	}{
		{0, 0, "", nil},
		{-1, math.Inf(-1), "é\x00\xff", []byte{}},
		{math.MaxInt64, math.Copysign(0, -1), strings.Repeat("x", 100_000), make([]byte, 3<<20)},
		{math.MinInt64, math.SmallestNonzeroFloat64, " ", []byte{0, 255}},
	} {
		insert.BindInt(1, v.i)
		insert.BindFloat(2, v.f)
		insert.BindText(3, v.s)
		insert.BindBytes(4, v.b)
		insert.BindNull(5)
		if err := insert.Run(); err != nil {
			t.Fatal(err)
		}
		if c.Changes() != 1 {
			t.Errorf("%d rows changed", c.Changes())
		}
		read.BindInt(1, int64(i+1))
		row, err := read.Step()
		if err != nil || !row {
			t.Fatal(row, err)
		}
		if read.Int(0) != v.i || math.Float64bits(read.Float(1)) != math.Float64bits(v.f) || read.Text(2) != v.s || string(read.View(3)) != string(v.b) {
			t.Errorf("row %d is another", i)
		}
		if !read.IsNull(4) || read.IsNull(2) || read.Text(5) != "text" || read.Text(6) != "blob" {
			t.Errorf("row %d has types %s, %s", i, read.Text(5), read.Text(6))
		}
		if row, err := read.Step(); row || err != nil {
			t.Errorf("a second row: %v, %v", row, err)
		}
		read.Reset()
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	c := open(t)
	if err := c.Exec("CREATE TABLE t (i PRIMARY KEY); INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if err := c.Exec("SELECT absent"); err == nil || !strings.Contains(err.Error(), "no such column: absent") {
		t.Errorf("a wrong column: %v", err)
	}
	if _, err := c.Prepare("SELEC"); err == nil || !strings.Contains(err.Error(), `prepare "SELEC"`) {
		t.Errorf("a wrong statement: %v", err)
	}
	st := prepare(t, c, "INSERT INTO t VALUES (?1)")
	st.BindInt(2, 5)
	if err := st.Run(); err == nil {
		t.Error("a parameter that is not there is bound")
	}
	st.BindInt(1, 1)
	var e *engine.Error
	if err := st.Run(); !errors.As(err, &e) || e.Code&0xff != 19 { // SQLITE_CONSTRAINT
		t.Errorf("a key twice: %v", err)
	}
	st.BindInt(1, 2)
	if err := st.Run(); err != nil {
		t.Errorf("after errors: %v", err)
	}
	if _, err := engine.Open(filepath.Join(t.TempDir(), "none"), false); !engine.IsCantOpen(err) {
		t.Errorf("a missing file: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte(strings.Repeat("x", 4096)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := openAt(t, bad).Exec("SELECT * FROM sqlite_schema"); !engine.IsCorrupt(err) {
		t.Errorf("a file of something else: %v", err)
	}
	if err := c.Exec("PRAGMA query_only = ON; DELETE FROM t"); !engine.IsReadOnly(err) {
		t.Errorf("a write without permission: %v", err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	a, b := openAt(t, path), openAt(t, path)
	b.SetBusyTimeout(time.Millisecond)
	if err := a.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if !a.InTransaction() || b.InTransaction() {
		t.Error("the wrong connection is in a transaction")
	}
	if err := b.Exec("BEGIN IMMEDIATE"); !engine.IsBusy(err) {
		t.Errorf("two write at once: %v", err)
	}
	if err := a.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := b.Exec("BEGIN IMMEDIATE; COMMIT"); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	c := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	release := c.InterruptWhenDone(ctx)
	st := prepare(t, c, "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i = 3 OR i < 0")
	if row, err := st.Step(); !row || err != nil {
		t.Fatal(row, err)
	}
	cancel() // the next row never comes
	if _, err := st.Step(); !engine.IsInterrupted(err) {
		t.Errorf("error %v, want that of an interrupt", err)
	}
	st.Reset()
	release()
	c.InterruptWhenDone(t.Context())()
	if err := c.Exec("SELECT 1"); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
}

func TestTrim(t *testing.T) {
	t.Parallel()
	c := open(t)
	first := prepare(t, c, "SELECT 0")
	if again := prepare(t, c, "SELECT 0"); again != first {
		t.Error("a statement is prepared twice")
	}
	c.Trim()
	if again := prepare(t, c, "SELECT 0"); again != first {
		t.Error("Trim drops one of few statements")
	}
	for i := range 100 {
		prepare(t, c, "SELECT "+strings.Repeat("1+", i)+"1")
	}
	c.Trim()
	st := prepare(t, c, "SELECT 7")
	if row, err := st.Step(); !row || err != nil || st.Int(0) != 7 || st.Columns() != 1 {
		t.Errorf("after Trim: %v, %v", row, err)
	}
}
