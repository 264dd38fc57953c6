package live

import (
	"runtime"
	"testing"
	"time"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/sqlitestore"
)

// large is a study of 100,000 trials: 5,000 points by 20 replications.
const large = `
study: large
env: {name: function, function: sphere, x1: {grid: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, x2: {grid: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, x3: {grid: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}
agents: [{name: random}, {as: b, name: random}, {as: c, name: random}, {as: d, name: random}, {as: e, name: random}]
replications: 20
record: {curves: {points: 10}}
`

// BenchmarkView measures a study of 100,000 trials on the embedded store: reading
// all of it, what 100 new records cost, and lists with pictures.
func BenchmarkView(b *testing.B) {
	study := parse(b, large)
	s, err := sqlitestore.Open(b.Context(), b.TempDir(), sqlitestore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	plan(b, s, study)
	const left = 20_000
	for i := uint64(0); i < study.Trials()-left; i += 1000 {
		commit(b, s, study, numbers(i, i+1000))
	}
	b.Run("all", func(b *testing.B) {
		var v *View
		for b.Loop() {
			v = whole(b, study, s)
		}
		b.ReportMetric(heap(func() *View { return whole(b, study, s) }), "MB")
		runtime.KeepAlive(v)
	})
	b.Run("news", func(b *testing.B) {
		v := whole(b, study, s)
		next := study.Trials() - left
		for b.Loop() {
			if next == study.Trials() {
				b.Fatal("the study is over: run with -benchtime of at most 200x")
			}
			b.StopTimer()
			commit(b, s, study, numbers(next, next+100))
			next += 100
			b.StartTimer()
			if _, err := v.Read(b.Context(), time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("figures", func(b *testing.B) {
		v := whole(b, study, s)
		for b.Loop() {
			if _, _, err := v.Figures(b.Context(), time.Hour); err != nil {
				b.Fatal(err)
			}
			if _, err := v.Leaders(20); err != nil {
				b.Fatal(err)
			}
			if _, _, err := v.Failures(100); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func whole(b *testing.B, study *jobs.Study, s results.Store) *View {
	b.Helper()
	v, err := New(study, study.Name, s)
	if err != nil {
		b.Fatal(err)
	}
	read(b, v)
	if n, _ := v.Count(); n < 80_000 {
		b.Fatalf("%d records", n)
	}
	return v
}

// heap is what a value keeps, in MB.
func heap(make func() *View) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	v := make()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(v)
	return float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / 1e6
}
