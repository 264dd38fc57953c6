// Package failpoint kills the process at a named step, for the tests of what
// survives. Start with FromEnv.
package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Env names the variable that sets a failpoint: "plan.created" kills the process
// with SIGKILL when it first reaches that step, "issue.after:3" at the third
// time.
const Env = "OVERNIGHT_FAILPOINT"

// FromEnv returns the function to call at each step, nil where none is set.
func FromEnv() func(step string) {
	name, count, _ := strings.Cut(os.Getenv(Env), ":")
	if name == "" {
		return nil
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || n < 1 {
		n = 1
	}
	var left atomic.Int64
	left.Store(n)
	return func(step string) {
		if step == name && left.Add(-1) == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal arrives
		}
	}
}
