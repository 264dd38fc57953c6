package asynqqueue

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"overnight/jobs"
)

// One operation is one job; 4096 are published at once.
func BenchmarkPublish(b *testing.B) {
	q := open(b, connect(b, "redis://"+start(b).Addr), Options{})
	for n := 0; b.Loop(); n++ {
		if n%4096 == 0 {
			publish(b, q, batch(n, n+4096)...)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// One operation is one job published, taken and done; 512 are on their way at
// once, and 64 at most are held. The append-only file is synced every second. A
// job of 50 trials is as long as one of 1.
func BenchmarkPublishTakeDone(b *testing.B) {
	for _, trials := range []uint64{1, 50} {
		b.Run(fmt.Sprintf("trials=%d", trials), func(b *testing.B) {
			roundTrips(b, open(b, connect(b, "redis://"+start(b).Addr), Options{}), trials)
		})
	}
}

// The same with every write synced.
func BenchmarkPublishTakeDoneAlways(b *testing.B) {
	roundTrips(b, open(b, connect(b, "redis://"+start(b, "--appendfsync", "always").Addr), Options{}), 1)
}

// The same with 1 ms on the way there and 1 ms on the way back.
func BenchmarkPublishTakeDoneDelayed(b *testing.B) {
	roundTrips(b, open(b, connect(b, "redis://"+delayed(b, start(b).Addr, time.Millisecond)), Options{}), 1)
}

// delayed returns an address whose connections lead to addr and take d each way.
func delayed(b *testing.B, addr string, d time.Duration) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	b.Cleanup(all.Wait)
	b.Cleanup(func() { _ = l.Close() })
	type piece struct {
		at time.Time
		b  []byte
	}
	pass := func(to, from net.Conn) {
		pieces := make(chan piece, 1024)
		all.Go(func() {
			for p := range pieces {
				<-time.After(time.Until(p.at))
				_, _ = to.Write(p.b)
			}
			_ = to.Close()
		})
		defer close(pieces)
		for {
			buf := make([]byte, 64<<10)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			pieces <- piece{time.Now().Add(d), buf[:n]}
		}
	}
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", addr)
			if err != nil {
				_ = c.Close()
				continue
			}
			all.Go(func() { pass(s, c) })
			all.Go(func() { pass(c, s) })
		}
	})
	return l.Addr().String()
}

func roundTrips(b *testing.B, q *Queue, trials uint64) {
	const flight, held = 512, 64
	issued, done := 0, 0
	for n := 0; b.Loop(); n++ {
		if n < done {
			continue
		}
		if issued-done <= flight/2 {
			more := make([]jobs.Job, flight-(issued-done))
			for i := range more {
				more[i] = job(issued + i)
				more[i].Trials = []jobs.Range{{From: uint64(issued+i) * trials, To: uint64(issued+i+1) * trials}}
			}
			publish(b, q, more...)
			issued += len(more)
		}
		for _, d := range take(b, q, held) {
			if err := d.Done(b.Context()); err != nil {
				b.Fatal(err)
			}
			done++
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64(b.N)*float64(trials)/b.Elapsed().Seconds(), "trials/s")
}

// One operation is one job published to a Take that waits, until Take returns.
func BenchmarkLatency(b *testing.B) {
	rdb := connect(b, "redis://"+start(b).Addr)
	from, to := open(b, rdb, Options{}), open(b, rdb, Options{}) // two processes
	taken := make(chan time.Time)
	next := make(chan struct{})
	go func() {
		for range next {
			for _, d := range take(b, to, 8) {
				taken <- time.Now()
				_ = d.Done(b.Context())
			}
		}
	}()
	var sum time.Duration
	for n := 0; b.Loop(); n++ {
		next <- struct{}{}
		<-time.After(20 * time.Millisecond)
		start := time.Now()
		publish(b, from, job(n))
		sum += (<-taken).Sub(start)
	}
	close(next)
	b.ReportMetric(float64(sum.Microseconds())/float64(b.N), "µs-to-take")
}
