package sensitivity

import (
	"testing"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// BenchmarkEffects is a grid of 100,000 runs: 5,000 points of four factors, 20
// replications.
func BenchmarkEffects(b *testing.B) {
	g := &Grid{Levels: crossing([]int{10, 10, 10, 5}), Paired: true}
	s := rng.New(rng.Root(1, "large"))
	for range 5000 {
		y := make([]float64, 20)
		s.Normals(y)
		g.Runs = append(g.Runs, y)
	}
	for b.Loop() {
		Effects(g, Options{})
	}
}

// BenchmarkFANOVA is a sample of MaxForest points of eight factors.
func BenchmarkFANOVA(b *testing.B) {
	p := sobolG().sampled(rng.Root(1, "bench"), MaxForest, 1)
	for b.Loop() {
		FANOVA(p, Options{Key: rng.Root(1, "forest")})
	}
}

// BenchmarkPRCC is a sample of 4,096 points of eight factors.
func BenchmarkPRCC(b *testing.B) {
	m := sobolG()
	s := rng.New(rng.Root(1, "bench"))
	x := &Sample{X: make([][]float64, m.d), Runs: make(stats.Scores, 4096)}
	for p := range x.Runs {
		u := make([]float64, m.d)
		s.Floats(u)
		for f := range u {
			x.X[f] = append(x.X[f], u[f])
		}
		x.Runs[p] = []float64{m.f(u, nil)}
	}
	for b.Loop() {
		PRCC(x, Options{Key: rng.Root(1, "boot")})
	}
}

// BenchmarkSobol is 1,024 base samples of eight factors in four replications:
// 40,960 runs.
func BenchmarkSobol(b *testing.B) {
	x := sobolG().matrices(rng.Root(1, "bench"), 1024, 4, false, true)
	for b.Loop() {
		Sobol(x, Options{Key: rng.Root(1, "boot")})
	}
}
