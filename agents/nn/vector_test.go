package nn

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// TestLevels trains networks of many shapes with each set of vector instructions
// and holds every number against plain Go, bit for bit. Numbers that are none are
// only held to be none: which one depends on the machine.
func TestLevels(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels()[1:] {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			for i := range uint64(60) {
				levels[float32](t, l, i)
				levels[float64](t, l, i)
			}
		})
	}
}

func levels[T fp.Float](t *testing.T, l simd.Level, number uint64) {
	t.Helper()
	s := rng.New(rng.Root(11, "nn/levels", number))
	shape := Shape{Hidden: Activation(s.IntN(4)), Output: Activation(s.IntN(5)), Extra: s.IntN(20)}
	for range 2 + s.IntN(3) {
		shape.Sizes = append(shape.Sizes, 1+s.IntN(80))
	}
	if s.IntN(2) == 0 {
		shape.Hidden = ReLU
	}
	strange := number%4 == 3 // with infinities and others
	rows := 1 + s.IntN(20)
	plain, fast := New[T](shape), New[T](shape)
	plain.Use(simd.Off)
	fast.Use(l)
	plain.Init(rng.Root(12, "nn/levels", number))
	copy(fast.Params, plain.Params)
	nets := []*Net[T]{plain, fast}
	var adams [2]Adam[T]
	var tapes [2]*Tape[T]
	for i, n := range nets {
		adams[i] = Adam[T]{LearningRate: .01, Beta1: .9, Beta2: .999, Epsilon: 1e-8}
		adams[i].Reset(n)
		tapes[i] = n.NewTape(rows)
	}
	odd := []float64{math.Inf(1), math.Inf(-1), math.NaN(), 1e-310, -1e-40, 1e30, 0, math.Copysign(0, -1)}
	number2 := func() T {
		if strange && s.IntN(40) == 0 {
			return T(odd[s.IntN(len(odd))])
		}
		if s.IntN(5) == 0 {
			return 0
		}
		return T(s.Normal())
	}
	for range 3 {
		for r := range rows {
			x, g := tapes[0].Input(r), tapes[0].Gradient(r)
			for i := range x {
				x[i] = number2()
			}
			for i := range g {
				g[i] = number2()
			}
			copy(tapes[1].Input(r), x)
			copy(tapes[1].Gradient(r), g)
		}
		var grads [2][]T
		var norms [2]T
		for i, n := range nets {
			for r := range rows {
				n.Forward(tapes[i], r)
			}
			grad := n.Vector()
			n.Backward(tapes[i], rows, grad)
			norms[i] = n.Norm(grad)
			adams[i].Step(n, grad, ClipScale(norms[i], 1))
			grads[i] = n.Export(nil, grad)
		}
		what := fmt.Sprintf("%v, %T, net %d %v", l, norms[0], number, shape)
		for r := range rows {
			same(t, what+" output", tapes[1].Output(r), tapes[0].Output(r))
		}
		same(t, what+" gradient", grads[1], grads[0])
		same(t, what+" norm", norms[1:], norms[:1])
		same(t, what+" parameters", fast.Export(nil, fast.Params), plain.Export(nil, plain.Params))
		same(t, what+" moments", fast.Export(nil, adams[1].second), plain.Export(nil, adams[0].second))
		if t.Failed() {
			return
		}
	}
}

// same compares bits.
func same[T fp.Float](t *testing.T, what string, got, want []T) {
	t.Helper()
	for i := range want {
		if g, w := float64(got[i]), float64(want[i]); math.Float64bits(g) != math.Float64bits(w) && !(g != g && w != w) {
			t.Errorf("%s %d: %v (%x), want %v (%x)", what, i, g, g, w, w)
			return
		}
	}
}

// TestActivationLevels holds activations and their derivatives over numbers of
// all sizes, and over any bits at all.
func TestActivationLevels(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels()[1:] {
		activationLevels[float32](t, l)
		activationLevels[float64](t, l)
	}
}

func activationLevels[T fp.Float](t *testing.T, l simd.Level) {
	t.Helper()
	s := rng.New(rng.Root(31, "nn/activations"))
	x := make([]T, 40*Lanes)
	for round := range 200 {
		for i := range x {
			switch bits := s.Uint64(); {
			case round%2 == 0:
				x[i] = T(s.Normal() * math.Exp2(float64(s.IntN(12))-5))
			case sizeof[T](1) == 4:
				x[i] = T(math.Float32frombits(uint32(bits)))
			default:
				x[i] = T(math.Float64frombits(bits))
			}
		}
		for a := ReLU; a <= Sigmoid; a++ {
			k := kernelsOf[T](l)
			want, got := append([]T(nil), x...), append([]T(nil), x...)
			apply(a, want)
			k.apply[a](&got[0], len(x)/Lanes)
			same(t, fmt.Sprintf("%v %v", l, a), got, want)
			slope, fast := append([]T(nil), x...), append([]T(nil), x...)
			derive(a, slope, want)
			k.derive[a](&fast[0], &want[0], len(x)/Lanes)
			same(t, fmt.Sprintf("%v slope of %v", l, a), fast, slope)
		}
	}
}
