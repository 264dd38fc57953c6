package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into the database as anybody may
)

var (
	killStudy = flag.String("study", "testdata/kills.yaml", "the study that TestKills and TestSlots run")
	killSeed  = flag.Uint64("seed", 1, "what TestKills draws its moments from")
)

// overnight returns a command of this program in a process of its own.
func overnight(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	return cmd
}

// digestOf runs the study to its end in a folder and returns its digest.
func digestOf(t *testing.T, store string, args ...string) string {
	t.Helper()
	out, err := overnight(t.Context(), append([]string{"run", *killStudy, "--store", store}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("run %v: %v\n%s", args, err, out)
	}
	m := digestLine().FindSubmatch(out)
	if m == nil {
		t.Fatalf("no digest in\n%s", out)
	}
	return string(m[1])
}

// TestQuickstart runs the README's first command and compares the digest with the
// one printed there: what a reader gets, and a golden hash of everything.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := digestLine().FindSubmatch(readme)
	if want == nil {
		t.Fatal("README.md shows no digest")
	}
	out, err := overnight(t.Context(), "run", "../../examples/quickstart.yaml", "--store", t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := digestLine().FindSubmatch(out)
	if got == nil || !bytes.Equal(got[1], want[1]) {
		t.Errorf("the README shows digest %s, the run ends with\n%s", want[1], out)
	}
}

func digestLine() *regexp.Regexp { return regexp.MustCompile(`(?m)^digest ([0-9a-f]{64})$`) }

// TestSlots holds G2: the digest is the same for any number of slots, and with
// trials in processes of their own.
func TestSlots(t *testing.T) {
	t.Parallel()
	want := digestOf(t, t.TempDir(), "--slots", "2")
	for _, args := range [][]string{{"--slots", "1"}, {"--slots", "8"}, {"--slots", "3", "--isolate"}} {
		if got := digestOf(t, t.TempDir(), args...); got != want {
			t.Errorf("run %v: digest %s, want %s", args, got, want)
		}
	}
}

// TestKills holds G1, G2, G5 and G7: each run of the study is killed with SIGKILL
// at random moments and started again until it finishes; its digest is that of
// an undisturbed run, and no trial was condemned.
func TestKills(t *testing.T) {
	t.Parallel()
	start := time.Now()
	want := digestOf(t, t.TempDir())
	whole := time.Since(start)
	rnd := rand.New(rand.NewPCG(*killSeed, 0))
	fired := 0
	for run := range *kills {
		store := t.TempDir()
		killed := 0
		for {
			// The first moment falls anywhere in the run, later ones a while after the
			// restart, so that the study comes to its end.
			after := time.Duration(float64(whole) * (0.02 + 0.9*rnd.Float64()))
			ctx, cancel := context.WithCancel(t.Context())
			var out bytes.Buffer
			cmd := overnight(ctx, "run", *killStudy, "--store", store)
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(after, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
			err := cmd.Wait()
			timer.Stop()
			cancel()
			if err == nil {
				break
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("run %d: %v\n%s", run, err, out.Bytes())
			}
			killed++
		}
		if got := digestOf(t, store); got != want {
			t.Errorf("run %d, killed %d times: digest %s, want %s; repeat with -seed %d", run, killed, got, want, *killSeed)
		}
		checkCounts(t, store)
		fired += killed
		t.Logf("run %d: killed %d times, %d kills so far", run, killed, fired)
		os.RemoveAll(store)
	}
	if fired == 0 && *kills > 0 {
		t.Error("no kill ever fired")
	}
	t.Logf("%d runs, %d kills, one digest %s (seed %d, an undisturbed run takes %v)", *kills, fired, want, *killSeed, whole.Round(time.Millisecond))
}

// checkCounts holds that every trial has exactly one record and is done.
func checkCounts(t *testing.T, store string) {
	t.Helper()
	out, err := overnight(t.Context(), "ls", "--store", store, "--format", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	var trials, committed, done int
	for key, v := range map[string]*int{"trials": &trials, "committed": &committed, "done": &done} {
		m := regexp.MustCompile(`"` + key + `": (\d+)`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %s in\n%s", key, text)
		}
		fmt.Sscan(m[1], v)
	}
	if committed != trials || done != trials || !strings.Contains(text, `"differs": 0`) {
		t.Errorf("%d trials, %d committed, %d done\n%s", trials, committed, done, text)
	}
}

// TestFailpoints kills the process in every step of planning, issuing and
// finishing; the same command goes on, and nothing is missing, doubled or
// condemned.
func TestFailpoints(t *testing.T) {
	t.Parallel()
	want := digestOf(t, t.TempDir())
	steps := []string{
		"plan.begin", "plan.blob", "plan.create", "plan.created", "plan.described", "plan.reuse", "plan.reused", "plan.updated", "plan.done",
		"coordinate.ledger", "issue.before", "issue.after", "issue.before:2", "issue.after:3", "finish.digest", "finish.done",
	}
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			switch step {
			case "plan.updated": // met by a study that is there
				digestOf(t, store, "--set", "replications=2")
			case "plan.reuse": // met by a changed one
				digestOf(t, store, "--set", "env.budget={grid: [300, 700]}")
			}
			cmd := overnight(t.Context(), "run", *killStudy, "--store", store)
			cmd.Env = append(cmd.Env, "OVERNIGHT_FAILPOINT="+step)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("failpoint %s never fired: %v\n%s", step, err, out)
			}
			if got := digestOf(t, store); got != want {
				t.Errorf("killed at %s: digest %s, want %s", step, got, want)
			}
		})
	}
}

// TestFlippedByte holds G7's other half: damage is found, named and mended.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	want := digestOf(t, store)
	flip(t, filepath.Join(store, "overnight.db"))
	out, err := overnight(t.Context(), "fsck", "--store", store).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("trial 7")) || !bytes.Contains(out, []byte("--repair")) {
		t.Fatalf("fsck: %v\n%s", err, out)
	}
	if out, err := overnight(t.Context(), "fsck", "--repair", "--store", store).CombinedOutput(); err != nil {
		t.Fatalf("fsck --repair: %v\n%s", err, out)
	}
	if got := digestOf(t, store); got != want {
		t.Errorf("digest %s after the repair, want %s", got, want)
	}
}

// flip changes one bit of trial 7's first metric in the database file.
func flip(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	var v float64
	err = db.QueryRow("SELECT m0 FROM records_1 WHERE trial = 7").Scan(&v)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var value [8]byte
	binary.BigEndian.PutUint64(value[:], math.Float64bits(v))
	found := false
	for at := 0; ; { // pages that were split may hold old copies: flip them all
		i := bytes.Index(b[at:], value[:])
		if i < 0 {
			break
		}
		found = true
		b[at+i+5] ^= 1
		at += i + 8
	}
	if !found {
		t.Fatal("the value is not in the file")
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
