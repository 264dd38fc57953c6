package nn

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// TestAgainstGonum compares outputs and gradients with the same network written
// in gonum's matrices: Y = f(X W' + b), dW = D' X, dX = D W. Their sums run in
// another order, so the bound is a few rounding errors a term.
func TestAgainstGonum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 6).Draw(t, "rows")
		n, tape := filled[float64](shapes(t), rows, rapid.Uint64().Draw(t, "seed"))
		grad := n.Vector()
		n.Backward(tape, rows, grad)

		params := n.Export(nil, n.Params)
		sizes := n.Shape.Sizes
		acts := []*mat.Dense{mat.NewDense(rows, sizes[0], nil)}
		for r := range rows {
			acts[0].SetRow(r, tape.Input(r))
		}
		var weights []*mat.Dense
		for l, in := range sizes[:len(sizes)-1] {
			out := sizes[l+1]
			w := mat.NewDense(out, in, params[:in*out])
			b := params[in*out:][:out]
			params = params[(in+1)*out:]
			var y mat.Dense
			y.Mul(acts[l], w.T())
			for r := range rows {
				row := y.RawRowView(r)
				for j := range row {
					row[j] += b[j]
				}
				apply(n.layers[l].act, row)
			}
			acts, weights = append(acts, &y), append(weights, w)
		}
		last := len(weights)
		for r := range rows {
			for i, got := range tape.Output(r) {
				if want := acts[last].At(r, i); !near(got, want) {
					t.Fatalf("output %d of row %d = %v, want %v", i, r, got, want)
				}
			}
		}

		deltas := mat.NewDense(rows, sizes[last], nil)
		for r := range rows {
			deltas.SetRow(r, tape.Gradient(r))
		}
		want := make([][]float64, last)
		for l := last - 1; l >= 0; l-- {
			bias := make([]float64, sizes[l+1])
			for r := range rows {
				d := deltas.RawRowView(r)
				derive(n.layers[l].act, d, acts[l+1].RawRowView(r))
				for j, v := range d {
					bias[j] += v
				}
			}
			var w, below mat.Dense
			w.Mul(deltas.T(), acts[l])
			below.Mul(deltas, weights[l])
			want[l] = append(append(want[l], w.RawMatrix().Data...), bias...)
			deltas = &below
		}
		got := n.Export(nil, grad)
		for l := range want {
			for i, w := range want[l] {
				if !near(got[i], w) {
					t.Fatalf("gradient %d of layer %d = %v, want %v", i, l, got[i], w)
				}
			}
			got = got[len(want[l]):]
		}
	})
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-12*(1+math.Abs(want)) }
