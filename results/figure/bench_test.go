package figure

import (
	"strings"
	"testing"

	"overnight/results"
)

// BenchmarkBuild builds every figure of 100,000 trials of three factors, the table
// per arm aside.
func BenchmarkBuild(b *testing.B) {
	for _, c := range []struct{ name, rows, repeats, summary string }{
		{"2000x50", "1000", "50", "mean"},
		{"2000x50-iqm", "1000", "50", "iqm"},
		{"100000x1", "50000", "1", "mean"},
		{"20x5000-iqm", "10", "5000", "iqm"},
	} {
		b.Run(c.name, func(b *testing.B) {
			src := strings.Replace(sampledStudy, "points: 3000}", "points: "+c.rows+"}\nreplications: "+c.repeats+"\npaired: row", 1)
			s := parse(b, strings.Replace(src, "goal: maximize", "goal: maximize, summary: "+c.summary, 1))
			m := build(b, s, sampledScore)
			if s.Trials() != 100_000 {
				b.Fatalf("%d trials", s.Trials())
			}
			t := m.ArmTable() // the report has it already
			for b.Loop() {
				if n := len(everything(m, t, nil)); n < 6 {
					b.Fatalf("%d figures", n)
				}
			}
		})
	}
}

// BenchmarkCurves adds the learning curves of 100,000 trials, 50 places each, and
// draws them.
func BenchmarkCurves(b *testing.B) {
	s := parse(b, strings.Replace(sampledStudy, "points: 3000}", "points: 1000}\nreplications: 50\npaired: row", 1))
	m := build(b, s, sampledScore)
	c := results.Curve{Name: TrainingCurve}
	for i := range 50 {
		c.X, c.Y = append(c.X, float64(40*i)), append(c.Y, float64(i))
	}
	for b.Loop() {
		r := NewRuns(m)
		rec := results.Record{Status: results.Done, Curves: []results.Curve{c}, Metrics: make([]float64, len(s.Metrics))}
		for n := range s.Trials() {
			rec.Trial = n
			rec.Point, rec.Replication = s.Split(n)
			r.Add(&rec)
		}
		if len(Learning(r)) != 1 {
			b.Fatal("no learning curves")
		}
	}
}
