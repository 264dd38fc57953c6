package param_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/internal/param"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	schema := param.Of(sample{})
	full, err := schema.Complete(m("x", 0.5, "note", "n", "flag", false, "faithful", true,
		"synergy", list(list(1.0, 2.0), list(3.0)), "base", list(1.0, 2.0)))
	if err != nil {
		t.Fatal(err)
	}
	var got sample
	param.Decode(full, &got)
	x, k, flag := 0.5, 7, false
	want := sample{Budget: 1000, Size: 3, On: true, Reward: "revenue", Note: "n", Delay: []float64{1},
		Hidden: []int{64, 32}, Names: []string{"a", "b c"}, Synergy: [][]float64{{1, 2}, {3}},
		Base: param.Numbers{1, 2}, X: &x, K: &k, Flag: &flag, Faithful: true}
	want.Observe.Noise, want.Observe.Lag = 0.1, 1
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	// Values of before do not show through.
	bare, err := schema.Complete(m("synergy", list(), "k", nil))
	if err != nil {
		t.Fatal(err)
	}
	param.Decode(bare, &got)
	if got.X != nil || got.K != nil || got.Note != "" || len(got.Delay) != 3 || got.Synergy == nil || len(got.Synergy) > 0 {
		t.Errorf("decoded %+v over other values", got)
	}
	if got.Base.At(0) != 1.5 || got.Base.At(5) != 1.5 {
		t.Errorf("base is %v, want 1.5 for every element", got.Base)
	}
}

func TestDecodePanics(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]*param.Map{
		"nil":        nil,
		"incomplete": m("budget", 1.0),
		"order":      {Entries: append(defaults().Entries[1:], defaults().Entries[0])},
		"type":       with("budget", "x"),
		"integer":    with("budget", int64(1)),
		"list":       with("delay", list("x")),
		"group":      with("observe", nil),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			param.Decode(in, &sample{})
		}()
	}
}

func TestNoAllocation(t *testing.T) {
	full := with("synergy", list(list(1.0, 2.0), list(3.0)), "x", 0.5)
	var into sample
	if n := testing.AllocsPerRun(100, func() { param.Decode(full, &into) }); n > 0 {
		t.Errorf("decoding again allocates %v times", n)
	}
	b := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { b = param.AppendCanonical(b[:0], full) }); n > 0 {
		t.Errorf("canonical bytes allocate %v times", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	full := defaults()
	var into sample
	for b.Loop() {
		param.Decode(full, &into)
	}
}
