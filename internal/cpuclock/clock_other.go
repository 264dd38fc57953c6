//go:build !linux

package cpuclock

import "time"

// Thread is the time that has passed: this system has no other clock.
func Thread() time.Duration { return wall() }
