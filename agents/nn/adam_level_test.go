package nn

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// TestAdamLevels gives the steps of each level any bits at all, mixed with zeros and
// with numbers of all sizes, for all counts of blocks and of lanes.
func TestAdamLevels(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels()[1:] {
		adamLevels[float32](t, l)
		adamLevels[float64](t, l)
	}
}

func adamLevels[T fp.Float](t *testing.T, l simd.Level) {
	t.Helper()
	s := rng.New(rng.Root(61, "nn/adam"))
	for round := range 4000 {
		blocks, width := 1+s.IntN(8), 1+s.IntN(Lanes)
		strange := s.IntN(4) * 20 // how many in 400 are any bits
		number := func() T {
			switch pick := s.IntN(400); {
			case pick < strange:
				return anyBits[T](s.Uint64())
			case pick > 350:
				return 0
			case pick == 350:
				return T(math.Copysign(0, -1))
			}
			return T(s.Normal() * math.Exp2(float64(s.IntN(40)-20)))
		}
		var want, got [4][]Block[T] // params, grads, first, second
		for i := range want {
			want[i], got[i] = make([]Block[T], blocks), make([]Block[T], blocks)
			for b := range want[i] {
				for lane := range width {
					x := number()
					if i == 3 && s.IntN(100) > 0 {
						x = T(math.Abs(float64(x)))
					}
					want[i][b][lane] = x
				}
			}
			copy(got[i], want[i])
		}
		c := adam[T]{scale: 1, rate: .01, root: 2, epsilon: 1e-8, keep1: .9, keep2: .999, add1: .1, add2: .001}
		if round%4 == 0 {
			x := func() T { return T(math.Exp2(float64(s.IntN(60) - 40))) }
			c = adam[T]{x(), x(), x(), x(), x(), x(), x(), x()}
		}
		adamStep(want[0], want[1], want[2], want[3], width, &c)
		kernelsOf[T](l).stepOf(width)(&got[0][0][0], &got[1][0][0], &got[2][0][0], &got[3][0][0], blocks, &validLanes[T](1, width)[0], &c.scale)
		for i, what := range []string{"parameter", "gradient", "first moment", "second moment"} {
			same(t, fmt.Sprintf("%v, %T, round %d, %d blocks of %d: %s", l, c.scale, round, blocks, width, what), lanes(got[i]), lanes(want[i]))
		}
		if t.Failed() {
			return
		}
	}
}

func anyBits[T fp.Float](bits uint64) T {
	if sizeof[T](1) == 4 {
		return T(math.Float32frombits(uint32(bits)))
	}
	return T(math.Float64frombits(bits))
}

// TestRoots gives all float32 in [1, 4) to Adam's root: every mantissa, with an even
// and an odd exponent; then others of every size. Parameters become -1/(root - that of
// a neighbour), which shows the last bit of the root.
func TestRoots(t *testing.T) {
	t.Parallel()
	const blocks = 2 // of three the divider would take one
	valid := validLanes[float32](1, Lanes)
	var zeros, first [blocks]Block[float32]
	for i := range lanes(first[:]) {
		first[i/Lanes][i%Lanes] = 1
	}
	for _, l := range simd.Levels()[1:] {
		step := kernelsOf[float32](l).adam
		// roots takes the 32 numbers from that with some bits on.
		roots := func(bits uint32) {
			var second, want, got [blocks]Block[float32]
			for i := range lanes(second[:]) {
				second[i/Lanes][i%Lanes] = math.Float32frombits(bits + uint32(i))
			}
			c := adam[float32]{rate: 1, root: 1, epsilon: -float32(math.Sqrt(float64(second[1][0]))), keep1: 1, keep2: 1}
			adamStep(want[:], zeros[:], first[:], second[:], Lanes, &c)
			step(&got[0][0], &zeros[0][0], &first[0][0], &second[0][0], blocks, &valid[0], &c.scale)
			if got != want {
				same(t, fmt.Sprintf("%v: parameters from roots from %x on", l, bits), lanes(got[:]), lanes(want[:]))
			}
		}
		for bits := math.Float32bits(1); bits < math.Float32bits(4) && !t.Failed(); bits += blocks * Lanes {
			roots(bits)
		}
		s := rng.New(rng.Root(62, "nn/roots"))
		for n := uint32(0); n < 1<<16 && !t.Failed(); n++ {
			roots(n<<16 | uint32(s.IntN(1<<16)))
		}
	}
}

// TestRootStarts holds the steps of the generator's roots, in plain Go, from every
// start that VRSQRT14PS may give, for all numbers whose root lies within 2^-20 units
// in the last place of a midpoint. It stands in for processors other than this one.
func TestRootStarts(t *testing.T) {
	t.Parallel()
	const reach = 1 << 10 // 2^-14 of the start, in its units
	count := 0
	for bits := math.Float32bits(1); bits < math.Float32bits(4); bits++ {
		w := math.Float32frombits(bits)
		exact := math.Sqrt(float64(w))
		if _, part := math.Modf(exact * (1 << 23)); math.Abs(part-0.5) > 0x1p-20 {
			continue
		}
		count++
		middle := math.Float32bits(float32(1 / exact))
		for start := middle - reach - 2; start <= middle+reach+2; start++ {
			y := math.Float32frombits(start)
			g, h := w*y, 0.5*y
			r := fma(-g, h, 0.5)
			g, h = fma(g, r, g), fma(h, r, h)
			if got, want := fma(fma(-g, g, w), h, g), float32(exact); got != want {
				t.Fatalf("root of %v from %v: %v, want %v", w, y, got, want)
			}
		}
	}
	if count < 10 {
		t.Errorf("%d numbers tried; there are more", count)
	}
}

// fma is x*y + z rounded once. The product is exact in float64; a sum that is not is
// moved to the odd neighbour, which rounds to float32 as the exact one does (Boldo
// and Melquiond 2008).
func fma(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	sum := p + c
	back := sum - p
	rest := (p - (sum - back)) + (c - back)
	if rest != 0 && math.Float64bits(sum)&1 == 0 {
		sum = math.Nextafter(sum, math.Inf(int(math.Copysign(1, rest))))
	}
	return float32(sum)
}
