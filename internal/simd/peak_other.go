//go:build !amd64

package simd

// Spin makes about n multiplications and additions of float32 as fast as a level
// can, and returns how many. There is no such loop for this machine: 0.
func Spin(Level, int) int { return 0 }
