package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
)

// TestForms runs one study over each form of the engines that users set up:
// `run --slots 0` and two workers reach the servers with the credentials of each,
// and the digest is that of one machine. Every form prints a row of the table in
// docs/operations.md.
func TestForms(t *testing.T) {
	t.Parallel()
	want := digestOf(t, t.TempDir())
	for name, test := range map[string]func(f *form){
		"tls": formTLS, "socket": formSocket, "sentinel": formSentinel, "cluster": formCluster, "cluster-tls": formClusterTLS,
		"nats-tls": formNATS, "valkey": formValkey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(&form{t: t, dir: t.TempDir(), want: want, name: name, begun: time.Now()})
		})
	}
}

// form is overnight's processes around servers of one kind.
type form struct {
	t      *testing.T
	name   string
	dir    string
	want   string // the digest
	args   []string
	run    []string // environment of coordinators
	worker []string // environment of workers
	begun  time.Time

	process *daemon.Process // run
	workers []*daemon.Process
}

func (f *form) env(more []string) []string {
	return append([]string{mainEnv + "=1", "OVERNIGHT_KEYS=" + filepath.Join(f.dir, "keys")}, more...)
}

// start starts a process with its output in a file of the form's folder.
func (f *form) start(name string, env []string, program string, args ...string) *daemon.Process {
	f.t.Helper()
	p, err := daemon.Start(filepath.Join(f.dir, name+".log"), env, program, args...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(p.Kill)
	return p
}

// begin starts the coordinator and two workers.
func (f *form) begin() {
	f.t.Helper()
	f.coordinate()
	f.work()
	f.work()
}

// coordinate starts the coordinator, and returns when workers can trust it.
func (f *form) coordinate() {
	f.t.Helper()
	f.process = f.start("run", f.env(f.run), os.Args[0], append([]string{"run", *killStudy, "--slots", "0"}, f.args...)...)
	trusted := filepath.Join(f.dir, "keys", "trusted")
	await(f.t, 20*time.Second, trusted, func() bool {
		_, err := os.Stat(trusted)
		return err == nil
	})
}

// work starts a worker.
func (f *form) work() {
	f.t.Helper()
	name := fmt.Sprintf("worker-%d", len(f.workers))
	f.workers = append(f.workers, f.start(name, f.env(f.worker), os.Args[0], append([]string{"worker", "--slots", "1"}, f.args...)...))
}

// end waits for the study and compares its digest; what says which servers it ran
// on.
func (f *form) end(what string) {
	f.t.Helper()
	select {
	case <-f.process.Done():
	case <-time.After(90 * time.Second):
		f.t.Fatalf("run did not end:\n%s", f.logs())
	}
	m := digestLine().FindStringSubmatch(f.read("run.log"))
	if f.process.Err() != nil || m == nil {
		f.t.Fatalf("run: %v\n%s", f.process.Err(), f.logs())
	}
	if m[1] != f.want {
		f.t.Errorf("digest %s, want %s as on one machine", m[1], f.want)
	}
	if s := f.status(); s.Committed != s.Trials || s.Done != s.Trials || s.Differs != 0 {
		f.t.Errorf("the store counts %+v, want every trial committed and done", s)
	}
	if out, err := f.say(f.run, "doctor"); err != nil {
		f.t.Errorf("doctor: %v\n%s", err, out)
	}
	for i, w := range f.workers {
		if err := w.Stop(30 * time.Second); err != nil {
			f.t.Errorf("worker %d at SIGTERM: %v\n%s", i, err, f.logs())
		}
	}
	f.t.Logf("%-12s %-18s %.12s  %v", f.name, what, m[1], time.Since(f.begun).Round(100*time.Millisecond))
}

func (f *form) read(name string) string {
	f.t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// logs returns the end of what every process said.
func (f *form) logs() string {
	names, err := filepath.Glob(filepath.Join(f.dir, "*.log"))
	if err != nil {
		f.t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range names {
		s := f.read(filepath.Base(n))
		fmt.Fprintf(&b, "--- %s\n%s\n", filepath.Base(n), s[max(0, len(s)-3000):])
	}
	return b.String()
}

// say runs a command with an environment to its end.
func (f *form) say(env []string, args ...string) (string, error) {
	cmd := overnight(f.t.Context(), append(args, f.args...)...)
	cmd.Env = append(cmd.Env, f.env(env)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// status returns where the study stands, the zero standing before it is there.
func (f *form) status() standing {
	f.t.Helper()
	out, err := f.say(f.run, "status", "kills", "--format", "json")
	var s standing
	if err == nil {
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			f.t.Fatalf("%v in\n%s", err, out)
		}
	}
	return s
}

// write makes a file that we alone may read, and returns its path.
func (f *form) write(name, text string) string {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// listens waits until somebody listens at a port of 127.0.0.1.
func (f *form) listens(port string) {
	f.t.Helper()
	if err := daemon.WaitPort("127.0.0.1:"+port, 10*time.Second); err != nil {
		f.t.Fatalf("%v\n%s", err, f.logs())
	}
}

// serverVersion returns a server's name and version.
func serverVersion(t *testing.T, rdb redis.Cmdable) string {
	t.Helper()
	s, err := rdb.Info(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	of := func(key string) string {
		_, v, _ := strings.Cut(s, key+":")
		v, _, _ = strings.Cut(v, "\r")
		return v
	}
	if v := of("valkey_version"); v != "" {
		return "valkey " + v
	}
	return "redis " + of("redis_version")
}
