package simd

//go:generate go run -C ../asm ./peak -out ../simd/loops_amd64.s -stubs ../simd/loops_amd64.go -pkg simd

// Spin makes about n multiplications and additions of float32, in equal parts and
// as fast as a level can, and returns how many. Plain Go can't say: 0.
func Spin(l Level, n int) int {
	const operations = 16
	switch l {
	case AVX512:
		times := n/operations/16 + 1
		peakAVX512(times)
		return times * operations * 16
	case AVX2:
		times := n/operations/8 + 1
		peakAVX2(times)
		return times * operations * 8
	}
	return 0
}
