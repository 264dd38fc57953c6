package policygradient

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/envs"
	"overnight/internal/param"
)

func TestFits(t *testing.T) {
	t.Parallel()
	shares := newToy(envs.Simplex, 3, 5).spec
	box := newToy(envs.Box, 3, 5).spec
	choices, endless, unbounded := shares, shares, box
	choices.Action = envs.Actions{Kind: envs.Discrete, N: 4}
	endless.Online = true
	unbounded.Action.High = []float64{1, math.Inf(1), 1}
	for _, c := range []struct {
		name, path, want string
		s                settings
		spec             envs.Spec
	}{
		{"default", "", "", nil, shares},
		{"faithful", "", "", settings{"faithful": true}, shares},
		{"box", "", "", settings{"head": "gaussian_clipped"}, box},
		{"choices", "", "one of 4 choices", nil, choices},
		{"online", "", "one learning run", nil, endless},
		{"softmax on a box", "head", "write head: gaussian_clipped", nil, box},
		{"no bounds", "", "number 1 has none", settings{"head": "gaussian_clipped"}, unbounded},
		{"clipped softmax", "log_prob", "clips nothing", settings{"log_prob": "clipped"}, shares},
		{"bounds reversed", "log_std.low", "above log_std.high", settings{"log_std": settings{"mode": "clamped", "low": 0.5, "high": 0.25}}, shares},
		{"day of one episode", "advantage", "nothing is learned", settings{"batch": 1}, shares},
	} {
		p := complete(t, c.s)
		err := Factory{}.Fits(p, &c.spec)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
			continue
		}
		var bad *param.Error
		if errors.As(err, &bad) != (c.path != "") || bad != nil && bad.Path != c.path {
			t.Errorf("%s: error %v at %v, want it at %q", c.name, err, bad, c.path)
		}
	}
}

// TestFaithful: the preset is the notebook's loop, each part a parameter that a
// user may still write.
func TestFaithful(t *testing.T) {
	t.Parallel()
	var p Params
	param.Decode(complete(t, settings{"faithful": true, "batch": 4}), &p)
	want := Params{
		LearningRate: 0.01, Batch: 4, Gamma: 0.99, Credit: "to_go", Advantage: "episode",
		Head: "gaussian_clipped", LogProb: "clipped", Activation: "relu", Precision: "float32",
		EntropyWeight: 0.01, Optimizer: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Faithful: true,
	}
	if p.LogStd.Init != -0.5 || p.LogStd.Mode != "trained" || len(p.Hidden) != 2 || p.Hidden[0] != 64 || p.Hidden[1] != 32 {
		t.Errorf("log_std %+v, hidden %v", p.LogStd, p.Hidden)
	}
	want.LogStd, want.Hidden = p.LogStd, p.Hidden
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}
