package sqlitestore_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

// noopPlan is a study of no-op trials: one metric, no curves.
func noopPlan(trials uint64) results.Plan {
	p := storetest.NewPlan("noop", 1000, 1)
	p.Trials = trials
	p.Metrics = []string{"return"}
	return p
}

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
		}
	}
	return rs
}

// BenchmarkCommit measures durable commits of no-op records, in batches of
// several sizes from one caller and from eight. DESIGN section 10 asks for
// 100,000 a second end to end.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 8} {
		for _, batch := range []int{1, 50, 1000, 10000} {
			b.Run(fmt.Sprintf("callers=%d/batch=%d", callers, batch), func(b *testing.B) {
				s := open(b, b.TempDir(), sqlitestore.Options{})
				p := noopPlan(1 << 40)
				if err := s.Create(b.Context(), p); err != nil {
					b.Fatal(err)
				}
				var next atomic.Uint64
				var left atomic.Int64
				left.Store(int64(b.N))
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for left.Add(-1) >= 0 {
							rs := noopRecords(next.Add(uint64(batch))-uint64(batch), batch)
							if _, err := s.Commit(b.Context(), p.Study, p.Generation, rs); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

// BenchmarkRead measures reads of a study of a million no-op records.
func BenchmarkRead(b *testing.B) {
	const trials = 1 << 20
	s := open(b, b.TempDir(), sqlitestore.Options{})
	p := noopPlan(trials)
	if err := s.Create(b.Context(), p); err != nil {
		b.Fatal(err)
	}
	for from := uint64(0); from < trials; from += 1 << 14 {
		if _, err := s.Commit(b.Context(), p.Study, p.Generation, noopRecords(from, 1<<14)); err != nil {
			b.Fatal(err)
		}
	}
	report := func(b *testing.B) {
		b.ReportMetric(trials*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MB")
	}
	b.Run("ledger", func(b *testing.B) {
		for b.Loop() {
			l, err := s.Ledger(b.Context(), p.Study)
			if err != nil || l.Count() != trials {
				b.Fatal(l.Count(), err)
			}
		}
		report(b)
	})
	b.Run("scan", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range s.Scan(b.Context(), p.Study, 0, trials) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != trials {
				b.Fatal(n)
			}
		}
		report(b)
	})
	b.Run("digest", func(b *testing.B) {
		for b.Loop() {
			if _, missing, err := results.Digest(b.Context(), s, p); missing != 0 || err != nil {
				b.Fatal(missing, err)
			}
		}
		report(b)
	})
	b.Run("leaders", func(b *testing.B) {
		for b.Loop() {
			if ls, err := s.Leaders(b.Context(), p.Study, 20, false); err != nil || len(ls) != 20 {
				b.Fatal(ls, err)
			}
		}
		report(b)
	})
	b.Run("tally", func(b *testing.B) {
		for b.Loop() {
			if t, err := s.Tally(b.Context(), p.Study); err != nil || t.Done != trials {
				b.Fatal(t, err)
			}
		}
	})
}

// BenchmarkBeat measures a worker's beat.
func BenchmarkBeat(b *testing.B) {
	s := open(b, b.TempDir(), sqlitestore.Options{})
	w := results.Worker{ID: "w", Host: "host", Held: []results.Held{{Job: "a", Study: "s", Trials: []results.Span{{From: 1, To: 9}}}, {Job: "b"}}}
	for b.Loop() {
		if _, err := s.Beat(b.Context(), w, 0); err != nil {
			b.Fatal(err)
		}
	}
}
