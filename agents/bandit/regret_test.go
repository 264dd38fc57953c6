package bandit

import (
	"fmt"
	"math"
	"testing"
)

// TestReferenceRegrets plays the table of shared/reference/bandits.md: mean
// pseudo-regrets must agree within 4 combined standard errors, which 26 right
// cells fail once in 600 seeds; the seed is fixed. -long plays as many runs as
// the table was made with.
func TestReferenceRegrets(t *testing.T) {
	t.Parallel()
	type cell struct{ mean, se float64 }
	for _, c := range []struct {
		name  string
		v     variant
		a, c  cell
		short int
	}{
		{"uniform", variant{"uniform", nil}, cell{249.98, .06}, cell{199.99, .03}, 150},
		{"uniform, exact", variant{"uniform", nil}, cell{250, 0}, cell{200, 0}, 150},
		{"epsilon-greedy .1", variant{"epsilon_greedy", nil}, cell{30.44, .22}, cell{65.86, 1.02}, 150},
		{"epsilon-greedy .01", variant{"epsilon_greedy", []any{"epsilon", .01}}, cell{46.5, 1.7}, cell{170.6, 2.6}, 150},
		{"eps_t = 5K/t", variant{"epsilon_greedy", []any{"schedule", "harmonic"}}, cell{14.4, .9}, cell{70.3, 1.8}, 150},
		{"softmax .02", variant{"softmax", nil}, cell{94.8, 3.0}, cell{109.6, .4}, 100},
		{"UCB1", variant{"ucb1", nil}, cell{64.65, .19}, cell{159.48, .13}, 150},
		{"UCB c = .5", variant{"ucb", []any{"c", .5}}, cell{14.8, .3}, cell{100.8, .3}, 150},
		{"UCB-tuned", variant{"ucb_tuned", nil}, cell{15.8, .3}, cell{96.9, .3}, 150},
		{"MOSS", variant{"moss", nil}, cell{24.65, .15}, cell{105.6, .4}, 100},
		{"KL-UCB", variant{"kl_ucb", nil}, cell{12.79, .23}, cell{65.2, .7}, 60},
		{"Thompson", variant{"thompson", nil}, cell{9.40, .18}, cell{50.1, .5}, 60},
		{"Exp3", variant{"exp3", nil}, cell{62.9, .2}, cell{154.9, .8}, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i, w := range []*world{worldA(), worldC()} {
				want := []cell{c.a, c.c}[i]
				runs := c.short
				if *long {
					runs = []int{4_000, 2_000}[i]
				}
				mean, se := c.v.mean(t, w, runs)
				off := (mean - want.mean) / math.Hypot(se, want.se)
				t.Logf("%s %-20s %7.2f +- %.2f  want %7.2f +- %.2f  off by %+.1f", "AC"[i:i+1], c.name, mean, se, want.mean, want.se, off)
				if math.Abs(off) > 4 {
					t.Errorf("instance %s: regret %.2f +- %.2f, want %.2f +- %.2f", "AC"[i:i+1], mean, se, want.mean, want.se)
				}
			}
		})
	}
}

// TestBounds checks the upper bounds that Lattimore and Szepesvari 2020 and
// Auer, Cesa-Bianchi and Fischer 2002 prove: mean + 3 standard errors is below.
func TestBounds(t *testing.T) {
	t.Parallel()
	sum := func(w *world, f func(gap float64) float64) float64 {
		s := 0.0
		for i := range w.rates {
			if g := w.gap(i); g > 0 {
				s += f(g)
			}
		}
		return s
	}
	runs := 40
	if *long {
		runs = 1_000
	}
	for _, c := range []struct {
		v     variant
		bound func(w *world, k, n float64) float64
	}{
		{variant{"ucb", []any{"c", 2.0}}, func(w *world, _, n float64) float64 { // (7.1)
			return sum(w, func(g float64) float64 { return 3*g + 16*math.Log(n)/g })
		}},
		{variant{"ucb1", nil}, func(w *world, _, n float64) float64 { // Auer et al., theorem 1
			return sum(w, func(g float64) float64 { return 8*math.Log(n)/g + (1+math.Pi*math.Pi/3)*g })
		}},
		{variant{"moss", nil}, func(w *world, k, n float64) float64 { // (9.1)
			return 39*math.Sqrt(k*n) + sum(w, func(g float64) float64 { return g })
		}},
		{variant{"exp3", nil}, func(_ *world, k, n float64) float64 { return math.Sqrt(2 * n * k * math.Log(k)) }}, // (11.2)
		{variant{"explore_then_commit", []any{"explore", int64(400)}}, func(w *world, k, n float64) float64 { // (6.1)
			return sum(w, func(g float64) float64 { return 400*g + (n-400*k)*g*math.Exp(-400*g*g/4) })
		}},
		// No theorem of that form: not worse than chance.
		{variant{"exp3_ix", nil}, func(w *world, k, n float64) float64 {
			return n / k * sum(w, func(g float64) float64 { return g })
		}},
	} {
		for i, w := range []*world{worldA(), worldC()} {
			mean, se := c.v.mean(t, w, runs)
			bound := c.bound(w, float64(len(w.rates)), float64(w.spec.Horizon))
			t.Logf("%s %s %v: %.1f +- %.1f, bound %.1f", "AC"[i:i+1], c.v.policy, c.v.kv, mean, se, bound)
			if mean+3*se >= bound {
				t.Errorf("instance %s: regret of %s is %.1f +- %.1f, not below %.1f", "AC"[i:i+1], c.v.policy, mean, se, bound)
			}
		}
	}
}

// TestOthersLearn checks the policies that the reference table lacks: on each
// instance they lose clearly less than the A/B test.
func TestOthersLearn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    variant
		a, c float64 // at most
	}{
		{variant{"explore_then_commit", nil}, 60, 100},
		{variant{"epsilon_greedy", []any{"schedule", "linear"}}, 40, 90},
		{variant{"epsilon_greedy", []any{"schedule", "exponential", "epsilon", 1.0}}, 80, 90},
		{variant{"bayes_ucb", nil}, 14, 70},
		{variant{"thompson", []any{"form", "gaussian"}}, 60, 140},
		{variant{"thompson", []any{"form", "gaussian", "noise", .25}}, 20, 80},
		{variant{"thompson", []any{"prior", mapping("a", .5, "b", .5)}}, 16, 70},
		{variant{"thompson", []any{"top_two", true}}, 245, 150},
		{variant{"gradient", nil}, 90, 190},
	} {
		for i, w := range []*world{worldA(), worldC()} {
			mean, se := c.v.mean(t, w, 40)
			most := []float64{c.a, c.c}[i]
			t.Logf("%s %s %v: %.1f +- %.1f", "AC"[i:i+1], c.v.policy, c.v.kv, mean, se)
			if mean > most {
				t.Errorf("instance %s: regret of %s %v is %.1f +- %.1f, above %.1f", "AC"[i:i+1], c.v.policy, c.v.kv, mean, se, most)
			}
		}
	}
}

// TestSlopes measures how regret grows with ln t at long horizons. The lower
// bound of Lai and Robbins is of a limit: at these horizons slopes may be below
// their constant, and are within a third of it; fixed epsilon is linear.
func TestSlopes(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("minutes: -args -long")
	}
	const from, to, runs = 30_000, 1_000_000, 200
	for _, c := range []struct {
		name     string
		w        *world
		constant float64
	}{{"A", newWorld(to, .9, .8), 2.2521}, {"C", newWorld(to, .02, .03, .04, .05, .06), 20.9019}} {
		for _, v := range []variant{{"kl_ucb", nil}, {"thompson", nil}, {"epsilon_greedy", nil}} {
			t.Run(fmt.Sprint(c.name, " ", v.policy), func(t *testing.T) {
				w := newWorld(to, c.w.rates...)
				sum, squares, linear := 0.0, 0.0, 0.0
				a := v.agent(t, &w.spec, nil)
				for run := range runs {
					a = v.agent(t, &w.spec, a)
					w.begin(a, uint64(run), 0)
					var first float64
					for s := range to {
						if s == from {
							first = w.regret()
						}
						w.step(a)
					}
					last := w.regret()
					slope := (last - first) / math.Log(float64(to)/from)
					sum += slope
					squares += slope * slope
					linear += (last - first) / (to - from) / runs
				}
				mean := sum / runs
				se := math.Sqrt((squares/runs - mean*mean) / (runs - 1))
				t.Logf("%s %-14s slope %.2f +- %.2f, constant %.2f, ratio %.2f; a send %.6f", c.name, v.policy, mean, se, c.constant, mean/c.constant, linear)
				if v.policy == "epsilon_greedy" {
					exact := 0.0
					for i := range w.rates {
						exact += .1 / float64(len(w.rates)) * w.gap(i)
					}
					if linear < exact*.98 || linear > exact*1.3 {
						t.Errorf("%s: regret a send %.6f, want %.6f", v.policy, linear, exact)
					}
				} else if ratio := mean / c.constant; math.Abs(ratio-1) > 1./3+3*se/c.constant {
					t.Errorf("%s: slope %.2f is %.2f times the constant", v.policy, mean, ratio)
				}
			})
		}
	}
}
