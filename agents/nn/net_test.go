package nn

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/rng"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	n := New[float32](Shape{Sizes: []int{3, 17, 2}, Extra: 2})
	want := make([]float32, n.Len())
	if len(want) != 3*17+17+17*2+2+2 {
		t.Fatalf("Len = %d", len(want))
	}
	for i := range want {
		want[i] = float32(i + 1)
	}
	n.Import(n.Params, want)
	if diff := cmp.Diff(want, n.Export(nil, n.Params)); diff != "" {
		t.Error(diff)
	}
	// PyTorch's order: weight [out, in] row by row, then bias.
	x := n.NewTape(1)
	copy(x.Input(0), []float32{1, 10, 100})
	n.Forward(x, 0)
	if got, want := x.acts[1].row(0)[16], float32(49+500+5100+68); got != want {
		t.Errorf("sum of unit 16 = %v, want %v", got, want)
	}
	if got, want := *n.Extra(n.Params, 1), want[len(want)-1]; got != want {
		t.Errorf("Extra(1) = %v, want %v", got, want)
	}
}

func TestInit(t *testing.T) {
	t.Parallel()
	n := New[float64](Shape{Sizes: []int{100, 64, 9}, Extra: 1})
	n.Init(rng.Root(1, "init"))
	p := n.Export(nil, n.Params)
	for _, part := range []struct {
		values []float64
		bound  float64
	}{{p[:6464], 0.1}, {p[6464 : 6464+65*9], 0.125}} {
		sum, squares, top := 0.0, 0.0, 0.0
		for _, v := range part.values {
			sum += v
			squares += v * v
			top = max(top, math.Abs(v))
		}
		count := float64(len(part.values))
		sd := part.bound / math.Sqrt(3) // of the uniform distribution
		if top > part.bound || top < part.bound*0.98 {
			t.Errorf("largest of %v values is %v, want just below %v", count, top, part.bound)
		}
		if mean := sum / count; math.Abs(mean) > 4*sd/math.Sqrt(count) {
			t.Errorf("mean %v is more than 4 standard errors from 0", mean)
		}
		// The fourth moment of a uniform is 9/5 of the variance squared.
		if v := squares / count / (sd * sd); math.Abs(v-1) > 4*math.Sqrt(0.8/count) {
			t.Errorf("variance ratio %v is more than 4 standard errors from 1", v)
		}
	}
	if p[len(p)-1] != 0 {
		t.Errorf("extra parameter = %v, want 0", p[len(p)-1])
	}
	// A layer's weights do not depend on the layers before it.
	m := New[float64](Shape{Sizes: []int{3, 64, 9}})
	m.Init(rng.Root(1, "init"))
	if diff := cmp.Diff(p[6464:6464+65*9], m.Export(nil, m.Params)[4*64:]); diff != "" {
		t.Errorf("second layer differs: %s", diff)
	}
}

func TestNewPanics(t *testing.T) {
	t.Parallel()
	for _, s := range []Shape{{}, {Sizes: []int{3}}, {Sizes: []int{3, 0}}, {Sizes: []int{3, 1}, Extra: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%v) did not panic", s)
				}
			}()
			New[float32](s)
		}()
	}
}

// TestReLUKeepsNaN: a diverged network must show it, whatever the sign of the
// NaN that a machine makes.
func TestReLUKeepsNaN(t *testing.T) {
	t.Parallel()
	for _, nan := range []float64{math.NaN(), math.Copysign(math.NaN(), -1)} {
		n := New[float32](Shape{Sizes: []int{1, 4, 1}, Hidden: ReLU})
		n.Init(rng.Root(1, "init"))
		x := n.NewTape(1)
		x.Input(0)[0] = float32(nan)
		if y := n.Forward(x, 0)[0]; y == y {
			t.Errorf("output = %v, want NaN", y)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	n, tape := filled[float32](Shape{Sizes: []int{4, 20, 3}, Hidden: Tanh, Extra: 3}, 2, 5)
	a := Adam[float32]{LearningRate: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	a.Reset(n)
	grad := n.Vector()
	n.Backward(tape, 2, grad)
	a.Step(n, grad, 1)
	state := a.AppendState(n.AppendVector(nil, n.Params), n)

	m := New[float32](n.Shape)
	b := Adam[float32]{LearningRate: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	b.Reset(m)
	rest, err := m.ReadVector(state, m.Params)
	if err == nil {
		rest, err = b.ReadState(rest, m)
	}
	if err != nil || len(rest) != 0 {
		t.Fatalf("restore: %v, %d bytes left", err, len(rest))
	}
	a.Step(n, grad, 1)
	b.Step(m, grad, 1)
	if !bytes.Equal(n.AppendVector(nil, n.Params), m.AppendVector(nil, m.Params)) {
		t.Error("the step after a restore differs")
	}
	for cut := range len(state) {
		rest, err := m.ReadVector(state[:cut], m.Params)
		if err == nil {
			_, err = b.ReadState(rest, m)
		}
		if err == nil {
			t.Fatalf("a state cut to %d of %d bytes was accepted", cut, len(state))
		}
	}
}

func TestNoAllocation(t *testing.T) {
	n, tape := filled[float32](Shape{Sizes: []int{10, 64, 32, 3}, Hidden: ReLU, Output: Sigmoid, Extra: 3}, 30, 5)
	a := Adam[float32]{LearningRate: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	a.Reset(n)
	grad := n.Vector()
	got := testing.AllocsPerRun(10, func() {
		n.Init(rng.Key{1, 2})
		n.Forward(tape, 7)
		clear(grad)
		n.Backward(tape, 30, grad)
		a.Step(n, grad, ClipScale(n.Norm(grad), 1))
		n.Descend(grad, 1e-3)
		a.Reset(n)
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
