package redisstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

// backup returns what puts a server back to how it is now.
func backup(t *testing.T, rdb *redis.Client) (restore func()) {
	t.Helper()
	saved := make(map[string]string)
	for _, key := range everyKey(t, rdb) {
		saved[key] = rdb.Dump(t.Context(), key).Val()
	}
	return func() {
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		for key, data := range saved {
			if err := rdb.Restore(t.Context(), key, 0, data).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAnsweredIsLost: a server that has lost what it had answered, by a failover
// or a restored backup, gives a worker's number to another: clients that know the
// old ones neither write nor see damage.
func TestAnsweredIsLost(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	a, b := open(t, rdb, redisstore.Options{}), open(t, rdb, redisstore.Options{})
	p := create(t, a, "study", 100, 100, 0)
	by := func(s *redisstore.Store, worker string, trials ...uint64) []results.Verdict {
		var rs []results.Record
		for _, trial := range trials {
			r := storetest.NewRecord(&p, trial)
			r.Worker = worker
			rs = append(rs, r)
		}
		return commit(t, s, p, rs...)
	}
	restore := backup(t, rdb)
	by(a, "alice", 1, 2)
	restore()
	by(b, "bob", 1, 2)
	// To a, the number is alice's.
	if vs := by(a, "carol", 2); vs[0] != results.Duplicate {
		t.Errorf("verdict %v of a record that is there", vs[0])
	}
	if vs := by(a, "alice", 3, 200); vs[0] != results.Committed || vs[1] != results.Committed {
		t.Errorf("verdicts %v, want committed", vs)
	}
	want := map[uint64]string{1: "bob", 2: "bob", 3: "alice", 200: "alice"}
	for name, s := range map[string]*redisstore.Store{"a": a, "b": b, "another": open(t, rdb, redisstore.Options{})} {
		if ds := damages(t, s, ""); len(ds) > 0 {
			t.Errorf("store %s: Check: %v", name, ds)
		}
		n := 0
		for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
			if err != nil || r.Worker != want[r.Trial] {
				t.Errorf("store %s: trial %d by %q, error %v, want %q", name, r.Trial, r.Worker, err, want[r.Trial])
			}
			n++
		}
		if n != len(want) {
			t.Errorf("store %s: %d records, want %d", name, n, len(want))
		}
	}
}

// twice sends everything two times and forgets the first answer, as go-redis does
// where a connection breaks in between.
type twice struct{ on atomic.Bool }

func (w *twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (w *twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if w.on.Load() {
			_ = next(ctx, cmd)
			cmd.SetErr(nil)
		}
		return next(ctx, cmd)
	}
}

func (w *twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if w.on.Load() {
			_ = next(ctx, cmds)
			for _, cmd := range cmds {
				cmd.SetErr(nil)
			}
		}
		return next(ctx, cmds)
	}
}

// TestSentTwice: what is counted is counted once, however often it is sent.
func TestSentTwice(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	w := &twice{}
	rdb.AddHook(w)
	s := open(t, rdb, redisstore.Options{})
	p := create(t, s, "study", 100, 100, 1000)
	before, err := s.Tally(t.Context(), p.Study)
	if err != nil {
		t.Fatal(err)
	}
	w.on.Store(true)
	late := storetest.NewRecords(&p, 0, 10)
	var wasted time.Duration
	for _, r := range late {
		wasted += 2 * r.Elapsed
	}
	commit(t, s, p, late...)
	if vs, err := s.Commit(t.Context(), p.Study, p.Generation+1, late); err != nil || vs[0] != results.Stale {
		t.Fatalf("verdicts %v, error %v", vs, err)
	}
	want := before
	want.Duplicates, want.Stale, want.Wasted = 10, 10, wasted
	if got, err := s.Tally(t.Context(), p.Study); err != nil || got != want {
		t.Errorf("tally %+v, error %v, want %+v", got, err, want)
	}

	// Damage makes Discard count all records again, and Leaders add them up anew.
	w.on.Store(false)
	v := vandal{t, rdb}
	for _, field := range []string{"3", "4"} {
		v.do("hdel", v.own(p.Study, "r:0"), field)
	}
	w.on.Store(true)
	if _, err := s.Discard(t.Context(), p.Study, []uint64{3, 4}); err != nil {
		t.Fatal(err)
	}
	checkLeaders(t, s, p)
	checkLeaders(t, s, p) // of the leaderboard that the first made
	if l, err := s.Ledger(t.Context(), p.Study); err != nil || l.Count() != 998 {
		t.Errorf("ledger %v, error %v", l, err)
	}
	if ds := damages(t, s, ""); len(ds) > 0 {
		t.Errorf("Check: %v", ds)
	}
}

// TestStopped: a server that stands still hangs nobody whose context ends, and not
// Close.
func TestStopped(t *testing.T) {
	t.Parallel()
	r := server(t)
	s, err := redisstore.New(t.Context(), client(t, r.Addr), redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := create(t, s, "study", 100, 100, 100)
	r.Signal(syscall.SIGSTOP)
	defer r.Signal(syscall.SIGCONT)
	calls := map[string]func(context.Context) error{
		"Beat":    func(ctx context.Context) error { return second(s.Beat(ctx, results.Worker{ID: "w"}, 0)) },
		"Workers": func(ctx context.Context) error { return second(s.Workers(ctx)) },
		"Give":    func(ctx context.Context) error { return s.Give(ctx, results.Order{Kind: results.Drain}) },
		"Lease":   func(ctx context.Context) error { return second(s.Lease(ctx, "serve", "x", time.Second)) },
		"Plan":    func(ctx context.Context) error { return second(s.Plan(ctx, p.Study)) },
		"Studies": func(ctx context.Context) error { return second(s.Studies(ctx)) },
		"Create":  func(ctx context.Context) error { return s.Create(ctx, storetest.NewPlan("other", 2, 2)) },
		"Update": func(ctx context.Context) error {
			return second(s.Update(ctx, p.Study, func(*results.Plan) error { return nil }))
		},
		"Delete":         func(ctx context.Context) error { return s.Delete(ctx, "other") },
		"Ledger":         func(ctx context.Context) error { return second(s.Ledger(ctx, p.Study)) },
		"Tally":          func(ctx context.Context) error { return second(s.Tally(ctx, p.Study)) },
		"Leaders":        func(ctx context.Context) error { return second(s.Leaders(ctx, p.Study, 10, false)) },
		"Discard":        func(ctx context.Context) error { return second(s.Discard(ctx, p.Study, []uint64{1})) },
		"SaveCheckpoint": func(ctx context.Context) error { return s.SaveCheckpoint(ctx, p.Study, 1, 200, []byte("x")) },
		"Checkpoint":     func(ctx context.Context) error { return second(s.Checkpoint(ctx, p.Study, 1, 200)) },
		"Commit": func(ctx context.Context) error {
			return second(s.Commit(ctx, p.Study, 1, storetest.NewRecords(&p, 200, 300)))
		},
		"Follow": func(ctx context.Context) error { return s.Follow(ctx, p.Study, func([]results.Record) {}) },
		"Scan": func(ctx context.Context) error {
			for _, err := range s.Scan(ctx, p.Study, 0, 100) {
				return err
			}
			return nil
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	type ended struct {
		name string
		err  error
		at   time.Time
	}
	all := make(chan ended)
	for name, call := range calls {
		go func() { all <- ended{name, call(ctx), time.Now()} }()
	}
	waiting := make(chan error, 1)
	go func() {
		waiting <- second(s.Commit(context.WithoutCancel(ctx), p.Study, 1, storetest.NewRecords(&p, 300, 400)))
	}()
	time.AfterFunc(300*time.Millisecond, cancel)
	<-ctx.Done()
	cancelled := time.Now()
	for range calls {
		e := <-all
		if !errors.Is(e.err, context.Canceled) || e.at.Sub(cancelled) > time.Second {
			t.Errorf("%s: error %v, %v after it was cancelled", e.name, e.err, e.at.Sub(cancelled))
		}
	}
	began := time.Now()
	if err := s.Close(); err == nil {
		t.Error("Close tells nothing of commits without an answer")
	}
	if took := time.Since(began); took > 7*time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := <-waiting; !errors.Is(err, redisstore.ErrClosed) {
		t.Errorf("a commit at Close: %v", err)
	}
}
