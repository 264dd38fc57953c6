//go:build !amd64

package simd

// Machine returns the highest level of this machine.
func Machine() Level { return Off }
