package design

import (
	"fmt"
	"testing"
)

// BenchmarkFill is the time of one row of ten ranges; a point of a study takes
// about a microsecond beside it.
func BenchmarkFill(b *testing.B) {
	for _, kind := range Kinds() {
		b.Run(kind, func(b *testing.B) { benchmarkFill(b, kind, 10) })
	}
	b.Run(fmt.Sprint(Morris, " of 100"), func(b *testing.B) { benchmarkFill(b, Morris, 100) })
}

func benchmarkFill(b *testing.B, kind string, d int) {
	r := rowsOf(b, usualSpec(kind), 1, d)
	u := make([]float64, d)
	row := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		r.Fill(row, u)
		row = (row + 1) % r.Len()
	}
}

// usualSpec is a design of a kind with 1,024 points where it has them.
func usualSpec(kind string) Spec {
	s := Spec{Kind: kind}
	if Drawn(kind) {
		s.Points = 1024
	}
	if kind == Morris {
		s.Levels = DefaultLevels
	}
	return s
}
