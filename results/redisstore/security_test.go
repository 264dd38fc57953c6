package redisstore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"overnight/results"
	"overnight/results/redisstore"
	"overnight/results/storetest"
)

// limited makes a user who may use only some commands, and only keys of the
// store.
func limited(t *testing.T, addr string, commands ...string) *redis.Client {
	t.Helper()
	admin := client(t, addr)
	rules := []any{"acl", "setuser", "overnight", "reset", "on", ">secret", "~overnight:*", "-@all"}
	for _, c := range slices.Concat(redisstore.Commands(), redisstore.ConnectionCommands(), commands) {
		rules = append(rules, "+"+c)
	}
	if err := admin.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: addr, Username: "overnight", Password: "secret"})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLeastPrivilege: the suite passes for a user with the commands that are
// listed, who can do nothing else, and the list has no command that isn't used.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	addr := server(t, "--appendonly", "no").Addr
	rdb := limited(t, addr)
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) results.Store { return open(t, rdb, redisstore.Options{}) })
	})
	s := open(t, rdb, redisstore.Options{Wait: redisstore.Wait{}})
	for d, err := range s.Check(t.Context(), "") {
		if err != nil || !strings.HasPrefix(d.What, "digest: it is fixed") { // by the suite, to see it cleared
			t.Errorf("Check: %v, %v", d, err)
		}
	}
	for _, forbidden := range [][]any{
		{"flushall"}, {"flushdb"}, {"config", "get", "*"}, {"config", "set", "dir", "/tmp"}, {"keys", "*"}, {"scan", "0"},
		{"get", "other:key"}, {"set", "other:key", "1"}, {"acl", "list"}, {"shutdown"},
		{"eval", "return redis.call('FLUSHALL')", "0"}, {"eval", "return redis.call('GET', 'other:key')", "0"},
	} {
		err := rdb.Do(t.Context(), forbidden...).Err()
		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") && !strings.Contains(err.Error(), "The user executing the script can't") {
			t.Errorf("%v: error %v, want a refusal", forbidden, err)
		}
	}
	r, err := s.Inspect(t.Context())
	if err != nil || len(r.Nodes) != 1 || !slices.Equal(r.Nodes[0].Refused, []string{"info", "config|get"}) {
		t.Errorf("Inspect: %+v, error %v, want INFO and CONFIG refused", r, err)
	}

	// Every command of the list was used, but for those of rare cases: a delete that
	// is sent again, workers that were silent for a day, replicas.
	rare := []string{"hexists", "zrem", "wait"}
	stats, err := client(t, addr).Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range redisstore.Commands() {
		if !slices.Contains(rare, c) && !strings.Contains(stats, "cmdstat_"+c+":calls=") {
			t.Errorf("command %s is on the list and was not used", c)
		}
	}
}

// TestInspect: what doctor asks for.
func TestInspect(t *testing.T) {
	t.Parallel()
	r := server(t, "--appendfsync", "always", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	got, err := open(t, client(t, r.Addr), redisstore.Options{}).Inspect(t.Context())
	if err != nil || len(got.Nodes) != 1 {
		t.Fatalf("%+v, error %v", got, err)
	}
	n := got.Nodes[0]
	if n.Addr != r.Addr || n.Software == "" || n.Version == "" || n.Role != "master" || n.Replicas != 0 || !n.AOF || n.AOFFailed ||
		n.AppendFsync != "always" || n.MaxMemoryPolicy != "allkeys-lru" || n.MaxMemory != 100<<20 || n.UsedMemory <= 0 ||
		n.ListpackValue != 64 || n.ListpackEntries < 128 || n.Cluster || n.Refused != nil || n.Skew.Abs() > n.SkewWithin+1e9 {
		t.Errorf("%+v", n)
	}
	// Without CONFIG most of it comes from INFO.
	got, err = open(t, limited(t, r.Addr, "info"), redisstore.Options{}).Inspect(t.Context())
	if err != nil || len(got.Nodes) != 1 {
		t.Fatalf("%+v, error %v", got, err)
	}
	n = got.Nodes[0]
	if n.MaxMemoryPolicy != "allkeys-lru" || n.MaxMemory != 100<<20 || !n.AOF || n.AppendFsync != "" || !slices.Equal(n.Refused, []string{"config|get"}) {
		t.Errorf("without CONFIG: %+v", n)
	}
	if got, err = open(t, cluster(t), redisstore.Options{}).Inspect(t.Context()); err != nil || !got.Cluster || len(got.Nodes) != 1 || !got.Nodes[0].Cluster {
		t.Errorf("a cluster: %+v, error %v", got, err)
	}
}
