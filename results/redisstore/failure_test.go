package redisstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

func split(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// wantAdvice wants an error of Redis inside, and what to do about it.
func wantAdvice(t *testing.T, err error, prefix, advice string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), prefix) || !strings.Contains(err.Error(), advice) {
		t.Errorf("error %v, want one with %q and %q", err, prefix, advice)
	}
}

// TestFull: at maxmemory a commit is refused whole, says what to do, and goes on
// when there is room.
func TestFull(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	s := open(t, rdb, redisstore.Options{})
	p, other := create(t, s, "study", 100, 100, 1000), create(t, s, "other", 100, 100, 1000)
	if _, err := s.Lease(t.Context(), "serve", "leader", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, 900, 2000))
	wantAdvice(t, err, "OOM", "raise it")
	_, err = s.Discard(t.Context(), p.Study, []uint64{1, 2})
	wantAdvice(t, err, "OOM", "raise it")
	if _, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Epoch++; return nil }); err == nil {
		t.Error("an update at maxmemory")
	}
	if l, err := s.Ledger(t.Context(), p.Study); err != nil || l.Count() != 1000 {
		t.Errorf("ledger %v, error %v", l, err)
	}
	// What makes room, and what tells that others are alive, is not refused.
	if err := s.Delete(t.Context(), other.Study); err != nil {
		t.Errorf("Delete at maxmemory: %v", err)
	}
	if err := s.Give(t.Context(), results.Order{Kind: results.Cancel, Study: p.Study}); err != nil {
		t.Errorf("Give at maxmemory: %v", err)
	}
	for range 2 {
		if orders, err := s.Beat(t.Context(), results.Worker{ID: "worker", Slots: 1}, 0); err != nil || len(orders) != 1 {
			t.Errorf("Beat at maxmemory: %v, error %v", orders, err)
		}
	}
	if by, err := s.Lease(t.Context(), "serve", "leader", time.Hour); by != "leader" || err != nil {
		t.Errorf("a lease is renewed at maxmemory: %q, error %v", by, err)
	}
	if left := rdb.PTTL(t.Context(), "overnight:{:lease:serve}").Val(); left < time.Hour-time.Minute {
		t.Errorf("a renewed lease has %v left, want an hour", left)
	}
	if ds := damages(t, s, ""); len(ds) != 0 {
		t.Errorf("Check: %v", ds)
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	commit(t, s, p, storetest.NewRecords(&p, 900, 2000)...)
	if l, err := s.Ledger(t.Context(), p.Study); err != nil || l.Count() != 2000 {
		t.Errorf("ledger %v, error %v", l, err)
	}
}

// TestFailures: errors say what to do.
func TestFailures(t *testing.T) {
	t.Parallel()
	r := server(t, "--requirepass", "secret")
	_, err := redisstore.New(t.Context(), client(t, r.Addr), redisstore.Options{})
	wantAdvice(t, err, "NOAUTH", "asks for a password")
	wrong := redis.NewClient(&redis.Options{Addr: r.Addr, Password: "hunter2"})
	t.Cleanup(func() { _ = wrong.Close() })
	_, err = redisstore.New(t.Context(), wrong, redisstore.Options{})
	wantAdvice(t, err, "WRONGPASS", "refuses the user")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells the password: %v", err)
	}

	gone := client(t, "127.0.0.1:1")
	_, err = redisstore.New(t.Context(), gone, redisstore.Options{})
	wantAdvice(t, err, "refused", "Redis can't be reached")

	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	silent := redis.NewClient(&redis.Options{Addr: l.Addr().String(), ReadTimeout: 50 * time.Millisecond, MaxRetries: -1})
	t.Cleanup(func() { _ = silent.Close() })
	_, err = redisstore.New(t.Context(), silent, redisstore.Options{})
	wantAdvice(t, err, "timeout", "did not answer in time")

	lame := server(t, "--cluster-enabled", "yes") // no slots
	_, err = redisstore.New(t.Context(), client(t, lame.Addr), redisstore.Options{})
	wantAdvice(t, err, "CLUSTERDOWN", "slots that nobody serves")
}

// TestFormat: a store of a newer format is left alone.
func TestFormat(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	open(t, rdb, redisstore.Options{})
	if got := rdb.Get(t.Context(), "overnight:format").Val(); got != "1" {
		t.Errorf("format %q, want 1", got)
	}
	for _, test := range []struct{ there, want string }{
		{"2", "newer Overnight"}, {"x", "another namespace"}, {"-1", "another namespace"}, {"", "another namespace"},
	} {
		if err := rdb.Set(t.Context(), "overnight:format", test.there, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := redisstore.New(t.Context(), rdb, redisstore.Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("format %q: error %v, want %q", test.there, err, test.want)
		}
	}
	for _, ns := range []string{"a b", "{a}", "a:b", "*", strings.Repeat("a", 65)} {
		if _, err := redisstore.New(t.Context(), rdb, redisstore.Options{Namespace: ns}); err == nil || !strings.Contains(err.Error(), "namespace") {
			t.Errorf("namespace %q: error %v", ns, err)
		}
	}
}

// TestNamespaces: stores of two namespaces share nothing.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	a := open(t, rdb, redisstore.Options{Namespace: "a"})
	b := open(t, rdb, redisstore.Options{Namespace: "b"})
	create(t, a, "study", 2, 2, 4)
	if ps, err := b.Studies(t.Context()); len(ps) != 0 || err != nil {
		t.Errorf("Studies: %v, %v", ps, err)
	}
	if by, err := a.Lease(t.Context(), "serve", "x", time.Hour); by != "x" || err != nil {
		t.Error(by, err)
	}
	if by, err := b.Lease(t.Context(), "serve", "y", time.Hour); by != "y" || err != nil {
		t.Error(by, err)
	}
}

// TestScriptsForgotten: a server that has forgotten the scripts gets them again.
func TestScriptsForgotten(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	s := open(t, rdb, redisstore.Options{})
	p := create(t, s, "study", 100, 100, 100)
	if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	commit(t, s, p, storetest.NewRecords(&p, 0, 9000)...) // several scripts in one pipeline
	if l, err := s.Ledger(t.Context(), p.Study); err != nil || l.Count() != 9000 {
		t.Errorf("ledger %v, error %v", l, err)
	}
}

// TestClosed: Close waits, and what comes later is refused.
func TestClosed(t *testing.T) {
	t.Parallel()
	s, err := redisstore.New(t.Context(), client(t, server(t).Addr), redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := create(t, s, "study", 2, 2, 2)
	following := make(chan error, 1)
	go func() { following <- s.Follow(context.Background(), p.Study, func([]results.Record) {}) }()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-following; !errors.Is(err, redisstore.ErrClosed) {
		t.Errorf("Follow: %v", err)
	}
	if _, err := s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, 0, 1)); !errors.Is(err, redisstore.ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
}

// TestFollowEnds: Follow hears of commits of other clients at once, and returns
// an error when Redis goes down.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	r := server(t)
	s, other := open(t, client(t, r.Addr), redisstore.Options{}), open(t, client(t, r.Addr), redisstore.Options{})
	p := create(t, s, "study", 100, 100, 0)
	heard := make(chan uint64, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Follow(t.Context(), p.Study, func(rs []results.Record) {
			for _, r := range rs {
				heard <- r.Trial
			}
		})
	}()
	trial := uint64(0)
	for first := true; first; { // until it listens
		commit(t, other, p, storetest.NewRecord(&p, trial))
		select {
		case got := <-heard:
			first = got > trial
		default:
		}
		trial++
	}
	commit(t, other, p, storetest.NewRecord(&p, 9999))
	began := time.Now()
	for <-heard != 9999 {
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("a commit was told after %v", took)
	}
	r.Kill()
	if err := <-ended; err == nil {
		t.Error("Follow ends without an error when Redis is killed")
	}
}
