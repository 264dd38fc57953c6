package stopping

import (
	"testing"

	"overnight/internal/rng"
	"overnight/results"
)

// BenchmarkTake takes in the records of a study of 20,000 points in two arms, of
// which each point of one is judged by one of the other, as a coordinator does:
// what is asked for, in trial order. Of its time, three quarters go into the
// quantiles of t, one a look.
func BenchmarkTake(b *testing.B) {
	s := parse(b, "study: s\nenv: {name: function, x1: {uniform: [1, 2]}}\nagents: [{name: random}, {as: b, name: random}]\ndesign: {kind: random, points: 10000}\n"+
		"replications: {min: 20, max: 60, until: {difference_from: random, half_width: 0.5}}\n")
	draw := rng.New(rng.Root(1, "bench"))
	scores := make([]float64, s.Trials())
	draw.Normals(scores)
	metrics := make([]float64, 1)
	trials := 0
	for b.Loop() {
		b.StopTimer()
		o, err := New(s)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for i := range s.Trials() {
			if !o.Wants(i) {
				continue
			}
			metrics[0] = scores[i]
			r := results.Record{Trial: i, Status: results.Done, Metrics: metrics}
			r.Point, r.Replication = s.Split(i)
			o.Take(&r)
			trials++
		}
		if o.Missing() > 0 || o.Saved() == 0 {
			b.Fatalf("%d missing, %d saved", o.Missing(), o.Saved())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(trials), "ns/trial")
}
