package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// build builds the program once more, with linker flags.
func build(t *testing.T, dir, name, ldflags string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "-ldflags", ldflags, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// TestUpgrade holds what docs/operations.md says of upgrades: builds of one engine
// version mix freely and are replaced in mid-study; a study of another version
// waits for its workers, whoever coordinates it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("it builds the program: ", err)
	}
	dir := t.TempDir()
	t.Run("workers", func(t *testing.T) {
		t.Parallel()
		replaceWorkers(t, build(t, dir, "same", ""))
	})
	t.Run("engine", func(t *testing.T) {
		t.Parallel()
		newEngine(t, build(t, dir, "next", "-X overnight/jobs.engine=2"))
	})
}

// replaceWorkers replaces the workers of this build one by one by those of
// another one, while they run a study whose trials partly outlast the drain.
func replaceWorkers(t *testing.T, other string) {
	l := newLab(t)
	file := l.file("rolling.yaml", `study: rolling
env: {name: faulty, idle: {grid: [20, 30, 1500]}}
agents: [{name: random}]
replications: 20
evaluate: {final: 1}
`)
	want := l.alone(file)
	l.say("submit", file)
	l.serve("serve", l.start)
	old := l.workersOf(3, 1, "--drain-timeout", "300ms")
	l.await("first records", 30*time.Second, func() bool { return l.committed("rolling") > 0 })
	start := l.startOf(other)
	at := make([]uint64, len(old))
	for i, w := range old {
		name := fmt.Sprintf("new-%d", i)
		start(name, slices.Concat([]string{"worker", "--slots", "1"}, l.worker)...)
		l.logged(name, `(worker started)`, 20*time.Second)
		at[i] = l.committed("rolling")
		if err := w.Stop(10 * time.Second); err != nil {
			t.Errorf("old worker %d: %v\n%s", i, err, l.log(fmt.Sprintf("worker-%d", i)))
		}
	}
	if at[len(at)-1] == 60 {
		t.Errorf("the study was over before the last worker was replaced: at %d trials", at)
	}
	versions := map[string]bool{}
	for _, w := range l.fleet() {
		versions[w.Version] = true
	}
	if got := l.finished("rolling", 40*time.Second); got != want {
		t.Errorf("digest %s after the upgrade, want %s", got, want)
	}
	n := l.attempts("rolling")
	if n["1"] != 60 || len(n) != 1 {
		t.Errorf("attempts %v: the upgrade has burnt some", n)
	}
	st := l.status("rolling")
	t.Logf("3 workers of build %s replaced by build %v at %d of 60 trials; attempts %v, %d duplicates, %.2f of %.1f core seconds wasted", version(), versions, at, n, st.Duplicates, st.Wasted, st.CoreSeconds)
	if st.Differs != 0 {
		t.Errorf("%d records differ between the builds", st.Differs)
	}
}

// newEngine lets a build of the next engine version coordinate a study of this
// one, first with workers of the next version only.
func newEngine(t *testing.T, next string) {
	l := newLab(t)
	file := l.file("pinned.yaml", idleStudy("pinned", 40, 20))
	want := l.alone(file)
	l.say("submit", file)
	start := l.startOf(next)
	l.serve("serve", start)
	l.logged("serve", `service started .*"engine": (2)`, 10*time.Second)
	l.logged("serve", `study taken over \{"study": "(pinned)"`, 10*time.Second)
	start("next", slices.Concat([]string{"worker", "--slots", "2"}, l.worker)...)
	l.await("status that waits", 20*time.Second, func() bool { return l.status("pinned").State == "waits for engine 1" })
	if out := l.say("status", "pinned"); !strings.Contains(out, "pinned: waits for engine 1, 0 of 40 trials committed") {
		t.Errorf("status says\n%s", out)
	}
	for _, args := range [][]string{{"status", "pinned"}, {"ls"}} {
		cmd := exec.CommandContext(t.Context(), next, append(args, l.args...)...)
		if out, errs, code := run(t, cmd); code != 0 || !strings.Contains(out, "waits for engine 1") {
			t.Errorf("overnight %v of the next build: exit code %d\n%s%s", args, code, out, errs)
		}
	}

	// A study of the next version runs meanwhile.
	young := l.file("young.yaml", idleStudy("young", 40, 20))
	cmd := exec.CommandContext(t.Context(), next, append([]string{"submit", young}, l.args...)...)
	if out, errs, code := run(t, cmd); code != 0 || !strings.Contains(out, "engine version 2") {
		t.Fatalf("submit of the next build: exit code %d\n%s%s", code, out, errs)
	}
	l.finished("young", 30*time.Second)
	if n := l.committed("pinned"); n != 0 {
		t.Errorf("workers of engine 2 have run %d trials of engine 1", n)
	}
	l.workersOf(1, 2)
	came := time.Now()
	took := l.measure("first record", came, 20*time.Second, func(context.Context) bool { return l.committed("pinned") > 0 })
	if got := l.finished("pinned", 30*time.Second); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	t.Logf("with workers of engine 2 alone 0 of 40 trials ran; the first one ended %v after a worker of engine 1 was started, and the digest is right", took.Round(10*time.Millisecond))
	if n := l.attempts("pinned"); n["1"] != 40 {
		t.Errorf("attempts %v", n)
	}
}
