package natsqueue

import (
	"testing"
	"time"
)

func benchQueue(b *testing.B) *Queue {
	q, err := Open(b.Context(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = q.Close() })
	return q
}

// One operation is one server started and stopped, stream and consumer included.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		q, err := Open(b.Context(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := q.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is one job; 512 are published at once.
func BenchmarkPublish(b *testing.B) {
	q := benchQueue(b)
	for n := 0; b.Loop(); n++ {
		if n%512 == 0 {
			publish(b, q, batch(n, n+512)...)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// One operation is one job published, taken and done; 64 travel at once.
func BenchmarkPublishTakeDone(b *testing.B) {
	q := benchQueue(b)
	left := 0
	for n := 0; b.Loop(); n++ {
		if left == 0 {
			publish(b, q, batch(n, n+64)...)
			for left < 64 {
				for _, d := range take(b, q, 64-left) {
					left++
					if err := d.Done(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		left--
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// One operation is one job published to a Take that waits, until Take returns.
func BenchmarkLatency(b *testing.B) {
	q := benchQueue(b)
	taken := make(chan time.Time)
	next := make(chan struct{})
	go func() {
		for range next {
			for _, d := range take(b, q, 8) {
				taken <- time.Now()
				_ = d.Done(b.Context())
			}
		}
	}()
	var sum time.Duration
	for n := 0; b.Loop(); n++ {
		next <- struct{}{}
		start := time.Now()
		publish(b, q, job(n))
		sum += (<-taken).Sub(start)
	}
	close(next)
	b.ReportMetric(float64(sum.Microseconds())/float64(b.N), "µs-to-take")
}
