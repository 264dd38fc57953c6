package stats

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// TestLeast: where so few runs can't give a P of 0.05, the tests say so, and the
// most extreme runs of that number give just that P.
func TestLeast(t *testing.T) {
	t.Parallel()
	key := rng.Root(1, "least")
	far := func(n int, from float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = from + float64(i)
		}
		return x
	}
	for _, c := range []struct {
		name string
		test func(n int) Test
		can  int // the fewest runs (of each side) that can reject at 0.05
	}{
		{"signed rank", func(n int) Test { return SignedRank(far(n, 1)) }, 6},
		{"sign flip", func(n int) Test { return SignFlip(far(n, 1), key) }, 6},
		{"rank sum", func(n int) Test { return RankSum(far(n, 1), far(n, 100)) }, 4},
		{"split", func(n int) Test { return Split(far(n, 1), far(n, 100), key) }, 4},
		{"paired t", func(n int) Test { return PairedT(far(n, 1000)) }, 2},
		{"welch", func(n int) Test { return Welch(far(n, 0), far(n, 1000)) }, 2},
	} {
		for n := 0; n < 9; n++ {
			got := c.test(n)
			if got.CanReject(.05) != (n >= c.can) {
				t.Errorf("%s of %d: can reject is %v, least %v", c.name, n, got.CanReject(.05), got.Least)
			}
			if got.Least == 1 && n == 0 && !math.IsNaN(got.P) {
				t.Errorf("%s of nothing has the p %v", c.name, got.P)
			}
			if got.Least > 0 && n > 0 && !math.IsNaN(got.P) && math.Abs(got.P-got.Least) > 1e-12 {
				t.Errorf("%s of %d extreme runs: p %v, want the least, %v", c.name, n, got.P, got.Least)
			}
		}
	}
	if got := RankSum(make([]float64, 9), make([]float64, 9)); got.Least != 1 || got.P != 1 {
		t.Errorf("rank sum of equal runs: %+v", got)
	}
}

// TestTestsAtTheEdges: runs without spread, infinite and missing ones.
func TestTestsAtTheEdges(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name    string
		test    Test
		p       float64
		n       int
		without bool
	}{
		{"paired t, all equal", PairedT([]float64{0, 0, 0}), 1, 3, false},
		{"paired t, one and the same difference", PairedT([]float64{.1, .1, .1}), 0, 3, false},
		{"paired t, a run missing", PairedT([]float64{1, nan, 1}), 0, 2, false},
		{"paired t, infinite", PairedT([]float64{1, inf, 1}), nan, 3, true},
		{"welch, all equal", Welch([]float64{2, 2}, []float64{2, 2}), 1, 4, false},
		{"welch, no spread", Welch([]float64{2, 2}, []float64{3, 3}), 0, 4, false},
		{"welch, one run", Welch([]float64{2, 2}, []float64{3}), nan, 3, true},
		{"signed rank of zeros", SignedRank([]float64{0, 0, nan}), nan, 0, true},
		{"sign flip of zeros", SignFlip([]float64{0, 0, 0, nan}, rng.Key{}), 1, 3, false},
	} {
		near(t, c.name, c.test.P, c.p, 0)
		if c.test.N != c.n || c.without != (c.test.Least == 1) {
			t.Errorf("%s: %+v, want n of %d", c.name, c.test, c.n)
		}
	}
}

// TestDrawnAgreesWithExact: the same runs, counted and drawn. The drawn P
// scatters by sqrt(p(1-p)/9999), at most 0.005.
func TestDrawnAgreesWithExact(t *testing.T) {
	t.Parallel()
	key := rng.Root(1, "drawn")
	d := normals(key, 20)
	for i := range d {
		d[i] += .3
	}
	exact := SignFlip(d, key)
	drawn := SignFlip(append(d, make([]float64, 5)...), key) // zeros change no sum
	near(t, "sign flip", drawn.P, exact.P, .02)
	if drawn.N != 25 || drawn.Least != 2e-4 || drawn.P == exact.P {
		t.Errorf("drawn %+v, exact %+v", drawn, exact)
	}
	if again := SignFlip(append(d, make([]float64, 5)...), key); again != drawn {
		t.Errorf("the same key gave %+v and %+v", drawn, again)
	}
	x, y := normals(key.At(1), 30), normals(key.At(2), 30)
	for i := range x {
		x[i] += .4
	}
	// Of thirty normal runs a side Welch's test comes close.
	near(t, "split", Split(x, y, key).P, Welch(x, y).P, .03)
}

// TestSequentialLooks: an effect is found early, at a look that can reject; looks
// after it change nothing, and runs beyond a look neither.
func TestSequentialLooks(t *testing.T) {
	t.Parallel()
	key := rng.Root(1, "looks")
	d := normals(key, 30)
	for i := range d {
		d[i] += 2
	}
	o := Looks{At: []int{5, 10, 20, 30}, Key: key}
	full := Sequential(d, o)
	if !full.Reject || full.N != 10 || full.First != 10 {
		t.Errorf("a shift of 2: %+v, want a rejection at 10, the first look that can", full)
	}
	if prefix := Sequential(d[:12], o); prefix != full {
		t.Errorf("of 12 pairs %+v, of 30 %+v", prefix, full)
	}
	if got := Sequential(d[:7], o); got.Reject || got.N != 5 || got.Boundary < got.Mean {
		t.Errorf("of 7 pairs: %+v, want none at look 5", got)
	}
	if got := Sequential(nil, o); got.Reject || got.N != 0 {
		t.Errorf("of no pairs: %+v", got)
	}
	if got := Sequential(make([]float64, 30), o); got.Reject || got.N != 30 {
		t.Errorf("of zeros: %+v", got)
	}
	// One look is the sign-flip test of the same level.
	rejected, agree := 0, 0
	for k := range 200 {
		d := normals(key.At(uint64(k)), 12)
		for i := range d {
			d[i] += .55
		}
		a, b := Sequential(d, Looks{At: []int{12}, Key: key.At(7)}).Reject, SignFlip(d, key).P <= .05
		if b {
			rejected++
		}
		if a == b {
			agree++
		}
	}
	if agree < 195 || rejected < 50 || rejected > 150 {
		t.Errorf("one look agrees with the sign-flip test %d times of 200, which rejects %d times", agree, rejected)
	}
}
