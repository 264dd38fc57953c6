package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"overnight/internal/daemon"
)

// TestJoinedOutlives holds that a worker that joined `run --listen` waits for a
// coordinator that was killed, goes on with the next one without being started
// again, and that the digest is that of one machine.
func TestJoinedOutlives(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "joined")
	l := &lab{testFleet: f}
	file := l.file("again.yaml", idleStudy("again", 160, 40))
	want := l.alone(file)
	args := slices.Concat([]string{"run", file, "--slots", "0"}, f.args)
	first := l.start("first", args...)
	store := f.args[1]
	l.await("join file", 20*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(store, "join"))
		return err == nil
	})
	worker := l.start("worker", append([]string{"worker", "--slots", "2"}, f.worker...)...)
	committed := func() uint64 {
		out, _, code := run(t, overnight(t.Context(), "--store", store, "status", "again", "--format", "json"))
		var st standing
		if code == 0 {
			fromJSON(t, out, &st)
		}
		return st.Committed
	}
	l.await("first records", 30*time.Second, func() bool { return committed() >= 20 })
	first.Signal(syscall.SIGKILL)
	killed := time.Now()
	<-first.Done()
	had := committed()
	if had >= 160 {
		t.Fatalf("the study was over when its coordinator was killed")
	}
	second := l.start("second", args...)
	l.await("records after the kill", 30*time.Second, func() bool { return committed() > had })
	took := time.Since(killed)
	endsWell(t, l, second, time.Minute)
	m := digestLine().FindStringSubmatch(f.log("second"))
	if m == nil || m[1] != want {
		t.Errorf("want digest %s, the second run ends with\n%s", want, f.log("second"))
	}
	if strings.Count(f.log("worker"), "worker started") != 1 {
		t.Errorf("the worker was started again:\n%s", f.log("worker"))
	}
	if err := worker.Stop(20 * time.Second); err != nil {
		t.Errorf("the worker ended with %v\n%s", err, f.log("worker"))
	}
	t.Logf("kill -9 of the coordinator at %d of 160 trials; the same worker committed again %v later, and the study ended %v after the kill", had, took.Round(10*time.Millisecond), time.Since(killed).Round(10*time.Millisecond))
	if took > 15*time.Second {
		t.Errorf("the worker went on after %v", took)
	}
}

// endsWell waits until a process has ended well.
func endsWell(t *testing.T, l *lab, p *daemon.Process, within time.Duration) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(within):
		t.Fatalf("a process did not end within %v\n%s", within, l.logs())
	}
	if p.Err() != nil {
		t.Fatalf("a process ended with %v\n%s", p.Err(), l.logs())
	}
}

// TestTrust holds that a worker runs nothing that none of its keys has signed,
// that it says so, and that signatures are wanted unless both sides do without.
func TestTrust(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		run, worker []string
		stranger    bool   // the worker trusts another coordinator's key
		log         string // in which the worker says why; "": the study finishes
	}{
		{name: "another key", stranger: true, log: `(?m)^.*not signed by a trusted key.*$`},
		{name: "an unsigned job", run: []string{"--unsigned"}, log: `(?m)^.*not signed by a trusted key.*$`},
		{name: "a worker that wants no signature", worker: []string{"--unsigned"}, log: `(?m)^.*decode job of \d+ bytes.*$`},
		{name: "no signatures", run: []string{"--unsigned"}, worker: []string{"--unsigned"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			file := l.file("signed.yaml", idleStudy("signed", 40, 5))
			run := l.start("run", slices.Concat([]string{"run", file, "--slots", "0", "-v"}, c.run, l.args)...)
			trust := filepath.Join(l.dir, "keys", "trusted")
			if c.stranger || c.run != nil { // another key, or one at all
				a := &app{}
				if _, err := a.signing(filepath.Join(l.dir, "elsewhere")); err != nil {
					t.Fatal(err)
				}
				trust = filepath.Join(l.dir, "elsewhere", "trusted")
			}
			l.await("trusted keys", 20*time.Second, func() bool { _, err := os.Stat(trust); return err == nil })
			l.start("worker", slices.Concat([]string{"worker", "--slots", "2", "--trust", trust}, c.worker, l.args)...)
			if c.log == "" {
				endsWell(t, l, run, 30*time.Second)
				return
			}
			t.Logf("the worker's log: %s", l.logged("worker", c.log, 30*time.Second))
			// Whatever is issued again is refused again.
			until := time.Now().Add(2 * time.Second)
			l.await("moment to look", 5*time.Second, func() bool { return time.Now().After(until) || l.committed("signed") > 0 })
			if n := l.committed("signed"); n != 0 {
				t.Errorf("%d trials ran\n%s", n, l.logs())
			}
		})
	}
}
