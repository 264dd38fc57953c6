package sensitivity

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
	"overnight/results/stats"
)

// gridRuns draws the runs of a 3 x 2 x 2 grid: the mean of each point, noise that
// the points of a replication share, and noise of each run.
func gridRuns(key rng.Key, reps int, mean func(a, b, c int) float64, common, own float64) *Grid {
	g := &Grid{Levels: crossing([]int{3, 2, 2}), Paired: true}
	s := rng.New(key)
	shared := make([]float64, reps)
	s.Normals(shared)
	for p := range 12 {
		y := make([]float64, reps)
		s.Normals(y)
		for r := range y {
			y[r] = mean(g.Levels[0][p], g.Levels[1][p], g.Levels[2][p]) + common*shared[r] + own*y[r]
		}
		g.Runs = append(g.Runs, y)
	}
	return g
}

// TestEffectsCoverage: intervals of the shares of a main effect, an interaction and
// luck over repeated replications, and how often an effect that is not there is
// told from luck.
func TestEffectsCoverage(t *testing.T) {
	t.Parallel()
	// Variances: a of -1, 0, 1: 2/3; b of -+1/2: 1/4; b with c of -+1/2: 1/4; c none.
	mean := func(a, b, c int) float64 {
		return float64(a-1) + float64(b) - .5 + .5*float64((2*b-1)*(2*c-1))
	}
	for _, c := range []struct {
		reps                    int
		common, own             float64
		main, pair, luck, wrong float64 // coverage wanted, and the bound of errors
	}{
		{5, 0, 1, .955, .94, .965, .05},
		{10, 0, 1, .95, .94, .965, .05},
		{20, 0, 1, .95, .935, .955, .05},
		{10, .8, .6, .93, .935, .905, .05},
	} {
		name := fmt.Sprintf("%d replications, common noise %v", c.reps, c.common)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noise := c.common*c.common + c.own*c.own
			all := 2./3 + .25 + .25 + noise
			hits, wrong := [3]float64{}, 0.
			for k := range repeats() {
				r := Effects(gridRuns(rng.Root(3, name).At(uint64(k)), c.reps, mean, c.common, c.own), Options{Crossed: true})
				for i, ok := range []bool{r.Factors[0].First.Contains(2. / 3 / all), r.Pairs[2].Share.Contains(.25 / all), r.Luck.Total.Contains(noise / all)} {
					if ok {
						hits[i] += 1 / float64(repeats())
					}
				}
				if r.Pairs[0].Told == Told {
					wrong += 1 / float64(repeats())
				}
			}
			covers(t, "main effect", hits[0], c.main)
			covers(t, "interaction", hits[1], c.pair)
			covers(t, "luck", hits[2], c.luck)
			atMost(t, "an interaction that is not there, told from luck", wrong, c.wrong)
		})
	}
}

// TestEffectsNull: a factor without effect is told in at most 5 % of studies, one
// with an interaction alone is told.
func TestEffectsNull(t *testing.T) {
	t.Parallel()
	for _, reps := range []int{3, 5, 10} {
		for _, common := range []float64{0, 2} {
			told := 0.
			wrong := rate(fmt.Sprint("null ", reps, common), func(key rng.Key) bool {
				r := Effects(gridRuns(key, reps, func(a, b, _ int) float64 { return 3 * float64((a-1)*(2*b-1)) }, common, 1), Options{Crossed: true})
				if r.Factors[1].Told == Told { // no main effect
					told++
				}
				return r.Factors[2].Told == Told
			})
			atMost(t, fmt.Sprintf("%d replications, common noise %v", reps, common), wrong, .05)
			if reps > 3 && told < .9*float64(repeats()) {
				t.Errorf("%d replications, common noise %v: an interaction of size 3 is told in %v of %d", reps, common, told, repeats())
			}
		}
	}
}

func TestEffectsLuck(t *testing.T) {
	t.Parallel()
	g := gridRuns(rng.Root(1, "shared"), 4000, func(a, _, _ int) float64 { return float64(a - 1) }, 1.5, .5)
	r := Effects(g, Options{Crossed: true})
	all := 2./3 + 1.5*1.5 + .25
	near(t, "luck", r.Luck.Total.Value, (1.5*1.5+.25)/all, .02)
	near(t, "luck that moves all points alike", r.Luck.First.Value, 1.5*1.5/all, .02)
}

// TestEffectsGap: a point that always fails is filled in from main effects, so an
// additive function keeps its shares; above one point in five only main effects
// are given.
func TestEffectsGap(t *testing.T) {
	t.Parallel()
	mean := func(a, b, c int) float64 { return float64(a) + 2*float64(b) - float64(c) }
	g := gridRuns(rng.Root(1, "gap"), 4, mean, .3, 0)
	whole := Effects(g, Options{Crossed: true})
	for r := range g.Runs[5] {
		g.Runs[5][r] = math.NaN()
	}
	gap := Effects(g, Options{Crossed: true})
	if gap.Missing != 4 || gap.Rows != 11 || gap.Factors[0].N != 11 {
		t.Errorf("missing %d, whole %d, points %d; want 4, 11, 11", gap.Missing, gap.Rows, gap.Factors[0].N)
	}
	for i := range gap.Factors {
		near(t, fmt.Sprint("first ", i), gap.Factors[i].First.Value, whole.Factors[i].First.Value, 1e-6)
		near(t, fmt.Sprint("total ", i), gap.Factors[i].Total.Value, whole.Factors[i].Total.Value, 1e-6)
		if gap.Factors[i].Holes == nil {
			t.Errorf("factor %d has no bounds for the hole", i)
		}
	}
	for _, p := range []int{0, 3, 7} {
		for r := range g.Runs[p] {
			g.Runs[p][r] = math.NaN()
		}
	}
	many := Effects(g, Options{Crossed: true})
	if many.Pairs != nil || !math.IsNaN(many.Factors[0].Total.Value) || math.IsNaN(many.Factors[0].First.Value) {
		t.Errorf("a grid of 8 of 12 points: %+v", many)
	}
}

// TestEffectsSingle: one replication gives main effects without an interval, and
// tells nothing from luck; a factor that moves no bit over several is luck.
func TestEffectsSingle(t *testing.T) {
	t.Parallel()
	mean := func(a, b, _ int) float64 { return float64(a) + 2*float64(b) }
	r := Effects(gridRuns(rng.Root(1, "single"), 1, mean, 0, .1), Options{})
	if x := r.Factors[0]; x.First.Known() || x.Told != Unknown || math.IsNaN(x.First.Value) || !math.IsNaN(r.Luck.Total.Value) {
		t.Errorf("one replication: %+v", x)
	}
	r = Effects(gridRuns(rng.Root(1, "same"), 3, mean, 1, 0), Options{Crossed: true})
	if r.Factors[2].Told != Luck || r.Factors[1].Told != Told {
		t.Errorf("verdicts %d and %d, want luck and told", r.Factors[2].Told, r.Factors[1].Told)
	}
}

// TestOneAtATime: of an additive function, the shares are those of its full
// factorial.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	effect := [][]float64{{0, 1, 4}, {0, -2}}
	var runs stats.Scores
	var changed []int
	add := func(f int, v float64) {
		y := make([]float64, 500)
		s := rng.New(rng.Root(5, "oat", uint64(len(runs))))
		s.Normals(y)
		for r := range y {
			y[r] += v
		}
		runs, changed = append(runs, y), append(changed, f)
	}
	add(-1, 0)
	for f := range effect {
		for _, v := range effect[f][1:] {
			add(f, v)
		}
	}
	r := OneAtATime(runs, changed, 2, Options{})
	va, vb := 26./9, 1. // population variances of 0, 1, 4 and of 0, -2
	all := va + vb + 1
	near(t, "first", r.Factors[0].First.Value, va/all, .02)
	near(t, "second", r.Factors[1].First.Value, vb/all, .02)
	near(t, "luck", r.Luck.Total.Value, 1/all, .02)
	if r.Factors[0].Told != Told || !r.Factors[0].First.Contains(va/all) || r.Pairs != nil {
		t.Errorf("%+v", r.Factors[0])
	}
}

// TestComposite: of y = z0 + 2 z1^2 + 3 z0 z1 over [-1, 1]^2, the variances are 1/3,
// 4 * 4/45 and 9/9.
func TestComposite(t *testing.T) {
	t.Parallel()
	at := [][]float64{{-1, -1, 1, 1, -1, 1, 0, 0, 0}, {-1, 1, -1, 1, 0, 0, -1, 1, 0}}
	for _, reps := range []int{1, 4} {
		var runs stats.Scores
		for p := range at[0] {
			y := make([]float64, reps)
			for r := range y {
				y[r] = at[0][p] + 2*at[1][p]*at[1][p] + 3*at[0][p]*at[1][p] + float64(r)
			}
			runs = append(runs, y)
		}
		r := Composite(runs, at, Options{})
		luck := 0.
		if reps > 1 {
			luck = 5. / 3 // variance of 0, 1, 2, 3
		}
		all := 1./3 + 16./45 + 1 + luck
		near(t, "first of z0", r.Factors[0].First.Value, 1./3/all, 1e-12)
		near(t, "first of z1", r.Factors[1].First.Value, 16./45/all, 1e-12)
		near(t, "z0 with z1", r.Pairs[0].Share.Value, 1/all, 1e-12)
		near(t, "total of z0", r.Factors[0].Total.Value, (1./3+1)/all, 1e-12)
		near(t, "explained", r.Explained, 1, 1e-12)
		if reps > 1 {
			near(t, "luck", r.Luck.Total.Value, luck/all, 1e-12)
		}
	}
}
