package rng

import (
	"math"
	"testing"

	"overnight/internal/simd"
)

// TestLevels holds the vector forms of normals against the plain one, bit for
// bit, and the state that they leave.
func TestLevels(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels() {
		for n := range 5 {
			for k := range uint64(200) {
				want, got := New(Key{k, 7}), New(Key{k, 7})
				a, b := make([]float64, 100*n), make([]float64, 100*n)
				want.blocksAt(simd.Off, a)
				got.blocksAt(l, b)
				if want.s != got.s {
					t.Fatalf("%v, %d normals of key %d: the state differs", l, 100*n, k)
				}
				for i := range a {
					if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
						t.Fatalf("%v, normal %d of key %d: %x, want %x", l, i, k, b[i], a[i])
					}
				}
			}
		}
	}
}

func BenchmarkLevels(b *testing.B) {
	for _, l := range simd.Levels() {
		b.Run(l.String(), func(b *testing.B) {
			s := New(Key{1, 2})
			dst := make([]float64, 272)
			for b.Loop() {
				s.blocksAt(l, dst)
			}
		})
	}
}
