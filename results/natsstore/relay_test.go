package natsstore

import (
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"overnight/results"
	"overnight/results/storetest"
)

// relay passes requests from namespace "lossy" on to namespace "overnight", and
// does to them what a bad network does.
type relay struct {
	nc *nats.Conn
	// drop tells what to lose of a request that comes for the n-th time: the
	// request or its answer. twice sends it twice.
	drop func(op string, n int) (request, answer, twice bool)

	mu   sync.Mutex
	seen map[string]int // frames
	wg   sync.WaitGroup

	lost, doubled atomic.Int64
}

func startRelay(t testing.TB, nc *nats.Conn, drop func(op string, n int) (request, answer, twice bool)) *relay {
	t.Helper()
	r := &relay{nc: nc, drop: drop, seen: make(map[string]int)}
	var subs []*nats.Subscription
	subscribe := func(subject string, fn nats.MsgHandler) {
		sub, err := nc.Subscribe(subject, fn)
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, sub)
	}
	subscribe("lossy.store.work.>", r.pass)
	subscribe("lossy.store.all.>", r.pass)
	subscribe("overnight.store.follow.*", func(m *nats.Msg) {
		_ = nc.Publish(strings.Replace(m.Subject, "overnight", "lossy", 1), m.Data)
	})
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, sub := range subs {
			_ = sub.Unsubscribe()
		}
		r.wg.Wait()
	})
	return r
}

func (r *relay) pass(m *nats.Msg) {
	subject := strings.Replace(m.Subject, "lossy", "overnight", 1)
	r.mu.Lock()
	r.seen[string(m.Data)]++
	request, answer, twice := r.drop(strings.TrimPrefix(m.Subject, "lossy.store."), r.seen[string(m.Data)])
	r.mu.Unlock()
	if request || answer {
		r.lost.Add(1)
	}
	if request {
		return
	}
	forward := func(answer bool) {
		got, err := r.nc.Request(subject, m.Data, 10*time.Second)
		if err == nil && !answer && m.Reply != "" {
			_ = r.nc.Publish(m.Reply, got.Data)
		}
	}
	if m.Reply == "" {
		_ = r.nc.Publish(subject, m.Data)
		return
	}
	r.wg.Go(func() { forward(answer) })
	if twice {
		r.doubled.Add(1)
		r.wg.Go(func() { forward(true) })
	}
}

// TestStoreLossy: all promises hold where one request in fifty is lost, one
// answer in fifty, and one request in fifty comes twice; and where
// messages are small, so that much travels in chunks.
func TestStoreLossy(t *testing.T) {
	t.Parallel()
	var lost, doubled atomic.Int64
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) results.Store {
			ns := natsServer(t, false, 1<<14)
			serve(t, dial(t, ns), openSQLite(t), Options{})
			rng := rand.New(rand.NewPCG(1, 2))
			r := startRelay(t, dial(t, ns), func(string, int) (request, answer, twice bool) {
				n := rng.IntN(50)
				return n == 0, n == 1, n == 2
			})
			t.Cleanup(func() {
				lost.Add(r.lost.Load())
				doubled.Add(r.doubled.Load())
			})
			return client(t, dial(t, ns), Options{Namespace: "lossy", patience: 2 * time.Millisecond})
		})
	})
	t.Logf("%d messages were lost, %d came twice", lost.Load(), doubled.Load())
	if lost.Load() < 300 || doubled.Load() < 150 {
		t.Errorf("%d messages were lost and %d came twice, want more", lost.Load(), doubled.Load())
	}
}

// TestFirstAnswer: a request that is repeated because its answer was lost gets
// the first answer, and is done once.
func TestFirstAnswer(t *testing.T) {
	t.Parallel()
	ns := natsServer(t, false, 0)
	served := openSQLite(t)
	serve(t, dial(t, ns), served, Options{})
	startRelay(t, dial(t, ns), func(_ string, n int) (request, answer, twice bool) {
		return false, n < 3, true // the first two answers are lost, and all requests come twice
	})
	s := client(t, dial(t, ns), Options{Namespace: "lossy", patience: 5 * time.Millisecond})

	p := storetest.NewPlan("s", 2, 5)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatalf("Create: %v", err)
	}
	vs, err := s.Commit(t.Context(), p.Study, 1, storetest.NewRecords(&p, 0, 10))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vs {
		if v != results.Committed {
			t.Errorf("record %d: verdict %d, want committed", i, v)
		}
	}
	if tally, err := s.Tally(t.Context(), p.Study); err != nil || tally.Total() != 10 || tally.Duplicates != 0 {
		t.Errorf("tally %+v, error %v", tally, err)
	}
	if g, err := s.Discard(t.Context(), p.Study, []uint64{3}); err != nil || g != 2 {
		t.Errorf("Discard: generation %d, error %v, want 2", g, err)
	}
	calls := 0
	got, err := s.Update(t.Context(), p.Study, func(p *results.Plan) error { calls++; p.Generation++; return nil })
	if err != nil || got.Generation != 3 || calls != 1 {
		t.Errorf("Update: generation %d in %d calls, error %v, want 3 in 1", got.Generation, calls, err)
	}
	for range 3 {
		if err := s.Give(t.Context(), results.Order{Kind: results.Pause, Study: p.Study}); err != nil {
			t.Fatal(err)
		}
	}
	if orders, err := served.Beat(t.Context(), results.Worker{ID: "w"}, 0); err != nil || len(orders) != 3 {
		t.Errorf("%d orders were given, error %v, want 3", len(orders), err)
	}
	if err := s.Delete(t.Context(), p.Study); err != nil {
		t.Errorf("Delete: %v", err)
	}
}
