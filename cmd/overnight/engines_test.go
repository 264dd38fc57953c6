package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"overnight/internal/daemon"
)

var everyFleet = flag.Bool("fleets", false, "TestEngines: each engine with 1, 2 and 8 workers, not with 2 alone")

// fleet is an engine with worker processes for one study.
type testFleet struct {
	t       *testing.T
	engine  string
	dir     string
	args    []string // of run
	worker  []string // of worker
	workers []*daemon.Process
}

// newFleet starts what an engine needs beside overnight's own processes.
func newFleet(t *testing.T, engine string) *testFleet {
	t.Helper()
	f := &testFleet{t: t, engine: engine, dir: t.TempDir()}
	switch engine {
	case "joined":
		port := freePort(t)
		store := filepath.Join(f.dir, "store")
		f.args = []string{"--store", store, "--listen", "127.0.0.1:" + port}
		f.worker = []string{"--join", filepath.Join(store, "join")}
	case "asynq":
		f.args = []string{"--cluster", "redis://" + startRedis(t)}
		f.worker = f.args
	case "nats":
		port := freePort(t)
		p, err := daemon.Start(filepath.Join(f.dir, "nats.log"), []string{mainEnv + "=1"}, os.Args[0], "nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd", filepath.Join(f.dir, "nats"))
		if err == nil {
			t.Cleanup(p.Kill)
			err = daemon.WaitPort("127.0.0.1:"+port, 10*time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.args = []string{"--queue", "nats://127.0.0.1:" + port, "--store", "redis://" + startRedis(t)}
		f.worker = f.args
	}
	return f
}

// startRedis starts a server of the test's own and returns its address.
func startRedis(t *testing.T, conf ...string) string {
	t.Helper()
	r, err := daemon.StartRedis(t.TempDir(), conf...)
	if errors.Is(err, daemon.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Kill() })
	return r.Addr
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// start starts overnight in the background, with its log in the fleet's folder.
func (f *testFleet) start(name string, args ...string) *daemon.Process {
	f.t.Helper()
	env := []string{mainEnv + "=1", "OVERNIGHT_KEYS=" + filepath.Join(f.dir, "keys")}
	p, err := daemon.Start(filepath.Join(f.dir, name+".log"), env, os.Args[0], args...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(p.Kill)
	return p
}

// log returns what a process said.
func (f *testFleet) log(name string) string {
	b, err := os.ReadFile(filepath.Join(f.dir, name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// digest runs the study with workers that do all of it, and returns its digest.
func (f *testFleet) digest(study string, workers int) string {
	f.t.Helper()
	run := f.start("run", append([]string{"run", study, "--slots", "0"}, f.args...)...)
	for i := range workers {
		wants := filepath.Join(f.dir, "keys", "trusted")
		if f.engine == "joined" {
			wants = f.worker[1]
		}
		await(f.t, 20*time.Second, wants, func() bool {
			_, err := os.Stat(wants)
			return err == nil
		})
		f.workers = append(f.workers, f.start(fmt.Sprintf("worker-%d", i), append([]string{"worker", "--slots", "1"}, f.worker...)...))
	}
	select {
	case <-run.Done():
	case <-time.After(2 * time.Minute):
		f.t.Fatalf("run did not end:\n%s\n%s", f.log("run"), f.log("worker-0"))
	}
	m := digestLine().FindStringSubmatch(f.log("run"))
	if run.Err() != nil || m == nil {
		f.t.Fatalf("run: %v\n%s\n%s", run.Err(), f.log("run"), f.log("worker-0"))
	}
	for i, w := range f.workers {
		if err := w.Stop(30 * time.Second); err != nil {
			f.t.Errorf("worker %d: %v\n%s", i, err, f.log(fmt.Sprintf("worker-%d", i)))
		}
	}
	return m[1]
}

// await polls until ok.
func await(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s after %v", what, within)
		}
	}
}

// TestEngines holds G2 over engines: the digest is the same on one machine, with
// workers that join, over asynq and Redis, and over NATS and Redis, with any
// number of workers.
func TestEngines(t *testing.T) {
	t.Parallel()
	want := digestOf(t, t.TempDir(), "--slots", "2")
	counts := []int{2}
	if *everyFleet {
		counts = []int{1, 2, 8}
	}
	for _, engine := range []string{"joined", "asynq", "nats"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			for _, n := range counts {
				start := time.Now()
				got := newFleet(t, engine).digest(*killStudy, n)
				if got != want {
					t.Errorf("%d workers: digest %s, want %s", n, got, want)
				}
				t.Logf("%-8s %d workers  %.12s  %v", engine, n, got, time.Since(start).Round(100*time.Millisecond))
			}
		})
	}
}

// hostPort is an address that nobody listens at.
func hostPort(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", freePort(t))
}
