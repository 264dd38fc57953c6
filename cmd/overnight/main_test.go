package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// mainEnv makes this test binary the program, for tests that kill it.
const mainEnv = "OVERNIGHT_TEST_MAIN"

var kills = flag.Int("kills", 5, "how many times TestKills kills the process")

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"overnight": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitfor": waitFor, "interrupt": interrupt, "exits": exits, "damage": damage,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}

// waitFor waits until a study has a record: waitfor STUDY.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor STUDY")
	}
	for range 600 {
		var out bytes.Buffer
		store := ts.MkAbs(".overnight")
		if Main([]string{"--store", store, "status", args[0], "--format", "json"}, nil, &out, io.Discard) == 0 &&
			!strings.Contains(out.String(), `"committed": 0,`) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("study %s has no record after 30 s", args[0])
}

// heard is an output that tells when a text has been written to it.
type heard struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	when chan struct{} // closed then
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	had := strings.Contains(h.buf.String(), h.text)
	n, err := h.buf.Write(b)
	if !had && strings.Contains(h.buf.String(), h.text) {
		close(h.when)
	}
	return n, err
}

// interrupt starts overnight, sends it SIGINT once it has said a text, and holds
// its exit code: interrupt CODE TEXT ARGS... What it said is matched with stdout.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupt CODE TEXT ARGS...")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := overnight(ctx, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	out := &heard{text: args[1], when: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, out
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case <-out.when:
		ts.Check(cmd.Process.Signal(syscall.SIGINT))
		err = <-ended
	case err = <-ended:
		ts.Fatalf("%v ended before it said %q: %v\n%s", args[2:], args[1], err, out.buf.String())
	}
	_, werr := ts.Stdout().Write(out.buf.Bytes())
	ts.Check(werr)
	holdCode(ts, err, args)
}

// exits holds the exit code of overnight: exits CODE ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := overnight(ctx, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	holdCode(ts, cmd.Run(), args)
}

// holdCode holds that a command ended by itself with the code args[0].
func holdCode(ts *testscript.TestScript, err error, args []string) {
	want, perr := strconv.Atoi(args[0])
	ts.Check(perr)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode() // -1: by a signal
	} else if err != nil {
		ts.Fatalf("%v: %v", args, err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d (%v)", args[1:], got, want, err)
	}
}

// damage changes a study's plan behind the back of its checksum: damage STUDY.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage STUDY")
	}
	db, err := sql.Open("sqlite", filepath.Join(ts.MkAbs(".overnight"), "overnight.db"))
	ts.Check(err)
	r, err := db.Exec("UPDATE studies SET trials = trials + 1 WHERE name = ?", args[0])
	ts.Check(errors.Join(err, db.Close()))
	if n, err := r.RowsAffected(); n != 1 || err != nil {
		ts.Fatalf("%d studies %s: %v", n, args[0], err)
	}
}
