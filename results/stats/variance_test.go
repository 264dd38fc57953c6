package stats

import (
	"math"
	"testing"

	"overnight/internal/rng"
)

// TestOmegaSquared checks against the one-way analysis of R's PlantGrowth data
// (Dobson 1983): SS between 3.76634, mean square within 0.3885959, total
// 14.25843, so omega squared = (3.76634 - 2*0.3885959) / (14.25843 + 0.3885959).
func TestOmegaSquared(t *testing.T) {
	t.Parallel()
	y := Scores{
		{4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14},
		{4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69},
		{6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26},
	}
	s := VarianceShares(y, [][]int{{0, 1, 2}}, false)
	near(t, "share", s.Factors[0], 0.204079, 1e-6)
	near(t, "luck", s.Luck, 1-0.204079, 1e-6)
	near(t, "rest", s.Rest, 0, 1e-12)
}

// truth of the simulated design: a in 4 levels, b in 3, an interaction, luck
// that all points of a replication share (rho) and luck of each run.
func simulate(key rng.Key, reps int, rho, eps float64) (y Scores, levels [][]int) {
	levels = make([][]int, 2)
	noise := rng.New(key)
	common := make([]float64, reps)
	noise.Normals(common)
	for a := range 4 {
		for b := range 3 {
			runs := make([]float64, reps)
			noise.Normals(runs)
			for r := range runs {
				runs[r] = 2*float64(a) + float64(b*b) + float64((a%2)*(b%2)) + rho*common[r] + eps*runs[r]
			}
			y = append(y, runs)
			levels[0], levels[1] = append(levels[0], a), append(levels[1], b)
		}
	}
	return y, levels
}

// TestSharesAreUnbiased compares the mean of the estimated variances over 2,000
// simulated studies with the true ones, within 4 standard errors: a right
// estimator fails 6 checks of a random seed together once in 2,600.
func TestSharesAreUnbiased(t *testing.T) {
	t.Parallel()
	quiet, levels := simulate(rng.Root(1, "quiet"), 1, 0, 0)
	d := newLayout(quiet, levels)
	effectA, _ := d.effect(0)
	effectB, _ := d.effect(1)
	points := d.spread()
	for _, c := range []struct {
		name        string
		rho, eps    float64
		reps, holes int
		paired      bool
	}{
		{"paired", 3, 4, 3, 0, true},
		{"independent", 0, 5, 3, 0, false},
		{"paired, runs missing", 3, 4, 4, 6, true},
	} {
		luck := c.rho*c.rho + c.eps*c.eps
		want := []float64{effectA, effectB, points - effectA - effectB, luck}
		const studies = 2000
		got := make([][]float64, len(want))
		for k := range studies {
			key := rng.Root(2, c.name).At(uint64(k))
			y, levels := simulate(key, c.reps, c.rho, c.eps)
			for h := range c.holes {
				y[2*h][h%c.reps] = math.NaN()
			}
			s := VarianceShares(y, levels, c.paired)
			for i, share := range []float64{s.Factors[0], s.Factors[1], s.Rest, s.Luck} {
				got[i] = append(got[i], share*s.Variance)
			}
		}
		for i, name := range []string{"a", "b", "rest", "luck"} {
			within := 4 * SD(got[i]) / math.Sqrt(studies)
			if c.holes > 0 {
				// Missing runs unbalance the replication effect, which biases V_e.
				within += 0.02 * luck
			}
			near(t, c.name+": "+name, Mean(got[i]), want[i], within)
		}
	}
}

// TestFactorOfNoEffect: under heavy luck the mean share of a factor that does
// nothing is 0, in a full factorial and in a random layout, where an uncorrected
// share would be (L-1)/(M-1).
func TestFactorOfNoEffect(t *testing.T) {
	t.Parallel()
	const studies = 2000
	var full, scattered []float64
	for k := range studies {
		s := rng.New(rng.Root(3, "nothing").At(uint64(k)))
		var y Scores
		levels := make([][]int, 2)
		for p := range 12 {
			runs := make([]float64, 2)
			s.Normals(runs)
			y = append(y, runs)
			levels[0], levels[1] = append(levels[0], p%4), append(levels[1], p/4)
		}
		full = append(full, VarianceShares(y, levels, true).Factors[0])
		for p := range levels[0] {
			levels[0][p] = (p + s.IntN(2)) % 4
		}
		levels[1] = levels[0]
		scattered = append(scattered, VarianceShares(y, levels, true).Factors[0])
	}
	// A share is a ratio, biased by its random denominator; 0.02 allows for it.
	near(t, "share in a full factorial", Mean(full), 0, .02)
	near(t, "share in another layout", Mean(scattered), 0, .02)
}

func TestSharesAtTheEdges(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	s := VarianceShares(Scores{{1}, {2}, {3}, {5}}, [][]int{{0, 0, 1, 1}, {0, 1, 0, 1}}, true)
	if !math.IsNaN(s.Luck) || math.IsNaN(s.Factors[0]) {
		t.Errorf("one replication: %+v, want luck unknown and factors known", s)
	}
	near(t, "sum with one replication", s.Factors[0]+s.Factors[1]+s.Rest, 1, 1e-12)
	for name, s := range map[string]Shares{
		"nothing":          VarianceShares(nil, [][]int{{}}, true),
		"no runs":          VarianceShares(Scores{{nan}}, [][]int{{0}}, true),
		"nothing varies":   VarianceShares(Scores{{1, 1}, {1, 1}}, [][]int{{0, 1}}, true),
		"a level a point":  VarianceShares(Scores{{1}, {2}, {4}}, [][]int{{0, 1, 2}}, true),
		"list, a level ea": VarianceShares(Scores{{1, 2}, {2, 2}, {4, 5}}, [][]int{{0, 1, 2}, {0, 1, 2}}, true),
	} {
		if !math.IsNaN(s.Factors[0]) {
			t.Errorf("%s: share %v is known", name, s.Factors[0])
		}
	}
	if s := VarianceShares(Scores{{1, 3}, {2, 2}}, nil, true); s.Luck != 1 && !(s.Rest >= 0 || s.Rest < 0) {
		t.Errorf("no factors: %+v", s)
	}
}

func TestBins(t *testing.T) {
	t.Parallel()
	var x []float64
	for i := range 40 {
		x = append(x, float64((i*7)%40))
	}
	count := map[int]int{}
	for i, l := range Bins(x) {
		count[l]++
		if want := int(x[i]) / 10; l != want {
			t.Errorf("%v is in bin %d, want %d", x[i], l, want)
		}
	}
	if len(count) != 4 {
		t.Errorf("40 values fall in %d bins, want 4", len(count))
	}
	if b := Bins([]float64{5, 5, 5}); b[0] != b[1] || b[1] != b[2] {
		t.Errorf("equal values are in bins %v", b)
	}
}
