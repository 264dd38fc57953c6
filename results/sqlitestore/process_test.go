package sqlitestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// The environment of a child process: what it does, and where.
const (
	roleVariable = "OVERNIGHT_TEST_ROLE"
	dirVariable  = "OVERNIGHT_TEST_DIR"
)

// child does what a test asks of a process of its own.
func child(role string) error {
	dir := os.Getenv(dirVariable)
	switch role {
	case "commit":
		return childCommit(dir)
	case "order":
		return childOrder(dir)
	case "lock":
		if _, err := sqlitestore.Lock(dir); err != nil {
			return err
		}
		fmt.Println("locked")
		_, err := io.Copy(io.Discard, os.Stdin) // until the parent is through
		return err
	}
	return fmt.Errorf("no role %q", role)
}

// childCommit commits the missing trials of every study from four goroutines,
// and prints each trial once it was answered.
func childCommit(dir string) error {
	ctx := context.Background()
	s, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{})
	if err != nil {
		return err
	}
	p, err := s.Plan(ctx, "crash")
	if err != nil {
		return err
	}
	l, err := s.Ledger(ctx, p.Study)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	take := func(n int) (trials []uint64) {
		mu.Lock()
		defer mu.Unlock()
		for ; n > 0; n-- {
			i := l.Missing(0)
			if i == l.Len() {
				break
			}
			l.Add(i)
			trials = append(trials, i)
		}
		return trials
	}
	errs := make(chan error, 4)
	for g := range cap(errs) {
		go func() {
			errs <- func() error {
				for {
					trials := take(1 + 13*g)
					if len(trials) == 0 {
						return nil
					}
					var rs []results.Record
					for _, i := range trials {
						rs = append(rs, storetest.NewRecord(&p, i))
					}
					vs, err := s.Commit(ctx, p.Study, p.Generation, rs)
					if err != nil {
						return err
					}
					var line strings.Builder
					for i, v := range vs {
						if v != results.Committed {
							return fmt.Errorf("trial %d: verdict %d", trials[i], v)
						}
						fmt.Fprintln(&line, trials[i])
					}
					if _, err := os.Stdout.WriteString(line.String()); err != nil {
						return err
					}
				}
			}()
		}()
	}
	for range cap(errs) {
		err = errors.Join(err, <-errs)
	}
	return errors.Join(err, s.Close())
}

// childOrder reads and gives orders beside the parent, which has the store open.
func childOrder(dir string) error {
	ctx := context.Background()
	s, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{MustExist: true})
	if err != nil {
		return err
	}
	t, err := s.Tally(ctx, "study")
	if err != nil {
		return err
	}
	fmt.Println("tally", t.Total())
	for range 20 {
		if err := s.Give(ctx, results.Order{Kind: results.Pause, Study: "study"}); err != nil {
			return err
		}
	}
	if _, err := s.Update(ctx, "study", func(p *results.Plan) error { p.State = results.Cancelled; p.Generation++; return nil }); err != nil {
		return err
	}
	return s.Close()
}

// start starts this test program in a role.
func start(t *testing.T, role, dir string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, dirVariable+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // the test failed before its end
			_ = cmd.Wait()
		}
	})
	return cmd, in, bufio.NewReader(out)
}

// TestKill: what Commit has answered is there after a kill -9 (guarantee G7). A
// child commits and prints what was answered; it is killed after a random number
// of answers, twenty times, while other commits of it are under way.
func TestKill(t *testing.T) {
	t.Parallel()
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := storetest.NewPlan("crash", 1000, 1000)
	if err := s.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	answered := make(map[uint64]bool)
	for round := range 20 {
		cmd, _, out := start(t, "commit", dir)
		kill := 1 + rng.IntN(2000)
		n := 0
		for {
			line, err := out.ReadString('\n')
			if err != nil {
				break // what the child had not written was not answered
			}
			trial, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if answered[trial] {
				t.Errorf("seed %d, round %d: trial %d was committed again", seed, round, trial)
			}
			answered[trial] = true
			if n++; n == kill {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || n < kill {
			t.Fatalf("seed %d, round %d: the child ended by itself after %d of %d answers: %v", seed, round, n, kill, err)
		}
		s := open(t, dir, sqlitestore.Options{})
		found := make(map[uint64]bool)
		for r, err := range s.Scan(t.Context(), p.Study, 0, p.Trials) {
			if err != nil {
				t.Fatalf("seed %d, round %d: trial %d: %v", seed, round, r.Trial, err)
			}
			want := storetest.NewRecord(&p, r.Trial)
			if !results.Equal(&r, &want) {
				t.Errorf("seed %d, round %d: trial %d is another", seed, round, r.Trial)
			}
			found[r.Trial] = true
		}
		for trial := range answered {
			if !found[trial] {
				t.Errorf("seed %d, round %d: trial %d was answered and is gone", seed, round, trial)
			}
		}
		for d, err := range s.Check(t.Context(), "") {
			t.Errorf("seed %d, round %d: %v, %v", seed, round, d, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProcesses: another process reads, gives orders and cancels while this one
// commits; a commit after the cancel is stale.
func TestProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	p := create(t, s, "study", 1000, 1000, 10)
	cmd, _, out := start(t, "order", dir)
	line, err := out.ReadString('\n')
	if err != nil || line != "tally 10\n" {
		t.Errorf("the child says %q, error %v", line, err)
	}
	stale := 0
	for trial := uint64(10); stale == 0; trial++ {
		vs, err := s.Commit(t.Context(), p.Study, p.Generation, storetest.NewRecords(&p, trial, trial+1))
		if err != nil {
			t.Fatal(err)
		}
		if vs[0] == results.Stale {
			stale++
		}
		if trial == p.Trials-1 {
			t.Fatal("the child's cancel has no effect")
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the child: %v", err)
	}
	orders, err := s.Beat(t.Context(), results.Worker{ID: "w"}, 0)
	if err != nil || len(orders) != 20 {
		t.Errorf("%d orders, error %v, want 20", len(orders), err)
	}
}

// TestLock: one process holds a folder's lock; the message says which.
func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd, in, out := start(t, "lock", dir)
	if line, err := out.ReadString('\n'); line != "locked\n" {
		t.Fatalf("the child says %q, error %v", line, err)
	}
	_, err := sqlitestore.Lock(dir)
	var locked *sqlitestore.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("Lock of what is locked: %v", err)
	}
	if locked.Holder.PID != cmd.Process.Pid || locked.Dir != dir || locked.Holder.Since.IsZero() {
		t.Errorf("holder %+v, want process %d", locked.Holder, cmd.Process.Pid)
	}
	for _, part := range []string{dir, fmt.Sprint("process ", cmd.Process.Pid), locked.Holder.Host, os.Args[0], fmt.Sprint("kill ", cmd.Process.Pid), "--store"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't say %q", err, part)
		}
	}
	// A store opens and commits without it: readers and orders need none.
	create(t, open(t, dir, sqlitestore.Options{}), "study", 1, 1, 1)

	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	release, err := sqlitestore.Lock(dir)
	if err != nil {
		t.Fatalf("Lock after its holder ended: %v", err)
	}
	if _, err := sqlitestore.Lock(dir); !errors.As(err, &locked) || locked.Holder.PID != os.Getpid() {
		t.Errorf("Lock twice in a process: %v", err)
	}
	release()
	release, err = sqlitestore.Lock(dir)
	if err != nil {
		t.Fatalf("Lock after its release: %v", err)
	}
	release()
}
