package guard

import (
	"math"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
)

// TestLower compares with the definition, and with rates of the same bound.
func TestLower(t *testing.T) {
	t.Parallel()
	kl := func(m, q float64) float64 {
		d := 0.0
		if m > 0 {
			d = m * math.Log(m/q)
		}
		if m < 1 {
			d += (1 - m) * math.Log((1-m)/(1-q))
		}
		return d
	}
	for _, n := range []float64{1, 10, 300, 1e5} {
		for _, share := range []float64{0, .1, .5, 1} {
			s := math.Round(n * share)
			q := lower(s, n, .025)
			if s == 0 {
				if q != 0 {
					t.Errorf("no conversion in %v: at least %v", n, q)
				}
				continue
			}
			budget := allowance(s, n, .025)
			if inside, outside := n*kl(s/n, q+1e-9), n*kl(s/n, max(q-1e-9, 1e-300)); inside > budget || outside < budget || q > s/n {
				t.Errorf("%v of %v: %v, where n kl is %v to %v, want %v", s, n, q, outside, inside, budget)
			}
		}
	}
}

// allowance returns the right side of the rule.
func allowance(s, n, alpha float64) float64 {
	v := math.Log((n + 1) / alpha)
	if s > 0 && s < n {
		v -= math.Log(2*math.Pi*s*(n-s)/n) / 2
	}
	return v
}

// TestMixture checks that the rule's right side bounds the exact martingale: a
// rate that is out of question has a mixture above 1/alpha.
func TestMixture(t *testing.T) {
	t.Parallel()
	for n := 1.; n <= 400; n++ {
		for s := 0.; s <= n; s++ {
			a, _ := math.Lgamma(s + 1)
			b, _ := math.Lgamma(n - s + 1)
			c, _ := math.Lgamma(n + 2)
			// ln of the mixture's value at q, less n kl(s/n, q).
			excess := a + b - c
			if s > 0 {
				excess -= s * math.Log(s/n)
			}
			if s < n {
				excess -= (n - s) * math.Log(1-s/n)
			}
			if got := n * budget(s, n, .05); got < -excess-math.Log(.05)-1e-9 || got > -excess-math.Log(.05)+.2 {
				t.Fatalf("%v of %v: allows %v, the exact mixture %v", s, n, got, -excess-math.Log(.05))
			}
		}
	}
}

// TestDropped compares the rule with its definition on a grid of rates: it
// strikes where no pair of rates that are both still possible, at half of alpha
// each, has the policy's at 1 - drop times the holdout's or above.
func TestDropped(t *testing.T) {
	t.Parallel()
	possible := func(s, n, q, alpha float64) bool {
		d := 0.0
		if s > 0 {
			d += s * math.Log(s/n/q)
		}
		if s < n {
			d += (n - s) * math.Log((1-s/n)/(1-q))
		}
		return d <= allowance(s, n, alpha)
	}
	e := world(t, "horizon", int64(100_000))
	g := unwrap(guardOf(t, e, "first", mapping("holdout", .1, "stop", mapping("drop", .2, "confidence", .9))))
	struck, close := 0, 0
	for _, n := range []int64{200, 2_000} {
		for _, m := range []int64{100, 1_000} {
			for _, t0 := range []int64{m / 10, m * 3 / 10, m * 9 / 10} {
				for s := int64(0); s <= n; s += n / 100 {
					g.book.n, g.book.conversions = [2]int64{n, m}, [2]int64{s, t0}
					const fine = 20_000
					top, bottom := 0., 1. // of the policy's and the holdout's possible rates
					for i := 1.; i < fine; i++ {
						if possible(float64(s), float64(n), i/fine, .05) {
							top = i / fine
						}
						if bottom == 1 && possible(float64(t0), float64(m), i/fine, .05) {
							bottom = i / fine
						}
					}
					if math.Abs(top-.8*bottom) < 2./fine {
						close++
						continue
					}
					if got, want := g.dropped(), top < .8*bottom; got != want {
						t.Errorf("%d of %d against %d of %d: dropped %v, at most %v against at least %v", s, n, t0, m, got, top, bottom)
					} else if got {
						struck++
					}
				}
			}
		}
	}
	if struck < 100 || close > 10 {
		t.Errorf("struck %d times, %d were too close to tell", struck, close)
	}
}

// crossing returns the exact probability that a policy of rate p is ever stopped
// within n sends against q, by the distribution of conversions over sends that
// were not stopped.
func crossing(p, q, alpha float64, n int) float64 {
	alive, next := make([]float64, n+2), make([]float64, n+2)
	alive[0] = 1
	stopped := 0.0
	for i := 1; i <= n; i++ {
		clear(next)
		for s, v := range alive[:i] {
			next[s] += v * (1 - p)
			next[s+1] += v * p
		}
		alive, next = next, alive
		for s, v := range alive[:i+1] {
			m := float64(s) / float64(i)
			if v == 0 || m >= q {
				continue
			}
			d := (1 - m) * math.Log((1-m)/(1-q))
			if m > 0 {
				d += m * math.Log(m/q)
			}
			if float64(i)*d > allowance(float64(s), float64(i), alpha) {
				stopped += v
				alive[s] = 0
			}
		}
	}
	return stopped
}

// stops plays runs and returns the share that was stopped and the mean send of
// those.
func stops(t *testing.T, e envs.Env, name string, rails *param.Map, runs int) (share, at float64) {
	t.Helper()
	var a agents.Agent
	struck := 0.0
	for i := range uint64(runs) {
		a = again(t, e, a, name, rails)
		r := start(e, a, i)
		r.finish()
		if s := r.report()["stopped_at"]; s <= float64(e.Spec().Horizon) {
			struck++
			at += s
		}
	}
	return struck / float64(runs), at / max(struck, 1)
}

// TestFalseStops plays a policy whose rate is exactly the least that must not be
// stopped, .8 x .25 = .2, 1,000 times: as often as the exact probability, which
// is below 1 - confidence, within 4 standard errors. A better one is stopped less
// often, a worse one as often as the exact probability too.
func TestFalseStops(t *testing.T) {
	t.Parallel()
	const runs, horizon = 1_000, 1_000
	for _, c := range []struct{ rate, confidence float64 }{{.2, .95}, {.2, .5}, {.22, .5}, {.15, .9}} {
		want := crossing(c.rate, .2, 1-c.confidence, horizon)
		e := world(t, "horizon", int64(horizon), "rates", list(c.rate, .9))
		got, _ := stops(t, e, "first", mapping("stop", mapping("drop", .2, "rate", .25, "confidence", c.confidence)), runs)
		t.Logf("rate %v, confidence %v: stopped %.4f, exactly %.4f", c.rate, c.confidence, got, want)
		if math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/runs) {
			t.Errorf("rate %v, confidence %v: stopped %.4f of the time, exactly %.4f", c.rate, c.confidence, got, want)
		}
		if c.rate >= .2 && want > 1-c.confidence {
			t.Errorf("rate %v: a false stop has probability %v at confidence %v", c.rate, want, c.confidence)
		}
	}
}

// TestFalseStopsOfHoldout plays, against a holdout of equal rate and against a
// rate from before, policies that are no worse, with outcomes at once, in
// batches, late, and late within a window. At confidence .9 false stops are at
// most .1 of 300 runs, plus 3 standard errors.
func TestFalseStopsOfHoldout(t *testing.T) {
	t.Parallel()
	const runs = 200
	against := []*param.Map{
		mapping("holdout", .2, "stop", mapping("drop", 0.0, "confidence", .9)),
		mapping("stop", mapping("drop", 0.0, "rate", .3, "confidence", .9)),
	}
	for _, kv := range [][]any{
		nil,
		{"batch", int64(200)},
		{"delay", "fixed", "delay_mean", 200.0},
		{"delay", "geometric", "delay_mean", 50.0},
		{"delay", "geometric", "delay_mean", 50.0, "window", int64(400)},
	} {
		for _, rails := range against {
			for _, w := range []struct {
				name  string
				rates []param.Value
			}{{"first", list(.3, .3, .3)}, {"epsilon_greedy", list(.3, .3, .3)}, {"thompson", fiveRates}} {
				e := world(t, append([]any{"horizon", int64(800), "rates", w.rates}, kv...)...)
				got, at := stops(t, e, w.name, rails, runs)
				if got > .1+3*math.Sqrt(.1*.9/runs) {
					t.Errorf("%s, %v, %s: falsely stopped %.3f of the time, at %.0f", w.name, kv, param.FormatValue(rails), got, at)
				}
			}
		}
	}
}

// TestUnevenDelays plays the later of two actions of equal rate. Until it has
// outcomes nothing tells it from one that does not convert, so the rule against the
// holdout strikes falsely, before the window closes too; the rule against a rate
// from before waits for the window.
func TestUnevenDelays(t *testing.T) {
	t.Parallel()
	const runs = 200
	e := world(t, "horizon", int64(3_000), "rates", list(.3, .3), "delay", "fixed", "delay_mean", list(800, 0), "window", int64(1_000))
	for _, c := range []struct {
		rails       *param.Map
		least, most float64
	}{
		{mapping("holdout", .2, "stop", mapping("drop", .2)), .9, 1},
		{mapping("stop", mapping("drop", .2, "rate", .3)), 0, .05},
	} {
		got, at := stops(t, e, "first", c.rails, runs)
		t.Logf("%s: stopped %.3f of %d runs, at send %.0f on average", param.FormatValue(c.rails), got, runs, at)
		if got < c.least || got > c.most {
			t.Errorf("%s: stopped %.3f of the time, want %v to %v", param.FormatValue(c.rails), got, c.least, c.most)
		}
	}
}

// TestStopsTheWorst plays the worst of five arms: .1, where the holdout has .3.
// It is stopped in every run, soon, and what follows is uniform, with that
// propensity, whatever the policy wants.
func TestStopsTheWorst(t *testing.T) {
	t.Parallel()
	e := world(t, "horizon", int64(4_000), "rates", fiveRates)
	for _, c := range []struct {
		name   string
		rails  *param.Map
		latest float64 // of the mean
	}{
		{"holdout of a tenth", mapping("holdout", .1, "stop", mapping("drop", .2)), 1_350},
		{"holdout of a half", mapping("holdout", .5, "stop", mapping("drop", .2)), 750},
		{"rate", mapping("stop", mapping("drop", .2, "rate", .3)), 100},
	} {
		share, at := stops(t, e, "first", c.rails, 200)
		t.Logf("%s: stopped %.3f of 200 runs, at send %.0f on average", c.name, share, at)
		if share < 1 || at > c.latest {
			t.Errorf("%s: stopped %.3f of the time, at %.0f on average", c.name, share, at)
		}
	}
	r := start(e, guardOf(t, e, "first", mapping("holdout", .3, "floor", .01, "share_cap", .95, "stop", mapping("drop", .2))), 1)
	var sent [5]float64
	sends := 0.0
	for !r.in.Done {
		stopped := unwrap(r.agent).book.stopped > 0
		r.step()
		if stopped {
			sent[r.act.Index]++
			sends++
			if r.act.Prob != .2 {
				t.Fatalf("propensity %v after the stop", r.act.Prob)
			}
		}
	}
	if sends < 1_000 {
		t.Fatalf("%v sends after the stop", sends)
	}
	for i, n := range sent {
		if math.Abs(n/sends-.2) > 5*math.Sqrt(.2*.8/sends) {
			t.Errorf("after the stop arm %d has %.4f of the sends", i, n/sends)
		}
	}
}
