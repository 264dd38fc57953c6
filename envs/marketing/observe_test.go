package marketing

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/envs"
	"overnight/internal/rng"
)

// field returns a field of an observation.
func field(t *testing.T, e *Env, obs []float64, name string) []float64 {
	t.Helper()
	offset, n, ok := e.Spec().Field(name)
	if !ok {
		t.Fatalf("there is no field %q", name)
	}
	return obs[offset : offset+n]
}

func TestLayout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parameters object
		want       string
	}{
		{object{}, "day 1, effectiveness 3, spend 3, pending 3"},
		{object{"faithful": true}, "day 1, effectiveness 3, spend 3, pending 3"},
		{object{"delay": []float64{1}}, "day 1, effectiveness 3, spend 3"},
		{object{"observe": object{"pending": "none"}}, "day 1, effectiveness 3, spend 3"},
		{object{"observe": object{"pending": "channels"}}, "day 1, effectiveness 3, spend 3, pending 9"},
		{object{"observe": object{"effectiveness": false}}, "day 1, spend 3, pending 3"},
		{object{"hold": 7, "reward": "ltv"}, "day 1, effectiveness 3, spend 3, pending 3, hold 1, customers 1"},
	} {
		s := build(t, c.parameters).Spec()
		got := ""
		for i, f := range s.Observation {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprint(f.Name, " ", f.Len)
		}
		if got != c.want {
			t.Errorf("%v: the observation is %s, want %s", c.parameters, got, c.want)
		}
	}
	s := build(t, object{"unspent": true, "cap": 0.5, "reward": "ltv"}).Spec()
	want := []string{"email", "social", "search", "unspent"}
	if diff := cmp.Diff(want, s.Action.Names); diff != "" || s.Action.N != 4 || s.Action.Kind != envs.Simplex {
		t.Errorf("the action is %+v; names (-want +got):\n%s", s.Action, diff)
	}
	names := ""
	for _, m := range s.Metrics {
		names += m.Name + " "
	}
	if want := "revenue spend profit roi switching capped customers ltv "; names != want {
		t.Errorf("the metrics are %s, want %s", names, want)
	}
}

// TestBounds: observations lie within the bounds that the Spec declares.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, p := range []object{{}, {"faithful": true}, {"observe": object{"noise": 2.0, "lag": 2}}, {"hold": 3, "reward": "ltv"}, {"effectiveness_floor": 0.0, "volatility_scale": 5.0}, {"effectiveness_floor": 1.0}} {
		e := build(t, p)
		var step envs.Step
		s := rng.New(rng.Root(1, "bounds"))
		a := envs.Action{Values: make([]float64, e.entries)}
		check := func() {
			for _, f := range e.Spec().Observation {
				for _, v := range field(t, e, step.Obs, f.Name) {
					if !(v >= f.Low-1e-12 && v <= f.High+1e-12) {
						t.Fatalf("%v: %s is %v, outside %v to %v", p, f.Name, v, f.Low, f.High)
					}
				}
			}
		}
		for e.Reset(rng.Root(2, "bounds"), &step); !step.Done; e.Step(&a, &step) {
			check()
			s.Floats(a.Values)
		}
		check()
	}
}

// TestPendingShowsWhatLands: with tomorrow, pending revenue and the day's own
// share make up the next reward; without, what lands next is hidden and the last
// number is 0. Channel by channel, the numbers sum to the totals.
func TestPendingShowsWhatLands(t *testing.T) {
	t.Parallel()
	total := build(t, object{})
	byChannel := build(t, object{"observe": object{"pending": "channels"}})
	late := build(t, object{"observe": object{"tomorrow": false}})
	var a, b, c envs.Step
	key := rng.Root(9, "pending")
	total.Reset(key, &a)
	byChannel.Reset(key, &b)
	late.Reset(key, &c)
	action := envs.Action{Values: []float64{0.2, 0.3, 0.5}}
	for !a.Done {
		due := slices.Clone(field(t, total, a.Obs, "pending"))
		list := field(t, byChannel, b.Obs, "pending")
		hidden := field(t, late, c.Obs, "pending")
		for d := range due {
			near(t, "sum over channels", list[d]+list[3+d]+list[6+d], due[d], 1e-12)
		}
		if hidden[0] != due[1] || hidden[1] != due[2] || hidden[2] != 0 {
			t.Fatalf("from the day after tomorrow on %v is pending, want %v and 0", hidden, due[1:])
		}
		total.Step(&action, &a)
		byChannel.Step(&action, &b)
		late.Step(&action, &c)
		near(t, "reward", a.Reward, due[0]*1000+0.5*total.last.generated, 1e-12)
	}
}

// TestRecentSpend: by default the shares of the day before, or the mean since
// day 0.
func TestRecentSpend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spend string
		want  [3][3]float64
	}{
		{"last", [3][3]float64{{}, {0.5, 0.25, 0.25}, {0, 0, 1}}},
		{"mean", [3][3]float64{{}, {0.5, 0.25, 0.25}, {0.25, 0.125, 0.625}}},
	} {
		e := build(t, object{"observe": object{"spend": c.spend}})
		var step envs.Step
		e.Reset(rng.Root(1, "spend"), &step)
		for day, action := range [][]float64{{0.5, 0.25, 0.25}, {0, 0, 0.1}, {1, 1, 1}} {
			if got := [3]float64(field(t, e, step.Obs, "spend")); got != c.want[day] {
				t.Errorf("%s: recent spend on day %d is %v, want %v", c.spend, day, got, c.want[day])
			}
			e.Step(&envs.Action{Values: action}, &step)
		}
	}
}

// TestLagAndNoise works what is shown of effectiveness out by hand.
func TestLagAndNoise(t *testing.T) {
	t.Parallel()
	// 0.5, then .5 + .1, then .6 - .01 + .2, then .79 - .029 - .1, all over .5.
	eff := []float64{1, 1.2, 1.58, 1.322}
	for _, c := range []struct {
		name    string
		observe object
		want    []float64
	}{
		{"plain", object{}, eff},
		{"late", object{"lag": 2}, []float64{1, 1, 1, 1.2}},
		{"a day late", object{"lag": 1}, []float64{1, 1, 1.2, 1.58}},
		{"later than the horizon", object{"lag": 100}, []float64{1, 1, 1, 1}},
		{"noisy", object{"noise": 0.5}, []float64{1.5, 1.2 * 0.5, 0, 1.322}},
		{"both", object{"noise": 0.5, "lag": 1}, []float64{1.5, 0.5, 0, 1.58}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := build(t, object{"channels": []string{"a"}, "base_effectiveness": 0.5, "saturation": 300.0, "volatility": 0.1, "horizon": 3, "observe": c.observe})
			var step envs.Step
			e.Reset(rng.Root(1, "lag"), &step)
			copy(e.noise, []float64{0, 1, 0, 2, 0, -1})
			copy(e.errors, []float64{1, -1, -3, 0})
			if e.blurred {
				e.blur() // again, with these errors
				e.observe(&step)
			}
			for day, want := range c.want {
				near(t, fmt.Sprintf("effectiveness shown on day %d", day), field(t, e, step.Obs, "effectiveness")[0], want, 1e-12)
				if !step.Done {
					e.Step(&envs.Action{Values: []float64{1}}, &step)
				}
			}
			near(t, "effectiveness at the end", e.ch[0].eff, 0.661, 1e-12)
		})
	}
}

// TestHold: an allocation holds for two days; the second day's action is
// ignored, and the observation says how long.
func TestHold(t *testing.T) {
	t.Parallel()
	e := build(t, object{"hold": 2, "horizon": 4, "observe": object{"spend": "mean"}})
	var step envs.Step
	e.Reset(rng.Root(1, "hold"), &step)
	trace := make([]float64, len(e.Spec().Trace))
	for day, want := range []struct{ share, mean, left float64 }{{1, 0, 0}, {1, 1, 0.5}, {0, 1, 0}, {0, 2.0 / 3, 0.5}} {
		near(t, "days left", field(t, e, step.Obs, "hold")[0], want.left, 0)
		near(t, "mean spend", field(t, e, step.Obs, "spend")[0], want.mean, 1e-12)
		action := []float64{1, 0, 0}
		if day%2 == 1 == (day < 2) { // days 1 and 2
			action = []float64{0, 1, 0}
		}
		e.Step(&envs.Action{Values: action}, &step)
		e.Trace(trace)
		if trace[0] != float64(day) || trace[1] != want.share || trace[4] != 1000*want.share || trace[7] > 0 != (want.share > 0) {
			t.Errorf("day %d: the trace begins %v, want share %v", day, trace[:8], want.share)
		}
	}
	near(t, "switching", metric(t, e, "switching"), 1.0/3, 1e-12)
}

// TestTrace compares each column with where it comes from, and the notebook's
// record.
func TestTrace(t *testing.T) {
	t.Parallel()
	for _, faithful := range []bool{false, true} {
		e := build(t, object{"channels": []string{"a"}, "base_effectiveness": 0.5, "saturation": 300.0, "volatility": 0.1,
			"delay": []float64{0.5, 0.5}, "observe": object{"lag": 1}, "faithful": faithful})
		want := []string{"day", "share.a", "spend.a", "generated.a", "effectiveness.a", "observed.a", "landed"}
		if diff := cmp.Diff(want, e.Spec().Trace); diff != "" {
			t.Fatalf("columns (-want +got):\n%s", diff)
		}
		var step envs.Step
		e.Reset(rng.Root(1, "trace"), &step)
		copy(e.noise, []float64{0, 1, 0, 2})
		trace := make([]float64, len(want))
		for day, c := range []struct{ eff, effAfter, seen, seenAfter float64 }{{0.5, 0.6, 0.5, 0.5}, {0.6, 0.79, 0.5, 0.6}} {
			e.Step(&envs.Action{Values: []float64{0.25}}, &step)
			e.Trace(trace)
			g := c.eff * 1000 * math.Exp(-1000.0/300)
			want := []float64{float64(day), 1, 1000, g, c.eff, c.seen}
			if faithful {
				want[1], want[4], want[5] = 0.25, c.effAfter, c.seenAfter
			}
			for i, v := range want {
				near(t, fmt.Sprintf("faithful %t, day %d, %s", faithful, day, e.Spec().Trace[i]), trace[i], v, 1e-12)
			}
			near(t, "landed", trace[6], step.Reward, 0)
		}
	}
}

// TestActions: how numbers become shares.
func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parameters   object
		action, want []float64
	}{
		{object{}, []float64{2, 1, 1}, []float64{0.5, 0.25, 0.25}},
		{object{}, []float64{-1, 1, 3}, []float64{0, 0.25, 0.75}},
		{object{}, []float64{0, 0, 0}, []float64{0, 0, 0}},
		{object{"clip": true}, []float64{4, 1, -1}, []float64{0.5, 0.5, 0}},
		{object{"faithful": true}, []float64{4, 1, 1}, []float64{1. / 3, 1. / 3, 1. / 3}},
		{object{"unspent": true}, []float64{1, 1, 0, 2}, []float64{0.25, 0.25, 0}},
		{object{"unspent": true}, []float64{0, 0, 0, 0}, []float64{0, 0, 0}},
		{object{"cap": 0.5}, []float64{6, 1, 1}, []float64{0.5, 0.25, 0.25}},
		{object{"cap": 0.4}, []float64{8, 1, 1}, []float64{0.4, 0.3, 0.3}},
		{object{"cap": 0.4}, []float64{1, 0, 0}, []float64{0.4, 0.3, 0.3}},
		{object{"cap": []float64{0.4, 0.2, 1}}, []float64{1, 0, 0}, []float64{0.4, 0.1, 0.5}}, // room .2 and 1 for .6
		{object{"cap": 0.4, "unspent": true}, []float64{1, 0, 0, 0}, []float64{0.4, 0, 0}},
		{object{"cap": 0.2, "unspent": true}, []float64{1, 1, 2, 0}, []float64{0.2, 0.2, 0.2}},
		{object{"floor": 0.2}, []float64{1, 0, 0}, []float64{0.6, 0.2, 0.2}},
		{object{"floor": 0.2}, []float64{0, 0, 0}, []float64{0.2, 0.2, 0.2}},
		{object{"floor": 0.1, "unspent": true}, []float64{0, 0, 0, 1}, []float64{0.1, 0.1, 0.1}},
		{object{"floor": []float64{0, 0.3, 0}, "cap": []float64{0.5, 1, 1}}, []float64{8, 1, 1}, []float64{0.5, 0.3, 0.2}},
	} {
		e := build(t, c.parameters)
		var step envs.Step
		e.Reset(rng.Root(1, "actions"), &step)
		e.Step(&envs.Action{Values: c.action}, &step)
		for i, want := range c.want {
			if math.Abs(e.ch[i].share-want) > 1e-12 {
				t.Errorf("%v: %v becomes %v %v %v, want %v", c.parameters, c.action, e.ch[0].share, e.ch[1].share, e.ch[2].share, c.want)
				break
			}
		}
	}
	for _, p := range []object{{}, {"cap": 0.5}, {"unspent": true}} {
		e := build(t, p)
		var step envs.Step
		e.Reset(rng.Root(1, "actions"), &step)
		a := envs.Action{Values: make([]float64, e.entries)}
		a.Values[0], a.Values[1] = 1, math.NaN()
		e.Step(&a, &step)
		if !math.IsNaN(step.Reward) {
			t.Errorf("%v: an action that is not a number earns %v, which hides it", p, step.Reward)
		}
	}
}
