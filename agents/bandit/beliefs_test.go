package bandit

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"overnight/agents"
	"overnight/envs"
)

// seen is what a policy has been shown of one arm: sends, outcomes, their sum and
// that of their squares, in units of reward.
type seen struct{ n, sum, squares float64 }

// plays plays sends of a world with rewards of 0 and 1 and returns what was seen
// of each arm, with the agent.
func plays(t *testing.T, v variant, sends int) (agents.Agent, *world, []seen) {
	t.Helper()
	w := newWorld(800, .2, .3, .32, .1)
	a := v.agent(t, &w.spec, nil)
	w.begin(a, 1, agents.Train)
	s := make([]seen, 4)
	for range sends {
		w.step(a)
		g := &s[w.act.Index]
		g.n++
		g.sum += w.out.Reward
		g.squares += w.out.Reward * w.out.Reward
	}
	return a, w, s
}

func beliefs(a agents.Agent, in *envs.Step) (mean, low, high []float64) {
	mean, low, high = make([]float64, 4), make([]float64, 4), make([]float64, 4)
	a.(agents.Beliefs).Beliefs(in, mean, low, high)
	return mean, low, high
}

// near says whether two numbers agree to 1e-6, or are both none.
func near(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-6 }

// TestBeliefs compares each policy's with its formula, in units of reward, by
// other means than the policy's.
func TestBeliefs(t *testing.T) {
	t.Parallel()
	none := math.NaN()
	mean := func(g seen, _ float64) (m, l, h float64) { return g.sum / g.n, none, none }
	index := func(of func(g seen, round float64) float64) func(seen, float64) (m, l, h float64) {
		return func(g seen, round float64) (m, l, h float64) { return g.sum / g.n, g.sum / g.n, of(g, round) }
	}
	bonus := func(c float64) func(seen, float64) (m, l, h float64) {
		return index(func(g seen, round float64) float64 { return g.sum/g.n + c*math.Sqrt(math.Log(round)/g.n) })
	}
	kl := func(m, d float64) float64 { // by bisection
		low, high := m, 1.0
		for range 60 {
			q := (low + high) / 2
			got := (1 - m) * math.Log((1-m)/(1-q))
			if m > 0 {
				got += m * math.Log(m/q)
			}
			if got <= d {
				low = q
			} else {
				high = q
			}
		}
		return low
	}
	rate := func(a, b float64) (m, l, h float64) {
		return a / (a + b), mathext.InvRegIncBeta(a, b, .05), mathext.InvRegIncBeta(a, b, .95)
	}
	const scale = 2
	for _, c := range []struct {
		v    variant
		want func(g seen, round float64) (m, l, h float64)
	}{
		{v("uniform"), mean},
		{v("round_robin"), mean},
		{v("epsilon_greedy"), mean},
		{v("softmax"), mean},
		{v("gradient", "reward_scale", 2.0), mean},
		{v("ucb1"), bonus(math.Sqrt2)},
		{v("ucb", "c", 0.5), bonus(0.5)},
		{v("ucb", "c", 0.5, "reward_scale", 2.0), bonus(0.5 * scale)},
		{v("ucb_tuned"), index(func(g seen, round float64) float64 {
			m, share := g.sum/g.n, math.Log(round)/g.n
			return m + math.Sqrt(share*min(.25, g.squares/g.n-m*m+math.Sqrt(2*share)))
		})},
		{v("moss"), index(func(g seen, _ float64) float64 {
			return g.sum/g.n + math.Sqrt(max(0, math.Log(800/(4*g.n)))/g.n)
		})},
		{v("kl_ucb"), index(func(g seen, round float64) float64 { return kl(g.sum/g.n, math.Log(round)/g.n) })},
		{v("kl_ucb", "c", 3.0, "reward_scale", 2.0), index(func(g seen, round float64) float64 {
			return scale * kl(g.sum/g.n/scale, (math.Log(round)+3*math.Log(math.Log(round)))/g.n)
		})},
		{v("bayes_ucb"), func(g seen, round float64) (m, l, h float64) {
			m = (1 + g.sum) / (2 + g.n)
			return m, m, mathext.InvRegIncBeta(1+g.sum, 1+g.n-g.sum, 1-1/round)
		}},
		{v("thompson"), func(g seen, _ float64) (m, l, h float64) { return rate(1+g.sum, 1+g.n-g.sum) }},
		{v("thompson", "prior", mapping("a", 3.0, "b", 90.0), "reward_scale", 2.0), func(g seen, _ float64) (m, l, h float64) {
			m, l, h = rate(3+g.sum/scale, 90+g.n-g.sum/scale)
			return scale * m, scale * l, scale * h
		}},
		{v("thompson", "form", "gaussian", "noise", .5, "prior", mapping("mean", .4, "sd", .1), "reward_scale", 2.0), func(g seen, _ float64) (m, l, h float64) {
			precision := 1/.01 + g.n/.25
			d := distuv.Normal{Mu: (.4/.01 + g.sum/scale/.25) / precision, Sigma: math.Sqrt(1 / precision)}
			return scale * d.Mu, scale * d.Quantile(.05), scale * d.Quantile(.95)
		}},
		{v("discounted_thompson", "discount", 1.0), func(g seen, _ float64) (m, l, h float64) { return rate(1+g.sum, 1+g.n-g.sum) }},
		{v("delayed_thompson", "delay", mapping("model", "credited")), func(g seen, _ float64) (m, l, h float64) { return rate(1+g.sum, 1+g.n-g.sum) }},
		{v("sliding_window_ucb", "window", int64(800), "xi", .8), bonus(math.Sqrt(.8))},
		{v("discounted_ucb", "discount", 1.0, "xi", .2), index(func(g seen, round float64) float64 {
			return g.sum/g.n + 2*math.Sqrt(.2*math.Log(round-1)/g.n)
		})},
		{v("cusum_ucb", "threshold", 1e9), index(func(g seen, round float64) float64 {
			return g.sum/g.n + math.Sqrt(math.Log(round-1)/g.n)
		})},
		{v("glr_kl_ucb", "delta", 1e-12), index(func(g seen, round float64) float64 { return kl(g.sum/g.n, math.Log(round)/g.n) })},
		{v("delayed_ucb", "c", .5, "delay", mapping("model", "credited")), bonus(.5)},
		// Without a context there is one feature, 1, and the ridge counts as a
		// failure.
		{v("lin_ucb", "alpha", .7), func(g seen, _ float64) (m, l, h float64) {
			m = g.sum / (g.n + 1)
			return m, m, m + .7*math.Sqrt(1/(g.n+1))
		}},
		{v("lin_thompson", "scale", .3, "reward_scale", 2.0), func(g seen, _ float64) (m, l, h float64) {
			d := distuv.Normal{Mu: g.sum / (g.n + 1), Sigma: scale * .3 * math.Sqrt(1/(g.n+1))}
			return d.Mu, d.Quantile(.05), d.Quantile(.95)
		}},
		{v("epsilon_greedy_regression"), func(g seen, _ float64) (m, l, h float64) { return g.sum / (g.n + 1), none, none }},
	} {
		for _, sends := range []int{0, 2, 300} {
			a, w, saw := plays(t, c.v, sends)
			m, l, h := beliefs(a, &w.in)
			for i, g := range saw {
				wm, wl, wh := c.want(g, float64(sends+1))
				if math.IsInf(wh, 0) || g.n == 0 && c.v.policy == "bayes_ucb" {
					wh = none
				}
				if !near(m[i], wm) || !near(l[i], wl) || !near(h[i], wh) {
					t.Errorf("%v after %d sends: arm %d (%+v) is believed %v [%v, %v], want %v [%v, %v]", c.v, sends, i, g, m[i], l[i], h[i], wm, wl, wh)
				}
			}
		}
	}
}

// TestBeliefsOfExp3 compares the estimates with sums of weighted losses.
func TestBeliefsOfExp3(t *testing.T) {
	t.Parallel()
	w := newWorld(800, .2, .3, .32, .1)
	a := v("exp3", "reward_scale", 2.0).agent(t, &w.spec, nil)
	w.begin(a, 1, agents.Train)
	if m, _, _ := beliefs(a, &w.in); !math.IsNaN(m[0]) {
		t.Errorf("nothing known, believed %v", m)
	}
	lost := make([]float64, 4)
	for range 500 {
		w.step(a)
		lost[w.act.Index] += (2 - w.out.Reward) / w.act.Prob
	}
	m, l, h := beliefs(a, &w.in)
	for i := range m {
		if !near(m[i], 2-lost[i]/500) || !math.IsNaN(l[i]) || !math.IsNaN(h[i]) {
			t.Errorf("arm %d is believed %v [%v, %v], want %v and no range", i, m[i], l[i], h[i], 2-lost[i]/500)
		}
	}
}

// TestBeliefsOfLogistic compares the middle 90 % with quantiles of 40,000 draws,
// within 4.5 standard errors of a share of 5 %.
func TestBeliefsOfLogistic(t *testing.T) {
	t.Parallel()
	w := rough(400)
	a := v("logistic_thompson", "scale", 0.8).agent(t, &w.spec, nil).(*logisticThompson)
	record(t, w, a, 0)
	in := envs.Step{Obs: []float64{0.3, -1, 2}}
	m, l, h := beliefs(a, &in)
	const n = 40_000
	below := make([][3]float64, 4)
	var act envs.Action
	for s := range n {
		in.T = s
		a.Act(&in, &act)
		for i, odds := range a.score {
			r := 1 / (1 + math.Exp(-odds))
			for j, bound := range []float64{l[i], m[i], h[i]} {
				if r < bound {
					below[i][j]++
				}
			}
		}
	}
	for i := range below {
		for j, want := range []float64{.05, .5, .95} {
			if share := below[i][j] / n; math.Abs(share-want) > 4.5*math.Sqrt(want*(1-want)/n) {
				t.Errorf("arm %d: %v of the draws are below its %v quantile", i, share, want)
			}
		}
	}
}

// TestBeliefsDecide checks that index policies play the arm of the highest
// index that they show, under delay, masks and contexts, and tables that of their
// segment. Turns of glr_kl_ucb and the share at random of cusum_ucb are left out;
// one that plays an arm of which it knows nothing shows no index for it.
func TestBeliefsDecide(t *testing.T) {
	t.Parallel()
	for _, v := range every() {
		if !strings.Contains(v.String(), "ucb") && v.policy != "moss" || v.policy == "cusum_ucb" {
			continue
		}
		w := rough(700)
		a := v.agent(t, &w.spec, nil)
		w.begin(a, 1, agents.Train)
		compared := 0
		for range w.spec.Horizon - 1 {
			_, _, high := beliefs(a, &w.in)
			mask := slices.Clone(w.in.Allowed)
			turn := v.policy == "glr_kl_ucb" && a.(*glrKLUCB).period > 0 && int(a.(*glrKLUCB).vec[0])%a.(*glrKLUCB).period < 4
			w.step(a)
			best, known := math.Inf(-1), true
			for i, q := range high {
				if mask[i] {
					best = max(best, q)
					known = known && !math.IsNaN(q)
				}
			}
			if !known || turn {
				continue
			}
			compared++
			if high[w.act.Index] < best-1e-9 {
				t.Fatalf("%v: step %d plays arm %d, index %v, of %v", v, w.in.T-1, w.act.Index, high[w.act.Index], high)
			}
		}
		if compared < 300 {
			t.Errorf("%v: only %d decisions were compared", v, compared)
		}
	}
}

// TestBeliefsOfTables checks that a table shows the beliefs of the policy of the
// segment, with all that it is to learn by then.
func TestBeliefsOfTables(t *testing.T) {
	t.Parallel()
	w := rough(500).withSegments(1)
	x := rough(500).withSegments(1)
	alone, table := v("ucb_tuned").agent(t, &w.spec, nil), v("segment_tables", "policy", "ucb_tuned").agent(t, &x.spec, nil)
	w.begin(alone, 1, agents.Train)
	x.begin(table, 1, agents.Train)
	for range 400 {
		w.step(alone)
		x.step(table)
		m, l, h := beliefs(alone, &w.in)
		tm, tl, th := beliefs(table, &x.in)
		for i := range m {
			if !near(m[i], tm[i]) || !near(l[i], tl[i]) || !near(h[i], th[i]) {
				t.Fatalf("step %d: alone %v %v %v, in a table %v %v %v", w.in.T, m, l, h, tm, tl, th)
			}
		}
	}
}
