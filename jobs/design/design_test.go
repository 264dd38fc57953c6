package design

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

func TestProduct(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sizes []uint64
		want  uint64
		ok    bool
	}{
		{nil, 1, true},
		{[]uint64{3, 4, 5}, 60, true},
		{[]uint64{1 << 53}, 1 << 53, true},
		{[]uint64{1 << 27, 1 << 26}, 1 << 53, true},
		{[]uint64{1 << 27, 1 << 27}, 0, false},
		{[]uint64{1 << 40, 1 << 40, 0}, 0, false},
		{[]uint64{math.MaxUint64, math.MaxUint64}, 0, false},
	} {
		if got, ok := Product(c.sizes...); got != c.want || ok != c.ok {
			t.Errorf("Product(%v) = %d, %v, want %d, %v", c.sizes, got, ok, c.want, c.ok)
		}
	}
}

// TestRadix checks that digits and strides undo each other and that the last
// digit is the fastest.
func TestRadix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := Radix(rapid.SliceOfN(rapid.Uint64Range(1, 50), 0, 6).Draw(t, "sizes"))
		n, ok := Product(r...)
		strides, ok2 := r.Strides()
		if !ok || !ok2 {
			t.Fatalf("%v overflows", r)
		}
		i := rapid.Uint64Range(0, n-1).Draw(t, "i")
		digits := make([]uint64, len(r))
		r.Digits(i, digits)
		sum := uint64(0)
		for d := range r {
			if digits[d] >= r[d] {
				t.Fatalf("digit %d of %d in %v is %d", d, i, r, digits[d])
			}
			sum += digits[d] * strides[d]
		}
		if sum != i {
			t.Fatalf("digits %v of %d in %v stand for %d", digits, i, r, sum)
		}
	})
	if _, ok := (Radix{1 << 30, 1 << 30}).Strides(); ok {
		t.Error("strides beyond 2^53 were given")
	}
}

// TestRandom checks that columns do not depend on each other or on the number
// of rows, and that two columns look uniform and independent: chi-square on a
// 16 by 16 grid, which a right generator passes but once in 10^5.
func TestRandom(t *testing.T) {
	t.Parallel()
	a, err := New(Spec{Kind: Random, Points: 10}, 7, []string{"x", "y"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Spec{Kind: Random, Points: 1 << 40}, 7, []string{"z", "y", "x"})
	if err != nil {
		t.Fatal(err)
	}
	for row := range uint64(1000) {
		if a.cube.At(row, 0) != b.cube.At(row, 2) || a.cube.At(row, 1) != b.cube.At(row, 1) {
			t.Fatalf("row %d moved when a column was added", row)
		}
	}
	const side, per = 16, 200
	var counts [side * side]float64
	for row := range uint64(side * side * per) {
		x, y := a.cube.At(row, 0), a.cube.At(row, 1)
		if x <= 0 || x >= 1 {
			t.Fatalf("row %d is %v", row, x)
		}
		counts[int(x*side)*side+int(y*side)]++
	}
	chi := 0.0
	for _, n := range counts {
		chi += (n - per) * (n - per) / per
	}
	law := distuv.ChiSquared{K: side*side - 1}
	if p := law.Survival(chi); p < 1e-5 || p > 1-1e-5 {
		t.Errorf("chi-square %v of pairs has p = %v", chi, p)
	}
}

func TestUnitIsOpen(t *testing.T) {
	t.Parallel()
	for _, bits := range []uint64{0, math.MaxUint64} {
		if u := Unit(bits); u <= 0 || u >= 1 {
			t.Errorf("Unit(%x) = %v", bits, u)
		}
	}
}

func TestMaps(t *testing.T) {
	t.Parallel()
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	near("Uniform", Uniform(0.25, 2, 10), 4)
	near("LogUniform", LogUniform(0.5, 1e-4, 1e-2), 1e-3)
	near("Normal", Normal(0.975, 10, 2), 10+2*1.959963984540054)
	counts := map[int64]int{}
	for i := range 7000 {
		counts[IntUniform((float64(i)+0.5)/7000, -3, 3)]++
	}
	for k := int64(-3); k <= 3; k++ {
		if counts[k] != 1000 {
			t.Errorf("IntUniform gave %d %d times of 7000, want 1000", k, counts[k])
		}
	}
	if got := Level(1-0x1p-53, 3); got != 2 {
		t.Errorf("Level at the end = %d, want 2", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		u := Unit(rapid.Uint64().Draw(t, "bits"))
		low := rapid.Float64Range(1e-300, 1e300).Draw(t, "low")
		high := rapid.Float64Range(low, 1e300).Draw(t, "high")
		for _, x := range []float64{Uniform(u, low, high), LogUniform(u, low, high)} {
			if x < low || x > high {
				t.Fatalf("%v is outside [%v, %v]", x, low, high)
			}
		}
	})
}

// TestNormalQuantile compares with gonum, which inverts the error function, over
// the whole range, tails included.
func TestNormalQuantile(t *testing.T) {
	t.Parallel()
	check := func(u float64) {
		t.Helper()
		got, want := NormalQuantile(u), distuv.UnitNormal.Quantile(u)
		if math.Abs(got-want) > 1e-13*max(1, math.Abs(want)) {
			t.Errorf("NormalQuantile(%v) = %v, want %v", u, got, want)
		}
	}
	for i := range 10_000 {
		check((float64(i) + 0.5) / 10_000)
	}
	for e := 1; e <= 52; e++ {
		check(math.Ldexp(1, -e))
		check(1 - math.Ldexp(1, -e))
	}
}
