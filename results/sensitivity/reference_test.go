package sensitivity

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// reference is testdata/reference.json, which testdata/reference.py wrote with
// numpy and scipy.
type reference struct {
	Sobol struct {
		A, B                                 []float64
		AB, BA                               [][]float64
		First, Total, First2, Total2, Second []float64
	}
	PRCC struct {
		X    [][]float64
		Y    []float64
		PRCC []float64
	}
	ANOVA struct {
		Y                    stats.Scores
		Sizes                []int
		First, Total, Pairs  []float64
		Rest, Luck, Variance float64
	}
}

func readReference(t *testing.T) *reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func single(x []float64) [][]float64 {
	out := make([][]float64, len(x))
	for i := range x {
		out[i] = x[i : i+1]
	}
	return out
}

func TestSobolReference(t *testing.T) {
	t.Parallel()
	ref := readReference(t).Sobol
	m := &Matrices{A: single(ref.A), B: single(ref.B)}
	for i := range ref.AB {
		m.AB = append(m.AB, single(ref.AB[i]))
	}
	o := Options{Key: rng.Root(1, "reference"), Resamples: 50}
	r := Sobol(m, o)
	for i, x := range r.Factors {
		near(t, fmt.Sprint("first ", i), x.First.Value, ref.First[i], 1e-12)
		near(t, fmt.Sprint("total ", i), x.Total.Value, ref.Total[i], 1e-12)
	}
	for i := range ref.BA {
		m.BA = append(m.BA, single(ref.BA[i]))
	}
	r = Sobol(m, o)
	for i, x := range r.Factors {
		near(t, fmt.Sprint("first of both ", i), x.First.Value, ref.First2[i], 1e-12)
		near(t, fmt.Sprint("total of both ", i), x.Total.Value, ref.Total2[i], 1e-12)
	}
	for k, p := range r.Pairs {
		near(t, fmt.Sprint("second ", p.I, p.J), p.Share.Value, ref.Second[k], 1e-12)
	}
}

func TestPRCCReference(t *testing.T) {
	t.Parallel()
	ref := readReference(t).PRCC
	r := PRCC(&Sample{Runs: single(ref.Y), X: ref.X}, Options{Key: rng.Root(1, "reference")})
	for i, x := range r.Factors {
		near(t, fmt.Sprint("prcc ", i), x.PRCC.Value, ref.PRCC[i], 1e-10)
		if !x.PRCC.Contains(x.PRCC.Value) {
			t.Errorf("the interval %v does not hold the value", x.PRCC)
		}
	}
}

func TestEffectsReference(t *testing.T) {
	t.Parallel()
	ref := readReference(t).ANOVA
	r := Effects(&Grid{Runs: ref.Y, Levels: crossing(ref.Sizes)}, Options{})
	for i, x := range r.Factors {
		near(t, fmt.Sprint("first ", i), x.First.Value, ref.First[i], 1e-12)
		near(t, fmt.Sprint("total ", i), x.Total.Value, ref.Total[i], 1e-12)
	}
	for k, p := range r.Pairs {
		near(t, fmt.Sprint("pair ", p.I, p.J), p.Share.Value, ref.Pairs[k], 1e-12)
	}
	near(t, "luck", r.Luck.Total.Value, ref.Luck, 1e-12)
	near(t, "rest", r.Rest, ref.Rest, 1e-12)
	near(t, "variance", r.Variance, ref.Variance, 1e-12)
}

// crossing returns the levels of a full factorial, the last factor fastest.
func crossing(sizes []int) [][]int {
	n := 1
	for _, s := range sizes {
		n *= s
	}
	levels := make([][]int, len(sizes))
	for p := range n {
		rest := p
		for f := len(sizes) - 1; f >= 0; f-- {
			if levels[f] == nil {
				levels[f] = make([]int, n)
			}
			levels[f][p] = rest % sizes[f]
			rest /= sizes[f]
		}
	}
	return levels
}
