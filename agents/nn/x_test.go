package nn

import ("testing";"overnight/internal/rng")

func BenchmarkX(b *testing.B) {
	b.Run("32", func(b *testing.B) { benchX[float32](b) })
	b.Run("64", func(b *testing.B) { benchX[float64](b) })
}
func benchX[T interface{float32|float64}](b *testing.B) {
	n := New[T](Shape{Sizes: []int{10, 64, 32, 3}, Hidden: ReLU, Output: Sigmoid, Extra: 3})
	n.Init(rng.Root(1, "x"))
	t := n.NewTape(30)
	s := rng.New(rng.Root(1, "y"))
	for r := range 30 { for i := range t.Input(r) { t.Input(r)[i] = T(s.Float64()) }; for i := range t.Gradient(r) { t.Gradient(r)[i] = T(s.Normal()) } }
	for r := range 30 { n.Forward(t, r) }
	b.Run("forward", func(b *testing.B) {
	for b.Loop() {
		for r := range 30 { n.Forward(t, r) }
	}})
	g := n.Vector()
	b.Run("backward", func(b *testing.B) {
	for b.Loop() {
		clear(g)
		n.Backward(t, 30, g)
	}})
	a := Adam[T]{LearningRate: 1e-30, Beta1: .9, Beta2: .999, Epsilon: 1e-8}
	a.Reset(n)
	b.Run("adam", func(b *testing.B) {
	for b.Loop() {
		a.Step(n, g, 1)
	}})
	b.Run("norm", func(b *testing.B) {
	for b.Loop() {
		n.Norm(g)
	}})
}
