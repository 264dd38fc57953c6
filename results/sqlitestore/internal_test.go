package sqlitestore

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore/internal/engine"
)

func openInternal(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestDurable: the writing connection syncs every commit (guarantee G7), and
// readers can't write.
func TestDurable(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	err := s.outside(t.Context(), func(c *engine.Conn) error {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
			if got, err := queryText(c, "PRAGMA "+pragma); got != want || err != nil {
				t.Errorf("%s is %q, error %v, want %q", pragma, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.read(func(c *engine.Conn) error { return run(c, s.queries["forget-orders"], 0) })
	if !engine.IsReadOnly(err) {
		t.Errorf("a reading connection writes: error %v", err)
	}
}

// TestStatements: every statement is there, named as the code names it, and is
// understood.
func TestStatements(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	if err := s.Create(t.Context(), results.Plan{Study: "s", Metrics: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	fleet := map[string]bool{"beat": true, "workers": true, "forget-workers": true, "lease": true, "put-lease": true, "end-lease": true, "forget-leases": true}
	for name := range s.queries {
		if name == "workers-1" {
			continue // of another fleet.db; TestFormerFleet uses it
		}
		text := strings.ReplaceAll(s.queries.of(name, 1, 2), "{objective}", "m0")
		if regexp.MustCompile(`[{}]|--`).MatchString(text) || !strings.HasSuffix(text, ";") {
			t.Errorf("statement %s: %s", name, text)
		}
		with := s.readers.take
		if fleet[name] {
			with = func() (*engine.Conn, error) { return s.fleet.conn, nil }
		}
		c, err := with()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Prepare(text); err != nil {
			t.Errorf("statement %s: %v", name, err)
		}
		if !fleet[name] {
			s.readers.put(c)
		}
	}
}

// TestFloats: every float comes back bit for bit.
func TestFloats(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	p := results.Plan{Study: "s", Metrics: []string{"a"}, Points: 100, Trials: 100}
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	floats := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, math.Pi, 1e15, 1 << 47, 1 << 48, 1 << 52, 1<<53 - 1, 1 << 53, 1 << 62, 1 << 63, -1 << 63,
		1<<63 + 4096, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
		0x1p-1022, math.Inf(1), math.Inf(-1), math.NaN(), math.Float64frombits(0xfff8000000000001),
	}
	var rs []results.Record
	for i, x := range floats {
		rs = append(rs, results.Record{Trial: uint64(i), Point: uint64(i), Status: results.Done, Metrics: []float64{x}})
	}
	if _, err := s.Commit(t.Context(), "s", 0, rs); err != nil {
		t.Fatal(err)
	}
	for r, err := range s.Scan(t.Context(), "s", 0, 100) {
		if err != nil {
			t.Fatal(err)
		}
		got, want := r.Metrics[0], floats[r.Trial]
		if math.Float64bits(got) != math.Float64bits(want) && !(got != got && want != want) {
			t.Errorf("%v (%#x) comes back as %v (%#x)", want, math.Float64bits(want), got, math.Float64bits(got))
		}
	}
}

// TestGroups: calls that wait while a transaction runs share the next one, and
// one that is wrong fails alone.
func TestGroups(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	p := results.Plan{Study: "s", Metrics: []string{"a"}, Points: 100, Trials: 100}
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	const calls = 20
	gone := &task{commit: &commit{study: "gone", records: make([]results.Record, 1), verdicts: make([]results.Verdict, 1)}}
	errs := make(chan error, calls+1)
	before := make(chan int64, 1)
	log := func(c *engine.Conn) int64 {
		n, err := queryInt(c, "SELECT total_changes()")
		if err != nil {
			t.Error(err)
		}
		return n
	}
	// While the writer is busy here, the calls gather.
	err := s.outside(t.Context(), func(c *engine.Conn) error {
		before <- log(c)
		for i := range calls {
			go func() {
				r := results.Record{Trial: uint64(i), Status: results.Done, Metrics: []float64{1}}
				_, err := s.Commit(context.Background(), "s", 0, []results.Record{r})
				errs <- err
			}()
		}
		go func() { errs <- s.writer.do(context.Background(), gone) }()
		waitFor(t, func() bool {
			s.writer.mu.Lock()
			defer s.writer.mu.Unlock()
			return len(s.writer.queue) == calls+1
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range calls + 1 {
		if err := <-errs; errors.Is(err, results.ErrNotFound) {
			failed++
		} else if err != nil {
			t.Errorf("a call in the group: %v", err)
		}
	}
	if failed != 1 {
		t.Errorf("%d calls failed, want the one to a missing study", failed)
	}

	// Without a wrong one, all go in one transaction: one change of the tally.
	var after int64
	err = s.outside(t.Context(), func(c *engine.Conn) error {
		after = log(c)
		for i := range calls {
			go func() {
				r := results.Record{Trial: uint64(calls + i), Status: results.Done, Metrics: []float64{1}}
				_, err := s.Commit(context.Background(), "s", 0, []results.Record{r})
				errs <- err
			}()
		}
		waitFor(t, func() bool {
			s.writer.mu.Lock()
			defer s.writer.mu.Unlock()
			return len(s.writer.queue) == calls
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range calls {
		if err := <-errs; err != nil {
			t.Errorf("a call in the group: %v", err)
		}
	}
	var end int64
	if err := s.outside(t.Context(), func(c *engine.Conn) error { end = log(c); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := end - after; got != calls+1 {
		t.Errorf("%d calls changed %d rows, want %d: a record each and the tally once", calls, got, calls+1)
	}
	<-before
}

// waitFor polls a condition that another goroutine brings about.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 30_000 {
		if ok() {
			return
		}
		<-tick.C
	}
	t.Fatal("waited for 30 s in vain")
}

// TestCancelledWait: a call whose context ends while it waits is not run.
func TestCancelledWait(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	p := results.Plan{Study: "s", Metrics: []string{"a"}, Points: 100, Trials: 100}
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	err := s.outside(t.Context(), func(*engine.Conn) error {
		go func() {
			_, err := s.Commit(ctx, "s", 0, []results.Record{{Status: results.Done, Metrics: []float64{1}}})
			got <- err
		}()
		waitFor(t, func() bool {
			s.writer.mu.Lock()
			defer s.writer.mu.Unlock()
			return len(s.writer.queue) == 1
		})
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("Commit: error %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tally, err := s.Tally(t.Context(), "s"); tally.Total() != 0 || err != nil {
		t.Errorf("tally %+v, error %v, want nothing", tally, err)
	}
}

// TestFull: a commit that the disk has no room for fails, says so, and leaves the
// store as it was; with room it goes through.
func TestFull(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	p := results.Plan{Study: "s", Metrics: []string{"a"}, Points: 100_000, Trials: 100_000}
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	limit := func(pages string) {
		t.Helper()
		err := s.outside(t.Context(), func(c *engine.Conn) error { return c.Exec("PRAGMA max_page_count = " + pages) })
		if err != nil {
			t.Fatal(err)
		}
	}
	rs := make([]results.Record, 5000)
	for i := range rs {
		rs[i] = results.Record{Trial: uint64(i), Point: uint64(i), Status: results.Done, Metrics: []float64{1}}
	}
	limit("30")
	_, err := s.Commit(t.Context(), "s", 0, rs)
	if !engine.IsFull(err) || !strings.Contains(err.Error(), "is full; make room") {
		t.Errorf("Commit without room: error %v", err)
	}
	if tally, err := s.Tally(t.Context(), "s"); tally.Total() != 0 || err != nil {
		t.Errorf("tally %+v, error %v, want nothing", tally, err)
	}
	limit("1000000")
	if _, err := s.Commit(t.Context(), "s", 0, rs); err != nil {
		t.Errorf("Commit with room: %v", err)
	}
	for d, err := range s.Check(t.Context(), "") {
		t.Errorf("%v, error %v", d, err)
	}
}

// TestBusy: a commit that another process keeps waiting says so.
func TestBusy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var stores [2]*Store
	for i := range stores {
		s, err := Open(t.Context(), dir, Options{BusyTimeout: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		stores[i] = s
	}
	p := results.Plan{Study: "s", Metrics: []string{"a"}, Points: 1, Trials: 1}
	if err := stores[0].Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	rs := []results.Record{{Status: results.Done, Metrics: []float64{1}}}
	err := stores[0].change(t.Context(), func(*engine.Conn) error {
		_, err := stores[1].Commit(t.Context(), "s", 0, rs)
		if !engine.IsBusy(err) || !strings.Contains(err.Error(), "another process has been writing to "+dir) {
			t.Errorf("Commit beside a long write: error %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if vs, err := stores[1].Commit(t.Context(), "s", 0, rs); err != nil || vs[0] != results.Committed {
		t.Errorf("Commit after it: %v, error %v", vs, err)
	}
}
