package main

import (
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
)

// formSentinel is a master and a replica with a password, and three Sentinels
// without one. In mid-study the replica loses its master, the master goes on for a
// while, is killed and never comes back. The replica takes over: the records that
// it had not heard of were acknowledged and are lost, the counts go back, their
// trials run again, and the digest is the same.
func formSentinel(f *form) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		f.t.Skip(daemon.ErrNoRedis)
	}
	const password = "data"
	server := func(args ...string) *daemon.Redis {
		f.t.Helper()
		r, err := daemon.StartRedis(f.t.TempDir(), append([]string{"--requirepass", password, "--masterauth", password, "--repl-diskless-sync-delay", "0"}, args...)...)
		if err != nil {
			f.t.Fatal(err)
		}
		f.t.Cleanup(func() { r.Kill() })
		return r
	}
	master := server()
	host, port, err := net.SplitHostPort(master.Addr)
	if err != nil {
		f.t.Fatal(err)
	}
	servers := map[string]*daemon.Redis{master.Addr: master}
	replica := server("--replicaof", host+" "+port)
	servers[replica.Addr] = replica
	await(f.t, 15*time.Second, "replica that follows its master", func() bool {
		info, err := f.withPassword(replica.Addr, password).Info(f.t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	sentinels := f.sentinels(port, password)
	named := func() string { // by all of them, or ""
		all := map[string]bool{}
		for _, s := range sentinels {
			addr, err := s.GetMasterAddrByName(f.t.Context(), "mymaster").Result()
			if err != nil || len(addr) != 2 {
				return ""
			}
			all[net.JoinHostPort(addr[0], addr[1])] = true
		}
		for addr := range all {
			if len(all) == 1 {
				return addr
			}
		}
		return ""
	}
	for _, s := range sentinels {
		await(f.t, 15*time.Second, "Sentinels that know each other and the replica", func() bool {
			m, err := s.Master(f.t.Context(), "mymaster").Result()
			return err == nil && m["num-other-sentinels"] == "2" && m["num-slaves"] == "1"
		})
	}

	f.run = []string{"OVERNIGHT_REDIS_PASSWORD_FILE=" + f.write("password", password)}
	f.worker = f.run
	f.coordinate()
	f.work()
	committed := func(least uint64) (n uint64) {
		f.t.Helper()
		await(f.t, 20*time.Second, fmt.Sprintf("%d records", least), func() bool {
			s := f.status()
			if n = s.Committed; n > 0 && n == s.Trials {
				f.t.Fatal("the study ended too soon")
			}
			return n >= least
		})
		return n
	}
	known := committed(10)
	was := named()
	if servers[was] == nil {
		f.t.Fatalf("the Sentinels name the master %q", was)
	}
	for addr := range servers {
		if addr == was {
			continue
		}
		if err := f.withPassword(addr, password).ConfigSet(f.t.Context(), "masterauth", "wrong").Err(); err != nil {
			f.t.Fatal(err)
		}
	}
	// The replica connects again, and is refused.
	if err := f.withPassword(was, password).Do(f.t.Context(), "client", "kill", "type", "replica").Err(); err != nil {
		f.t.Fatal(err)
	}
	f.work() // whom the replica never hears of
	last := committed(known + 30)
	for _, w := range f.workers { // so that nobody makes good the loss before it is seen
		w.Signal(syscall.SIGSTOP)
	}
	killed := time.Now()
	servers[was].Kill()
	await(f.t, 30*time.Second, "new master", func() bool { is := named(); return is != was && servers[is] != nil })
	over := time.Since(killed)
	var lost string
	await(f.t, 20*time.Second, "word that counts went back in the log of run", func() bool {
		m := regexp.MustCompile(`counts went back: the store has lost (\d+) records`).FindStringSubmatch(f.read("run.log"))
		if m != nil {
			lost = m[1]
		}
		return m != nil
	})
	for _, w := range f.workers {
		w.Signal(syscall.SIGCONT)
	}
	f.end(serverVersion(f.t, f.withPassword(named(), password)))
	f.t.Logf("the replica was cut off with %d or more trials committed, the master killed with %d; replaced after %v, %s acknowledged records lost",
		known, last, over.Round(100*time.Millisecond), lost)
}

func (f *form) withPassword(addr, password string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, Password: password})
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

// sentinels starts three that watch a master at a port of 127.0.0.1, and sets the
// form's address to theirs.
func (f *form) sentinels(port, password string) (all []*redis.SentinelClient) {
	f.t.Helper()
	var hosts []string
	for i := range 3 {
		own := freePort(f.t)
		conf := f.write(fmt.Sprintf("sentinel-%d.conf", i), fmt.Sprintf(`bind 127.0.0.1
port %s
dir %s
sentinel monitor mymaster 127.0.0.1 %s 2
sentinel auth-pass mymaster %s
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 5000
`, own, f.t.TempDir(), port, password))
		f.start(fmt.Sprintf("sentinel-%d", i), nil, "redis-server", conf, "--sentinel")
		f.listens(own)
		c := redis.NewSentinelClient(&redis.Options{Addr: "127.0.0.1:" + own})
		f.t.Cleanup(func() { _ = c.Close() })
		all, hosts = append(all, c), append(hosts, "127.0.0.1:"+own)
	}
	f.args = []string{"--cluster", "redis+sentinel://" + strings.Join(hosts, ",") + "/mymaster"}
	return all
}
