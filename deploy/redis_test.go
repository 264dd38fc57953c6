package deploy

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
)

// redisUnderTest is a server with redis.conf, and the users of users.acl with the
// passwords of a folder.
type redisUnderTest struct {
	addr, dir, secrets string
}

// startRedis starts one whose passwords say whose they are.
func startRedis(t *testing.T) redisUnderTest {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"admin", "coordinator", "worker"} {
		if err := os.WriteFile(filepath.Join(dir, "redis-"+name), []byte(name+" password\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startRedisWith(t, dir)
}

func startRedisWith(t *testing.T, secrets string) redisUnderTest {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip(daemon.ErrNoRedis)
	}
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	r := redisUnderTest{addr: "127.0.0.1:" + strconv.Itoa(port), dir: t.TempDir(), secrets: secrets}
	r.writeACL(t)
	// The folders are a container's: these are the test's.
	src := strings.NewReplacer("\ndir /data\n", "\ndir "+r.dir+"\n", "aclfile /run/overnight/users.acl", "aclfile "+r.acl(), "\nport 6379\n", "\nport "+strconv.Itoa(port)+"\n").Replace(read(t, "redis/redis.conf"))
	conf := filepath.Join(r.dir, "redis.conf")
	if err := os.WriteFile(conf, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(r.dir, "log")
	p, err := daemon.Start(log, nil, "redis-server", conf, "--bind", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if err := daemon.WaitPort(r.addr, 10*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, read(t, log))
	}
	return r
}

func (r redisUnderTest) acl() string { return filepath.Join(r.dir, "users.acl") }

func (r redisUnderTest) writeACL(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("sh", "redis/acl.sh", "redis/users.acl", r.secrets, r.acl()).CombinedOutput(); err != nil {
		t.Fatalf("acl.sh: %v\n%s", err, out)
	}
}

// as connects as a user of ours.
func (r redisUnderTest) as(t *testing.T, user, password string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.addr, Username: user, Password: password, MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRedisUsersAreRefused(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	admin := r.as(t, "overnight-admin", "admin password")
	if err := admin.Set(t.Context(), "somebody:else", "theirs", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"coordinator", "worker"} {
		c := r.as(t, "overnight-"+user, user+" password")
		for _, line := range []string{
			"FLUSHALL", "FLUSHDB", "CONFIG GET maxmemory", "CONFIG SET appendonly no", "CONFIG REWRITE", "KEYS *", "RANDOMKEY",
			"DEL somebody:else", "UNLINK somebody:else", "GET somebody:else", "SET somebody:else x", "RENAME somebody:else overnight:x",
			"COPY somebody:else overnight:x", "EXPIRE somebody:else 1", "XADD somebody:else * a b",
			"SHUTDOWN", "DEBUG SLEEP 0", "SAVE", "BGSAVE", "BGREWRITEAOF", "REPLICAOF NO ONE", "FAILOVER", "MONITOR", "SWAPDB 0 1",
			"MIGRATE 127.0.0.1 1 overnight:x 0 1", "RESTORE overnight:x 0 x", "SORT overnight:x", "CLIENT LIST", "CLIENT KILL ID 1",
			"ACL LIST", "ACL SETUSER overnight-worker allkeys", "ACL LOAD", "MODULE LIST", "LATENCY RESET",
			"SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION FLUSH", "FUNCTION LOAD x", "PUBLISH somebody:else x", "SPUBLISH somebody:else x",
			"EVAL return(redis.call('FLUSHALL')) 0", "EVAL return(redis.call('GET',KEYS[1])) 1 somebody:else",
			"EVAL return(redis.call('DEL','somebody:else')) 0", "EVAL return(redis.call('CONFIG','GET','*')) 0",
		} {
			var args []any
			for _, w := range strings.Fields(line) {
				args = append(args, w)
			}
			err := c.Do(t.Context(), args...).Err()
			if !refusedByRedis(err) {
				t.Errorf("%s: %s: %v, want a refusal", user, line, err)
			}
		}
		if err := c.Set(t.Context(), "overnight:{s}:x", "ours", 0).Err(); err != nil {
			t.Errorf("%s can't write a key of ours: %v", user, err)
		}
	}
	if got, err := admin.Get(t.Context(), "somebody:else").Result(); got != "theirs" || err != nil {
		t.Errorf("after all that the key of somebody else is %q, %v", got, err)
	}
}

// refusedByRedis tells whether an error is Redis's for want of rights: of a
// command, of one in a script, or of one that the configuration switches off.
func refusedByRedis(err error) bool {
	return err != nil && slices.ContainsFunc([]string{"NOPERM", "can't access at least one of the keys", "is not allowed from script", "DEBUG command not allowed", "can't run this command"},
		func(s string) bool { return strings.Contains(err.Error(), s) })
}

// A worker leaves alone what it has no use for.
func TestRedisWorkerIsRefused(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	worker := r.as(t, "overnight-worker", "worker password")
	for _, line := range []string{
		"SET overnight:{:lease:serve} me", "GET overnight:{:lease:serve}", // another's lease
		"SET overnight:{:blob:00}:data x", "DEL overnight:{:blob:00}:data", // data files
		"HSET overnight:studies s x", "SET overnight:format 9",
		"DEL overnight:{s}:plan", "UNLINK overnight:{s}:plan", "RENAME overnight:{s}:plan overnight:{s}:x",
		"EVAL return(redis.call('DEL',KEYS[1])) 1 overnight:{s}:plan",
		"DEL asynq:{other}:pending", "LPUSH asynq:{other}:pending x", "SCAN 0",
	} {
		var args []any
		for _, w := range strings.Fields(line) {
			args = append(args, w)
		}
		if err := worker.Do(t.Context(), args...).Err(); !refusedByRedis(err) {
			t.Errorf("%s: %v, want a refusal", line, err)
		}
	}
	for _, line := range []string{"GET overnight:{:blob:00}:data", "HGETALL overnight:studies", "HSET overnight:{s}:plan x 1", "HSET overnight:{:fleet}:workers x 1", "DEL asynq:{overnight.e1}:t:x"} {
		var args []any
		for _, w := range strings.Fields(line) {
			args = append(args, w)
		}
		if err := worker.Do(t.Context(), args...).Err(); err != nil && !errors.Is(err, redis.Nil) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestRedisLogins(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	for _, tt := range []struct {
		user, password, want string
	}{
		{"", "", "NOAUTH"},
		{"default", "", "WRONGPASS"},
		{"overnight-worker", "", "WRONGPASS"},
		{"overnight-worker", "coordinator password", "WRONGPASS"},
		{"overnight-admin", "worker password", "WRONGPASS"},
		{"overnight-worker", "worker password", ""},
		{"overnight-probe", "any", ""}, // who may ping, and nothing else
	} {
		c := redis.NewClient(&redis.Options{Addr: r.addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true, OnConnect: func(ctx context.Context, cn *redis.Conn) error {
			if tt.user == "" {
				return nil
			}
			return cn.AuthACL(ctx, tt.user, tt.password).Err()
		}})
		err := c.Ping(t.Context()).Err()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q with %q: %v, want %q", tt.user, tt.password, err, tt.want)
		}
		if err := c.Get(t.Context(), "overnight:x").Err(); tt.user == "overnight-probe" && (err == nil || !strings.Contains(err.Error(), "NOPERM")) {
			t.Errorf("the probe reads a key: %v", err)
		}
		_ = c.Close()
	}
}

// Two passwords are good while one replaces the other, and nothing restarts.
func TestRedisPasswordsRotate(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	admin := r.as(t, "overnight-admin", "admin password")
	works := func(password string) bool {
		t.Helper()
		c := r.as(t, "overnight-worker", password)
		err := c.Ping(t.Context()).Err()
		if err != nil && !strings.Contains(err.Error(), "WRONGPASS") {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, step := range []struct {
		file     string
		old, new bool
	}{
		{"worker password\n", true, false},
		{"worker password\nthe next one", true, true},
		{"the next one\n\n", false, true},
	} {
		if err := os.WriteFile(filepath.Join(r.secrets, "redis-worker"), []byte(step.file), 0o600); err != nil {
			t.Fatal(err)
		}
		r.writeACL(t)
		if err := admin.Do(t.Context(), "ACL", "LOAD").Err(); err != nil {
			t.Fatal(err)
		}
		if old, next := works("worker password"), works("the next one"); old != step.old || next != step.new {
			t.Errorf("with %q: old works: %v, new works: %v", step.file, old, next)
		}
	}
}

// What doctor asks for is what redis.conf says, to those who may look.
func TestRedisConfiguration(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	admin := r.as(t, "overnight-admin", "admin password")
	for name, want := range map[string]string{"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": "", "maxmemory": "1073741824"} {
		got, err := admin.ConfigGet(t.Context(), name).Result()
		if err != nil || got[name] != want {
			t.Errorf("%s is %q, %v; want %q", name, got[name], err, want)
		}
	}
	for _, user := range []string{"coordinator", "worker"} {
		c := r.as(t, "overnight-"+user, user+" password")
		for section, want := range map[string]string{"persistence": "aof_enabled:1", "memory": "maxmemory_policy:noeviction"} {
			got, err := c.Info(t.Context(), section).Result()
			if err != nil || !strings.Contains(got, want) {
				t.Errorf("%s: INFO %s: %v, want %s in it", user, section, err, want)
			}
		}
	}
}
