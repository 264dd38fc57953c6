package simd

import "golang.org/x/sys/cpu"

// Machine returns the highest level of this machine.
func Machine() Level {
	x := &cpu.X86
	switch {
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX2:
		return AVX512
	case x.HasAVX2:
		return AVX2
	}
	return Off
}
