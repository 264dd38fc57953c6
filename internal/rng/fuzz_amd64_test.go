package rng

import (
	"encoding/binary"
	"math"
	"testing"

	"overnight/internal/simd"
)

// FuzzBlocks makes normals from any state, also one no key leads to, with each set
// of vector instructions, and holds them against plain Go.
func FuzzBlocks(f *testing.F) {
	f.Add(uint8(1), []byte{})
	f.Add(uint8(3), []byte{255, 255, 255, 255, 255, 255, 255, 255})
	for _, b := range []byte{1, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff} {
		last := make([]byte, 256) // the upper bits of s3 become those of the first number
		for l := range lanes {
			last[192+8*l+4], last[192+8*l+5] = b<<1, b>>l
		}
		f.Add(uint8(2), last)
	}
	f.Fuzz(func(t *testing.T, blocks uint8, state []byte) {
		var from Stream
		for i := range 4 * lanes {
			var word [8]byte
			if 8*i < len(state) {
				copy(word[:], state[8*i:])
			}
			from.s[i/lanes][i%lanes] = binary.LittleEndian.Uint64(word[:])
		}
		want := from
		a := make([]float64, int(blocks%8)*2*lanes)
		want.blocksAt(simd.Off, a)
		for _, l := range simd.Levels()[1:] {
			got := from
			b := make([]float64, len(a))
			got.blocksAt(l, b)
			if want.s != got.s {
				t.Fatalf("%v: the state differs", l)
			}
			for i := range a {
				if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
					t.Fatalf("%v, normal %d: %v (%x), want %v (%x)", l, i, b[i], b[i], a[i], a[i])
				}
			}
		}
	})
}
