package simd

import "golang.org/x/sys/cpu"

// Machine returns the highest level of this machine.
func Machine() Level {
	x := &cpu.X86
	avx2 := x.HasAVX2 && x.HasBMI1 && x.HasBMI2 // kernels walk bits, too
	switch {
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && avx2:
		return AVX512
	case avx2:
		return AVX2
	}
	return Off
}
