package nn

import (
	"testing"

	"overnight/internal/fp"
)

// BenchmarkEpisode measures the parts of one update of the notebook's network
// (10-64-32-3) from one episode of 30 steps. BenchmarkFaithfulTrial of package
// policygradient is the whole, and bench/peers sets that against PyTorch and
// NumPy.
func BenchmarkEpisode(b *testing.B) {
	b.Run("float32", benchEpisode[float32])
	b.Run("float64", benchEpisode[float64])
}

func benchEpisode[T fp.Float](b *testing.B) {
	const rows = 30
	n, tape := filled[T](Shape{Sizes: []int{10, 64, 32, 3}, Hidden: ReLU, Output: Sigmoid, Extra: 3}, rows, 5)
	for r := range rows { // days that follow one another look alike
		if x := tape.Input(r); r > 0 {
			for i, before := range tape.Input(r - 1) {
				x[i] = before + x[i]/8
			}
		}
		n.Forward(tape, r)
	}
	grad := n.Vector()
	n.Backward(tape, rows, grad)
	// So small a rate leaves the parameters as they are.
	a := Adam[T]{LearningRate: 1e-30, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	a.Reset(n)
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			for r := range rows {
				n.Forward(tape, r)
			}
		}
	})
	b.Run("backward", func(b *testing.B) {
		for b.Loop() {
			n.Backward(tape, rows, grad)
		}
	})
	b.Run("adam", func(b *testing.B) {
		for b.Loop() {
			a.Step(n, grad, 1)
		}
	})
	b.Run("norm", func(b *testing.B) {
		for b.Loop() {
			n.Norm(grad)
		}
	})
}
