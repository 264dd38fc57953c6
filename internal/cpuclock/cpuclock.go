// Package cpuclock measures benchmarks on machines that do other work too. Start
// with Thread; Median is what to quote.
package cpuclock

import (
	"runtime"
	"slices"
	"time"
)

// Median returns the median CPU time of n runs of f, on one thread.
func Median(n int, f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	times := make([]time.Duration, n)
	for i := range times {
		start := Thread()
		f()
		times[i] = Thread() - start
	}
	slices.Sort(times)
	return times[n/2]
}

var begin = time.Now()

func wall() time.Duration { return time.Since(begin) }
