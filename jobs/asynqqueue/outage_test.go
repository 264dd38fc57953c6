package asynqqueue

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/jobs"
)

// A server without an answer is an error after a while, and everything goes on
// when it is back.
func TestRedisKilled(t *testing.T) {
	t.Parallel()
	r := start(t)
	q := open(t, connect(t, "redis://"+r.Addr), Options{})
	publish(t, q, batch(0, 10)...)
	held := take(t, q, 2)
	r.Kill()

	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	failed := make(chan error, 2)
	go func() {
		_, err := q.Take(ctx, 1)
		failed <- err
	}()
	go func() { failed <- q.Publish(ctx, batch(10, 300)) }()
	for range 2 {
		if err := <-failed; err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the server is away: %v, want its error before the context ends", err)
		}
	}
	if _, _, err := q.Pending(ctx); err == nil {
		t.Error("Pending while the server is away: no error")
	}

	if err := r.Restart(); err != nil {
		t.Fatal(err)
	}
	for _, d := range held {
		if err := d.Done(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := q.Publish(t.Context(), batch(10, 300)); err != nil { // none of what may have been added is added again
		t.Fatal(err)
	}
	// The file was synced every second: the first jobs may be lost.
	seen := map[string]bool{}
	for len(seen) < 290 {
		for _, d := range take(t, q, 50) {
			if d.Job().Trials[0].From >= 1000 {
				seen[d.Job().ID] = true
			}
			if err := d.Done(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A Take that waits over a short absence notices nothing.
func TestRedisAwayForAMoment(t *testing.T) {
	t.Parallel()
	r := start(t)
	q := open(t, connect(t, "redis://"+r.Addr), Options{})
	publish(t, q, job(0))
	if err := take(t, q, 1)[0].Done(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken := make(chan []jobs.Delivery, 1)
	go func() { taken <- take(t, q, 1) }()
	r.Kill()
	if err := r.Restart(); err != nil {
		t.Fatal(err)
	}
	publish(t, q, job(1))
	if got := <-taken; len(got) != 1 || got[0].Job().ID != job(1).ID {
		t.Fatalf("took %d jobs, want only %s", len(got), job(1).ID)
	}
}

// A server that stands still hangs nobody, Close included.
func TestRedisStopped(t *testing.T) {
	t.Parallel()
	r := start(t)
	q := open(t, connect(t, "redis://"+r.Addr), Options{})
	publish(t, q, batch(0, 5)...)
	for held := 0; held < 5; {
		held += len(take(t, q, 5))
	}
	r.Signal(syscall.SIGSTOP)
	defer r.Signal(syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := q.Take(ctx, 1); err == nil {
		t.Error("Take: no error")
	}
	if err := q.Publish(ctx, batch(5, 10)); err == nil {
		t.Error("Publish: no error")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("Take and Publish lasted %v after their context of 500ms", d)
	}
	start = time.Now()
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 3*shutFor {
		t.Errorf("Close lasted %v", d)
	} else {
		t.Logf("Close lasted %v", d)
	}
}

// Everything is deleted, the scripts too.
func TestFlushed(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{})
	for i := range 20 {
		publish(t, q, batch(i*100, i*100+50)...)
		held := take(t, q, 10)
		taken := make(chan []jobs.Delivery, 1)
		go func() { taken <- take(t, q, 100) }()
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		for _, d := range held {
			if err := d.Done(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		last := job(i*100 + 99)
		publish(t, q, last)
		found := false
		for ds := <-taken; ; ds = take(t, q, 10) {
			for _, d := range ds {
				found = found || d.Job().ID == last.ID
				if err := d.Done(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if found {
				break
			}
		}
	}
}

func TestRedisFull(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{})
	publish(t, q, job(0))
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := q.Publish(t.Context(), batch(1, 600)); !redis.IsOOMError(err) {
		t.Errorf("Publish to a full server: %v, want OOM", err)
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	publish(t, q, batch(1, 600)...)
	if w, _, err := q.Pending(t.Context()); err != nil || w != 600 {
		t.Errorf("%d jobs wait, error %v, want 600", w, err)
	}
}

func TestRedisReadOnly(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{})
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	if err := rdb.SlaveOf(t.Context(), "127.0.0.1", port).Err(); err != nil { // of nobody who answers
		t.Fatal(err)
	}
	if err := q.Publish(t.Context(), batch(0, 10)); !redis.IsReadOnlyError(err) {
		t.Errorf("Publish to a replica: %v, want READONLY", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := q.Take(ctx, 1); !redis.IsReadOnlyError(err) {
		t.Errorf("Take from a replica: %v, want READONLY", err)
	}
	if err := rdb.SlaveOf(t.Context(), "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	publish(t, q, batch(0, 10)...)
	take(t, q, 1)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// Close hands back what is held: the next process has it at once.
func TestCloseHandsBack(t *testing.T) {
	t.Parallel()
	rdb := connect(t, "redis://"+start(t).Addr)
	q := open(t, rdb, Options{Lease: time.Hour})
	publish(t, q, batch(0, 20)...)
	held := map[string]bool{}
	for len(held) < 20 {
		for _, d := range take(t, q, 20) {
			held[d.Job().ID] = true
		}
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	other := open(t, rdb, Options{})
	for len(held) > 0 {
		for _, d := range take(t, other, 20) {
			delete(held, d.Job().ID)
		}
	}
}

// A delivery is extended by its holder alone; the connection's life is not
// enough. What it says after its end is no error that matters.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	q := open(t, connect(t, "redis://"+start(t).Addr), Options{Lease: 100 * time.Millisecond})
	publish(t, q, job(0))
	first := take(t, q, 1)[0]
	second := take(t, q, 1)[0]
	if err := first.Extend(t.Context()); !errors.Is(err, errOver) {
		t.Errorf("Extend after the lease: %v, want %v", err, errOver)
	}
	for _, err := range []error{first.Return(t.Context(), 0), first.Reject(t.Context(), "late"), first.Done(t.Context())} {
		if err != nil {
			t.Errorf("after the lease: %v", err)
		}
	}
	if letters, err := q.DeadLetters(t.Context(), 1); err != nil || len(letters) != 0 {
		t.Errorf("letters %+v, error %v, want none", letters, err)
	}
	if err := second.Done(t.Context()); err != nil {
		t.Error(err)
	}
}
