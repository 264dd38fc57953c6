package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
	"overnight/results"
	"overnight/results/redisstore"
)

// lab is a Redis of the test's own, processes that use it, and commands that are
// given there.
type lab struct {
	*testFleet
	redis *daemon.Redis
	url   string
	rdb   *redis.Client
	store results.Store // to look into it faster than commands can
}

func newLab(t *testing.T, conf ...string) *lab {
	t.Helper()
	r, err := daemon.StartRedis(t.TempDir(), conf...)
	if errors.Is(err, daemon.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Kill() })
	l := &lab{redis: r, url: "redis://" + r.Addr, rdb: redis.NewClient(&redis.Options{Addr: r.Addr})}
	l.testFleet = &testFleet{t: t, engine: "asynq", dir: t.TempDir(), args: []string{"--cluster", l.url}}
	l.worker = l.args
	t.Cleanup(func() { _ = l.rdb.Close() })
	s, err := redisstore.New(t.Context(), l.rdb, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l.store = s
	return l
}

// soon makes processes end without the second that the race detector waits.
const soon = "GORACE=atexit_sleep_ms=0"

// start starts overnight in the background, with its log in the lab's folder.
func (l *lab) start(name string, args ...string) *daemon.Process {
	l.t.Helper()
	return l.startOf(os.Args[0])(name, args...)
}

// startOf returns what starts another build's processes.
func (l *lab) startOf(file string) func(name string, args ...string) *daemon.Process {
	return func(name string, args ...string) *daemon.Process {
		l.t.Helper()
		env := []string{mainEnv + "=1", soon, "OVERNIGHT_KEYS=" + filepath.Join(l.dir, "keys")}
		p, err := daemon.Start(filepath.Join(l.dir, name+".log"), env, file, args...)
		if err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(p.Kill)
		return p
	}
}

// file writes a file into the lab's folder and returns its path.
func (l *lab) file(name, text string) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return path
}

// idleStudy is a study of n trials in two points that wait without work for a
// core, so that tests that do much at once see it run and not the machine.
func idleStudy(name string, n int, ms float64) string {
	return fmt.Sprintf(`study: %s
env: {name: faulty, idle: %v, x: {grid: [1, 2]}}
agents: [{name: random}]
replications: %d
evaluate: {final: 1}
`, name, ms, n/2)
}

// command is overnight with arguments, for the lab's Redis.
func (l *lab) command(args ...string) *exec.Cmd {
	cmd := overnight(l.t.Context(), args...)
	cmd.Dir = l.dir
	cmd.Env = append(cmd.Env, "OVERNIGHT_CLUSTER="+l.url, "OVERNIGHT_KEYS="+filepath.Join(l.dir, "keys"))
	return cmd
}

// try runs a command and returns what it said and its exit code.
func (l *lab) try(args ...string) (stdout, stderr string, code int) {
	l.t.Helper()
	return run(l.t, l.command(args...))
}

// run runs a command and returns what it said and its exit code.
func run(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	if cmd.Env != nil {
		cmd.Env = append(cmd.Env, soon)
	}
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// say runs a command that must end with 0 and returns its stdout.
func (l *lab) say(args ...string) string {
	l.t.Helper()
	out, errs, code := l.try(args...)
	if code != 0 {
		l.t.Fatalf("overnight %v: exit code %d\n%s%s", args, code, out, errs)
	}
	return out
}

// alone runs a study on this machine, in a folder of its own, and returns its
// digest.
func (l *lab) alone(file string) string {
	l.t.Helper()
	out, err := overnight(l.t.Context(), "run", file, "--store", l.t.TempDir(), "--slots", "32").CombinedOutput()
	m := digestLine().FindSubmatch(out)
	if err != nil || m == nil {
		l.t.Fatalf("run %s: %v\n%s", file, err, out)
	}
	return string(m[1])
}

// serve starts a coordinator service and returns the addresses that it logs.
func (l *lab) serve(name string, start func(name string, args ...string) *daemon.Process) (p *daemon.Process, api, probes string) {
	l.t.Helper()
	p = start(name, append([]string{"serve", "--api", "127.0.0.1:0", "--metrics", "127.0.0.1:0"}, l.args...)...)
	api = l.logged(name, `\bapi\s+\{"address": "([^"]+)"`, 20*time.Second)
	probes = l.logged(name, `probes and metrics\s+\{"address": "([^"]+)"`, 20*time.Second)
	return p, api, probes
}

// workers starts n workers of some slots.
func (l *lab) workersOf(n, slots int, more ...string) []*daemon.Process {
	l.t.Helper()
	l.await("trusted keys", 20*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(l.dir, "keys", "trusted"))
		return err == nil
	})
	var out []*daemon.Process
	for range n {
		name := fmt.Sprintf("worker-%d", len(l.workers))
		p := l.start(name, slices.Concat([]string{"worker", "--slots", fmt.Sprint(slots)}, more, l.worker)...)
		l.workers = append(l.workers, p)
		out = append(out, p)
	}
	return out
}

// logged waits until a process logs what matches, and returns the first group.
func (l *lab) logged(name, pattern string, within time.Duration) string {
	l.t.Helper()
	re := regexp.MustCompile(pattern)
	var m []string
	l.await(fmt.Sprintf("line %q of %s", pattern, name), within, func() bool {
		m = re.FindStringSubmatch(l.log(name))
		return m != nil
	})
	return m[len(m)-1]
}

// await polls until ok, and fails with the logs of all processes.
func (l *lab) await(what string, within time.Duration, ok func() bool) {
	l.t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("no %s after %v\n%s", what, within, l.logs())
		}
	}
}

// logs returns the ends of all logs.
func (l *lab) logs() string {
	var b strings.Builder
	names, _ := filepath.Glob(filepath.Join(l.dir, "*.log"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		fmt.Fprintf(&b, "--- %s %v\n%s\n", filepath.Base(name), err, text[max(0, len(text)-4000):])
	}
	return b.String()
}

// committed returns how many records a study has; 0 where there is no such study.
func (l *lab) committed(study string) uint64 {
	t, err := l.store.Tally(l.t.Context(), study)
	if err != nil && !errors.Is(err, results.ErrNotFound) {
		l.t.Logf("tally: %v", err)
	}
	return t.Total()
}

// status is what `status --format json` says.
func (l *lab) status(study string) (st standing) {
	l.t.Helper()
	fromJSON(l.t, l.say("status", study, "--format", "json"), &st)
	return st
}

// fleet is what `workers --format json` says.
func (l *lab) fleet() (rows []workerRow) {
	l.t.Helper()
	fromJSON(l.t, l.say("workers", "--format", "json"), &rows)
	return rows
}

func fromJSON(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// finished waits for a study's end and returns its digest.
func (l *lab) finished(study string, within time.Duration) string {
	l.t.Helper()
	var p results.Plan
	l.await("end of "+study, within, func() bool {
		var err error
		p, err = l.store.Plan(l.t.Context(), study)
		return err == nil && p.State == results.Finished
	})
	return p.Digest
}

// attempts returns how often each number stands in the column attempts of a
// study's export.
func (l *lab) attempts(study string) map[string]int {
	l.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(l.say("export", study))).ReadAll()
	if err != nil || len(rows) == 0 {
		l.t.Fatalf("export %s: %v", study, err)
	}
	k := slices.Index(rows[0], "attempts")
	if k < 0 {
		l.t.Fatalf("no column attempts in %v", rows[0])
	}
	n := map[string]int{}
	for _, row := range rows[1:] {
		n[row[k]]++
	}
	return n
}

// measure calls probe until it tells that something has come, and returns how
// long that took from start.
func (l *lab) measure(what string, start time.Time, within time.Duration, probe func(ctx context.Context) bool) time.Duration {
	l.t.Helper()
	l.await(what, within, func() bool { return probe(l.t.Context()) })
	return time.Since(start)
}

// matches tells whether text has what a pattern means.
func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
