package bandit

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// search is a policy's two ways to its leader.
type search struct {
	arms   *arms
	leader *leader
	proof  func(in *envs.Step) int
	plain  func(in *envs.Step) int
}

func searchOf(a agents.Agent) search {
	switch u := a.(type) {
	case *klUCB:
		return search{&u.arms, &u.leader,
			func(in *envs.Step) int {
				return u.leader.find(in, u.n, u.sum, u.all(u.budget()), bernoulli{&u.arms})
			},
			func(in *envs.Step) int { return u.search(in, u.budget()) }}
	case *glrKLUCB:
		return search{&u.arms, &u.leader,
			func(in *envs.Step) int { return u.leader.find(in, u.n, u.sum, u.budgets(), bernoulli{&u.arms}) },
			func(in *envs.Step) int { return u.search(in, u.budgets()) }}
	case *bayesUCB:
		return search{&u.arms, &u.leader,
			func(in *envs.Step) int {
				return u.leader.find(in, u.n, u.sum, u.all(-fp.Log(u.tail())), quantiles{u})
			},
			func(in *envs.Step) int { return u.search(in, u.tail()) }}
	}
	return search{}
}

// TestLeader looks for the leader of each decision with what is remembered, with
// nothing remembered, and by the plain rule. Where the proofs succeed they agree
// with the rule, and with what is remembered they nearly always succeed.
func TestLeader(t *testing.T) {
	t.Parallel()
	thirty := make([]float64, 30)
	for i := range thirty {
		thirty[i] = .01 * float64(i)
	}
	for _, c := range []struct {
		name  string
		rates []float64
		delay int
		mask  func(t int, into []bool)
		told  float64 // share of decisions with a proof, at least
	}{
		{"A", []float64{.9, .8}, 0, nil, .7},
		{"C", []float64{.02, .03, .04, .05, .06}, 0, nil, .95},
		{"drawn", []float64{.55, .4, .3, .52, .2}, 0, nil, .95},
		{"rare", []float64{1e-3, 2e-3, 0}, 0, nil, 0},
		{"sure", []float64{1, .999, .5, .5}, 0, nil, 0},
		{"equal", []float64{.3, .3, .3}, 0, nil, .95},
		{"many", thirty, 0, nil, .8},
		{"late", []float64{.1, .2, .3}, 50, nil, .9},
		{"masked", []float64{.1, .2, .3, .25}, 0, masked, .9},
	} {
		for _, v := range []variant{
			{"kl_ucb", nil}, {"kl_ucb", []any{"c", 3.0}}, {"glr_kl_ucb", nil}, {"glr_kl_ucb", []any{"exploration", 0.2, "delta", 0.2}},
			{"bayes_ucb", nil}, {"bayes_ucb", []any{"c", 5.0, "prior", mapping("a", 0.5, "b", 0.5)}},
		} {
			w := newWorld(2_000, c.rates...)
			w.delay, w.mask = c.delay, c.mask
			a := v.agent(t, &w.spec, nil)
			s := searchOf(a)
			w.begin(a, 3, agents.Train)
			asked, told := 0.0, 0.0
			for range w.spec.Horizon {
				if !slices.Contains(s.arms.n, 0) {
					asked++
					plain := s.plain(&w.in)
					warm := s.proof(&w.in)
					kept := *s.leader
					s.leader.lines = nil
					s.leader.forget(len(c.rates))
					cold := s.proof(&w.in)
					*s.leader = kept
					if warm >= 0 {
						told++
					}
					if warm >= 0 && warm != plain || cold >= 0 && cold != plain {
						t.Fatalf("%s, world %s, send %d: leader %d, with nothing remembered %d, by the plain rule %d; counts %v, sums %v", v, c.name, w.in.T, warm, cold, plain, s.arms.n, s.arms.sum)
					}
				}
				w.step(a)
			}
			if asked < 1_500 || v.kv == nil && told < c.told*asked {
				t.Errorf("%s, world %s: %v proofs for %v decisions, want a share of %v", v, c.name, told, asked, c.told)
			}
		}
	}
}

// TestBetaAbove compares with gonum's tails, and the density with its formula.
func TestBetaAbove(t *testing.T) {
	t.Parallel()
	for _, a := range []float64{1, 1.5, 7, 40, 600, 2e4, 1e6} {
		for _, b := range []float64{1, 2.5, 11, 90, 5e3, 1e5} {
			mean := a / (a + b)
			sd := math.Sqrt(mean * (1 - mean) / (a + b + 1))
			logB := logBeta(a, b)
			for _, z := range []float64{-3, -1, 0, .5, 1, 2, 3, 5, 7} {
				x := mean + z*sd
				if x <= 0 || x >= 1 {
					continue
				}
				above, density := betaAbove(a, b, x, logB)
				_, slow := betaTails(a, b, x, logB)
				if rel := math.Abs(above-slow) / slow; !(rel < 1e-10) && math.Abs(above-slow) > 1e-15 {
					t.Errorf("betaAbove(%v, %v, %v) = %v, betaTails %v", a, b, x, above, slow)
				}
				if want := mathext.RegIncBeta(b, a, 1-x); math.Abs(above-want) > 1e-8*max(want, 1e-6) {
					t.Errorf("betaAbove(%v, %v, %v) = %v, gonum %v", a, b, x, above, want)
				}
				want := math.Exp((a-1)*math.Log(x) + (b-1)*math.Log1p(-x) - mathext.Lbeta(a, b))
				if math.Abs(density-want) > 1e-8*want {
					t.Errorf("density of Beta(%v, %v) at %v = %v, want %v", a, b, x, density, want)
				}
			}
		}
	}
}

// TestGLRScreen compares the test that dismisses splits without logarithms with
// the statistic itself.
func TestGLRScreen(t *testing.T) {
	t.Parallel()
	alarms, calm := 0, 0
	for seed := range uint64(300) {
		s := rng.New(rng.Root(5, "glr").At(seed))
		g := make(glr, glrSize)
		g.restart()
		before, after := s.Float64(), s.Float64()
		if seed%3 == 0 {
			before, after = .02*before, .05*after
		}
		for i := range 400 {
			p := before
			if i >= 200 {
				p = after
			}
			y := s.Float64() // some histories of numbers between 0 and 1
			if seed%5 > 0 {
				y = 0
				if s.Float64() < p {
					y = 1
				}
			}
			g.add(y)
			n := g[glrCount]
			for _, delta := range []float64{.5, .01, 1e-4} {
				want := n >= 2 && g.statistic() >= math.Log(3/delta)+1.5*math.Log(n)
				if got := g.changed(delta); got != want {
					t.Fatalf("seed %d after %d: changed %v, the statistic says %v", seed, i+1, got, want)
				}
				if want {
					alarms++
				} else {
					calm++
				}
			}
		}
	}
	if alarms < 1_000 || calm < 1_000 {
		t.Errorf("%d alarms, %d without", alarms, calm)
	}
}
