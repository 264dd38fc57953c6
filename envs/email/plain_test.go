package email

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/envs"
)

// TestPlain plays the simplest world by both ways: all that is seen of it is the
// same, to the bit.
func TestPlain(t *testing.T) {
	t.Parallel()
	for _, p := range []object{{"horizon": 1_300}, {"horizon": 300}, {"horizon": 1_300, "rates": []float64{.9, .8, .9}}, {"horizon": 1_300, "rates": []float64{0, 1}}} {
		short, long := build(t, p), build(t, p)
		values := [2][]float64{make([]float64, len(short.Spec().Metrics)), make([]float64, len(short.Spec().Metrics))}
		trace := [2][]float64{make([]float64, len(short.Spec().Trace)), make([]float64, len(short.Spec().Trace))}
		for run := range uint64(4) {
			var outs [2]envs.Step
			short.Reset(key(run), &outs[0])
			long.Reset(key(run), &outs[1])
			if !short.plain || !long.plain {
				t.Fatalf("%v is not plain", p)
			}
			long.plain = false
			for !outs[0].Done {
				a := envs.Action{Index: (outs[0].T*outs[0].T/7 + int(run)) % short.arms}
				short.Step(&a, &outs[0])
				long.Step(&a, &outs[1])
				short.Trace(trace[0])
				long.Trace(trace[1])
				if diff := cmp.Diff(outs[1], outs[0]); diff != "" || !cmp.Equal(trace[0], trace[1]) || short.Generated() != long.Generated() {
					t.Fatalf("%v, run %d, send %d: %s, traces %v and %v", p, run, outs[0].T, diff, trace[0], trace[1])
				}
			}
			short.Metrics(values[0])
			long.Metrics(values[1])
			for i, v := range values[0] {
				if math.Float64bits(v) != math.Float64bits(values[1][i]) {
					t.Errorf("%v, run %d: metrics %v, by the long way %v", p, run, values[0], values[1])
					break
				}
			}
		}
	}
	for _, p := range variety {
		e := build(t, p)
		var out envs.Step
		e.Reset(key(1), &out)
		if plain := len(p) == 1 || len(p) == 2 && p["rates"] != nil; e.plain != plain && p["rates_from"] == nil {
			t.Errorf("%v: plain %v, want %v", p, e.plain, plain)
		}
	}
}
