package bandit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// otherVariants holds the policies for drift, delay and contexts, in their forms.
func otherVariants() []variant {
	list := []variant{
		v("sliding_window_ucb"), v("sliding_window_ucb", "window", int64(100)), v("discounted_ucb"), v("discounted_thompson"),
		v("cusum_ucb", "samples", int64(20)), v("glr_kl_ucb"), v("glr_kl_ucb", "restart", "global", "exploration", 0.0),
		v("delayed_ucb"), v("delayed_ucb", "delay", mapping("model", "credited")), v("delayed_ucb", "delay", mapping("model", "fixed")),
		v("delayed_thompson"), v("delayed_thompson", "delay", mapping("model", "fixed", "mean", 20.0)), v("delayed_thompson", "delay", mapping("mean", 20.0)),
		v("lin_ucb", "context", mapping("fields", []param.Value{"segment"})),
	}
	list = append(list, contextuals()...)
	for _, f := range stationary() {
		if f.Name() != "thompson" && f.Name() != "kl_ucb" {
			list = append(list, v("segment_tables", "policy", f.Name()))
		}
	}
	return list
}

// rough is a world with all at once: a change, delays, a window, segments and
// masks.
func rough(horizon int) *hard {
	w := after(horizon, []float64{.3, .7, .5, .2}, []float64{.3, .1, .5, .6}).withSegments(3)
	w.delay = func(u float64) int { return int(40 * u * u) }
	w.window = 30
	w.mask = func(t int, into []bool) {
		for i := range into {
			into[i] = (t/7+i)%4 != 0 && (t%50 != 0 || i == 2 || (t/7+2)%4 == 0)
		}
	}
	return w
}

// TestOthersRespectMasks plays every mode.
func TestOthersRespectMasks(t *testing.T) {
	t.Parallel()
	for _, v := range otherVariants() {
		w := rough(1500)
		a := v.agent(t, &w.spec, nil)
		for run, mode := range []agents.Mode{agents.Train, agents.Sample, agents.Greedy} {
			w.begin(a, uint64(run), mode)
			for range w.spec.Horizon {
				before := slices.Clone(w.in.Allowed)
				w.step(a)
				if i := w.act.Index; i < 0 || !before[i] {
					t.Fatalf("%v, mode %v: arm %d at step %d, allowed are %v", v, mode, i, w.in.T-1, before)
				}
				if p := w.act.Prob; !(p >= 0 && p <= 1+1e-12) {
					t.Fatalf("%v: propensity %v", v, p)
				}
			}
		}
	}
}

// tape is what a run showed to its agent.
type tape struct {
	in, out []envs.Step
	act     []envs.Action
}

// record plays a run, and saves the agent before step at.
func record(t *testing.T, w *hard, a agents.Agent, at int) (tape, []byte) {
	t.Helper()
	var p tape
	var state []byte
	w.begin(a, 3, agents.Train)
	for s := range w.spec.Horizon {
		if s == at {
			var err error
			if state, err = a.AppendBinary(nil); err != nil {
				t.Fatal(err)
			}
		}
		in := envs.Step{T: w.in.T, Obs: slices.Clone(w.in.Obs), Allowed: slices.Clone(w.in.Allowed)}
		w.step(a)
		out := w.out
		out.Credits = slices.Clone(out.Credits)
		p.in, p.out, p.act = append(p.in, in), append(p.out, out), append(p.act, w.act)
	}
	return p, state
}

// TestOthersContinue saves each policy in the middle of a run and restores it
// into one that another run has used: it goes on bit for bit, and ends in the
// same state.
func TestOthersContinue(t *testing.T) {
	t.Parallel()
	for _, v := range otherVariants() {
		w := rough(1200)
		first := v.agent(t, &w.spec, nil)
		p, state := record(t, w, first, 700)
		want, _ := first.AppendBinary(nil)

		used := v.agent(t, &w.spec, nil)
		w.begin(used, 9, agents.Train)
		for range 555 {
			w.step(used)
		}
		second := v.agent(t, &w.spec, used)
		second.Begin(rng.Root(11, "bandit/agent").At(3), agents.Train)
		if err := second.UnmarshalBinary(state); err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		if again, _ := second.AppendBinary(nil); string(again) != string(state) {
			t.Errorf("%v: a restored state is not the one that was saved", v)
		}
		for s := 700; s < w.spec.Horizon; s++ {
			a := envs.Action{Index: -1, Prob: -1}
			second.Act(&p.in[s], &a)
			if a.Index != p.act[s].Index || a.Prob != p.act[s].Prob {
				t.Fatalf("%v: step %d plays %+v, want %+v", v, s, a, p.act[s])
			}
			second.Learn(&p.in[s], &a, &p.out[s])
		}
		if got, _ := second.AppendBinary(nil); string(got) != string(want) {
			t.Errorf("%v: the final states differ", v)
		}

		for _, bad := range [][]byte{nil, {9}, state[:len(state)-1], append(slices.Clone(state), 0), state[:3]} {
			if second.UnmarshalBinary(bad) == nil {
				t.Errorf("%v accepts a state of %d bytes, its own has %d", v, len(bad), len(state))
			}
		}
		if got, _ := second.AppendBinary(nil); string(got) != string(want) {
			t.Errorf("%v: a refused state has left traces", v)
		}
	}
}

// TestOthersUncredited checks that rewards of steps teach what credits without
// delay do.
func TestOthersUncredited(t *testing.T) {
	t.Parallel()
	for _, v := range otherVariants() {
		if v.String() == "delayed_thompson delay=[{model fixed} {mean 20}]" {
			continue // told of a delay that is not there
		}
		play := func(credited bool) []byte {
			w := after(600, []float64{.3, .7, .5}, []float64{.3, .1, .5}).withSegments(2)
			w.spec.Credited = credited
			a := v.agent(t, &w.spec, nil)
			w.begin(a, 1, agents.Train)
			for range w.spec.Horizon {
				w.step(a)
			}
			state, err := a.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			return state
		}
		// A segment's open send keeps its step's reward in either case.
		if string(play(true)) != string(play(false)) {
			t.Errorf("%v: credits and rewards teach different things", v)
		}
	}
}

// TestOthersAllocateNothing plays whole runs again.
func TestOthersAllocateNothing(t *testing.T) {
	for _, v := range otherVariants() {
		w := rough(1000)
		a := v.agent(t, &w.spec, nil)
		n := testing.AllocsPerRun(3, func() {
			w.begin(a, 1, agents.Train)
			for range w.spec.Horizon {
				w.step(a)
			}
		})
		if n != 0 {
			t.Errorf("%v: %v allocations in %d sends", v, n, w.spec.Horizon)
		}
	}
}

// TestOthersGolden hashes actions, propensities and final states. The hashes
// hold on every architecture; a change of one is a new engine version.
func TestOthersGolden(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"sliding_window_ucb":                               "be8c74f111f8b216",
		"sliding_window_ucb window=100":                    "f0286a11a98f1cde",
		"discounted_ucb":                                   "e667ac3ea2cc7df4",
		"discounted_thompson":                              "bfc5c79eec1cb372",
		"cusum_ucb samples=20":                             "f2db0a9a71b73376",
		"glr_kl_ucb":                                       "3228ed2542809444",
		"glr_kl_ucb restart=global exploration=0":          "d9ef4545794ea110",
		"delayed_ucb":                                      "7ae3e6b580baaf12",
		"delayed_ucb delay=[{model credited}]":             "3e8b51da870dedf0",
		"delayed_ucb delay=[{model fixed}]":                "97acfe1dcc422b51",
		"delayed_thompson":                                 "9ade0422b10f6799",
		"delayed_thompson delay=[{model fixed} {mean 20}]": "4c185dd2eb6aace8",
		"delayed_thompson delay=[{mean 20}]":               "dff8c54b8623a31b",
		"lin_ucb context=[{fields [segment]}]":             "a1b9ab56d3b45542",
		"lin_ucb":                                          "091484a0c3d9c150",
		"lin_ucb alpha=0.3":                                "74b2c13114cfa552",
		"lin_thompson":                                     "cd748336b478e2b7",
		"logistic_thompson":                                "e1d459087d84207d",
		"epsilon_greedy_regression":                        "0d22cef0d29ffb1c",
		"segment_tables":                                   "a47df5708289f921",
		"segment_tables policy=epsilon_greedy":             "f54a60a9421c0c26",
		"segment_tables policy=kl_ucb":                     "f63d5b25f370690f",
		"segment_tables policy=ucb ucb=[{c 0.5}]":          "66b579dc9e5b963a",
	}
	for _, v := range append(otherVariants()[:14], contextuals()...) {
		w := rough(1000)
		a := v.agent(t, &w.spec, nil)
		p, _ := record(t, w, a, 0)
		h := sha256.New()
		var b []byte
		for _, act := range p.act {
			b = binary.LittleEndian.AppendUint64(append(b, byte(act.Index)), math.Float64bits(act.Prob))
		}
		b, _ = a.AppendBinary(b)
		h.Write(b)
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != want[v.String()] {
			t.Errorf("%q: %q, // want %s", v.String(), got, want[v.String()])
		}
	}
}

// TestExposure compares the running exposures with their definition, and the
// hazard that is learned with the one of the delays.
func TestExposure(t *testing.T) {
	t.Parallel()
	const horizon, mean = 5000, 200.0
	const q = 1 / (1 + mean)
	w := after(horizon, []float64{.05, .1, .03}, []float64{.05, .1, .03})
	w.delay = func(u float64) int { return int(math.Log(1-u) / math.Log(1-q)) }
	w.window = -1
	for _, c := range []struct {
		kv    []any
		share func(age int) float64
	}{
		{[]any{"model", "geometric", "mean", mean}, func(age int) float64 { return 1 - math.Pow(1-q, float64(age+1)) }},
		{[]any{"model", "fixed", "mean", 70.0}, func(age int) float64 {
			if age >= 70 {
				return 1
			}
			return 0
		}},
	} {
		a := v("delayed_thompson", "delay", mapping(c.kv...)).agent(t, &w.spec, nil).(*delayedThompson)
		p, _ := record(t, w, a, 0)
		want := make([]float64, 3)
		for s, act := range p.act {
			want[act.Index] += c.share(horizon - 1 - s)
		}
		for i, e := range a.exposure {
			if math.Abs(e-want[i]) > 1e-9*want[i] {
				t.Errorf("%v: exposure of arm %d is %v, want %v", c.kv, i, e, want[i])
			}
		}
	}
	logSum, n := 0.0, 0.0
	for run := range uint64(30) {
		a := v("delayed_thompson").agent(t, &w.spec, nil).(*delayedThompson)
		w.begin(a, run, agents.Train)
		for range horizon {
			w.step(a)
		}
		logSum += math.Log(a.state[delayNow] / q)
		n++
	}
	if ratio := math.Exp(logSum / n); ratio < 0.95 || ratio > 1.05 {
		t.Errorf("the hazard learned is %.3f times the true one", ratio)
	} else {
		t.Logf("the hazard learned is %.3f times the true one", ratio)
	}
}

// TestForgetting compares counts and sums of the window and of the fading
// policies with their definitions.
func TestForgetting(t *testing.T) {
	t.Parallel()
	w := rough(1000)
	var known []envs.Credit
	gather := func(p tape) {
		known = known[:0]
		for _, out := range p.out {
			known = append(known, out.Credits...)
		}
	}
	check := func(name string, n, sum []float64, weight func(age int) float64) {
		t.Helper()
		wantN, wantSum := make([]float64, len(n)), make([]float64, len(n))
		for i, c := range known {
			f := weight(len(known) - 1 - i)
			wantN[c.Index] += f
			wantSum[c.Index] += f * c.Reward
		}
		for i := range n {
			if math.Abs(n[i]-wantN[i]) > 1e-9 || math.Abs(sum[i]-wantSum[i]) > 1e-9 {
				t.Errorf("%s: arm %d has %v of %v, want %v of %v", name, i, sum[i], n[i], wantSum[i], wantN[i])
			}
		}
	}
	s := v("sliding_window_ucb", "window", int64(130)).agent(t, &w.spec, nil).(*slidingWindowUCB)
	p, _ := record(t, w, s, 0)
	gather(p)
	check("window", s.n, s.sum, func(age int) float64 {
		if age < 130 {
			return 1
		}
		return 0
	})
	d := v("discounted_ucb", "discount", 0.97).agent(t, &w.spec, nil).(*discountedUCB)
	p, _ = record(t, w, d, 0)
	gather(p)
	check("discount", d.n, d.sum, func(age int) float64 { return math.Pow(0.97, float64(age)) })
}

func TestOthersFit(t *testing.T) {
	t.Parallel()
	w := newHard(100, 3, nil).withSegments(2)
	bare := newHard(100, 3, nil)
	wide := newHard(100, 3, nil)
	wide.spec.Observation = []envs.Field{{Name: "context", Len: 64}}
	long := newHard(5_000_000, 3, nil).withSegments(2)
	shares := &envs.Spec{Action: envs.Actions{Kind: envs.Simplex, N: 3}, Horizon: 10}
	for _, c := range []struct {
		v      variant
		spec   *envs.Spec
		want   string
		blamed bool
	}{
		{v("lin_ucb"), &w.spec, "", false},
		{v("lin_ucb"), &bare.spec, "", false},
		{v("lin_ucb"), &wide.spec, "at most 64 features, and the observation makes 65", false},
		{v("lin_thompson"), &long.spec, "keeps the context of every send", false},
		{v("logistic_thompson", "context", mapping("fields", []param.Value{"hour"})), &w.spec, `context.fields[0]`, true},
		{v("segment_tables"), &w.spec, "", false},
		{v("segment_tables"), &bare.spec, "field", true},
		{v("segment_tables", "field", "noise"), &w.spec, "not show one integer", true},
		{v("segment_tables", "policy", "ucb", "ucb", mapping("prior", mapping("successes", []param.Value{1.0}))), &w.spec, "ucb.prior.", true},
		{v("segment_tables"), shares, "discrete", false},
		{v("sliding_window_ucb"), shares, "discrete", false},
	} {
		f := find(t, c.v.policy)
		p := c.v.params(t)
		err := f.Fits(p, c.spec)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: got %v, want %q", c.v, err, c.want)
		}
		if blamed := new(*param.Error); errors.As(err, blamed) != c.blamed {
			t.Errorf("%v: %T, want a *param.Error: %v", c.v, err, c.blamed)
		}
		if _, newErr := f.New(p, c.spec, rng.Key{}, nil); (newErr == nil) != (err == nil) {
			t.Errorf("%v: New says %v, Fits %v", c.v, newErr, err)
		}
	}
	if _, err := (segmentTables{}).Schema().Complete(mapping("policy", "lin_ucb")); err == nil || !strings.Contains(fmt.Sprint(err), "thompson") {
		t.Errorf("a policy that is none: %v, want the list", err)
	}
}

// BenchmarkOthers measures a decision and what is learned of it, on five arms,
// with a segment of three and two numbers as context, without delay.
func BenchmarkOthers(b *testing.B) {
	for _, v := range append(otherVariants()[:14], contextuals()...) {
		b.Run(strings.ReplaceAll(v.String(), " ", "/"), func(b *testing.B) {
			const horizon = 10_000
			w := newHard(horizon, 5, nil).withSegments(3)
			d := draws{1, 2}
			in, out := make([]envs.Step, horizon), envs.Step{Credits: make([]envs.Credit, 1)}
			u := make([]float64, horizon)
			for t := range in {
				x, y := d.Normals()
				in[t] = envs.Step{T: t, Obs: []float64{x, y, float64(d.IntN(3))}}
				u[t] = d.Float64()
			}
			a := v.agent(b, &w.spec, nil)
			a.Begin(rng.Root(1, "bench"), agents.Train)
			var act envs.Action
			b.ReportAllocs()
			t := 0
			for b.Loop() {
				if t == horizon {
					t = 0
				}
				a.Act(&in[t], &act)
				r := 0.0
				if u[t] < 0.02+0.01*float64(act.Index) {
					r = 1
				}
				out.Credits[0] = envs.Credit{Step: int32(t), Index: int32(act.Index), Reward: r}
				a.Learn(&in[t], &act, &out)
				t++
			}
		})
	}
}
