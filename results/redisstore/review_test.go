package redisstore_test

import (
	"context"
	"testing"
	"time"
	"syscall"
	"fmt"

	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

func TestRvFailover(t *testing.T) {
	rdb := client(t, server(t).Addr)
	a, b := open(t, rdb, redisstore.Options{}), open(t, rdb, redisstore.Options{})
	p := create(t, a, "study", 100, 100, 0)
	r := storetest.NewRecord(&p, 1)
	r.Worker = "worker-a"
	commit(t, a, p, r)
	v := vandal{t, rdb}
	key := v.own("study", "workers")
	rdb.Del(t.Context(), key)
	r = storetest.NewRecord(&p, 2)
	r.Worker = "worker-b"
	commit(t, b, p, r)
	r = storetest.NewRecord(&p, 3)
	r.Worker = "worker-a"
	commit(t, a, p, r)
	for _, d := range damages(t, open(t, rdb, redisstore.Options{}), "") {
		t.Error(d)
	}
}

func TestRvFull(t *testing.T) {
	rdb := client(t, server(t).Addr)
	s := open(t, rdb, redisstore.Options{})
	p := create(t, s, "study", 100, 100, 1000)
	rdb.ConfigSet(t.Context(), "maxmemory", "1mb")
	_, err := s.Beat(t.Context(), results.Worker{ID: "w", Slots: 1}, 0)
	t.Log("beat", err)
	_, err = s.Lease(t.Context(), "serve", "w", time.Hour)
	t.Log("lease", err)
	t.Log("give", s.Give(t.Context(), results.Order{Kind: results.Cancel, Study: p.Study}))
	t.Log("delete", s.Delete(t.Context(), p.Study))
}

func TestRvStopped(t *testing.T) {
	srv := server(t)
	rdb := client(t, srv.Addr)
	s := open(t, rdb, redisstore.Options{})
	p := create(t, s, "study", 100, 100, 10)
	srv.Signal(syscall.SIGSTOP)
	defer srv.Signal(syscall.SIGCONT)
	do := func(name string, fn func(ctx context.Context) error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		err := fn(ctx)
		fmt.Println(name, "deadline 1s:", time.Since(began), err)
		ctx, cancel = context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		began = time.Now()
		err = fn(ctx)
		fmt.Println(name, "cancel 1s:", time.Since(began), err)
	}
	do("beat", func(ctx context.Context) error { _, err := s.Beat(ctx, results.Worker{ID: "w"}, 0); return err })
	do("commit", func(ctx context.Context) error { _, err := s.Commit(ctx, p.Study, 1, storetest.NewRecords(&p, 50, 60)); return err })
	began := time.Now()
	s.Close()
	fmt.Println("close", time.Since(began))
}
