package sensitivity

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs/design"
)

// walks lays trajectories out by package design and runs a model on them; shared
// gives all runs of a trajectory and replication one luck.
func (m *model) walks(t testing.TB, key rng.Key, trajectories, reps int, shared bool) []Trajectory {
	t.Helper()
	var names []string
	var columns []design.Column
	for i := range m.d {
		name := fmt.Sprint("x", i)
		names = append(names, name)
		columns = append(columns, design.Column{Name: name, Dimension: i})
	}
	spec := design.Spec{Kind: design.Morris, Points: uint64(trajectories), Levels: 4}
	made, err := design.New(spec, key[0], names)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := made.Rows(columns)
	if err != nil {
		t.Fatal(err)
	}
	paths := make([]Trajectory, trajectories)
	x := make([]float64, m.d)
	for row := range rows.Len() {
		rows.Fill(row, x)
		at, _ := design.MorrisRow(row, m.d)
		p := &paths[at]
		changed, by := rows.(design.Stepper).Step(row)
		p.Changed, p.Step = append(p.Changed, changed), append(p.Step, by)
		y := make([]float64, reps)
		for r := range y {
			k := key.At(at)
			if !shared {
				k = k.At(1).At(row)
			}
			luck := rng.New(k.At(uint64(r)))
			y[r] = m.f(x, &luck)
		}
		p.Runs = append(p.Runs, y)
	}
	return paths
}

// TestMorrisLinear: the elementary effects of a sum are its coefficients.
func TestMorrisLinear(t *testing.T) {
	t.Parallel()
	b := []float64{3, -2, .5, 0}
	m := &model{d: 4, f: func(x []float64, _ *rng.Stream) float64 {
		y := 1.
		for i := range b {
			y += b[i] * x[i]
		}
		return y
	}}
	r := Morris(m.walks(t, rng.Root(1, "linear"), 10, 1, true), 4, Options{})
	for i, x := range r.Factors {
		near(t, fmt.Sprint("mu ", i), x.Mu.Value, b[i], 1e-12)
		near(t, fmt.Sprint("mu* ", i), x.MuStar.Value, math.Abs(b[i]), 1e-12)
		near(t, fmt.Sprint("sigma ", i), x.Sigma.Value, 0, 1e-12)
	}
	if r.Factors[3].Told != Luck || r.Factors[2].Told != Told || r.N != 10 || r.Runs != 50 || r.Rows != 10 {
		t.Errorf("verdicts %d and %d, %d trajectories, %d runs, %d whole", r.Factors[3].Told, r.Factors[2].Told, r.N, r.Runs, r.Rows)
	}
}

// TestMorrisProduct: of x0 * x1 on the grid 0, 1/3, 2/3, 1, the elementary effect of
// x0 is x1: mu 1/2, sigma the root of 5/36. Of (x0 - 1/2) * x1 that of x1 changes
// sign: mu 0, mu* 1/3.
func TestMorrisProduct(t *testing.T) {
	t.Parallel()
	m := &model{d: 2, f: func(x []float64, _ *rng.Stream) float64 { return x[0] * x[1] }}
	r := Morris(m.walks(t, rng.Root(1, "product"), 4000, 1, true), 2, Options{})
	for i, x := range r.Factors {
		near(t, fmt.Sprint("mu ", i), x.Mu.Value, .5, .02)
		near(t, fmt.Sprint("sigma ", i), x.Sigma.Value, math.Sqrt(5./36), .01)
	}
	m.f = func(x []float64, _ *rng.Stream) float64 { return (x[0] - .5) * x[1] }
	r = Morris(m.walks(t, rng.Root(1, "product"), 4000, 1, true), 2, Options{})
	near(t, "mu", r.Factors[1].Mu.Value, 0, .02)
	near(t, "mu*", r.Factors[1].MuStar.Value, 1./3, .01)
}

// TestMorrisLuck: a factor without effect has the mu* of luck, 2 s / (sqrt(pi) step)
// for normal noise of standard deviation s, and is told from luck in at most 5 %
// of studies with one replication, 2.5 % with several. A real one is told.
func TestMorrisLuck(t *testing.T) {
	t.Parallel()
	m := &model{d: 3, f: func(x []float64, luck *rng.Stream) float64 { return 4*x[0] + luck.Normal() }}
	r := Morris(m.walks(t, rng.Root(1, "luck"), 2000, 3, false), 3, Options{})
	want := 2 / math.Sqrt(math.Pi) * 1.5
	near(t, "mu* of luck", r.Luck.MuStar.Value, want, .04)
	near(t, "mu* of a factor without effect", r.Factors[1].MuStar.Value, want, .04)
	near(t, "sigma of luck", r.Luck.Sigma.Value, math.Sqrt2*1.5, .04)
	near(t, "mean square effect beyond luck", r.Factors[0].Beyond.Value, 16, .3)
	near(t, "mean square effect of none", r.Factors[1].Beyond.Value, 0, .3)
	for reps, most := range map[int]float64{1: .05, 3: .025} {
		told := 0.
		got := rate(fmt.Sprint("morris dummy ", reps), func(key rng.Key) bool {
			r := Morris(m.walks(t, key, 20, reps, false), 3, Options{})
			if r.Factors[0].Told == Told {
				told++
			}
			return r.Factors[1].Told == Told
		})
		atMost(t, fmt.Sprintf("%d replications, told from luck", reps), got, most)
		if told < .95*float64(repeats()) {
			t.Errorf("%d replications: a factor of size 4 is told in %v of %d", reps, told, repeats())
		}
	}
}

// TestMorrisCoverage: intervals of mu and mu* from 20 trajectories.
func TestMorrisCoverage(t *testing.T) {
	t.Parallel()
	// Of x1 in (x0 - 1/2) * x1, effects are -1/2, -1/6, 1/6 or 1/2.
	m := &model{d: 2, f: func(x []float64, _ *rng.Stream) float64 { return (x[0] - .5) * x[1] }}
	for name, c := range map[string]struct {
		truth, want float64
		hit         func(x *Index, v float64) bool
	}{
		"mu":    {0, .95, func(x *Index, v float64) bool { return x.Mu.Contains(v) }},
		"mu*":   {1. / 3, .95, func(x *Index, v float64) bool { return x.MuStar.Contains(v) }},
		"sigma": {math.Sqrt(5. / 36), .95, func(x *Index, v float64) bool { return x.Sigma.Contains(v) }},
	} {
		covers(t, name+" from 20 trajectories", rate("morris "+name, func(key rng.Key) bool {
			r := Morris(m.walks(t, key, 20, 1, true), 2, Options{})
			return c.hit(&r.Factors[1], c.truth)
		}), c.want)
	}
}

func TestMorrisHoles(t *testing.T) {
	t.Parallel()
	m := &model{d: 2, f: func(x []float64, _ *rng.Stream) float64 { return 3*x[0] - x[1] }}
	paths := m.walks(t, rng.Root(1, "holes"), 12, 1, true)
	paths[3].Runs[0][0] = math.NaN() // the start: the first step's effect is lost
	r := Morris(paths, 2, Options{})
	lost := paths[3].Changed[1]
	if r.Missing != 1 || r.Rows != 11 || r.Factors[lost].N != 11 || r.Factors[1-lost].N != 12 {
		t.Errorf("missing %d, whole %d, effects %d and %d; want 1, 11, 11, 12", r.Missing, r.Rows, r.Factors[lost].N, r.Factors[1-lost].N)
	}
	near(t, "mu", r.Factors[0].Mu.Value, 3, 1e-12)
	if h := r.Factors[lost].Holes; h == nil || h.TotalWorst == r.Factors[lost].MuStar.Value && h.TotalBest == h.TotalWorst {
		t.Errorf("holes %+v", h)
	}
}
