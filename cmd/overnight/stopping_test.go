package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore"
)

// stoppingStudy has points that stop at several stages, some that don't settle,
// and two that are confirmed.
const stoppingStudy = "testdata/stopping.yaml"

// stopped runs stoppingStudy to its end and returns its digest and how many
// trials stopping saved.
func stopped(t *testing.T, store string, args ...string) (digest string, saved int) {
	t.Helper()
	out, err := overnight(t.Context(), append([]string{"run", stoppingStudy, "--quiet", "--store", store}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("run %v: %v\n%s", args, err, out)
	}
	m := digestLine().FindSubmatch(out)
	s := regexp.MustCompile(`(?m)^Stopping: \d+ of \d+ points settled; (\d+) trials of \d+ saved\.$`).FindSubmatch(out)
	if m == nil || s == nil {
		t.Fatalf("no digest, or nothing of stopping, in\n%s", out)
	}
	saved, _ = strconv.Atoi(string(s[1]))
	return string(m[1]), saved
}

// TestStoppingSlots holds G2 where results decide what runs: any number of slots,
// and processes of their own, decide alike.
func TestStoppingSlots(t *testing.T) {
	t.Parallel()
	want, saved := stopped(t, t.TempDir(), "--slots", "2")
	if saved == 0 {
		t.Error("stopping saved nothing, so that this shows nothing")
	}
	for _, args := range [][]string{{"--slots", "1"}, {"--slots", "8"}, {"--slots", "3", "--isolate"}} {
		store := t.TempDir()
		if got, s := stopped(t, store, args...); got != want || s != saved {
			t.Errorf("run %v: digest %s, %d saved; want %s, %d", args, got, s, want, saved)
		}
		checkCounts(t, store) // nothing ran that is not wanted
	}
}

// TestStoppingKills holds G1, G2 and G5 there: a run that is killed and started
// again until it ends decides as an undisturbed one, and runs nothing else.
func TestStoppingKills(t *testing.T) {
	t.Parallel()
	start := time.Now()
	want, _ := stopped(t, t.TempDir())
	whole := time.Since(start)
	rnd := rand.New(rand.NewPCG(*killSeed, 5))
	fired := 0
	for range 4 {
		store := t.TempDir()
		for range 6 {
			ctx, cancel := context.WithCancel(t.Context())
			cmd := overnight(ctx, "run", stoppingStudy, "--store", store)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(float64(whole)*(0.1+0.5*rnd.Float64())), func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
			err := cmd.Wait()
			timer.Stop()
			cancel()
			if err == nil {
				break
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatal(err)
			}
			fired++
		}
		if got, _ := stopped(t, store); got != want {
			t.Errorf("after kills: digest %s, want %s; repeat with -seed %d", got, want, *killSeed)
		}
		checkCounts(t, store)
	}
	if fired == 0 {
		t.Error("no kill ever fired")
	}
	t.Logf("%d kills, one digest %s (seed %d)", fired, want, *killSeed)
}

// TestStoppingEngines: as TestEngines, where results decide what runs.
func TestStoppingEngines(t *testing.T) {
	t.Parallel()
	want, _ := stopped(t, t.TempDir())
	for _, engine := range []string{"joined", "asynq", "nats"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			if got := newFleet(t, engine).digest(stoppingStudy, 2); got != want {
				t.Errorf("digest %s, want %s", got, want)
			}
		})
	}
}

// TestStoppingEdited: a study that is run again under another rule ends as one
// that was run under it from the beginning, with what it has beside that as
// surplus; archives and fsck bear it.
func TestStoppingEdited(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	stopped(t, store)
	surplus := false
	for _, edit := range [][]string{
		{"--set", "replications.until.half_width=0.2"},
		{"--set", "replications.until.half_width=0.03"},
		{"--set", "replications={min: 4, max: 12, until: {relative: 0.02}}"},
		{"--set", "confirm.top=3"},
		{"--set", "replications=5", "--set", "confirm.replications=9"},
		{"--set", "objective.metric=return", "--set", "replications.until.half_width=50"},
	} {
		run := func(store string) string {
			out, err := overnight(t.Context(), append([]string{"run", stoppingStudy, "--quiet", "--store", store}, edit...)...).CombinedOutput()
			m := digestLine().FindSubmatch(out)
			if err != nil || m == nil {
				t.Fatalf("%v: %v\n%s", edit, err, out)
			}
			surplus = surplus || bytes.Contains(out, []byte("records beside those that the study wants"))
			return string(m[1])
		}
		want, got := run(t.TempDir()), run(store)
		if got != want {
			t.Errorf("%v: edited, it ends with digest %s, and from the beginning with %s", edit, got, want)
		}
		for _, args := range [][]string{{"fsck", "--store", store}, {"archive", "stopping", "-o", filepath.Join(store, "a"), "--store", store}, {"import", filepath.Join(store, "a"), "--store", filepath.Join(store, "b")}} {
			if out, err := overnight(t.Context(), args...).CombinedOutput(); err != nil {
				t.Errorf("%v, then %v: %v\n%s", edit, args, err, out)
			}
		}
		for _, at := range []string{store, filepath.Join(store, "b")} {
			out, err := overnight(t.Context(), "digest", "stopping", "--store", at).Output()
			if err != nil || string(bytes.TrimSpace(out)) != want {
				t.Errorf("%v: digest in %s is %s (%v), want %s", edit, at, out, err, want)
			}
		}
		if err := os.RemoveAll(filepath.Join(store, "b")); err != nil {
			t.Fatal(err)
		}
	}
	if !surplus {
		t.Error("no edit left surplus records, so that this shows little")
	}
}

// TestStoppingSurplus: what failed beside what a study wants is no failure of the
// study, and the list of the best points goes by what points are compared by.
func TestStoppingSurplus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want, _ := stopped(t, dir)
	s, err := sqlitestore.Open(t.Context(), dir, sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(t.Context(), "stopping")
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Ledger(t.Context(), p.Study)
	if err != nil {
		t.Fatal(err)
	}
	i := l.Missing(0)
	r := results.Record{Trial: i, Point: i % p.Points, Replication: i / p.Points, Status: results.Failed, Error: "out of luck", Attempts: 1}
	if _, err := s.Commit(t.Context(), p.Study, p.Generation, []results.Record{r}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := stopped(t, dir); got != want { // which fails where the exit code is not 0
		t.Errorf("digest %s with a surplus failure, want %s", got, want)
	}
	type row struct {
		Point, N uint64
		Mean     float64
	}
	out, err := overnight(t.Context(), "results", "stopping", "--top", "3", "--format", "json", "--store", dir).Output()
	var top []row
	if err != nil || json.Unmarshal(out, &top) != nil || len(top) != 3 {
		t.Fatalf("%v: %s", err, out)
	}
	out, err = overnight(t.Context(), "results", "stopping", "--format", "json", "--store", dir).Output()
	var all struct{ Rows []row }
	if err != nil || json.Unmarshal(out, &all) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	slices.SortStableFunc(all.Rows, func(a, b row) int { return cmp.Compare(b.Mean, a.Mean) })
	for i, r := range top {
		if w := all.Rows[i]; r.Point != w.Point || r.N != w.N || math.Abs(r.Mean-w.Mean) > 1e-12 {
			t.Errorf("place %d: %+v, want %+v", i+1, r, w)
		}
	}
}
