package nn

import (
	"math"
	"testing"
)

// TestAdam compares with algorithm 1 of Kingma and Ba (2015) written out, in
// float64 and for every lane.
func TestAdam(t *testing.T) {
	t.Parallel()
	n, tape := filled[float64](Shape{Sizes: []int{3, 20, 5}, Hidden: Tanh, Extra: 17}, 4, 3)
	a := Adam[float64]{LearningRate: 0.02, Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-6}
	a.Reset(n)
	want := n.Export(nil, n.Params)
	m, v := make([]float64, len(want)), make([]float64, len(want))
	for step := 1; step <= 20; step++ {
		for r := range tape.Rows() {
			n.Forward(tape, r)
		}
		grad := n.Vector()
		n.Backward(tape, tape.Rows(), grad)
		*n.Extra(grad, 16) = 0.25
		const scale = 0.5
		a.Step(n, grad, scale)
		for i, g := range n.Export(nil, grad) {
			g *= scale
			m[i] = 0.8*m[i] + 0.2*g
			v[i] = 0.99*v[i] + 0.01*g*g
			mHat := m[i] / (1 - math.Pow(0.8, float64(step)))
			vHat := v[i] / (1 - math.Pow(0.99, float64(step)))
			want[i] -= 0.02 * mHat / (math.Sqrt(vHat) + 1e-6)
		}
	}
	for i, got := range n.Export(nil, n.Params) {
		if math.Abs(got-want[i]) > 1e-12 {
			t.Fatalf("parameter %d = %v, want %v", i, got, want[i])
		}
	}
}

func TestNormAndClip(t *testing.T) {
	t.Parallel()
	n, tape := filled[float64](Shape{Sizes: []int{3, 20, 5}, Hidden: Tanh, Extra: 3}, 4, 3)
	grad := n.Vector()
	n.Backward(tape, tape.Rows(), grad)
	want := 0.0
	for _, g := range n.Export(nil, grad) {
		want += g * g
	}
	norm := n.Norm(grad)
	if math.Abs(norm-math.Sqrt(want)) > 1e-12*norm {
		t.Errorf("Norm = %v, want %v", norm, math.Sqrt(want))
	}
	for _, c := range []struct{ norm, limit, want float64 }{
		{2, 0, 1}, {2, 3, 1}, {2, 1, 1 / (2 + 1e-6)}, {0, 1, 1},
	} {
		if got := ClipScale(c.norm, c.limit); got != c.want {
			t.Errorf("ClipScale(%v, %v) = %v, want %v", c.norm, c.limit, got, c.want)
		}
	}
	before := n.Export(nil, n.Params)
	n.Descend(grad, 0.5)
	g := n.Export(nil, grad)
	for i, got := range n.Export(nil, n.Params) {
		if want := before[i] - 0.5*g[i]; got != want {
			t.Fatalf("parameter %d = %v, want %v", i, got, want)
		}
	}
}
