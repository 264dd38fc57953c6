package policygradient

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"overnight/envs"
	"overnight/internal/fp"
)

// fixture is testdata/reinforce_gradient.json: the notebook's loss on one episode
// by automatic differentiation in float64, and 50 steps of Adam on it.
type fixture struct {
	Parameters []float64   `json:"parameters"`
	States     [][]float64 `json:"states"`
	Actions    [][]float64 `json:"actions"`
	Returns    []float64   `json:"returns"`
	Means      [][]float64 `json:"means"`
	Loss       float64     `json:"loss"`
	Gradient   []float64   `json:"gradient"`
	After1     []float64   `json:"parameters_after_1"`
	Loss1      float64     `json:"loss_after_1"`
	After50    []float64   `json:"parameters_after_50"`
	Loss50     float64     `json:"loss_after_50"`
	Adam       struct {
		LR, Beta1, Beta2, Eps float64
	} `json:"adam"`
	EntropyWeight float64 `json:"entropy_weight"`
}

func TestNotebookGradient(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/reinforce_gradient.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	t.Run("float64", func(t *testing.T) { t.Parallel(); testFixture[float64](t, &f, "float64", 1e-10, 1e-8) })
	t.Run("float32", func(t *testing.T) { t.Parallel(); testFixture[float32](t, &f, "float32", 1e-5, 1e-3) })
}

// testFixture allows an error of gradient for loss and gradient, and of steps for
// parameters after steps.
func testFixture[T fp.Float](t *testing.T, f *fixture, precision string, gradient, steps float64) {
	spec := envs.Spec{
		Observation: []envs.Field{{Name: "state", Len: 10}},
		Action:      envs.Actions{Kind: envs.Simplex, N: 3},
		Horizon:     len(f.States),
	}
	r := newAgent(t, settings{
		"faithful": true, "precision": precision, "entropy_weight": f.EntropyWeight,
		"learning_rate": f.Adam.LR, "beta1": f.Adam.Beta1, "beta2": f.Adam.Beta2, "epsilon": f.Adam.Eps,
	}, &spec, 1).(*reinforce[T])
	r.net.Import(r.net.Params, convert[T](f.Parameters))
	r.spread()
	r.rows = len(f.States)
	copy(r.weights, f.Returns)
	forward := func() {
		for row, state := range f.States {
			copy(r.tape.Input(row), convert[T](state))
			copy(r.drawn[row*r.n:], convert[T](f.Actions[row]))
			r.net.Forward(r.tape, row)
		}
	}
	compare := func(what string, got []T, want []float64, bound float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
		}
		worst, at := 0.0, 0
		for i, v := range got {
			if e := math.Abs(float64(v) - want[i]); !(e <= worst) {
				worst, at = e, i
			}
		}
		if !(worst <= bound) {
			t.Errorf("%s: number %d is %v, want %v within %v", what, at, got[at], want[at], bound)
		}
		t.Logf("%s: largest error %.2g", what, worst)
	}

	forward()
	for row, want := range f.Means {
		compare("mean", r.tape.Output(row), want, gradient)
	}
	loss, _ := r.loss()
	r.net.Backward(r.tape, r.rows, r.grad)
	compare("loss", []T{T(loss)}, []float64{f.Loss}, gradient)
	compare("gradient", r.net.Export(nil, r.grad), f.Gradient, gradient)

	for step := 1; step <= 50; step++ {
		r.descend()
		forward()
		if step == 1 {
			compare("parameters after 1", r.net.Export(nil, r.net.Params), f.After1, steps)
		}
	}
	compare("parameters after 50", r.net.Export(nil, r.net.Params), f.After50, steps)
	loss, _ = r.loss()
	compare("loss after 50", []T{T(loss)}, []float64{f.Loss50}, steps)
}

func convert[T fp.Float](v []float64) []T {
	out := make([]T, len(v))
	for i, x := range v {
		out[i] = T(x)
	}
	return out
}
