package rng

import "overnight/internal/simd"

//go:generate go run -C ../asm ./normals -out ../rng/normals_amd64.s -stubs ../rng/normals_amd64.go -pkg rng

// NormalsAt is Normals with the vector instructions of a level, for benchmarks.
func (s *Stream) NormalsAt(l simd.Level, dst []float64) { s.blocksAt(l, dst) }

// blocks fills dst up to the last whole block of normals.
func (s *Stream) blocks(dst []float64) { s.blocksAt(simd.Best(), dst) }

func (s *Stream) blocksAt(l simd.Level, dst []float64) {
	n := len(dst) / (2 * lanes)
	switch {
	case n == 0:
	case l == simd.AVX512:
		normalsAVX512(&s.s, &dst[0], n)
	case l == simd.AVX2:
		normalsAVX2(&s.s, &dst[0], n)
	default:
		s.plain(dst)
	}
}
