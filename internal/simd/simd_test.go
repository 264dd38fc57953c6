package simd_test

import (
	"testing"

	"overnight/internal/simd"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value   string
		machine simd.Level
		want    simd.Level
		err     string
	}{
		{"", simd.AVX512, simd.AVX512, ""},
		{"", simd.Off, simd.Off, ""},
		{"off", simd.AVX512, simd.Off, ""},
		{"avx2", simd.AVX512, simd.AVX2, ""},
		{"avx512", simd.AVX512, simd.AVX512, ""},
		{"avx512", simd.AVX2, simd.Off, "OVERNIGHT_SIMD=avx512: this machine has avx2 at most; write that or leave it unset"},
		{"sse", simd.AVX2, simd.Off, `OVERNIGHT_SIMD="sse" is no level; write off, avx2 or avx512, or leave it unset`},
	} {
		got, err := simd.Parse(c.value, c.machine)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != c.want || text != c.err {
			t.Errorf("Parse(%q, %v) = %v, %q; want %v, %q", c.value, c.machine, got, text, c.want, c.err)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	all := simd.Levels()
	if all[0] != simd.Off || all[len(all)-1] != simd.Machine() {
		t.Errorf("Levels = %v on a machine with %v", all, simd.Machine())
	}
}
