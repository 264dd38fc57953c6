package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	seen := map[Key]string{}
	add := func(name string, k Key) {
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[k] = name
	}
	add("a", Root(1, "a"))
	add("b", Root(2, "a"))
	add("c", Root(1, "b"))
	add("d", Root(1, "a", 0))
	add("e", Root(1, "a", 0, 0))
	for i := range uint64(10_000) {
		add("at", Root(1, "a").At(i))
	}
}

// TestGolden pins the streams: a change here changes every digest and must
// raise the engine version.
func TestGolden(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	var b []byte
	s := New(Root(42, "golden", 1, 2).At(3))
	for range 1000 {
		b = binary.LittleEndian.AppendUint64(b, s.Uint64())
	}
	x := make([]float64, 1003)
	s.Normals(x)
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	h.Write(b)
	const want = "26c3ad382fa7a37f0c08a201bd5e88c0399716dcc83b69fb2da0506c36bf7635"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("streams hash to %s, want %s", got, want)
	}
}

// TestMoments checks mean, variance, skewness, kurtosis and lag-one correlation
// of a million normals within 5 standard errors: with a fixed seed it either
// always passes or never; for a random seed it would fail once in 350,000.
func TestMoments(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	x := make([]float64, n)
	s := New(Root(1, "moments"))
	s.Normals(x)
	var m1, m2, m3, m4, lag, tail float64
	for i, v := range x {
		m1 += v
		m2 += v * v
		m3 += v * v * v
		m4 += v * v * v * v
		if i > 0 {
			lag += v * x[i-1]
		}
		if math.Abs(v) > 3 {
			tail++
		}
	}
	for _, c := range []struct {
		name            string
		got, want, var1 float64
	}{
		{"mean", m1 / n, 0, 1}, {"variance", m2 / n, 1, 2}, {"third moment", m3 / n, 0, 15},
		{"fourth moment", m4 / n, 3, 96}, {"lag one", lag / n, 0, 1},
		{"share beyond 3", tail / n, 0.0026997961, 0.0026997961},
	} {
		if se := math.Sqrt(c.var1 / n); math.Abs(c.got-c.want) > 5*se {
			t.Errorf("%s = %v, want %v +- %v", c.name, c.got, c.want, 5*se)
		}
	}
}

// TestUniform is a chi-square test of 100 cells on each of the eight lanes and
// of IntN, at a threshold that a right generator passes but once in 10^5.
func TestUniform(t *testing.T) {
	t.Parallel()
	const cells, per = 100, 1000
	var counts [9][cells]float64
	s := New(Root(1, "uniform"))
	for i := range cells * per * lanes {
		counts[i%lanes][int(s.Float64()*cells)]++
	}
	for range cells * per {
		counts[8][s.IntN(cells)]++
	}
	for l, c := range counts {
		chi := 0.0
		for _, n := range c {
			chi += (n - per) * (n - per) / per
		}
		if chi > 168 || chi < 48 { // chi-square with 99 degrees: 1e-5 on each side
			t.Errorf("lane %d: chi-square %v", l, chi)
		}
	}
}

func TestNormalsIndependentOfBlocks(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		a, b := New(Root(3, "x")), New(Root(3, "x"))
		x, y := make([]float64, 48), make([]float64, n)
		a.Normals(x)
		b.Normals(y)
		for i := range y {
			if x[i] != y[i] {
				t.Fatalf("value %d of %d is %v, want %v", i, n, y[i], x[i])
			}
		}
	}
}

func BenchmarkNormals(b *testing.B) {
	x := make([]float64, 180)
	s := New(Root(1, "bench"))
	for b.Loop() {
		s.Normals(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/normal")
}
