package redisstore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

// acknowledged are the trials whose commits were answered.
type acknowledged struct {
	mu     sync.Mutex
	trials map[uint64]bool
}

// hammer commits from several goroutines, batches of odd sizes, until ctx ends,
// and again what fails.
func (a *acknowledged) hammer(ctx context.Context, s *redisstore.Store, p results.Plan, callers int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := uint64(0)
	for c := range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(c)))
			for ctx.Err() == nil {
				mu.Lock()
				from := next
				next += 1 + rng.Uint64N(60)
				to := next
				mu.Unlock()
				for ctx.Err() == nil {
					if _, err := s.Commit(ctx, p.Study, p.Generation, storetest.NewRecords(&p, from, to)); err == nil {
						a.mu.Lock()
						for i := from; i < to; i++ {
							a.trials[i] = true
						}
						a.mu.Unlock()
						break
					}
				}
			}
		})
	}
	wg.Wait()
}

// verify finds every acknowledged trial, with its result, counters that agree and
// no damage.
func (a *acknowledged) verify(t *testing.T, s *redisstore.Store, p results.Plan) {
	t.Helper()
	there := make(map[uint64]bool)
	for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
		if err != nil {
			t.Fatal(err)
		}
		if want := storetest.NewRecord(&p, r.Trial); !results.Equal(&want, &r) {
			t.Errorf("trial %d has another result", r.Trial)
		}
		there[r.Trial] = true
	}
	lost := 0
	for trial := range a.trials {
		if !there[trial] {
			lost++
		}
	}
	if lost > 0 || len(a.trials) == 0 {
		t.Errorf("%d of %d acknowledged records are lost", lost, len(a.trials))
	}
	if _, err := s.Ledger(t.Context(), p.Study); err != nil {
		t.Error(err)
	}
	if ds := damages(t, s, p.Study); len(ds) > 0 {
		t.Errorf("Check: %v", ds)
	}
	checkLeaders(t, s, p)
}

// answering waits until a server that was started again has read its files.
func answering(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := rdb.Get(t.Context(), "x").Err()
		if err == nil || errors.Is(err, redis.Nil) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestKillLosesNothing: what was acknowledged survives kills of redis-server,
// while commits go on. With everysec that holds for what the server has handed to
// the kernel, which is all but what it holds back while a sync takes its time.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	r := server(t, "--appendfsync", "always")
	rdb := client(t, r.Addr)
	s := open(t, rdb, redisstore.Options{})
	p := storetest.NewPlan("study", 100, 10_000)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	a := &acknowledged{trials: make(map[uint64]bool)}
	for kill := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { a.hammer(ctx, s, p, 6) })
		before := a.count()
		waitFor(t, func() bool { return a.count() > before+500*(kill+1) })
		kill9(t, r)
		if err := r.Restart(); err != nil {
			t.Fatal(err)
		}
		after := a.count()
		waitFor(t, func() bool { return a.count() > after+200 }) // it goes on by itself
		cancel()
		wg.Wait()
		a.verify(t, s, p)
	}
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.trials)
}

func kill9(t *testing.T, r *daemon.Redis) {
	t.Helper()
	r.Kill()
	t.Cleanup(func() { r.Kill() })
}

// waitFor polls until a condition holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatal("it does not happen within a minute")
		case <-tick.C:
		}
	}
}

func TestKillEverySecond(t *testing.T) {
	t.Parallel()
	r := server(t)
	rdb := client(t, r.Addr)
	s := open(t, rdb, redisstore.Options{})
	p := storetest.NewPlan("study", 100, 10_000)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	a := &acknowledged{trials: make(map[uint64]bool)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { a.hammer(ctx, s, p, 6) })
	waitFor(t, func() bool { return a.count() > 3000 })
	cancel()
	wg.Wait()
	waitFor(t, func() bool { return info(t, rdb, "aof_buffer_length") == 0 })
	kill9(t, r) // the kernel has it, and no sync was asked for
	if err := r.Restart(); err != nil {
		t.Fatal(err)
	}
	answering(t, rdb)
	a.verify(t, s, p)
}

// TestWait: a commit is answered when replicas have it, and is an error where
// they have not.
func TestWait(t *testing.T) {
	t.Parallel()
	master := server(t)
	rdb := client(t, master.Addr)
	s := open(t, rdb, redisstore.Options{Wait: redisstore.Wait{Replicas: 1, Timeout: 100 * time.Millisecond}})
	p := storetest.NewPlan("study", 10, 10)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if vs, err := s.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, 0, 10)); err == nil {
		t.Errorf("a commit without replicas: %v", vs)
	}
	replica := server(t)
	host, port := split(t, master.Addr)
	copied := client(t, replica.Addr)
	if err := copied.ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		_, err := s.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, 0, 10))
		return err == nil
	})
	if vs := commit(t, s, p, storetest.NewRecords(&p, 10, 20)...); vs[0] != results.Committed {
		t.Errorf("verdicts %v", vs)
	}
	// At this moment the replica has them.
	on := open(t, copied, redisstore.Options{})
	if l, err := on.Ledger(t.Context(), p.Study); err != nil || l.Count() != 20 {
		t.Errorf("ledger of the replica: %v, error %v", l, err)
	}
	_, err := on.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, 20, 30))
	wantAdvice(t, err, "READONLY", "this Redis is a replica")
	if _, err := on.Update(t.Context(), p.Study, func(p *results.Plan) error { p.Epoch++; return nil }); err == nil {
		t.Error("a replica takes an update")
	}
}
