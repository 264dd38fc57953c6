package natsstore

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"overnight/results"
	"overnight/results/storetest"
)

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s not so: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// count returns the number of streams, uploads, long answers and followed
// studies that a server keeps.
func (s *Server) count() (streams, uploads, answers, follows int) {
	s.streams.mu.Lock()
	streams = len(s.streams.open)
	s.streams.mu.Unlock()
	s.depot.mu.Lock()
	uploads, answers = len(s.depot.uploads), len(s.depot.answers)
	s.depot.mu.Unlock()
	s.follows.mu.Lock()
	follows = len(s.follows.running)
	s.follows.mu.Unlock()
	return
}

// TestCoordinatorRestarts: without a server calls say that the coordinator does
// not answer when their time is over, and else wait until one is there.
func TestCoordinatorRestarts(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	served := openSQLite(t)
	quick := Options{patience: 20 * time.Millisecond}
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := New(short, dial(t, ns), quick); !errors.Is(err, ErrNoAnswer) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "is the coordinator running?") {
		t.Errorf("New without a server: error %v", err)
	}
	first := serve(t, dial(t, ns), served, Options{})
	s := client(t, dial(t, ns), quick)
	p := storetest.NewPlan("s", 10, 100)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	short, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Beat(short, results.Worker{ID: "w"}, 0); !errors.Is(err, ErrNoAnswer) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Beat without a server: error %v", err)
	}
	answered := make(chan error)
	go func() {
		_, err := s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, 0, 100))
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("Commit without a server returns %v", err)
	case <-time.After(100 * time.Millisecond): // for it to go wrong in
	}
	serve(t, dial(t, ns), served, Options{})
	if err := <-answered; err != nil {
		t.Errorf("Commit after the server came back: %v", err)
	}
	if l, err := served.Ledger(t.Context(), p.Study); err != nil || l.Count() != 100 {
		t.Errorf("ledger: error %v", err)
	}
}

// TestNATSRestarts: commits go on through restarts of the NATS server, and none
// is lost or done twice.
func TestNATSRestarts(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	start := func() *server.Server {
		return startNATS(t, &server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	}
	ns := start()
	served := openSQLite(t)
	url := "nats://127.0.0.1:" + strconv.Itoa(port)
	connect := func() *nats.Conn {
		nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	serve(t, connect(), served, Options{})
	p := storetest.NewPlan("s", 100, 100)
	if err := served.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	const callers, trials = 4, 2000
	var wg sync.WaitGroup
	for c := range uint64(callers) {
		s := client(t, connect(), Options{patience: 100 * time.Millisecond})
		wg.Go(func() {
			for from := c * trials; from < (c+1)*trials; from += 10 {
				vs, err := s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, from, from+10))
				if err != nil {
					t.Errorf("Commit: %v", err)
					return
				}
				for i, v := range vs {
					if v != results.Committed {
						t.Errorf("trial %d: verdict %d, want committed", from+uint64(i), v)
					}
				}
			}
		})
	}
	for restart := range uint64(3) {
		eventually(t, "commits go on", func() bool {
			tally, err := served.Tally(t.Context(), p.Study)
			return err == nil && tally.Total() > (restart+1)*1500
		})
		ns.Shutdown()
		ns.WaitForShutdown()
		ns = start()
	}
	wg.Wait()
	if tally, err := served.Tally(t.Context(), p.Study); err != nil || tally.Total() != callers*trials || tally.Duplicates+tally.Differs+tally.Stale != 0 {
		t.Errorf("tally %+v, error %v, want %d records and nothing twice", tally, err, callers*trials)
	}
}

// many creates a study with n records whose scan takes several pages.
func many(t testing.TB, s results.Store, n uint64) results.Plan {
	t.Helper()
	p := storetest.NewPlan("many", 1000, 1000)
	if err := s.Create(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(context.Background(), p.Study, 1, storetest.NewRecords(&p, 0, n)); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestScanLost: a scan ends with ErrLost where the coordinator restarts in the
// midst of it, and yields no record twice or out of order before.
func TestScanLost(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	served := openSQLite(t)
	first := serve(t, dial(t, ns), served, Options{})
	s := client(t, dial(t, ns), Options{})
	p := many(t, s, 8_000)
	var last error
	n := uint64(0)
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if last = err; err != nil {
			continue
		}
		if r.Trial != n {
			t.Fatalf("trial %d is number %d", r.Trial, n)
		}
		if n++; n == 10 {
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			serve(t, dial(t, ns), served, Options{})
		}
	}
	if !errors.Is(last, ErrLost) || n == 8_000 {
		t.Errorf("a scan whose server restarted yields %d records and error %v", n, last)
	}
}

// TestScanAbandoned: a scan that nobody reads on ends at the server, at once
// where its reader stops, and in time where its reader is gone.
func TestScanAbandoned(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	served := openSQLite(t)
	server := serve(t, dial(t, ns), served, Options{silence: 2 * time.Second})
	nc := dial(t, ns)
	s := client(t, nc, Options{silence: 2 * time.Second})
	p := many(t, s, 8_000)
	for _, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		if streams, _, _, _ := server.count(); streams != 1 {
			t.Errorf("%d streams during a scan, want 1", streams)
		}
		break
	}
	eventually(t, "the scan has ended", func() bool { streams, _, _, _ := server.count(); return streams == 0 })

	// A slow reader loses nothing.
	n := 0
	for _, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatalf("a slow scan, after %d records: %v", n, err)
		}
		if n++; n == 1 {
			<-time.After(4 * time.Second) // twice the silence
		}
	}
	if n != 8_000 {
		t.Errorf("a slow scan yields %d records", n)
	}

	// A reader that vanishes.
	next := id{1}
	q := pageRequest{stream: next, form: scanStream, study: p.Study, to: p.Trials}
	if a, err := s.ask(t.Context(), opStream, &request{id: newID(), body: q.encode()}); err != nil || a.kind > kindLong {
		t.Fatalf("answer %d %s, error %v", a.kind, a.text, err)
	}
	c := chunk{upload: next, total: 1000, size: 500, data: make([]byte, 500)}
	if a, err := s.ask(t.Context(), opPush, &request{id: newID(), body: c.encode()}); err != nil || a.kind != kindOK {
		t.Fatalf("answer %d %s, error %v", a.kind, a.text, err)
	}
	eventually(t, "scan, upload and long answers are forgotten", func() bool {
		streams, uploads, answers, _ := server.count()
		return streams+uploads+answers == 0
	})
	server.depot.mu.Lock()
	used := server.depot.used
	server.depot.mu.Unlock()
	if used != 0 {
		t.Errorf("%d bytes are in use where nothing is kept", used)
	}
	q.page = 1
	if a, err := s.ask(t.Context(), opStream, &request{id: newID(), body: q.encode()}); err != nil || a.kind != kindLost {
		t.Errorf("the next page of a forgotten scan: answer %d %s, error %v", a.kind, a.text, err)
	}
}

// TestFollowRestart: a follower goes on when the coordinator is back, and the
// server forgets it when it is gone.
func TestFollowRestart(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	served := openSQLite(t)
	quick := Options{silence: 300 * time.Millisecond, patience: 50 * time.Millisecond}
	first := serve(t, dial(t, ns), served, quick)
	s := client(t, dial(t, ns), quick)
	p := storetest.NewPlan("s", 1000, 1000)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan struct{}, 1)
	ended := make(chan error)
	go func() {
		ended <- s.Follow(ctx, p.Study, func([]results.Record) {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	trial := uint64(0)
	isTold := func() bool {
		if _, err := s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, trial, trial+1)); err != nil {
			t.Fatal(err)
		}
		trial++
		select {
		case <-told:
			return true
		default:
			return false
		}
	}
	eventually(t, "a commit is told", isTold)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := serve(t, dial(t, ns), served, quick)
	for len(told) > 0 {
		<-told
	}
	eventually(t, "a commit is told after a restart", isTold)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow returns %v", err)
	}
	eventually(t, "nobody follows", func() bool { _, _, _, follows := second.count(); return follows == 0 })
}

// TestClose: Close ends what waits, and leaves the connection open.
func TestClose(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	server := serve(t, dial(t, ns), openSQLite(t), Options{})
	nc := dial(t, ns)
	s := client(t, nc, Options{})
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := s.Workers(t.Context())
		ended <- err
	}()
	eventually(t, "a call waits", func() bool { return len(s.slots) == 1 })
	if err := errors.Join(s.Close(), s.Close(), server.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("a call that waited returns %v", err)
	}
	if _, err := s.Studies(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a call after Close returns %v", err)
	}
	for _, err := range s.Scan(t.Context(), "s", 0, 1) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Scan after Close yields %v", err)
		}
	}
	if nc.IsClosed() {
		t.Error("Close closed the connection")
	}
	nc.Close()
	if _, err := New(t.Context(), nc, Options{}); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("New on a closed connection: %v", err)
	}
	for _, name := range []string{"a b", "a.>", ".a", "a..b"} {
		if _, err := New(t.Context(), nc, Options{Namespace: name}); err == nil || errors.Is(err, nats.ErrConnectionClosed) {
			t.Errorf("New in namespace %q: %v", name, err)
		}
	}
}
