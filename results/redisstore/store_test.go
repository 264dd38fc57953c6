package redisstore_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

// server starts a redis-server for one test.
func server(t testing.TB, conf ...string) *daemon.Redis {
	t.Helper()
	r, err := daemon.StartRedis(t.TempDir(), conf...)
	if errors.Is(err, daemon.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Kill)
	return r
}

func client(t testing.TB, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func open(t testing.TB, rdb redis.UniversalClient, o redisstore.Options) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(context.Background(), rdb, o)
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

func TestStore(t *testing.T) {
	t.Parallel()
	rdb := client(t, server(t).Addr)
	storetest.Run(t, func(t *testing.T) results.Store { return open(t, rdb, redisstore.Options{}) })
}

// TestStoreOnCluster: no command and no script has keys of two slots.
func TestStoreOnCluster(t *testing.T) {
	t.Parallel()
	rdb := cluster(t)
	storetest.Run(t, func(t *testing.T) results.Store { return open(t, rdb, redisstore.Options{Namespace: "other"}) })
}

// cluster returns a client of a cluster of one node, which refuses what a larger
// one would refuse.
func cluster(t *testing.T) *redis.ClusterClient {
	t.Helper()
	r := server(t, "--cluster-enabled", "yes")
	node := client(t, r.Addr)
	if err := node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		info, err := node.ClusterInfo(t.Context()).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cluster does not come up: %v\n%s", err, info)
		}
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{r.Addr}})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestStoreOnMiniredis needs no server. miniredis has no binary numbers in Lua,
// so that leaders are counted anew each time, and its clock has to be turned.
func TestStoreOnMiniredis(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	rdb := client(t, m.Addr())
	turned := make(chan struct{})
	ticker := time.NewTicker(10 * time.Millisecond)
	go func() {
		defer close(turned)
		for {
			select {
			case <-ticker.C:
				m.FastForward(10 * time.Millisecond)
			case <-t.Context().Done():
				return
			}
		}
	}()
	t.Cleanup(func() { ticker.Stop(); <-turned })
	storetest.Run(t, func(t *testing.T) results.Store {
		s := open(t, rdb, redisstore.Options{})
		s.Boardless()
		return s
	})
}

// sameFloats compares bits, and takes all NaN for one.
var sameFloats = cmp.Comparer(func(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
})
