package natsqueue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The embedded server opens no socket. (Not parallel: it looks at all files that
// the process has open.)
func TestNoSocket(t *testing.T) {
	sockets := func() (n int) {
		fds, err := filepath.Glob("/proc/self/fd/*")
		if err != nil || len(fds) == 0 {
			t.Fatalf("%d open files, error %v", len(fds), err)
		}
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:") {
				n++
			}
		}
		return n
	}
	before := sockets()
	q := open(t, Options{})
	publish(t, q, job(0))
	take(t, q, 1)
	if got := sockets(); got != before {
		t.Errorf("%d sockets are open, %d before", got, before)
	}
}
