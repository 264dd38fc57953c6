package nn

import ("testing";"overnight/internal/rng")

func BenchmarkForward(b *testing.B) {
	b.Run("32", func(b *testing.B) { benchForward[float32](b) })
	b.Run("64", func(b *testing.B) { benchForward[float64](b) })
}
func benchForward[T interface{float32|float64}](b *testing.B) {
	n := New[T](Shape{Sizes: []int{10, 64, 32, 3}, Hidden: ReLU, Output: Sigmoid, Extra: 3})
	n.Init(rng.Root(1, "x"))
	t := n.NewTape(30)
	s := rng.New(rng.Root(1, "y"))
	for r := range 30 { for i := range t.Input(r) { t.Input(r)[i] = T(s.Float64()) } }
	for b.Loop() {
		for r := range 30 { n.Forward(t, r) }
	}
}
