package bandit

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"overnight/internal/rng"
)

// TestRegressionAgainstGonum compares posterior mean, variance and coefficients
// with the closed form, A = ridge I + X'X and theta = A^-1 X'y, solved by gonum
// from all rows at once, after many rows and features of unlike scale.
func TestRegressionAgainstGonum(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d, rows int
		ridge   float64
	}{{1, 10, 1}, {2, 5000, 0.1}, {9, 5000, 1}, {33, 600, 2}, {64, 1000, 1}, {5, 0, 3}, {7, 3, 0.5}} {
		s := rng.New(rng.Root(uint64(c.d), "regression"))
		r := newRegression(c.d, make([]float64, regressionSize(c.d)))
		r.reset(c.ridge)
		a := mat.NewSymDense(c.d, nil)
		b := mat.NewVecDense(c.d, nil)
		for i := range c.d {
			a.SetSym(i, i, c.ridge)
		}
		x, scratch := make([]float64, c.d), make([]float64, c.d)
		draw := func() {
			for i := range x {
				x[i] = s.Normal()
				switch {
				case i == 0:
					x[i] = 1
				case i%3 == 1:
					x[i] = float64(s.IntN(2)) // indicators, whose zeros are skipped
				case i%5 == 2:
					x[i] *= 30
				}
			}
		}
		for range c.rows {
			draw()
			y := x[0] + s.Normal()
			r.observe(x, y, scratch)
			v := mat.NewVecDense(c.d, x)
			a.SymRankOne(a, 1, v)
			b.AddScaledVec(b, y, v)
		}
		var chol mat.Cholesky
		if !chol.Factorize(a) {
			t.Fatal("gonum finds the precision singular")
		}
		var theta, solved mat.VecDense
		if err := chol.SolveVecTo(&theta, b); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			draw()
			v := mat.NewVecDense(c.d, x)
			if err := chol.SolveVecTo(&solved, v); err != nil {
				t.Fatal(err)
			}
			wantMean, wantVariance := mat.Dot(v, &theta), mat.Dot(v, &solved)
			mean, variance := r.predict(x, scratch)
			if math.Abs(mean-wantMean) > 1e-10*(1+math.Abs(wantMean)) || math.Abs(variance-wantVariance) > 1e-10*wantVariance {
				t.Errorf("d %d, %d rows: mean %v, variance %v, want %v, %v", c.d, c.rows, mean, variance, wantMean, wantVariance)
			}
		}
		got := make([]float64, c.d)
		r.coefficients(got)
		for i, v := range got {
			if want := theta.AtVec(i); math.Abs(v-want) > 1e-10*(1+math.Abs(want)) {
				t.Errorf("d %d, %d rows: coefficient %d is %v, want %v", c.d, c.rows, i, v, want)
			}
		}
	}
}

func BenchmarkRegression(b *testing.B) {
	for _, d := range []int{2, 9, 64} {
		s := rng.New(rng.Root(1, "bench"))
		r := newRegression(d, make([]float64, regressionSize(d)))
		r.reset(1)
		x, scratch := make([]float64, d), make([]float64, d)
		s.Normals(x)
		b.Run(fmt.Sprintf("predict/%d", d), func(b *testing.B) {
			for b.Loop() {
				r.predict(x, scratch)
			}
		})
		b.Run(fmt.Sprintf("observe/%d", d), func(b *testing.B) {
			for b.Loop() {
				r.observe(x, 0.5, scratch)
			}
		})
	}
}
