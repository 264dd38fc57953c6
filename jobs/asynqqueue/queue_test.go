package asynqqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"overnight/internal/daemon"
	"overnight/internal/redisconn"
	"overnight/jobs"
	"overnight/jobs/queuetest"
)

func TestMain(m *testing.M) {
	redisconn.Log(zap.NewNop())
	goleak.VerifyTestMain(m)
}

func start(t testing.TB, conf ...string) *daemon.Redis {
	t.Helper()
	r, err := daemon.StartRedis(t.TempDir(), conf...)
	if errors.Is(err, daemon.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Kill() }) // of the process that runs by then
	return r
}

func connect(t testing.TB, address string) redis.UniversalClient {
	t.Helper()
	rdb, err := redisconn.New(address, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func open(t testing.TB, rdb redis.UniversalClient, o Options) *Queue {
	t.Helper()
	if o.Engine == 0 {
		o.Engine = 1
	}
	q, err := New(t.Context(), rdb, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// inject adds a task with msg as its payload, as the queue adds its own.
func inject(t *testing.T, q *Queue, id string, msg []byte) {
	t.Helper()
	if _, err := q.client.EnqueueContext(t.Context(), asynq.NewTask(taskType, msg),
		asynq.Queue(q.name), asynq.TaskID(id), asynq.MaxRetry(retries), asynq.Timeout(longest)); err != nil {
		t.Fatal(err)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"redis", "redis+cluster"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			conf := []string{}
			if mode == "redis+cluster" {
				conf = []string{"--cluster-enabled", "yes"}
			}
			r := start(t, conf...)
			rdb := connect(t, mode+"://"+r.Addr)
			if mode == "redis+cluster" {
				if err := connect(t, "redis://"+r.Addr).ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
					t.Fatal(err)
				}
				waitFor(t, "the cluster", func() bool { return rdb.Set(t.Context(), "ready", 1, 0).Err() == nil })
			}
			const lease = 5 * time.Second // longer than a busy machine stalls
			var spaces, garbage atomic.Int64
			queuetest.Run(t, func(t *testing.T) jobs.Queue {
				return open(t, rdb, Options{Lease: lease, Namespace: fmt.Sprintf("n%d", spaces.Add(1))})
			}, queuetest.Options{
				Lease: lease,
				Inject: func(t *testing.T, q jobs.Queue, msg []byte) {
					inject(t, q.(*Queue), fmt.Sprintf("garbage%d", garbage.Add(1)), msg)
				},
				Wreck: func(t *testing.T, q jobs.Queue) {
					if err := q.(*Queue).DeleteAll(t.Context()); err != nil {
						t.Fatal(err)
					}
				},
			})
		})
	}
}

// waitFor tries until it holds.
func waitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func job(i int) jobs.Job {
	return jobs.Job{
		ID: fmt.Sprintf("delay-volatility.g1.e0.%08d", i), Engine: 1, Study: "delay-volatility", Generation: 1,
		Trials: []jobs.Range{{From: uint64(i) * 100, To: uint64(i)*100 + 100}},
	}
}

func batch(from, to int) []jobs.Job {
	all := make([]jobs.Job, 0, to-from)
	for i := from; i < to; i++ {
		all = append(all, job(i))
	}
	return all
}

func publish(t testing.TB, q *Queue, add ...jobs.Job) {
	t.Helper()
	if err := q.Publish(t.Context(), add); err != nil {
		t.Fatal(err)
	}
}

func take(t testing.TB, q *Queue, n int) []jobs.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	taken, err := q.Take(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	away := connect(t, fmt.Sprintf("redis://127.0.0.1:%d", port))
	tests := []struct {
		o    Options
		want string
	}{
		{Options{}, "reach Redis"},
		{Options{Namespace: "a{b}"}, "letters, digits"},
		{Options{Engine: -1}, "versions begin with 1"},
	}
	for _, tt := range tests {
		if _, err := New(t.Context(), away, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New with %+v: %v, want %q in it", tt.o, err, tt.want)
		}
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	q := open(t, connect(t, "redis://"+start(t).Addr), Options{})
	check := func(waiting, held int) {
		t.Helper()
		w, h, err := q.Pending(t.Context())
		if err != nil || w != waiting || h != held {
			t.Errorf("%d jobs wait and %d are held, error %v, want %d and %d", w, h, err, waiting, held)
		}
	}
	check(0, 0)
	publish(t, q, batch(0, 5)...)
	check(5, 0)
	for _, d := range take(t, q, 2) { // as many, since they came in one fetch or not
		if err := d.Return(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "nobody to wait", func() bool {
		w, h, err := q.Pending(t.Context())
		return err == nil && w+h == 5 && h >= 1 && q.rdb.LLen(t.Context(), key(q.name, "active")).Val() == 0
	})
	if err := q.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(0, 0)
	left, err := q.rdb.Keys(t.Context(), "asynq:{*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range left {
		if !strings.Contains(k, "servers") && !strings.Contains(k, "workers") {
			t.Errorf("%s is left", k)
		}
	}
}

// Each engine version has its own jobs.
func TestEngines(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	one, two := open(t, rdb, Options{}), open(t, rdb, Options{Engine: 2})
	b := job(2)
	b.Engine = 2
	publish(t, one, job(1), b)
	if got := take(t, two, 5); len(got) != 1 || got[0].Job().ID != b.ID {
		t.Errorf("engine 2 took %d jobs, the first %s", len(got), got[0].Job().ID)
	}
	if got := take(t, one, 5); len(got) != 1 || got[0].Job().ID != job(1).ID {
		t.Errorf("engine 1 took %d jobs, the first %s", len(got), got[0].Job().ID)
	}
}

// A Queue fetches what its Takes wait for, and nothing else.
func TestTakesNoMoreThanAskedFor(t *testing.T) {
	t.Parallel()
	q := open(t, connect(t, "redis://"+start(t).Addr), Options{})
	publish(t, q, batch(0, 500)...)
	held := 0
	for held < 200 {
		held += len(take(t, q, 1+held%20))
		if w, h, err := q.Pending(t.Context()); err != nil || h > held || w+h != 500 {
			t.Fatalf("%d wait and %d are held, error %v, want %d and %d", w, h, err, 500-held, held)
		}
	}
}

// A user with nothing but what keys.go names can do everything but delete all.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	r := start(t)
	admin := connect(t, "redis://"+r.Addr)
	rules := append([]any{"acl", "setuser", "worker", "on", ">secret", "~asynq:*", "-@all", "+@connection"}, words(Commands)...)
	if err := admin.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	rdb, err := redisconn.New("redis://"+r.Addr, redisconn.Options{Name: "worker", Credentials: func(context.Context) (string, string, error) {
		return "worker", "secret", nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	q := open(t, rdb, Options{Lease: time.Second})
	publish(t, q, batch(0, 40)...)
	inject(t, q, "garbage", nil)
	plant(t, q, "bad", "\xff")
	for n := 0; n < 43; { // three of them twice
		for _, d := range take(t, q, 1) {
			end := d.Done
			switch n++; n {
			case 5:
				end = func(ctx context.Context) error { return d.Return(ctx, 0) }
			case 6:
				end = func(ctx context.Context) error { return d.Reject(ctx, "a test") }
			case 7, 8:
				end = d.Extend // and then its lease ends
			}
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := q.sweep(t.Context(), time.Now().Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if letters, err := q.DeadLetters(t.Context(), 10); err != nil || len(letters) != 3 {
		t.Errorf("%d letters, error %v, want 3", len(letters), err)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if w, h, err := q.Pending(t.Context()); err != nil || w+h != 0 {
		t.Errorf("%d wait and %d are held, error %v, want none", w, h, err)
	}
	denied := admin.Do(t.Context(), "acl", "log").Val()
	if l, ok := denied.([]any); !ok || len(l) > 0 {
		t.Errorf("Redis denied: %v", denied)
	}
	if err := rdb.FlushAll(t.Context()).Err(); !redis.IsPermissionError(err) {
		t.Errorf("FLUSHALL: %v, want no permission", err)
	}
}

func words(s string) []any {
	var all []any
	for w := range strings.FieldsSeq(s) {
		all = append(all, w)
	}
	return all
}
