package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"strings"
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
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"waitfor": waitFor},
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
