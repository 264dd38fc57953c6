//go:build !amd64

package rng

import "overnight/internal/simd"

// NormalsAt is Normals with the vector instructions of a level, for benchmarks.
// There are none for this machine.
func (s *Stream) NormalsAt(_ simd.Level, dst []float64) { s.blocks(dst) }

// blocks fills dst up to the last whole block of normals.
func (s *Stream) blocks(dst []float64) { s.plain(dst) }
