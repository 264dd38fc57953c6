package email

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/envs"
)

// TestShares: devices and hours come as often as their shares say, also to
// recipients with a history, and the default shares written out change nothing.
func TestShares(t *testing.T) {
	t.Parallel()
	const horizon = 40_000
	devices := []float64{1, 0, 3}
	for _, number := range []int{0, 20_000} {
		e := build(t, object{"contexts": everyContext, "horizon": horizon, "devices": object{"shares": devices}, "hours": object{"shares": night}, "recipients": object{"number": number}})
		var device [3]float64
		var hour [hours]float64
		play(e, key(2), constant(0), func(s step) {
			device[int(s.before.Obs[1])]++
			hour[int(s.before.Obs[2])]++
		})
		n := float64(horizon)
		if number > 0 {
			n = float64(number) / 2 // each recipient has about two turns
		}
		for i, share := range devices {
			near(t, fmt.Sprintf("share of device %d of %d recipients", i, number), device[i]/horizon, share/4, 4.5*math.Sqrt(share/4*(1-share/4)/n))
		}
		for i, share := range night {
			near(t, fmt.Sprintf("share of hour %d", i), hour[i]/horizon, share/10, 4.5*math.Sqrt(share/10*(1-share/10)/horizon))
		}
	}
	given := build(t, object{"contexts": everyContext, "devices": object{"shares": []float64{11, 7, 2}}})
	null := build(t, object{"contexts": everyContext})
	if a, b := play(given, key(1), constant(0), nil), play(null, key(1), constant(0), nil); a != b {
		t.Errorf("the default shares of devices bring %v, written out %v", b, a)
	}
}

// TestContexts: what is observed is the recipient's cell, levels have their
// shares, and features are dummies and waves.
func TestContexts(t *testing.T) {
	t.Parallel()
	const horizon = 40_000
	e := build(t, object{"contexts": []string{"hour", "segment", "device"}, "horizon": horizon, "segments": object{"shares": []float64{1, 2, 5}}})
	s := e.Spec()
	var names []string
	for _, f := range s.Observation {
		names = append(names, f.Name)
	}
	if want := []string{"segment", "device", "hour", "context"}; !slices.Equal(names, want) {
		t.Fatalf("fields %v, want %v", names, want)
	}
	var counts [3][hours]float64
	both := 0.0
	play(e, key(1), constant(0), func(st step) {
		obs := st.before.Obs
		if len(obs) != s.Size() {
			t.Fatalf("%d numbers are seen, want %d", len(obs), s.Size())
		}
		segment, device, hour := int(obs[0]), int(obs[1]), int(obs[2])
		for i, level := range []int{segment, device, hour} {
			counts[i][level]++
		}
		both += oneIf(segment == 2 && device == 0)
		sin, cos := math.Sincos(2 * math.Pi * float64(hour) / 24)
		want := []float64{1, oneIf(segment == 1), oneIf(segment == 2), oneIf(device == 1), oneIf(device == 2), sin, cos}
		for i, x := range want {
			near(t, fmt.Sprintf("feature %d of %v", i, obs[:3]), obs[3+i], x, 1e-15)
		}
	})
	check := func(what string, got, share float64) {
		t.Helper()
		near(t, what, got/horizon, share, 4.5*math.Sqrt(share*(1-share)/horizon))
	}
	for i, shares := range [][]float64{{.125, .25, .625}, {.55, .35, .1}} {
		for level, share := range shares {
			check(fmt.Sprintf("share of level %d of context %d", level, i), counts[i][level], share)
		}
	}
	for h := range hours {
		check(fmt.Sprintf("share of hour %d", h), counts[2][h], 1./24)
	}
	check("share of segment 2 and device 0", both, .625*.55)
}

// TestLinks: rates are logistic or linear in the features, arm by arm.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"logistic", "linear"} {
		e := build(t, object{"contexts": []string{"segment", "device", "hour"}, "link": link, "effect": .2, "rate_range": []float64{.3, .6}})
		var in envs.Step
		e.Reset(key(1), &in)
		g, k := &e.grid, e.arms
		at := func(segment, device, hour, arm int) float64 {
			p := e.rates.table[((segment*g.devices+device)*g.hours+hour)*k+arm]
			if link == "logistic" {
				return math.Log(p / (1 - p))
			}
			return p
		}
		for cell := range g.cells {
			s, d, h := g.levels(cell)
			sin, cos := math.Sincos(2 * math.Pi * float64(h) / 24)
			for i := range k {
				// Midnight and noon are opposite, so their mean is without the wave.
				level := (at(0, 0, 0, i) + at(0, 0, 12, i)) / 2
				want := at(s, 0, 0, i) + at(0, d, 0, i) - at(0, 0, 0, i) - (at(0, 0, 0, i) - level)
				want += sin*(at(0, 0, 6, i)-level) + cos*(at(0, 0, 0, i)-level)
				near(t, fmt.Sprintf("%s: cell %d arm %d", link, cell, i), at(s, d, h, i), want, 1e-12)
			}
		}
		if a, b := at(0, 0, 0, 0), at(0, 1, 6, 0); a == b {
			t.Errorf("%s: device and hour change nothing", link)
		}
	}
}

// TestLevel: an hour's effects cancel over the day, in logits or in rates.
func TestLevel(t *testing.T) {
	t.Parallel()
	rates := []float64{.3, .45}
	for _, link := range []string{"logistic", "linear"} {
		e := build(t, object{"contexts": []string{"hour"}, "link": link, "rates": rates})
		var in envs.Step
		e.Reset(key(1), &in)
		for i, want := range rates {
			a, b := e.rates.table[i], e.rates.table[12*2+i]
			got := (a + b) / 2
			if link == "logistic" {
				got, want = (math.Log(a/(1-a))+math.Log(b/(1-b)))/2, math.Log(want/(1-want))
			}
			near(t, fmt.Sprintf("%s level of arm %d", link, i), got, want, 1e-12)
		}
	}
}

// TestSegments: rotated rates have different best arms, given ones are as given,
// and regret is against the best of each segment.
func TestSegments(t *testing.T) {
	t.Parallel()
	rates := []float64{.1, .2, .5}
	e := build(t, object{"contexts": []string{"segment"}, "rates": rates, "horizon": 3000})
	seen := map[int]int{}
	play(e, key(1), constant(2), func(s step) {
		segment := int(s.before.Obs[0])
		seen[segment]++
		for i, p := range e.before {
			if want := rates[(i+segment)%3]; p != want {
				t.Fatalf("segment %d has rate %v for arm %d, want %v", segment, p, i, want)
			}
		}
	})
	// Arm 2 has rates .5, .1 and .2 in the three segments.
	m := measured(t, e)
	near(t, "regret", m["regret"], .4*float64(seen[1])+.3*float64(seen[2]), 1e-9)
	near(t, "worst_segment", m["worst_segment"], .2, 1e-9)

	own := [][]float64{{.9, .1}, {.3, .4}}
	e = build(t, object{"contexts": []string{"segment"}, "rates": []float64{0, 0}, "horizon": 300, "segments": object{"names": []string{"a", "b"}, "rates": own}})
	play(e, key(1), oracle(e), func(s step) {
		if segment := int(s.before.Obs[0]); !slices.Equal(e.before, own[segment]) || s.arm != segment {
			t.Fatalf("segment %d has rates %v and best arm %d", segment, e.before, s.arm)
		}
	})

	e = build(t, object{"contexts": []string{"segment"}, "segments": object{"draw": "independent"}})
	var in envs.Step
	e.Reset(key(1), &in)
	base := slices.Clone(e.rates.base)
	slices.Sort(base)
	if len(slices.Compact(base)) != 15 {
		t.Errorf("independent segments have equal rates: %v", e.rates.base)
	}
}

// TestVeto: masks are as written, the best arm is an allowed one, and a vetoed
// send is a panic.
func TestVeto(t *testing.T) {
	t.Parallel()
	e := build(t, object{"rates": []float64{.1, .2, .5, .4}, "subjects": []string{"a", "b", "c", "a/b"}, "horizon": 900, "contexts": []string{"segment"},
		"segments": object{"names": []string{"a", "z"}, "draw": "rotate"}, "veto": []string{"a/b", "z/c", "a/c"}})
	want := [][]bool{{true, true, false, false}, {true, true, false, false}}
	play(e, key(1), oracle(e), func(s step) {
		segment := int(s.before.Obs[0])
		if !slices.Equal(s.before.Allowed, want[segment]) {
			t.Fatalf("segment %d may get %v, want %v", segment, s.before.Allowed, want[segment])
		}
		// Segment z has rates .2, .5, .4, .1.
		if s.arm != 1 {
			t.Fatalf("segment %d gets arm %d", segment, s.arm)
		}
	})
	if m := measured(t, e); m["regret"] != 0 || m["optimality"] != 1 {
		t.Errorf("the best allowed arms have %v", m)
	}
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, `"c" may not be sent`) {
			t.Errorf("a vetoed send gives %v", v)
		}
	}()
	play(e, key(1), constant(2), nil)
}

// TestRevenue: amounts have their mean and variance, and rise with the arm's
// mean for the same recipient.
func TestRevenue(t *testing.T) {
	t.Parallel()
	const horizon = 50_000
	means := []float64{.5, 20, 500}
	for _, kind := range []string{"poisson", "lognormal"} {
		e := build(t, object{"rates": []float64{1, 1, 1}, "horizon": horizon, "revenue": kind, "revenue_mean": means, "revenue_spread": .5})
		var before []float64
		for arm, mean := range means {
			var amounts []float64
			total := play(e, key(1), constant(arm), func(s step) { amounts = append(amounts, s.after.Reward) })
			variance := mean
			if kind == "lognormal" {
				variance = mean * mean * (math.Exp(.25) - 1)
			}
			near(t, fmt.Sprintf("%s mean of %v", kind, mean), total/horizon, mean, 4.5*math.Sqrt(variance/horizon))
			square := 0.0
			for i, x := range amounts {
				square += (x - total/horizon) * (x - total/horizon) / horizon
				if before != nil && x < before[i] {
					t.Fatalf("%s: recipient %d pays %v at a higher mean, %v at a lower", kind, i, x, before[i])
				}
			}
			near(t, fmt.Sprintf("%s variance of %v", kind, mean), square/variance, 1, .06)
			before = amounts
			m := measured(t, e)
			near(t, "revenue", m["revenue"], total, 0)
			near(t, "regret", m["regret"], (500-mean)*horizon, 1e-3)
		}
	}
	// A lower rate that pays more is best.
	e := build(t, object{"rates": []float64{.2, .3}, "revenue": "lognormal", "revenue_mean": []float64{30, 10}, "horizon": 100})
	play(e, key(1), oracle(e), func(s step) {
		if s.arm != 0 {
			t.Fatal("the arm with the higher rate is best, but it pays less")
		}
	})
}
