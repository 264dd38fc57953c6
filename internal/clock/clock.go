// Package clock is the wall clock of stores, which tests may shift. Start with
// FromEnv.
package clock

import (
	"os"
	"strings"
	"sync"
	"time"
)

// Env names a file that holds how far the clock is off, such as "+3600s": for
// tests of clocks that jump.
const Env = "OVERNIGHT_CLOCK"

// FromEnv returns time.Now, or where Env is set that plus what its file says,
// which is read ten times a second at most.
func FromEnv() func() time.Time {
	name := os.Getenv(Env)
	if name == "" {
		return time.Now
	}
	var mu sync.Mutex
	var read time.Time
	var off time.Duration
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(read) > 100*time.Millisecond {
			read = now
			if b, err := os.ReadFile(name); err == nil {
				if d, err := time.ParseDuration(strings.TrimSpace(string(b))); err == nil {
					off = d
				}
			}
		}
		if off == 0 {
			return now
		}
		return now.Round(0).Add(off)
	}
}
