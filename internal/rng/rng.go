// Package rng holds the addressed random streams. Start with Root and Stream.
//
// A Key is an address: a seed, a purpose and numbers such as replication and
// episode. Equal addresses give equal streams on every machine, different ones
// give independent streams, and nothing is drawn in sequence across episodes:
// an episode's noise does not depend on what was done before it. Within an
// episode, value i of a stream stands for a fixed (step, slot).
//
// The generator is xoshiro256++ (Blackman and Vigna, ACM TOMS 47, 2021) in
// eight interleaved lanes, so that it can be vectorised without changing a bit;
// normals are made by Box-Muller with the functions of package fp.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"overnight/internal/fp"
)

// Key is the address of a stream.
type Key [2]uint64

// Root hashes a study's seed, a purpose and address numbers into a key. It uses
// SHA-256 and is meant for the few keys a trial needs; At is for the many.
func Root(seed uint64, purpose string, address ...uint64) Key {
	b := make([]byte, 0, 128)
	b = binary.LittleEndian.AppendUint64(b, seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(purpose)))
	b = append(b, purpose...)
	for _, a := range address {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	h := sha256.Sum256(b)
	return Key{binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:16])}
}

// At returns the key of part n of k, say an episode of a run. It takes about
// two nanoseconds.
func (k Key) At(n uint64) Key {
	a, b := k.Words(n)
	return Key{a, b}
}

// Words returns the two words of k.At(n). Loops that need no Key are twice as fast
// with it: an array does not fit into registers.
func (k *Key) Words(n uint64) (a, b uint64) {
	return mix(k[0] ^ mix(n+0x9e3779b97f4a7c15)), mix(k[1] + mix(n^0xd1b54a32d192ed03))
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014; Stafford's
// variant 13), a bijection of 64-bit numbers.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

const lanes = 8

// Stream yields the numbers of one key. The zero Stream must be Seeded before
// use. It is a plain value: copying it copies the position.
type Stream struct {
	s   [4][lanes]uint64
	buf [lanes]uint64
	pos int // next unused of buf; lanes when empty
}

// New returns the stream of a key.
func New(k Key) Stream {
	var s Stream
	s.Seed(k)
	return s
}

// Seed puts s at the start of the stream of k.
func (s *Stream) Seed(k Key) {
	for l := range lanes {
		a, b := k[0], k[1]
		for w := range 4 {
			n := uint64(w*lanes+l)*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
			s.s[w][l] = mix(a+n) ^ bits.RotateLeft64(mix(b^n), 32)
		}
		s.s[0][l] |= 1 // never the all-zero state
	}
	s.pos = lanes
}

// next is one step of xoshiro256++: the number and the new state.
func next(s0, s1, s2, s3 uint64) (v, n0, n1, n2, n3 uint64) {
	v = bits.RotateLeft64(s0+s3, 23) + s0
	t := s1 << 17
	s2 ^= s0
	s3 ^= s1
	return v, s0 ^ s3, s1 ^ s2, s2 ^ t, bits.RotateLeft64(s3, 45)
}

// fill draws one number from every lane.
func (s *Stream) fill(out *[lanes]uint64) {
	for l := range lanes {
		out[l], s.s[0][l], s.s[1][l], s.s[2][l], s.s[3][l] = next(s.s[0][l], s.s[1][l], s.s[2][l], s.s[3][l])
	}
}

// Uint64 returns the next 64 random bits.
func (s *Stream) Uint64() uint64 {
	if s.pos == lanes {
		s.fill(&s.buf)
		s.pos = 0
	}
	v := s.buf[s.pos]
	s.pos++
	return v
}

// Float64 returns a number in [0, 1), a multiple of 2**-53.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// IntN returns an integer in [0, n), n > 0, by multiplication (Lemire 2019)
// without rejection: the bias is below n/2**64, and every call uses one number.
func (s *Stream) IntN(n int) int {
	hi, _ := bits.Mul64(s.Uint64(), uint64(n))
	return int(hi)
}

// Floats fills dst with numbers in [0, 1).
func (s *Stream) Floats(dst []float64) {
	for i := range dst {
		dst[i] = s.Float64()
	}
}

// Normals fills dst with independent standard normals. It works in blocks of
// sixteen: eight from the cosines, eight from the sines of the same eight
// pairs. Numbers left over in the buffer of Uint64 and in the last block are
// dropped, so a call's values depend on the calls before it but not on whether
// those asked for full blocks.
func (s *Stream) Normals(dst []float64) {
	s.pos = lanes
	s.blocks(dst)
	if left := len(dst) % (2 * lanes); left > 0 {
		var block [2 * lanes]float64
		s.blocks(block[:])
		copy(dst[len(dst)-left:], block[:])
	}
}

// plain is blocks without vector instructions, and what their bits are.
func (s *Stream) plain(dst []float64) {
	for ; len(dst) >= 2*lanes; dst = dst[2*lanes:] {
		s.normals((*[2 * lanes]float64)(dst))
	}
}

// normals draws two numbers from every lane, as two fills would, and makes a
// pair of normals of them.
func (s *Stream) normals(out *[2 * lanes]float64) {
	for l := range lanes {
		s0, s1, s2, s3 := s.s[0][l], s.s[1][l], s.s[2][l], s.s[3][l]
		a, s0, s1, s2, s3 := next(s0, s1, s2, s3)
		b, s0, s1, s2, s3 := next(s0, s1, s2, s3)
		s.s[0][l], s.s[1][l], s.s[2][l], s.s[3][l] = s0, s1, s2, s3
		out[l], out[lanes+l] = fp.BoxMuller(a, b)
	}
}

// Normal returns one standard normal. It draws two numbers; use Normals where
// many are needed.
func (s *Stream) Normal() float64 {
	x, _ := fp.BoxMuller(s.Uint64(), s.Uint64())
	return x
}

// Exponential returns a standard exponential.
func (s *Stream) Exponential() float64 {
	return -fp.LogUnit(float64(s.Uint64()>>11+1) * 0x1p-53)
}
