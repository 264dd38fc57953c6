//go:build !amd64

package rng

// blocks fills dst up to the last whole block of normals.
func (s *Stream) blocks(dst []float64) { s.plain(dst) }
