package nn

import (
	"fmt"
	"math"
	"testing"
)

// TestFiniteDifferences checks the gradient of sum(output*weight) with central
// differences, for every parameter of every layer. Their error is about
// h**2 + eps/h, with h = 1e-6 below 1e-9; the bound leaves room.
func TestFiniteDifferences(t *testing.T) {
	t.Parallel()
	const rows, h = 3, 1e-6
	for _, hidden := range []Activation{ReLU, Tanh, Sigmoid, Identity} {
		for _, output := range []Activation{Identity, Tanh, Sigmoid, Softmax, ReLU} {
			t.Run(fmt.Sprint(hidden, "-", output), func(t *testing.T) {
				t.Parallel()
				n, tape := filled[float64](Shape{Sizes: []int{5, 18, 7, 4}, Hidden: hidden, Output: output}, rows, 11)
				loss := func() float64 {
					sum := 0.0
					for r := range rows {
						for i, y := range n.Forward(tape, r) {
							sum += y * tape.Gradient(r)[i]
						}
					}
					return sum
				}
				grad := n.Vector()
				n.Backward(tape, rows, grad)
				params, got := n.Export(nil, n.Params), n.Export(nil, grad)
				for i, p := range params {
					params[i] = p + h
					n.Import(n.Params, params)
					up := loss()
					params[i] = p - h
					n.Import(n.Params, params)
					down := loss()
					params[i] = p
					if want := (up - down) / (2 * h); math.Abs(got[i]-want) > 1e-7 {
						t.Fatalf("gradient %d = %v, central difference %v", i, got[i], want)
					}
				}
			})
		}
	}
}
