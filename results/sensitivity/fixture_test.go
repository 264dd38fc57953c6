package sensitivity

import (
	"flag"
	"math"
	"testing"

	"overnight/internal/rng"
)

var long = flag.Bool("long", false, "run coverage with 1,000 repeats instead of 100")

// repeats is how many studies a coverage test simulates.
func repeats() int {
	if *long {
		return 1000
	}
	return 100
}

// rate returns the share of simulated studies for which hit is true.
func rate(name string, hit func(key rng.Key) bool) float64 {
	n, hits := repeats(), 0
	for k := range n {
		if hit(rng.Root(17, name).At(uint64(k))) {
			hits++
		}
	}
	return float64(hits) / float64(n)
}

// covers checks a coverage or an error rate against what is stated: within 4
// binomial standard errors and 1 % for the stated figure's rounding, which a right
// one leaves for one seed in 16,000.
func covers(t *testing.T, name string, got, want float64) {
	t.Helper()
	within := .01 + 4*math.Sqrt(want*(1-want)/float64(repeats()))
	t.Logf("%s: %.1f %% of %d", name, 100*got, repeats())
	if math.Abs(got-want) > within {
		t.Errorf("%s: %.3f, want %.3f within %.3f", name, got, want, within)
	}
}

// atMost checks an error rate against its bound, plus 3 standard errors.
func atMost(t *testing.T, name string, got, most float64) {
	t.Helper()
	t.Logf("%s: %.1f %% of %d, at most %.1f %%", name, 100*got, repeats(), 100*most)
	if got > most+3*math.Sqrt(most*(1-most)/float64(repeats())) {
		t.Errorf("%s: %.3f, want at most %.3f", name, got, most)
	}
}

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v within %v", name, got, want, tol)
	}
}

// model is a function of d factors in [0, 1] and of luck, with its indices.
type model struct {
	name         string
	d            int
	f            func(x []float64, luck *rng.Stream) float64
	first, total []float64
}

// ishigami has the closed form of Ishigami and Homma (1990) for a = 7, b = .1.
func ishigami() *model {
	return &model{"ishigami", 3, func(u []float64, _ *rng.Stream) float64 {
		x := [3]float64{}
		for i := range x {
			x[i] = math.Pi * (2*u[i] - 1)
		}
		return math.Sin(x[0]) + 7*math.Sin(x[1])*math.Sin(x[1]) + .1*math.Pow(x[2], 4)*math.Sin(x[0])
	}, []float64{.3139, .4424, 0}, []float64{.5576, .4424, .2437}}
}

// sobolG is the function of Saltelli and Sobol (1995) with a = (0, 1, 4.5, 9, 99,
// 99, 99, 99): V_i = 1 / (3 (1 + a_i)^2), V = prod(1 + V_i) - 1.
func sobolG() *model {
	a := []float64{0, 1, 4.5, 9, 99, 99, 99, 99}
	m := &model{name: "sobol g", d: len(a), f: func(u []float64, _ *rng.Stream) float64 {
		y := 1.0
		for i := range a {
			y *= (math.Abs(4*u[i]-2) + a[i]) / (1 + a[i])
		}
		return y
	}}
	all := 1.0
	for _, ai := range a {
		all *= 1 + 1/(3*(1+ai)*(1+ai))
	}
	for _, ai := range a {
		v := 1 / (3 * (1 + ai) * (1 + ai))
		m.first = append(m.first, v/(all-1))
		m.total = append(m.total, v*all/(1+v)/(all-1))
	}
	return m
}

// noisy adds normal luck of a standard deviation.
func (m *model) noisy(sd float64) *model {
	out := *m
	out.f = func(x []float64, luck *rng.Stream) float64 { return m.f(x, luck) + sd*luck.Normal() }
	return &out
}

// matrices draws base samples at random; shared gives all runs of a base sample
// and replication one luck.
func (m *model) matrices(key rng.Key, n, reps int, second, shared bool) *Matrices {
	s := rng.New(key)
	x := &Matrices{AB: make([][][]float64, m.d)}
	if second {
		x.BA = make([][][]float64, m.d)
	}
	fresh := uint64(0)
	for j := range n {
		a, b := make([]float64, m.d), make([]float64, m.d)
		s.Floats(a)
		s.Floats(b)
		run := func(u []float64) []float64 {
			y := make([]float64, reps)
			for r := range y {
				k := key.At(1).At(uint64(j)).At(uint64(r))
				if !shared {
					fresh++
					k = key.At(2).At(fresh)
				}
				luck := rng.New(k)
				y[r] = m.f(u, &luck)
			}
			return y
		}
		mixed := func(u, v []float64, i int) []float64 {
			w := append([]float64(nil), u...)
			w[i] = v[i]
			return w
		}
		x.A, x.B = append(x.A, run(a)), append(x.B, run(b))
		for i := range m.d {
			x.AB[i] = append(x.AB[i], run(mixed(a, b, i)))
			if second {
				x.BA[i] = append(x.BA[i], run(mixed(b, a, i)))
			}
		}
	}
	return x
}
