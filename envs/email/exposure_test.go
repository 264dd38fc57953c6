package email

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"overnight/envs"
	"overnight/internal/param"
)

// TestFloorViolations compares with a count over whole slices: each segment's
// sends cut into windows, under vetoes, caps and unequal segments.
func TestFloorViolations(t *testing.T) {
	t.Parallel()
	segments := []string{"segment"}
	for _, p := range []object{
		{"exposure": object{"floor": .2, "within": 50}},
		{"exposure": object{"floor": .19, "within": 100}, "batch": 9, "delay": "geometric"},
		{"exposure": object{"floor": .15, "within": 40}, "contexts": everyContext, "segments": object{"shares": []float64{1, 2, 5}}},
		{"exposure": object{"floor": .2, "within": 60}, "contexts": segments, "veto": []string{"Last Chance to Save", "new/Free Gift Waiting"}},
		{"exposure": object{"floor": .2, "within": 90}, "contexts": segments, "recipients": object{"number": 60, "cap": 2, "within": 200}},
	} {
		p["horizon"] = 2_345
		e := build(t, p)
		type send struct {
			arm     int
			allowed []bool
		}
		sends := make([][]send, e.grid.segments)
		play(e, key(2), uniform(e.actions, key(3)), func(s step) {
			segment := 0
			if e.grid.segments > 1 {
				segment = int(s.before.Obs[0])
			}
			sends[segment] = append(sends[segment], send{s.arm, slices.Clone(s.before.Allowed)})
		})
		want, most := 0, 0
		for _, all := range sends {
			for window := range slices.Chunk(all, e.p.Exposure.Within) {
				if len(window) < e.p.Exposure.Within {
					continue
				}
				for arm := range e.arms {
					most++
					could, got := 0, 0
					for _, s := range window {
						could += int(oneIf(s.allowed == nil || s.allowed[arm]))
						got += int(oneIf(s.arm == arm))
					}
					if percent := int(math.Round(100 * e.p.Exposure.Floor)); 100*got < percent*could {
						want++
					}
				}
			}
		}
		if got := measured(t, e)["floor_violations"]; got != float64(want) || want == 0 || want == most {
			t.Errorf("%v: %v violations, want %d of %d", p, got, want, most)
		}
	}
}

// TestFloorExact: what is sent in turn has exactly its share, and what is never
// sent fails in every whole window.
func TestFloorExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		floor, within, horizon, arms int
		policy                       func(*envs.Step) int
		want                         float64
	}{
		{20, 500, 10_000, 5, cycle(5), 0},
		{20, 500, 10_000, 5, cycle(4), 20},
		{20, 499, 10_000, 5, cycle(5), 20},
		{20, 500, 10_499, 5, constant(0), 20 * 4},
		{7, 100, 1_000, 2, func(in *envs.Step) int { return int(oneIf(in.T%100 >= 93)) }, 0},
		{7, 100, 1_000, 2, func(in *envs.Step) int { return int(oneIf(in.T%100 >= 94)) }, 10},
		{50, 1, 10, 2, cycle(2), 10},
	} {
		e := build(t, object{"rates": make([]float64, c.arms), "horizon": c.horizon, "exposure": object{"floor": float64(c.floor) / 100, "within": c.within}})
		play(e, key(1), c.policy, nil)
		near(t, fmt.Sprintf("violations of %d %% in %d", c.floor, c.within), measured(t, e)["floor_violations"], c.want, 0)
	}
	// Every whole percent of every number of sends: as many as the floor asks are
	// enough, and one fewer is not.
	for percent := int32(1); percent <= 100; percent++ {
		for could := int32(1); could < 2000; could++ {
			need := (percent*could + 99) / 100
			if floor := float64(percent) / 100; short(floor, could, need) || !short(floor, could, need-1) {
				t.Fatalf("%d of %d against %v", need, could, floor)
			}
		}
	}
}

// TestFloorBySegment: a floor that holds over the audience fails in segments.
func TestFloorBySegment(t *testing.T) {
	t.Parallel()
	p := object{"subjects": []string{"a", "b", "c"}, "horizon": 6_000, "exposure": object{"floor": .2}}
	bySegment := func(in *envs.Step) int { return int(in.Obs[0]) }
	p["contexts"] = []string{"segment"}
	e := build(t, p)
	sends := [3]int{}
	play(e, key(1), bySegment, func(s step) { sends[int(s.before.Obs[0])]++ })
	want := 0
	for _, n := range sends {
		want += 2 * (n / 500)
	}
	near(t, "violations by segment", measured(t, e)["floor_violations"], float64(want), 0)
}

// TestFloorByChance: where each subject line is sent with the floor's own
// probability, each window fails with P(Binomial(n, f) < f n); a margin brings
// that to nearly nothing. 40 runs of 20 windows and 5 subject lines, four
// standard errors.
func TestFloorByChance(t *testing.T) {
	t.Parallel()
	e := build(t, object{"exposure": object{"floor": .2}})
	for _, floor := range []float64{.2, .15} {
		e.totals.exposure.floor = floor
		want, n := 0.0, 500.0
		for m := range int(math.Round(floor * n)) {
			a, _ := math.Lgamma(n + 1)
			b, _ := math.Lgamma(float64(m) + 1)
			c, _ := math.Lgamma(n - float64(m) + 1)
			want += math.Exp(a - b - c + float64(m)*math.Log(.2) + (n-float64(m))*math.Log(.8))
		}
		const runs = 40
		sum, square := 0.0, 0.0
		for r := range uint64(runs) {
			play(e, key(r), uniform(5, key(500+r)), nil)
			v := measured(t, e)["floor_violations"] / 100
			sum += v / runs
			square += v * v / runs
		}
		t.Logf("floor %v: share of windows below %.4f, binomial %.4f", floor, sum, want)
		near(t, fmt.Sprintf("share of windows below %v", floor), sum, want, 4*math.Sqrt(max(square-sum*sum, want/100)/runs))
	}
}

// TestSegmentGap: the best-served segment's share of what it could have had,
// less the worst-served one's.
func TestSegmentGap(t *testing.T) {
	t.Parallel()
	e := build(t, object{"contexts": everyContext, "horizon": 3_000, "exposure": object{"floor": .01}, "revenue": "poisson", "revenue_mean": []float64{1, 2, 3, 4, 5}})
	var got, could [3]float64
	play(e, key(1), cycle(5), func(s step) {
		segment := int(s.before.Obs[0])
		most := 0.0
		for i, p := range e.before {
			most = max(most, p*float64(i+1))
		}
		got[segment] += e.before[s.arm] * float64(s.arm+1)
		could[segment] += most
	})
	served := make([]float64, 3)
	for i := range served {
		served[i] = got[i] / could[i]
	}
	m := measured(t, e)
	near(t, "worst_segment", m["worst_segment"], slices.Min(served), 1e-12)
	near(t, "segment_gap", m["segment_gap"], slices.Max(served)-slices.Min(served), 1e-12)
	play(e, key(1), oracle(e), nil)
	near(t, "the oracle's segment_gap", measured(t, e)["segment_gap"], 0, 0)
}

// TestUnwatched: without a floor there are no such metrics, and with one nothing
// else changes.
func TestUnwatched(t *testing.T) {
	t.Parallel()
	p := object{"horizon": 2_000, "contexts": everyContext}
	e := build(t, p)
	play(e, key(1), cycle(5), nil)
	plain := measured(t, e)
	p["exposure"] = object{"floor": .1}
	e = build(t, p)
	play(e, key(1), cycle(5), nil)
	watched := measured(t, e)
	for _, name := range []string{"floor_violations", "segment_gap"} {
		if _, ok := plain[name]; ok {
			t.Errorf("%s is a metric without a floor", name)
		}
		if _, ok := watched[name]; !ok {
			t.Errorf("%s is no metric with a floor", name)
		}
		delete(watched, name)
	}
	for name, v := range plain {
		if watched[name] != v {
			t.Errorf("%s is %v with a floor, %v without", name, watched[name], v)
		}
	}
}

func TestExposureRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p    object
		want string
	}{
		{object{"exposure": object{"floor": .21}}, "exposure.floor is 0.21 for each of 5 subject lines, more than all sends together; write at most 0.2"},
		{object{"exposure": object{"floor": .1}, "horizon": 499}, "exposure.within is 500, and the run has 499 sends, not one window; write at most 499, or a longer horizon"},
		{object{"exposure": object{"floor": .1}, "horizon": 4_000, "contexts": []string{"segment"}, "segments": object{"shares": []float64{8, 1, 1}}}, "exposure.within is 500, and segment active has about 400 sends, not one window; write at most 400, or a longer horizon"},
		{object{"exposure": object{"floor": .1, "within": 1}, "horizon": 4, "contexts": []string{"segment"}, "segments": object{"shares": []float64{98, 1, 1}}}, "exposure.within is 1, and segment active has about 0 sends, not one window; write a longer horizon"},
		{object{"devices": object{"shares": []float64{0, 0, 0}}}, "devices.shares has nothing but 0; write a share above 0, or null"},
		{object{"hours": object{"shares": make([]float64, 24)}}, "hours.shares has nothing but 0; write a share above 0, or null"},
		{object{"hours": object{"shares": []float64{1}}}, "hours.shares has 1 element; write 24 numbers"},
	} {
		env, err := try(c.p, nil)
		var e *param.Error
		if !errors.As(err, &e) || err.Error() != c.want || env != nil {
			t.Errorf("%v: got %v\nwant %s", c.p, err, c.want)
		}
	}
	// A floor that vetoes leave room for.
	build(t, object{"exposure": object{"floor": .5}, "veto": fiveSubjects[:3]})
}
