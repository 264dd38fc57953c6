package sensitivity

import (
	"fmt"
	"math"
	"testing"

	"overnight/internal/rng"
	"overnight/jobs/design"
	"overnight/results/stats"
)

// TestSobolCoverage: of 95 % intervals from 256, 512 and 1,024 random base samples,
// 93 to 97 % hold the analytic index (-long).
func TestSobolCoverage(t *testing.T) {
	t.Parallel()
	for _, m := range []*model{ishigami(), sobolG()} {
		for _, n := range []int{256, 512, 1024} {
			if !*long && n > 256 {
				continue
			}
			t.Run(fmt.Sprintf("%s %d", m.name, n), func(t *testing.T) {
				t.Parallel()
				hits := make([]float64, 2*m.d)
				for k := range repeats() {
					key := rng.Root(5, m.name, uint64(n)).At(uint64(k))
					r := newSobol(m.matrices(key, n, 1, false, true)).estimate(n, Options{Key: key.At(9), Resamples: 500}.withDefaults())
					for i, x := range r.Factors {
						if x.First.Contains(m.first[i]) {
							hits[2*i]++
						}
						if x.Total.Contains(m.total[i]) {
							hits[2*i+1]++
						}
					}
				}
				for k, h := range hits {
					covers(t, fmt.Sprintf("%s of x%d", []string{"first", "total"}[k%2], k/2+1), h/float64(repeats()), .945)
				}
			})
		}
	}
}

// TestSobolDesign: laid out by package design, that is scrambled Sobol sequences,
// which scatter less than random base samples, Ishigami's and the G function's
// indices lie within their intervals from 256 base samples on, each seed's at
// least 97 % of them.
func TestSobolDesign(t *testing.T) {
	t.Parallel()
	for _, m := range []*model{ishigami(), sobolG()} {
		var names []string
		var columns []design.Column
		for i := range m.d {
			names = append(names, fmt.Sprint("x", i))
			columns = append(columns, design.Column{Name: names[i], Dimension: i})
		}
		for _, n := range []int{256, 1024} {
			in, all, widest := 0, 0, 0.
			for seed := range uint64(10) {
				made, err := design.New(design.Spec{Kind: design.Saltelli, Points: uint64(n)}, seed, names)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := made.Rows(columns)
				if err != nil {
					t.Fatal(err)
				}
				x := &Matrices{AB: make([][][]float64, m.d)}
				u := make([]float64, m.d)
				for row := range rows.Len() {
					rows.Fill(row, u)
					y := []float64{m.f(u, nil)}
					switch _, block, column := design.SaltelliRow(row, m.d, false); block {
					case design.BlockA:
						x.A = append(x.A, y)
					case design.BlockB:
						x.B = append(x.B, y)
					default:
						x.AB[column] = append(x.AB[column], y)
					}
				}
				r := newSobol(x).estimate(n, Options{Key: rng.Root(seed, "design")}.withDefaults())
				for i, f := range r.Factors {
					for _, c := range []struct {
						e    stats.Estimated
						want float64
					}{{f.First, m.first[i]}, {f.Total, m.total[i]}} {
						all++
						if c.e.Low <= c.want+5e-5 && c.want-5e-5 <= c.e.High { // Ishigami's have four digits
							in++
						}
						widest = max(widest, c.e.Half())
					}
				}
			}
			t.Logf("%s, %d base samples, 10 seeds: %d of %d indices within their intervals, half-widths up to %.3f", m.name, n, in, all, widest)
			if float64(in) < .97*float64(all) {
				t.Errorf("%s, %d base samples: %d of %d indices within their intervals", m.name, n, in, all)
			}
		}
	}
}

// TestSobolNoise: with luck of a known share, the shares of the factors are those
// of the function times what luck leaves, whether or not runs share their luck.
func TestSobolNoise(t *testing.T) {
	t.Parallel()
	g := ishigami()
	const noise = 2.0
	m := g.noisy(noise)
	const variance = 13.8445875 // (1 + b pi^4 / 5)^2 / 2 + a^2 / 8 + 8 b^2 pi^8 / 225
	all := variance + noise*noise
	for _, c := range []struct {
		name         string
		shared       bool
		luckFirst    float64
		luckInTotals float64
	}{
		{"luck shared by a base sample", true, noise * noise / all, 0},
		{"luck of each run", false, 0, noise * noise / all},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := Sobol(m.matrices(rng.Root(3, c.name), 4096, 3, true, c.shared), Options{Key: rng.Root(4, c.name)})
			near(t, "variance", r.Variance, all, .5)
			near(t, "luck's total", r.Luck.Total.Value, noise*noise/all, .015)
			near(t, "luck's first", r.Luck.First.Value, c.luckFirst, .02)
			if !r.Luck.Total.Contains(noise * noise / all) {
				t.Errorf("luck's total %v does not hold %v", r.Luck.Total, noise*noise/all)
			}
			for i, x := range r.Factors {
				name := fmt.Sprintf("x%d: ", i+1)
				near(t, name+"first", x.First.Value, g.first[i]*variance/all, .03)
				near(t, name+"total", x.Total.Value, g.total[i]*variance/all+c.luckInTotals, .03)
				near(t, name+"beyond luck", x.Beyond.Value, g.total[i]*variance/all, .03)
				if x.Told != Told {
					t.Errorf("x%d is not told from luck: %+v", i+1, x)
				}
			}
			for _, p := range r.Pairs {
				want := 0.
				if p.I == 0 && p.J == 2 {
					want = .2437 * variance / all
				}
				near(t, fmt.Sprintf("x%d with x%d", p.I+1, p.J+1), p.Share.Value, want, .03)
			}
		})
	}
}

// TestSobolDummy: of a score that is luck alone, or in which one of three factors
// does nothing, a factor without effect has the total index of luck and is told
// from luck in at most 5 % of studies with one replication, 2.5 % with several.
func TestSobolDummy(t *testing.T) {
	t.Parallel()
	pure := &model{name: "pure", d: 3, f: func(_ []float64, luck *rng.Stream) float64 { return luck.Normal() }}
	dummy := &model{name: "dummy", d: 3, f: func(x []float64, luck *rng.Stream) float64 {
		return 4*x[0] + 4*x[1]*x[0] + luck.Normal()
	}}
	for _, c := range []struct {
		m      *model
		reps   int
		shared bool
		factor int
		most   float64
	}{
		{pure, 1, false, 0, .05}, {pure, 2, false, 0, .025}, {pure, 5, false, 1, .025},
		{dummy, 1, false, 2, .05}, {dummy, 2, false, 2, .025}, {dummy, 1, true, 2, .05},
	} {
		name := fmt.Sprintf("%s, %d replications, shared %v", c.m.name, c.reps, c.shared)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total := 0.
			got := rate(name, func(key rng.Key) bool {
				r := newSobol(c.m.matrices(key, 128, c.reps, false, c.shared)).estimate(128, Options{Key: key.At(9), Resamples: 400}.withDefaults())
				total += r.Factors[c.factor].Total.Value / float64(repeats())
				return r.Factors[c.factor].Told == Told
			})
			atMost(t, "told from luck", got, c.most)
			if c.m == pure {
				near(t, "mean total index of a factor without effect", total, 1, .02)
			}
		})
	}
	t.Run("a real one is told", func(t *testing.T) {
		t.Parallel()
		for _, reps := range []int{1, 2} {
			r := Sobol(dummy.matrices(rng.Root(8, "real"), 1024, reps, false, false), Options{Key: rng.Root(9, "real")})
			for i, want := range []Verdict{Told, Told, []Verdict{Unknown, Luck}[reps-1]} {
				if r.Factors[i].Told != want {
					t.Errorf("%d replications: factor %d has the verdict %d, want %d", reps, i, r.Factors[i].Told, want)
				}
			}
		}
	})
}

// TestSobolRenewed: the factor x of x * luck interacts with luck alone. With luck
// renewed from base sample to base sample its total index, 1 here, is found; one
// luck for all of them would give any value.
func TestSobolRenewed(t *testing.T) {
	t.Parallel()
	// y = x z + w, x uniform, z normal: V = E[x^2] = 1/3 of it, of which E[Var(y|z)]
	// = Var(x) E[z^2] = 1/12 is x's, and E[x^2] all luck's; w adds 1/12.
	m := &model{name: "renewed", d: 2, f: func(x []float64, luck *rng.Stream) float64 {
		return x[0]*luck.Normal() + x[1]
	}}
	want := (1. / 12) / (1./3 + 1./12)
	for reps := 1; reps <= 2; reps++ {
		r := Sobol(m.matrices(rng.Root(2, "renewed"), 4096, reps, false, true), Options{Key: rng.Root(2, "boot")})
		near(t, "total of x", r.Factors[0].Total.Value, want, .02)
		near(t, "total of w", r.Factors[1].Total.Value, want, .02)
		if r.Factors[1].Told != Told {
			t.Errorf("%d replications: w is not told from luck", reps)
		}
		if reps == 2 {
			near(t, "luck", r.Luck.Total.Value, (1./3)/(1./3+1./12), .03)
			if r.Factors[0].Told != Luck { // its mean over luck is 0 everywhere
				t.Errorf("x has the verdict %d, want luck", r.Factors[0].Told)
			}
		}
	}
}

func TestSobolHoles(t *testing.T) {
	t.Parallel()
	m := ishigami()
	whole := m.matrices(rng.Root(6, "holes"), 512, 1, false, true)
	o := Options{Key: rng.Root(6, "boot")}
	before := Sobol(whole, o)
	if before.Factors[0].Holes != nil || before.Missing != 0 || before.Rows != 512 {
		t.Errorf("without holes: %+v", before)
	}
	for j := 0; j < 512; j += 8 {
		whole.AB[2][j][0] = math.NaN()
	}
	r := Sobol(whole, o)
	if r.Missing != 64 || r.Runs != 512*5-64 || r.Rows != 448 {
		t.Errorf("missing %d, runs %d, whole rows %d; want 64, %d, 448", r.Missing, r.Runs, r.Rows, 512*5-64)
	}
	for i, n := range []int{512, 512, 448} {
		if r.Factors[i].N != n {
			t.Errorf("factor %d is from %d base samples, want %d", i, r.Factors[i].N, n)
		}
	}
	for i := range 2 { // what the holes don't touch stays, to the last bit
		if r.Factors[i].Total.Value != before.Factors[i].Total.Value {
			t.Errorf("factor %d moved by holes of another: %v, was %v", i, r.Factors[i].Total, before.Factors[i].Total)
		}
	}
	near(t, "total of x3", r.Factors[2].Total.Value, .2437, .05)
	h := r.Factors[2].Holes
	if h == nil || !(h.TotalWorst > r.Factors[2].Total.Value+.05) {
		t.Errorf("the worst score in the holes should raise x3's total a lot: %+v", h)
	}
	// By hand: put the worst score in.
	worst := math.Inf(1)
	for _, x := range append([][][]float64{whole.A, whole.B}, whole.AB...) {
		for _, runs := range x {
			if runs[0] < worst {
				worst = runs[0]
			}
		}
	}
	for j := 0; j < 512; j += 8 {
		whole.AB[2][j][0] = worst
	}
	near(t, "total with the worst", h.TotalWorst, Sobol(whole, o).Factors[2].Total.Value, 1e-12)
}

// TestSobolConstant: nothing is known of a score that never varies, and a factor
// that moves no bit is luck.
func TestSobolConstant(t *testing.T) {
	t.Parallel()
	flat := &model{d: 2, f: func([]float64, *rng.Stream) float64 { return 3 }}
	r := Sobol(flat.matrices(rng.Root(1, "flat"), 16, 1, true, true), Options{Key: rng.Root(1, "b")})
	if !math.IsNaN(r.Factors[0].First.Value) || r.Factors[0].First.Known() {
		t.Errorf("a constant has the index %v", r.Factors[0].First)
	}
	one := &model{d: 2, f: func(x []float64, _ *rng.Stream) float64 { return x[0] }}
	r = Sobol(one.matrices(rng.Root(1, "one"), 64, 1, false, true), Options{Key: rng.Root(1, "b")})
	if r.Factors[1].Total.Value != 0 || r.Factors[1].Told != Luck || r.Factors[0].Told != Told {
		t.Errorf("a factor that does nothing: %+v", r.Factors[1])
	}
}

// TestSobolCrossed: with the same few draws of luck in every base sample, an
// interval of luck's share that resamples base samples alone holds it rarely.
func TestSobolCrossed(t *testing.T) {
	t.Parallel()
	const reps = 10
	hit := func(crossed bool) float64 {
		return rate(fmt.Sprint("crossed ", crossed), func(key rng.Key) bool {
			s := rng.New(key)
			z := make([]float64, reps)
			s.Normals(z)
			m := &model{d: 1, f: func(x []float64, _ *rng.Stream) float64 { return math.Sqrt(12) * x[0] }}
			x := m.matrices(key, 64, reps, false, true)
			for _, all := range [][][]float64{x.A, x.B, x.AB[0]} {
				for _, runs := range all {
					for r := range runs {
						runs[r] += z[r]
					}
				}
			}
			r := newSobol(x).estimate(64, Options{Key: key.At(9), Resamples: 200, Crossed: crossed}.withDefaults())
			return r.Luck.Total.Contains(.5)
		})
	}
	rows, both := hit(false), hit(true)
	t.Logf("interval of luck's share covers %.3f resampling rows, %.3f resampling replications too", rows, both)
	if rows > .5 || both < .75 {
		t.Errorf("covers %.3f by rows and %.3f by both, want below .5 and above .75", rows, both)
	}
}
