package design

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// BenchmarkChoose is the time that a study of a Latin hypercube takes to parse
// beyond others.
func BenchmarkChoose(b *testing.B) {
	for _, c := range []struct {
		columns int
		points  uint64
	}{{2, 256}, {10, 256}, {2, 4096}, {5, 4096}, {10, 4096}, {16, 4096}} {
		b.Run(fmt.Sprintf("%dx%d", c.points, c.columns), func(b *testing.B) {
			for b.Loop() {
				Choose(1, columnNames(c.columns), c.points)
			}
		})
	}
}

func columnNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("env/x", i+1)
	}
	return names
}

// TestChoose compares the search with one that looks at all pairs, and checks that
// the best hypercube is better than most.
func TestChoose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		columns int
		points  uint64
	}{{1, 16}, {2, 32}, {3, 64}, {6, 100}} {
		names := columnNames(c.columns)
		var all []float64
		for s := range uint64(Starts) {
			all = append(all, nearestOfAll(newLHS(5, names, c.points, s)))
		}
		want := 0
		for s, d := range all {
			if d > all[want] {
				want = s
			}
		}
		got := Choose(5, names, c.points)
		if got != uint64(want) {
			t.Errorf("%d points of %d columns: start %d with distance %v, want %d with %v", c.points, c.columns, got, math.Sqrt(all[got]), want, math.Sqrt(all[want]))
		}
		slices.Sort(all)
		if median := all[Starts/2]; all[Starts-1] <= 1.05*median {
			t.Errorf("%d points of %d columns: best distance %v, median %v", c.points, c.columns, math.Sqrt(all[Starts-1]), math.Sqrt(median))
		}
	}
	if s := Choose(5, columnNames(2), MaxMaximin+1); s != 0 {
		t.Errorf("above MaxMaximin points the start is %d, want 0", s)
	}
}

// nearestOfAll is the squared distance of the two nearest points.
func nearestOfAll(l *lhs) float64 {
	least := math.Inf(1)
	for i := range l.points {
		for j := range i {
			sum := 0.0
			for c := range l.columns {
				x := l.At(i, c) - l.At(j, c)
				sum += x * x
			}
			least = min(least, sum)
		}
	}
	return least
}
