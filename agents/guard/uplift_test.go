package guard

import (
	"math"
	"slices"
	"testing"
)

// TestIntervals compares with Newcombe 1998, table II, method 10, to the digits
// printed there.
func TestIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ s, n, t, m, low, high float64 }{
		{56, 70, 48, 80, .0524, .3339},
		{9, 10, 3, 10, .1705, .8090},
		{6, 7, 2, 7, .0582, .8062},
		{5, 56, 0, 29, -.0381, .1926},
		{0, 10, 0, 20, -.1611, .2775},
		{0, 10, 0, 10, -.2775, .2775},
		{10, 10, 0, 20, .6791, 1},
		{10, 10, 0, 10, .6075, 1},
	} {
		d, low, high := uplift(c.s, c.n, c.t, c.m)
		if math.Abs(d-(c.s/c.n-c.t/c.m)) > 1e-15 || math.Abs(low-c.low) > 5e-5+1e-9 || math.Abs(high-c.high) > 5e-5+1e-9 {
			t.Errorf("%v/%v - %v/%v = %v in [%.4f, %.4f], want [%.4f, %.4f]", c.s, c.n, c.t, c.m, d, low, high, c.low, c.high)
		}
	}
	if d, low, high := uplift(3, 4, 0, 0); !math.IsNaN(d) || !math.IsNaN(low) || !math.IsNaN(high) {
		t.Errorf("an empty group gives %v in [%v, %v]", d, low, high)
	}
}

// TestTails compares with the C library's erfc (x / sqrt 2) on both sides of the
// change of formula, and with scipy.stats.chi2.sf 1.10.1.
func TestTails(t *testing.T) {
	t.Parallel()
	for x := 0.01; x < 30; x *= 1.1 {
		if got, want := tails(x), math.Erfc(x/math.Sqrt2); math.Abs(got/want-1) > 1e-11 {
			t.Errorf("tails(%v) = %v, want %v", x, got, want)
		}
	}
	for _, c := range []struct{ k, n, h, want float64 }{
		{90, 1_000, .1, 0.29184054514378543},
		{130, 1_000, .1, 0.001565402258002549},
		{1_600, 9_600, .2, 3.215262727387118e-16},
		{10, 100, .1, 1},
	} {
		if got := mismatch(c.k, c.n, c.h); math.Abs(got/c.want-1) > 1e-10 {
			t.Errorf("%v of %v at %v: p = %v, want %v", c.k, c.n, c.h, got, c.want)
		}
	}
	if p := mismatch(3, 49, .1); !math.IsNaN(p) {
		t.Errorf("4.9 expected: p = %v", p)
	}
}

// TestUpliftCovers plays 2,000 runs of 500 sends, a tenth holdout, and counts how
// often the interval has the true difference: of a fixed arm .5 - .3, of
// Thompson sampling the mean rate of what it sent, less .3. Within 4 standard
// errors of .95 (.0049 each).
func TestUpliftCovers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fifth", "thompson"} {
		e := world(t, "horizon", int64(500), "rates", fiveRates)
		a := guardOf(t, e, name, mapping("holdout", .1))
		const runs = 2_000
		covered, sum, truth := 0.0, 0.0, 0.0
		r := &run{env: e}
		for i := range uint64(runs) {
			a = again(t, e, a, name, mapping("holdout", .1))
			r.agent = a
			r.begin(i)
			rates, sends := 0.0, 0.0
			for !r.in.Done {
				held := unwrap(a).held(&r.in)
				r.step()
				if !held {
					rates += .1 * float64(r.act.Index+1)
					sends++
				}
			}
			m := r.report()
			want := rates/sends - .3
			sum += m["holdout_uplift"] / runs
			truth += want / runs
			if m["holdout_uplift_low"] <= want && want <= m["holdout_uplift_high"] {
				covered += 1. / runs
			}
		}
		t.Logf("%s: uplift %.4f, true %.4f, covered %.4f", name, sum, truth, covered)
		if math.Abs(covered-.95) > 4*.0049 {
			t.Errorf("%s: the interval covers %.4f", name, covered)
		}
		// One difference has a standard deviation of about .069.
		if math.Abs(sum-truth) > 4*.069/math.Sqrt(runs) {
			t.Errorf("%s: mean uplift %.4f, true %.4f", name, sum, truth)
		}
	}
}

// TestMismatch checks that the p-value is uniform where nothing is wrong
// (Kolmogorov's distance over 1,000 runs below 1.95/sqrt(1,000), which is
// exceeded once in 1,000, with .01 for the steps of a count), of sends and of
// people; and that the loss of every tenth log of the holdout shows.
func TestMismatch(t *testing.T) {
	t.Parallel()
	for _, kv := range [][]any{{}, {"recipients", mapping("number", int64(1_500))}} {
		e := world(t, append([]any{"horizon", int64(2_000), "rates", fiveRates}, kv...)...)
		rails := mapping("holdout", .3)
		a := guardOf(t, e, "fifth", rails)
		var p []float64
		for i := range uint64(1_000) {
			a = again(t, e, a, "fifth", rails)
			p = append(p, start(e, a, i).finish().report()["srm_p"])
		}
		slices.Sort(p)
		worst := 0.0
		for i, v := range p {
			n := float64(len(p))
			worst = max(worst, math.Abs(v-float64(i)/n), math.Abs(v-float64(i+1)/n))
		}
		t.Logf("%v: distance %.4f, below .05: %d", kv, worst, countBelow(p, .05))
		if worst > 1.95/math.Sqrt(1_000)+.01 {
			t.Errorf("%v: p-values are %.4f from uniform", kv, worst)
		}
	}
	e := world(t, "horizon", int64(10_000), "rates", fiveRates)
	r := start(e, guardOf(t, e, "fifth", mapping("holdout", .3)), 1)
	seen := 0
	r.lost = func(r *run) bool {
		if !unwrap(r.agent).held(&r.in) {
			return false
		}
		seen++
		return seen%10 == 0
	}
	if p := r.finish().report()["srm_p"]; !(p < 1e-4) {
		t.Errorf("a tenth of the holdout's logs is lost and p = %v", p)
	}
}

func countBelow(p []float64, at float64) int {
	n := 0
	for _, v := range p {
		if v < at {
			n++
		}
	}
	return n
}

// TestRipe checks of how many sends outcomes are taken as known, whatever the
// delay: the numbers are those of the run's settings.
func TestRipe(t *testing.T) {
	t.Parallel()
	const horizon = 1_000
	for _, c := range []struct {
		kv        []any
		low, high int64 // ripe sends
		exact     bool  // every conversion of a ripe send is counted
	}{
		{nil, horizon, horizon, true},
		{[]any{"batch", int64(300)}, horizon, horizon, true},
		{[]any{"delay", "fixed", "delay_mean", 70.0}, horizon - 70, horizon - 70, true},
		{[]any{"delay", "geometric", "delay_mean", 20.0, "window", int64(90)}, horizon - 90, horizon - 90, true},
		{[]any{"delay", "geometric", "delay_mean", 20.0}, horizon - 400, horizon - 60, false},
		{[]any{"anonymous", true}, 0, 0, true},
	} {
		e := world(t, append([]any{"horizon", int64(horizon), "rates", fiveRates}, c.kv...)...)
		r := start(e, guardOf(t, e, "fifth", mapping("holdout", .3, "stop", mapping("drop", .99))), 2).finish()
		b := &unwrap(r.agent).book
		if n := b.n[choice] + b.n[holdout]; n < c.low || n > c.high {
			t.Errorf("%v: %d ripe sends, want %d to %d", c.kv, n, c.low, c.high)
		}
		want := [2]int64{}
		within := int64(horizon)
		if c.kv != nil && c.kv[len(c.kv)-2] == "window" {
			within = 90
		}
		other := start(world(t, "horizon", int64(horizon), "rates", fiveRates), guardOf(t, e, "fifth", mapping("holdout", .3)), 2)
		for !other.in.Done && int64(other.in.T) < b.ripe {
			h := group(map[bool]byte{true: isHoldout}[unwrap(other.agent).held(&other.in)])
			other.step()
			if other.out.Reward = other.in.Reward; other.out.Reward > 0 {
				want[h]++
			}
		}
		if within == horizon && c.exact && c.high > 0 && b.conversions != want {
			t.Errorf("%v: conversions %v, want %v", c.kv, b.conversions, want)
		}
		if !c.exact {
			missing := float64(want[0]+want[1]-b.conversions[0]-b.conversions[1]) / float64(want[0]+want[1])
			t.Logf("%v: %d ripe sends, %.4f of their conversions not seen", c.kv, b.n[0]+b.n[1], missing)
			if missing < 0 || missing > .02 {
				t.Errorf("%v: %.4f of the conversions of ripe sends are missing", c.kv, missing)
			}
		}
		if m := r.report(); c.high == 0 && !(math.IsNaN(m["holdout_uplift"]) && math.IsNaN(m["stopped_at"]) && m["holdout_sends"] > 200 && m["srm_p"] > 0) {
			t.Errorf("anonymous outcomes give %v", m)
		}
	}
}

// TestUpliftEndsAtStop checks that what is sent after the stop is in no rate.
func TestUpliftEndsAtStop(t *testing.T) {
	t.Parallel()
	for _, kv := range [][]any{{}, {"delay", "fixed", "delay_mean", 50.0}} {
		e := world(t, append([]any{"horizon", int64(5_000), "rates", fiveRates}, kv...)...)
		r := start(e, guardOf(t, e, "first", mapping("holdout", .2, "stop", mapping("drop", .1))), 1).finish()
		b, m := &unwrap(r.agent).book, r.report()
		if at := m["stopped_at"]; at > 2_000 || float64(b.n[0]+b.n[1]) != at {
			t.Errorf("%v: stopped at %v, and %d sends are counted", kv, at, b.n[0]+b.n[1])
		}
		if d := m["holdout_uplift"]; d > -.1 || d < -.3 {
			t.Errorf("%v: uplift %v, and the truth is -.2", kv, d)
		}
		if h := m["holdout_sends"]; math.Abs(h-1_000) > 150 {
			t.Errorf("%v: %v sends of the holdout, want those after the stop too", kv, h)
		}
	}
}
