package fp

import (
	"math"
	"testing"
)

// grid calls f with n values spread over [lo, hi].
func grid(lo, hi float64, n int, f func(x float64)) {
	for i := range n {
		f(lo + (hi-lo)*float64(i)/float64(n-1))
	}
}

func rel(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got-want) / math.Abs(want)
}

func TestAgainstMath(t *testing.T) {
	t.Parallel()
	const eps = 0x1p-52
	for _, c := range []struct {
		name      string
		got, want func(float64) float64
		lo, hi    float64
		err       func(got, want float64) float64
		bound     float64
	}{
		{"exp", Exp64, math.Exp, -708, 709, rel, 3 * eps},
		{"exp near 0", Exp64, math.Exp, -1, 1, rel, 2 * eps},
		{"log", Log, math.Log, 1e-300, 1e300, rel, eps},
		{"log near 1", Log, math.Log, 0.5, 2, rel, 2 * eps},
		{"sin", func(x float64) float64 { s, _ := SinCos(x); return s }, math.Sin, -1000, 1000, func(g, w float64) float64 { return math.Abs(g - w) }, 1e-15},
		{"cos", func(x float64) float64 { _, c := SinCos(x); return c }, math.Cos, -1000, 1000, func(g, w float64) float64 { return math.Abs(g - w) }, 1e-15},
		{"sin turn", func(x float64) float64 { s, _ := SinCosTurn(x); return s }, func(x float64) float64 { return math.Sin(2 * math.Pi * x) }, 0, 1 - 0x1p-53, func(g, w float64) float64 { return math.Abs(g - w) }, 1e-15},
		{"cos turn", func(x float64) float64 { _, c := SinCosTurn(x); return c }, func(x float64) float64 { return math.Cos(2 * math.Pi * x) }, 0, 1 - 0x1p-53, func(g, w float64) float64 { return math.Abs(g - w) }, 1e-15},
		{"tanh", Tanh[float64], math.Tanh, -25, 25, rel, 4 * eps},
		{"exp32", func(x float64) float64 { return float64(Exp32(float32(x))) }, func(x float64) float64 { return math.Exp(float64(float32(x))) }, -87, 88.7, rel, 2 * 0x1p-23},
		{"tanh32", func(x float64) float64 { return float64(Tanh(float32(x))) }, func(x float64) float64 { return math.Tanh(float64(float32(x))) }, -12, 12, rel, 4 * 0x1p-23},
		{"pow", func(x float64) float64 { return Pow(x, 2.7) }, func(x float64) float64 { return math.Pow(x, 2.7) }, 0.01, 1000, rel, 1e-14},
	} {
		worst, at := 0.0, 0.0
		grid(c.lo, c.hi, 200_003, func(x float64) {
			if e := c.err(c.got(x), c.want(x)); e > worst || e != e {
				worst, at = e, x
			}
		})
		if !(worst <= c.bound) {
			t.Errorf("%s: error %.3g at %v, want at most %.3g", c.name, worst, at, c.bound)
		}
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"exp(inf)", Exp64(inf), inf}, {"exp(-inf)", Exp64(-inf), 0}, {"exp(0)", Exp64(0), 1},
		{"exp32(inf)", float64(Exp32(float32(inf))), inf}, {"exp32(-inf)", float64(Exp32(float32(-inf))), 0},
		{"log(0)", Log(0), -inf}, {"log(inf)", Log(inf), inf}, {"log(1)", Log(1), 0},
		{"log(subnormal)", Log(0x1p-1074), -1074 * math.Ln2},
		{"sigmoid(0)", Sigmoid(0.0), 0.5}, {"sigmoid(-inf)", Sigmoid(-inf), 0},
		{"pow(0)", Pow(0, 2), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	for _, v := range []float64{Exp64(math.NaN()), float64(Exp32(float32(math.NaN()))), Log(-1), Log(math.NaN())} {
		if v == v {
			t.Errorf("got %v, want NaN", v)
		}
	}
}

func TestClamp01(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{math.Inf(-1), -2, -1e-310, math.Copysign(0, -1), 0, 1e-310, 1e-40, 0.25, 1 - 0x1p-53, 1, 1 + 0x1p-52, 7, math.Inf(1), math.NaN(), math.Copysign(math.NaN(), -1)} {
		want := max(0, min(1, x))
		if got := Clamp01(x); math.Float64bits(got) != math.Float64bits(want) && !(got != got && want != want) {
			t.Errorf("Clamp01(%v) = %v, want %v", x, got, want)
		}
		y := float32(x)
		short := max(0, min(1, y))
		if got := Clamp01(y); math.Float32bits(got) != math.Float32bits(short) && !(got != got && short != short) {
			t.Errorf("Clamp01(float32 %v) = %v, want %v", y, got, short)
		}
	}
}

var sink float64

func BenchmarkExp64(b *testing.B) {
	x := 0.1
	for b.Loop() {
		sink = Exp64(-x)
	}
}
func BenchmarkLog(b *testing.B) {
	x := 0.1
	for b.Loop() {
		sink = Log(x)
	}
}

// TestBoxMuller compares BoxMuller, bit for bit, with the functions that it
// writes out.
func TestBoxMuller(t *testing.T) {
	t.Parallel()
	check := func(a, b uint64) {
		t.Helper()
		r := math.Sqrt(-2 * LogUnit(float64(a>>11+1)*0x1p-53))
		sin, cos := SinCosTurn(float64(b>>11) * 0x1p-53)
		x, y := BoxMuller(a, b)
		if math.Float64bits(x) != math.Float64bits(r*cos) || math.Float64bits(y) != math.Float64bits(r*sin) {
			t.Errorf("BoxMuller(%#x, %#x) = %v, %v, want %v, %v", a, b, x, y, r*cos, r*sin)
		}
	}
	for _, a := range []uint64{0, 1 << 11, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		for _, b := range []uint64{0, 1 << 11, 1 << 61, 1<<61 - 1, 3 << 61, 1 << 62, 5 << 61, 1 << 63, 7 << 61, 1<<64 - 1} {
			check(a, b)
		}
	}
	a, b := uint64(1), uint64(2)
	for range 100_000 {
		a = a*0x9e3779b97f4a7c15 + 0xd1b54a32d192ed03
		b = b*0xbf58476d1ce4e5b9 + 0x94d049bb133111eb
		check(a, b)
	}
}
