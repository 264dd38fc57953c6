package email

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"overnight/envs"
)

// path returns the rates of every send.
func path(e *Env, n uint64, policy func(*envs.Step) int) (rates [][]float64) {
	play(e, key(n), policy, func(step) { rates = append(rates, slices.Clone(e.before)) })
	return rates
}

// TestWorldIgnoresSends: only fatigue depends on what is sent.
func TestWorldIgnoresSends(t *testing.T) {
	t.Parallel()
	for _, name := range worlds {
		e := build(t, object{"world": name, "horizon": 500, "contexts": []string{"segment"}})
		one, other := path(e, 1, constant(0)), path(e, 1, cycle(5))
		if same := slices.EqualFunc(one, other, slices.Equal); same != (name != "fatigue") {
			t.Errorf("%s: rates are the same for two policies: %v", name, same)
		}
	}
}

func TestAbrupt(t *testing.T) {
	t.Parallel()
	e := build(t, object{"rates": []float64{.2, .7}, "horizon": 1000, "world": "abrupt", "abrupt": object{"at": []int{400, 500}, "change": "rotate"}})
	for i, p := range path(e, 1, constant(0)) {
		want := []float64{.2, .7}
		if i >= 400 && i < 500 {
			want = []float64{.7, .2}
		}
		if !slices.Equal(p, want) {
			t.Fatalf("send %d has rates %v, want %v", i, p, want)
		}
	}
	// Arm 1 is best over the run, 900 to 100; dynamically each loses .5 where it is not.
	m := measured(t, e)
	near(t, "regret of arm 0", m["regret"], .5*800, 1e-9)
	near(t, "dynamic regret of arm 0", m["dynamic_regret"], .5*900, 1e-9)
	play(e, key(1), constant(1), nil)
	m = measured(t, e)
	near(t, "regret of arm 1", m["regret"], 0, 1e-9)
	near(t, "dynamic regret of arm 1", m["dynamic_regret"], .5*100, 1e-9)
	play(e, key(1), oracle(e), nil)
	near(t, "regret of the dynamic oracle", measured(t, e)["regret"], -.5*100, 1e-9)

	e = build(t, object{"horizon": 1000, "world": "abrupt", "abrupt": object{"changes": 4}})
	for n := range uint64(20) {
		rates := path(e, n, constant(0))
		changes := 0
		for i := 1; i < len(rates); i++ {
			if !slices.Equal(rates[i-1], rates[i]) {
				changes++
			}
			for _, p := range rates[i] {
				if p < .1 || p > .6 {
					t.Fatalf("rate %v is out of range", p)
				}
			}
		}
		if distinct := len(slices.Compact(slices.Clone(e.rates.at))); changes != distinct || len(e.rates.at) != 4 {
			t.Errorf("rates change %d times, at %v", changes, e.rates.at)
		}
	}
}

// TestFixedComparator: regret under drift is against the one best arm for each
// context.
func TestFixedComparator(t *testing.T) {
	t.Parallel()
	e := build(t, object{"horizon": 900, "world": "abrupt", "contexts": []string{"segment", "device"}})
	totals := map[[2]float64][]float64{}
	sent := 0.0
	play(e, key(1), cycle(5), func(s step) {
		cell := [2]float64{s.before.Obs[0], s.before.Obs[1]}
		if totals[cell] == nil {
			totals[cell] = make([]float64, 5)
		}
		for i, p := range e.before {
			totals[cell][i] += p
		}
		sent += e.before[s.arm]
	})
	want := -sent
	for _, arms := range totals {
		want += slices.Max(arms)
	}
	near(t, "regret", measured(t, e)["regret"], want, 1e-9)
}

// TestRandomWalk: after t sends the logit has moved by a normal of mean 0 and
// variance sd^2 t, each arm by its own.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	const n, sd, runs = 100, .05, 2000
	e := build(t, object{"rates": []float64{.3, .5}, "horizon": n + 1, "world": "random_walk", "random_walk": object{"sd": sd}})
	var mean, square [2]float64
	product := 0.0
	for r := range uint64(runs) {
		rates := path(e, r, constant(0))
		if rates[0][0] != e.now[0] && math.Abs(rates[0][0]-.3) > 1e-15 {
			t.Fatalf("the first rate is %v, want .3", rates[0][0])
		}
		var moved [2]float64
		for i, p := range []float64{.3, .5} {
			moved[i] = math.Log(rates[n][i]/(1-rates[n][i])) - math.Log(p/(1-p))
			mean[i] += moved[i] / runs
			square[i] += moved[i] * moved[i] / runs
		}
		product += moved[0] * moved[1] / runs
	}
	variance := sd * sd * float64(n)
	for i := range mean {
		near(t, "mean", mean[i], 0, 4*math.Sqrt(variance/runs))
		near(t, "variance", square[i], variance, 4*variance*math.Sqrt(2.0/runs))
	}
	near(t, "covariance", product, 0, 4*variance/math.Sqrt(runs))
}

func TestSeasonal(t *testing.T) {
	t.Parallel()
	base := []float64{.3, .5, .02}
	for _, phase := range [][]float64{nil, {0, .25, 1}} {
		season := object{"amplitude": .8, "period": 137.5}
		want := []float64{0, 1. / 3, 2. / 3}
		if phase != nil {
			season["phase"], want = phase, phase
		}
		e := build(t, object{"rates": base, "horizon": 600, "world": "seasonal", "seasonal": season})
		for i, rates := range path(e, 1, constant(0)) {
			for a, p := range rates {
				l := math.Log(base[a]/(1-base[a])) + .8*math.Sin(2*math.Pi*(float64(i)/137.5+want[a]))
				near(t, fmt.Sprintf("rate of arm %d at %d", a, i), p, 1/(1+math.Exp(-l)), 1e-12)
			}
		}
	}
}

// TestFatigue: n sends in a row leave f = loss (q + ... + q^n), q = 1 - recovery,
// and m sends of another let q^m of it remain.
func TestFatigue(t *testing.T) {
	t.Parallel()
	const loss, q, n = .02, .97, 200
	e := build(t, object{"rates": []float64{.4, .3}, "horizon": 2 * n, "world": "fatigue", "fatigue": object{"loss": loss, "recovery": 1 - q}})
	for i, p := range path(e, 1, func(in *envs.Step) int { return in.T / n }) {
		f0 := loss * q * (1 - math.Pow(q, float64(min(i, n)))) / (1 - q) * math.Pow(q, float64(max(0, i-n)))
		f1 := loss * q * (1 - math.Pow(q, float64(max(0, i-n)))) / (1 - q)
		near(t, fmt.Sprintf("rate of arm 0 at %d", i), p[0], .4/(1+f0), 1e-12)
		near(t, fmt.Sprintf("rate of arm 1 at %d", i), p[1], .3/(1+f1), 1e-12)
	}
}

// TestOracle: the best arm at each send has no dynamic regret, in every world,
// and what Best promises is what comes on average.
func TestOracle(t *testing.T) {
	t.Parallel()
	for _, p := range variety {
		e := build(t, p)
		var a envs.Action
		promised, got, square, sends := 0.0, 0.0, 0.0, 0
		for n := range uint64(4) {
			play(e, key(n), oracle(e), func(s step) {
				sends++
				got += e.last.caused
				promised += e.worth(e.before, s.arm)
				d := e.last.caused - e.worth(e.before, s.arm)
				square += d * d
			})
			if v := e.Best(&a); v != e.worth(e.now, a.Index) {
				t.Errorf("%v: Best promises %v", p, v)
			}
			m := measured(t, e)
			if m["dynamic_regret"] != 0 || m["regret"] > 1e-9 || m["best_arm_share"] != 1 || m["realised_regret"] != 0 {
				t.Errorf("%v: the oracle has %v", p, m)
			}
			if o, ok := m["optimality"]; ok && o != 1 {
				t.Errorf("%v: the oracle's optimality is %v", p, o)
			}
		}
		near(t, fmt.Sprintf("%v: what came of %d sends", p, sends), got, promised, 4.5*math.Sqrt(square))
	}
}

func TestOptimum(t *testing.T) {
	t.Parallel()
	given := []float64{.1, .2, .3, .4, .5}
	for _, c := range []struct {
		p    object
		want envs.Optimum
	}{
		{object{}, envs.UpperBound},
		{object{"rates": given}, envs.Exact},
		{object{"rates_from": "study"}, envs.Exact},
		{object{"rates": given, "world": "seasonal"}, envs.Exact},
		{object{"rates": given, "world": "abrupt"}, envs.UpperBound},
		{object{"rates": given, "world": "random_walk"}, envs.UpperBound},
		{object{"rates": given, "world": "fatigue"}, envs.Reference},
		{object{"rates": given, "contexts": []string{"segment"}}, envs.Exact},
		{object{"rates": given, "contexts": []string{"device"}}, envs.UpperBound},
		{object{"rates": given, "contexts": []string{"device"}, "rates_from": "study"}, envs.Exact},
		{object{"rates": given, "delay": "geometric"}, envs.Exact},
		{object{"rates": given, "delay": "geometric", "delay_mean": []float64{1, 2, 3, 4, 5}}, envs.Reference},
	} {
		if got := build(t, c.p).Spec().Optimum; got != c.want {
			t.Errorf("%v: optimum %v, want %v", c.p, got, c.want)
		}
	}
}
