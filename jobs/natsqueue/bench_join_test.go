package natsqueue

import (
	"context"
	"testing"
)

// One operation is one job published in the process of the coordinator, and taken
// and done by a joined worker over TCP and TLS; 64 travel at once.
func BenchmarkJoined(b *testing.B) {
	c := listen(b)
	o := Options{Memory: true}
	p := openNew(b, c.nc, o)
	o.TakeOnly = true
	travel(b, p, openNew(b, c.worker(b), o))
}

// The same over TCP without TLS and a server that keeps jobs in files.
func BenchmarkExternal(b *testing.B) {
	e := startExternal(b)
	travel(b, openNew(b, e.connect(b), Options{}), openNew(b, e.connect(b), Options{}))
}

func travel(b *testing.B, from, to *Queue) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	left := 0
	for n := 0; b.Loop(); n++ {
		if left == 0 {
			publish(b, from, batch(n, n+64)...)
			for left < 64 {
				ds, err := to.Take(ctx, 64-left)
				if err != nil {
					b.Fatal(err)
				}
				for _, d := range ds {
					left++
					if err := d.Done(ctx); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		left--
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}
