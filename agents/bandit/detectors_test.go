package bandit

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// TestGLRAgainstDefinition compares the statistic with the paper's formula over
// all splits: equal while a block is one outcome, never above it later, and
// within 10 % of it where there is a change.
func TestGLRAgainstDefinition(t *testing.T) {
	t.Parallel()
	kl := func(p, q float64) float64 {
		f := func(p, q float64) float64 {
			if p == 0 {
				return 0
			}
			return p * math.Log(p/q)
		}
		return f(p, q) + f(1-p, 1-q)
	}
	for seed := range uint64(20) {
		s := rng.New(rng.Root(seed, "glr"))
		g := make(glr, glrSize)
		g.restart()
		var prefix []float64
		sum, n := 0.0, 0.0
		for i := range 3000 {
			p := 0.3
			if i >= 1500 {
				p = 0.5
			}
			y := 0.0
			if s.Float64() < p {
				y = 1
			}
			sum, n = sum+y, n+1
			prefix = append(prefix, sum)
			g.add(y)
			if i != 40 && i != 62 && i != 2999 {
				continue
			}
			want := 0.0
			for j, first := range prefix[:len(prefix)-1] {
				s := float64(j + 1)
				want = max(want, s*kl(first/s, sum/n)+(n-s)*kl((sum-first)/(n-s), sum/n))
			}
			got := g.statistic()
			exact := i < glrGrid
			if exact && math.Abs(got-want) > 1e-9 || got > want+1e-9 || got < 0.9*want {
				t.Errorf("seed %d after %d: statistic %v, all splits %v", seed, i+1, got, want)
			}
		}
	}
}

// TestDetectors (the GLR tests every ten outcomes) counts false alarms in 2,000 outcomes without a change, and the
// delay until a change from .2 to .5 is seen, over 200 fixed seeds.
func TestDetectors(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, after float64, observe func(y float64) bool) int {
		s := rng.New(rng.Root(seed, "detect"))
		for i := range 4000 {
			p := 0.2
			if i >= 2000 {
				p = after
			}
			y := 0.0
			if s.Float64() < p {
				y = 1
			}
			if observe(y) {
				return i
			}
		}
		return 4000
	}
	for _, c := range []struct {
		name            string
		make            func() func(y float64) bool
		maxFalse, delay int
	}{
		{"glr", func() func(float64) bool {
			g := make(glr, glrSize)
			g.restart()
			return func(y float64) bool { g.add(y); return math.Mod(g[glrCount], 10) == 0 && g.changed(0.01) }
		}, 2, 150},
		{"cusum", func() func(float64) bool {
			c := make(cusum, cusumSize)
			return func(y float64) bool { return c.observe(y, 100, 0.1, 15) }
		}, 20, 150},
	} {
		early, late, seen := 0, 0, 0
		for seed := range uint64(200) {
			if run(seed, 0.2, c.make()) < 2000 {
				early++
			}
			if at := run(seed, 0.5, c.make()); at >= 2000 {
				seen++
				late += at - 2000
			}
		}
		t.Logf("%s: %d of 200 false alarms, mean delay %.0f", c.name, early, float64(late)/float64(seen))
		if early > c.maxFalse || late > c.delay*seen {
			t.Errorf("%s: %d false alarms of 200, mean delay %d of %d, want at most %d and %d", c.name, early, late/max(seen, 1), seen, c.maxFalse, c.delay)
		}
	}
}

func BenchmarkGLR(b *testing.B) {
	g := make(glr, glrSize)
	g.restart()
	for i := range 2000 {
		g.add(float64(i & 1))
	}
	for b.Loop() {
		g.changed(0.01)
	}
}
