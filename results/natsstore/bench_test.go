package natsstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"overnight/results"
	"overnight/results/storetest"
)

// ways are the connections that benchmarks compare.
func ways(b *testing.B, run func(b *testing.B, listen bool)) {
	for _, listen := range []bool{false, true} {
		name := "process"
		if listen {
			name = "tcp"
		}
		b.Run(name, func(b *testing.B) { run(b, listen) })
	}
}

// noopPlan is a study of no-op trials: one metric, no curves.
func noopPlan() results.Plan {
	p := storetest.NewPlan("noop", 1000, 1)
	p.Trials = 1 << 40
	p.Metrics = []string{"return"}
	return p
}

// noopRecords are records of about 100 bytes.
func noopRecords(from uint64, n int) []results.Record {
	rs := make([]results.Record, n)
	metrics := make([]float64, n)
	finished := time.Unix(1_800_000_000, 0)
	for i := range rs {
		trial := from + uint64(i)
		metrics[i] = float64(trial) * 0.37
		rs[i] = results.Record{
			Trial: trial, Point: trial % 1000, Replication: trial / 1000, Status: results.Done, Metrics: metrics[i : i+1 : i+1],
			Attempts: 1, Worker: "host-12345-0", Finished: finished.Add(time.Duration(trial)), Elapsed: 1234 * time.Nanosecond,
			Error: "a note, so that the record takes a hundred bytes",
		}
	}
	return rs
}

// BenchmarkCommit measures durable commits of eight clients, each with a
// connection of its own. "direct" is the served store without NATS.
func BenchmarkCommit(b *testing.B) {
	const callers = 8
	for _, batch := range []int{100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			run := func(b *testing.B, stores []results.Records) {
				var next atomic.Uint64
				var left atomic.Int64
				left.Store(int64(b.N))
				b.ResetTimer()
				var wg sync.WaitGroup
				for _, s := range stores {
					wg.Go(func() {
						for left.Add(-1) >= 0 {
							rs := noopRecords(next.Add(uint64(batch))-uint64(batch), batch)
							if _, err := s.Commit(b.Context(), "noop", 1, rs); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "records/s")
			}
			b.Run("direct", func(b *testing.B) {
				served := openSQLite(b)
				if err := served.Create(b.Context(), noopPlan()); err != nil {
					b.Fatal(err)
				}
				var stores []results.Records
				for range callers {
					stores = append(stores, served)
				}
				run(b, stores)
			})
			ways(b, func(b *testing.B, listen bool) {
				ns := natsServer(b, listen, 0)
				served := openSQLite(b)
				serve(b, dial(b, ns), served, Options{})
				if err := served.Create(b.Context(), noopPlan()); err != nil {
					b.Fatal(err)
				}
				var stores []results.Records
				for range callers {
					stores = append(stores, client(b, dial(b, ns), Options{}))
				}
				run(b, stores)
			})
		})
	}
}

// BenchmarkScan measures a scan of 200,000 no-op records.
func BenchmarkScan(b *testing.B) {
	const trials = 200_000
	run := func(b *testing.B, s results.Records) {
		for b.Loop() {
			n := 0
			for _, err := range s.Scan(b.Context(), "noop", 0, trials) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != trials {
				b.Fatal(n)
			}
		}
		b.ReportMetric(trials*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	}
	open := func(b *testing.B) results.Store {
		served := openSQLite(b)
		if err := served.Create(b.Context(), noopPlan()); err != nil {
			b.Fatal(err)
		}
		for from := uint64(0); from < trials; from += 10_000 {
			if _, err := served.Commit(b.Context(), "noop", 1, noopRecords(from, 10_000)); err != nil {
				b.Fatal(err)
			}
		}
		return served
	}
	b.Run("direct", func(b *testing.B) { run(b, open(b)) })
	ways(b, func(b *testing.B, listen bool) {
		ns := natsServer(b, listen, 0)
		serve(b, dial(b, ns), open(b), Options{})
		run(b, client(b, dial(b, ns), Options{}))
	})
}

// BenchmarkBeat measures the round trip of a small request.
func BenchmarkBeat(b *testing.B) {
	ways(b, func(b *testing.B, listen bool) {
		ns := natsServer(b, listen, 0)
		serve(b, dial(b, ns), openSQLite(b), Options{})
		s := client(b, dial(b, ns), Options{})
		for b.Loop() {
			if _, err := s.Beat(b.Context(), results.Worker{ID: "w", Host: "host"}, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBlob measures the transfer of 64 MB.
func BenchmarkBlob(b *testing.B) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	ways(b, func(b *testing.B, listen bool) {
		ns := natsServer(b, listen, 0)
		served := openSQLite(b)
		if err := served.PutBlob(b.Context(), name, data); err != nil {
			b.Fatal(err)
		}
		serve(b, dial(b, ns), served, Options{})
		s := client(b, dial(b, ns), Options{})
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := s.Blob(b.Context(), name); err != nil {
				b.Fatal(err)
			}
		}
	})
}
