package policygradient

import (
	"fmt"
	"math"
	"testing"

	"overnight/envs"
	"overnight/internal/rng"
)

// TestLossGradient compares the gradient of the loss with central differences,
// for every parameter, both heads, both kinds of log-probability and both
// activations. See TestFiniteDifferences of package nn for the bound.
func TestLossGradient(t *testing.T) {
	t.Parallel()
	const h = 1e-6
	for _, head := range []string{"softmax_gaussian", "gaussian_clipped"} {
		for _, logProb := range []string{"raw", "clipped"} {
			for _, activation := range []string{"relu", "tanh"} {
				if logProb == "clipped" && head != "gaussian_clipped" {
					continue
				}
				t.Run(fmt.Sprint(head, "/", logProb, "/", activation), func(t *testing.T) {
					t.Parallel()
					env := newToy(envs.Simplex, 3, 7)
					r := newAgent(t, settings{
						"head": head, "log_prob": logProb, "activation": activation, "precision": "float64",
						"hidden": []int{18, 5}, "batch": 2, "entropy_weight": 0.3, "log_std": settings{"mode": "trained"},
					}, env.Spec(), 3).(*reinforce[float64])
					// One episode is half a batch, so it stays; any weights will do.
					newPlayer(env, r).train(3, 0, 1)
					s := rng.New(rng.Root(3, "weights"))
					s.Normals(r.weights[:r.rows])
					for i := range r.n {
						*r.net.Extra(r.net.Params, i) = 0.1*float64(i) - 0.4
					}
					r.spread()
					loss := func() float64 {
						for row := range r.rows {
							r.net.Forward(r.tape, row)
						}
						r.spread()
						l, _ := r.loss()
						return l
					}
					loss()
					r.net.Backward(r.tape, r.rows, r.grad)
					params, got := r.net.Export(nil, r.net.Params), r.net.Export(nil, r.grad)
					for i, v := range params {
						at := func(x float64) float64 {
							params[i] = x
							r.net.Import(r.net.Params, params)
							return loss()
						}
						want := (at(v+h) - at(v-h)) / (2 * h)
						params[i] = v
						if !(math.Abs(got[i]-want) <= 1e-7*(1+math.Abs(want))) {
							t.Fatalf("gradient %d = %v, central difference %v", i, got[i], want)
						}
					}
				})
			}
		}
	}
}
