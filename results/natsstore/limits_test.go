package natsstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"overnight/results"
	"overnight/results/storetest"
)

// TestRefused: what is no request is answered so, and logged at most once a
// second.
func TestRefused(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	core, logs := observer.New(zap.WarnLevel)
	serve(t, dial(t, ns), openSQLite(t), Options{Log: zap.New(core)})
	nc := dial(t, ns)
	good := request{id: newID(), body: []byte("s")}
	newer := good.encode()
	newer[3]++
	began := time.Now()
	for _, c := range []struct {
		what, op string
		data     []byte
		want     string
	}{
		{"nothing", opPlan, nil, "not of this protocol"},
		{"noise", opPlan, bytes.Repeat([]byte{0xff}, 1000), "not of this protocol"},
		{"an answer", opPlan, (&answer{}).encode(), "not of this protocol"},
		{"another version", opPlan, newer, "version 2, where this program speaks version 1"},
		{"half a request", opPlan, good.encode()[:9], "EOF"},
		{"an unknown operation", "work.format-disk", good.encode(), "no operation"},
		{"a longer subject", opPlan + ".x", good.encode(), "no operation"},
		{"an oversized name", opPlan, (&request{id: newID(), body: make([]byte, 300)}).encode(), "300 bytes"},
		{"an oversized body", opPlan, (&request{id: newID(), upload: &ref{size: 1 << 40}}).encode(), "more than"},
		{"a malformed commit", opCommit, (&request{id: newID(), body: []byte{1, 's', 1, 9}}).encode(), "EOF"},
		{"an upload that is not there", opCommit, (&request{id: newID(), upload: &ref{size: 1000}}).encode(), "dropped"},
		{"a chunk of too much", opPush, (&request{id: newID(), body: (&chunk{total: 1 << 30, size: 1000, data: make([]byte, 1000)}).encode()}).encode(), "are possible"},
	} {
		m, err := nc.Request("overnight.store."+c.op, c.data, 10*time.Second)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		a, err := decodeAnswer(m.Data)
		if err != nil || a.kind < kindFailed || !strings.Contains(a.text, c.want) {
			t.Errorf("%s: answer %d %q, error %v, want %q", c.what, a.kind, a.text, err, c.want)
		}
	}
	if took := time.Since(began); logs.Len() == 0 || float64(logs.Len()) > took.Seconds()+1 {
		t.Errorf("%d warnings in %v, want one a second", logs.Len(), took)
	}

	// No request makes the server publish to other subjects than inboxes.
	sub, err := nc.SubscribeSync("jobs.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("overnight.store."+opHello, "jobs.delete", good.encode()); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Request("overnight.store."+opHello, good.encode(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if n, _, err := sub.Pending(); err != nil || n != 0 {
		t.Errorf("%d answers to no inbox, error %v", n, err)
	}
}

// TestPermissions: a worker's NATS user may do a worker's work, and is told at
// once where it tries something else.
func TestPermissions(t *testing.T) {
	t.Parallel()
	ns := startNATS(t, &server.Options{DontListen: true, NoSigs: true, NoLog: true, MaxPayload: 4096, Users: []*server.User{
		{Username: "coordinator", Password: "a"},
		{Username: "worker", Password: "b", Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{"overnight.store.work.>"}},
			Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
		}},
	}})
	served := openSQLite(t)
	serve(t, dial(t, ns, nats.UserInfo("coordinator", "a")), served, Options{})
	s := client(t, dial(t, ns, nats.UserInfo("worker", "b")), Options{patience: 200 * time.Millisecond})
	p := storetest.NewPlan("s", 10, 10)
	p.Body = bytes.Repeat([]byte("long "), 10_000)
	data := bytes.Repeat([]byte("data"), 10_000)
	sum := sha256.Sum256(data)
	if err := errors.Join(served.Create(t.Context(), p), served.PutBlob(t.Context(), hex.EncodeToString(sum[:]), data)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Plan(t.Context(), "s"); err != nil || !bytes.Equal(got.Body, p.Body) {
		t.Errorf("Plan: %v", err)
	}
	if got, err := s.Blob(t.Context(), hex.EncodeToString(sum[:])); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Blob: %v", err)
	}
	if _, err := s.Commit(t.Context(), "s", 1, storetest.NewRecords(&p, 0, 90)); err != nil {
		t.Errorf("Commit: %v", err)
	}
	if err := s.SaveCheckpoint(t.Context(), "s", 1, 95, data); err != nil {
		t.Errorf("SaveCheckpoint: %v", err)
	}
	if got, err := s.Checkpoint(t.Context(), "s", 1, 95); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Checkpoint: %v", err)
	}
	if _, err := s.Beat(t.Context(), results.Worker{ID: "w"}, 0); err != nil {
		t.Errorf("Beat: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Delete(ctx, "s"); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("Delete by a worker: error %v, want one that says it may not", err)
	}
}

// slow is a store whose commits wait, and which counts reads of data.
type slow struct {
	results.Store
	enter chan struct{} // receives for each commit that has begun
	leave chan struct{}
	blobs atomic.Int64
}

func (s *slow) Commit(ctx context.Context, study string, generation uint32, rs []results.Record) ([]results.Verdict, error) {
	s.enter <- struct{}{}
	<-s.leave
	return s.Store.Commit(ctx, study, generation, rs)
}

func (s *slow) Blob(ctx context.Context, sum string) ([]byte, error) {
	s.blobs.Add(1)
	return s.Store.Blob(ctx, sum)
}

// TestBeatPasses: beats wait for no commits, of which only so many are taken on;
// the rest is told to come again, and does.
func TestBeatPasses(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	served := &slow{Store: openSQLite(t), enter: make(chan struct{}, 1<<12), leave: make(chan struct{})}
	serve(t, dial(t, ns), served, Options{})
	const calls = 64 + waiting + 200
	s := client(t, dial(t, ns), Options{InFlight: calls + 10})
	p := storetest.NewPlan("s", 10, 1000)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range uint64(calls) {
		wg.Go(func() {
			if vs, err := s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, i, i+1)); err != nil || vs[0] != results.Committed {
				t.Errorf("commit %d: %v, error %v", i, vs, err)
			}
		})
	}
	for range 64 {
		<-served.enter
	}
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := s.Beat(ctx, results.Worker{ID: "w"}, 0)
		cancel()
		if err != nil {
			t.Fatalf("Beat behind commits that wait: %v", err)
		}
	}
	if n := len(served.enter); n != 0 {
		t.Errorf("%d commits run beside the 64 that may", n)
	}
	close(served.leave)
	wg.Wait()
}

// TestBlobShared: workers that fetch the same data at the same time cost the
// coordinator one copy.
func TestBlobShared(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, true, 0)
	served := &slow{Store: openSQLite(t)}
	server := serve(t, dial(t, ns), served, Options{Memory: 1 << 20}) // less than the data: one may always be there
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	s := client(t, dial(t, ns), Options{})
	if err := s.PutBlob(t.Context(), name, data); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		s := client(t, dial(t, ns), Options{})
		wg.Go(func() {
			if got, err := s.Blob(t.Context(), name); err != nil || !bytes.Equal(got, data) {
				t.Errorf("Blob: %d bytes, error %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if n := served.blobs.Load(); n > 2 {
		t.Errorf("8 workers cost %d reads", n)
	}
	if _, uploads, answers, _ := server.count(); uploads != 0 || answers != 1 {
		t.Errorf("%d uploads and %d answers are kept, want the one answer", uploads, answers)
	}
}

// TestLongCommit: a commit that takes several requests is refused as a whole
// where one of its records is not valid, the last one here.
func TestLongCommit(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	serve(t, dial(t, ns), openSQLite(t), Options{})
	s := client(t, dial(t, ns), Options{batch: 1 << 20})
	p := storetest.NewPlan("s", 100, 1000)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	x := make([]float64, 3000)
	for i := range x {
		x[i] = float64(i) * math.Pi
	}
	rs := storetest.NewRecords(&p, 0, 40)
	for i := range rs {
		rs[i].Curves = []results.Curve{{Name: "c", X: x, Y: x}}
	}
	parts, err := encodeCommit(p.Study, 1, rs, s.o.batch)
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, error %v, want 2", len(parts), err)
	}
	rs[39].Point = p.Points
	if _, err := s.Commit(t.Context(), p.Study, 1, rs); err == nil {
		t.Error("a record that is not valid was taken")
	}
	if tally, err := s.Tally(t.Context(), p.Study); err != nil || tally.Total() != 0 {
		t.Errorf("of a commit that was refused %d records are stored, error %v", tally.Total(), err)
	}
	rs[39].Point = 39
	vs, err := s.Commit(t.Context(), p.Study, 1, rs)
	if err != nil || len(vs) != 40 {
		t.Fatalf("%d verdicts, error %v", len(vs), err)
	}
	n := 0
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil || !results.Equal(&r, &rs[n]) {
			t.Fatalf("trial %d: not what was committed, error %v", r.Trial, err)
		}
		n++
	}
	if n != 40 {
		t.Errorf("%d records come back, want 40", n)
	}

	few := storetest.NewPlan("few", 100, 1000)
	if err := s.Create(t.Context(), few); err != nil {
		t.Fatal(err)
	}
	if vs, err := s.Commit(t.Context(), few.Study, 1, storetest.NewRecords(&few, 0, maxRecords+7)); err != nil || len(vs) != maxRecords+7 {
		t.Errorf("%d verdicts, error %v", len(vs), err)
	}
}

// TestDepot: what is kept stays within its bound.
func TestDepot(t *testing.T) {
	t.Parallel()
	d := depot{limit: 1000, uploads: make(map[id]*upload), answers: make(map[digest]*long)}
	if _, err := d.offer(make([]byte, 5000)); err != nil {
		t.Errorf("one answer beyond the limit: %v", err)
	}
	if _, err := d.offer(make([]byte, 5000)); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if _, err := d.offer(make([]byte, 10)); !errors.Is(err, errBusy) {
		t.Errorf("another: %v", err)
	}
	first := chunk{upload: id{1}, total: 150, size: 100, data: make([]byte, 100)}
	if err := d.put(&first, 1000); !errors.Is(err, errBusy) {
		t.Errorf("an upload: %v", err)
	}
	for _, a := range d.answers {
		a.touched = a.touched.Add(-2 * evictable)
	}
	if err := d.put(&first, 1000); err != nil || len(d.answers) != 0 || d.used != 150 {
		t.Errorf("an upload beside an answer that nobody fetches: %v, %d answers, %d bytes", err, len(d.answers), d.used)
	}
	for what, c := range map[string]chunk{
		"too large":       {upload: id{2}, total: 1001, size: 100, data: make([]byte, 100)},
		"empty":           {upload: id{2}, size: 100},
		"in crumbs":       {upload: id{2}, total: 100, size: 1, data: make([]byte, 1)},
		"beyond its end":  {upload: id{1}, total: 150, size: 100, index: 2},
		"too long a part": {upload: id{1}, total: 150, size: 100, index: 1, data: make([]byte, 51)},
		"of another size": {upload: id{1}, total: 151, size: 100, index: 1, data: make([]byte, 51)},
	} {
		if err := d.put(&c, 1000); !errors.Is(err, errRefused) {
			t.Errorf("a chunk %s: error %v", what, err)
		}
	}
	if _, _, err := d.body(&ref{upload: id{1}, size: 150}); !errors.Is(err, errExpired) {
		t.Errorf("half an upload: error %v", err)
	}
	second := chunk{upload: id{1}, total: 150, size: 100, index: 1, data: make([]byte, 50)}
	for range 2 {
		if err := d.put(&second, 1000); err != nil {
			t.Error(err)
		}
	}
	data, release, err := d.body(&ref{upload: id{1}, size: 150, sum: sha256.Sum256(make([]byte, 150))})
	if err != nil || len(data) != 150 {
		t.Fatalf("a whole upload: %d bytes, error %v", len(data), err)
	}
	if release(); d.used != 0 || len(d.uploads) != 0 {
		t.Errorf("%d bytes and %d uploads are kept, want nothing", d.used, len(d.uploads))
	}
	for range 2 { // of which the second is another's with the same name
		if err := errors.Join(d.put(&first, 1000), d.put(&second, 1000)); err != nil {
			t.Error(err)
		}
		if _, _, err := d.body(&ref{upload: id{1}, size: 150}); !errors.Is(err, errExpired) || d.used != 0 {
			t.Errorf("an upload with another SHA-256: error %v, %d bytes in use", err, d.used)
		}
	}
}

// TestRepeats: what is remembered stays within its bounds.
func TestRepeats(t *testing.T) {
	t.Parallel()
	p := repeats{calls: make(map[callKey]*call)}
	key := func(i int) callKey { return callKey{"op", id{byte(i), byte(i >> 8), byte(i >> 16)}} }
	for i := range maxRemembered + 500 {
		if first, _ := p.begin(key(i), "a"); !first {
			t.Fatal("a new request counts as repeated")
		}
		p.end(key(i), make([]byte, 100), true)
	}
	if len(p.calls) != maxRemembered || len(p.ended) != maxRemembered || p.bytes != 100*maxRemembered {
		t.Errorf("%d answers of %d bytes are remembered", len(p.calls), p.bytes)
	}
	p.begin(key(-1), "a")
	p.end(key(-1), make([]byte, maxRememberedBytes), true)
	if len(p.calls) != 1 {
		t.Errorf("%d answers are remembered beside one that takes all the room", len(p.calls)-1)
	}
	p.expire(time.Now().Add(time.Second))
	if len(p.calls) != 0 || p.bytes != 0 {
		t.Errorf("%d answers of %d bytes are left", len(p.calls), p.bytes)
	}
	for range 2 * maxWaiters {
		p.begin(key(1), "a")
	}
	if replies := p.end(key(1), []byte("x"), false); len(replies) != maxWaiters || len(p.calls) != 0 {
		t.Errorf("%d requests wait for one answer, %d are remembered", len(replies), len(p.calls))
	}
}

// bare is a store without optional roles.
type bare struct{ results.Store }

// TestRoles: what the served store can't do is answered so.
func TestRoles(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	whole := openSQLite(t)
	serve(t, dial(t, ns), whole, Options{Namespace: "whole"})
	serve(t, dial(t, ns), bare{whole}, Options{Namespace: "bare"})
	p := many(t, whole, 500)
	points := func(yield func(uint64, []any) bool) { _ = yield(0, []any{"x"}) && yield(1, []any{nil}) }
	for _, name := range []string{"whole", "bare"} {
		s := client(t, dial(t, ns), Options{Namespace: name})
		if err := s.Describe(t.Context(), p.Study, []string{"arm"}, points); err != nil {
			t.Errorf("%s: Describe: %v", name, err)
		}
		var want error
		if name == "bare" {
			want = errors.ErrUnsupported
		}
		n := 0
		for d, err := range s.Check(t.Context(), p.Study) {
			if n++; want == nil || !errors.Is(err, want) {
				t.Errorf("%s: Check: %v, error %v", name, d, err)
			}
		}
		if want != nil && n == 0 {
			t.Errorf("%s: Check finds nothing", name)
		}
		if err := s.Follow(over(t), p.Study, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Follow after its context ended: %v", name, err)
		}
		if want != nil {
			if err := s.Follow(t.Context(), p.Study, nil); !errors.Is(err, want) {
				t.Errorf("%s: Follow: %v", name, err)
			}
			if _, err := s.Leaders(t.Context(), p.Study, 3, false); !errors.Is(err, want) {
				t.Errorf("%s: Leaders: %v", name, err)
			}
		}
		n = 0
		for r, err := range s.Skim(t.Context(), p.Study, 0, p.Trials) {
			if n++; err != nil || r.Curves != nil {
				t.Fatalf("%s: Skim: curves %v, error %v", name, r.Curves, err)
			}
		}
		if n != 500 {
			t.Errorf("%s: Skim yields %d records, want 500", name, n)
		}
	}
}

// over is a context that has ended.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
