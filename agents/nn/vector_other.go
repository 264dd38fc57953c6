//go:build !amd64

package nn

import (
	"overnight/internal/fp"
	"overnight/internal/simd"
)

// kernelsOf returns the kernels of a level: there are none for this machine.
func kernelsOf[T fp.Float](simd.Level) *kernels[T] { return nil }
