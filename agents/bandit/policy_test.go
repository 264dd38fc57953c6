package bandit

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// masked allows all arms but t mod K, and in every fifth step only that one.
func masked(t int, into []bool) {
	for i := range into {
		into[i] = (i == t%len(into)) == (t%5 == 0)
	}
}

// TestGolden pins 1,000 decisions of each policy, arm and propensity, on every
// architecture: every third send masked, outcomes 3 sends late.
func TestGolden(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range variants() {
		w := newWorld(1_000, .02, .3, .6, .95, .98)
		w.delay = 3
		w.mask = func(t int, into []bool) {
			for i := range into {
				into[i] = t%3 != 0 || i != t%5
			}
		}
		a := v.agent(t, &w.spec, nil)
		w.begin(a, 1, agents.Train)
		h := fnv.New64a()
		var b []byte
		for range w.spec.Horizon {
			w.step(a)
			b = binary.LittleEndian.AppendUint64(append(b[:0], byte(w.act.Index)), math.Float64bits(w.act.Prob))
			h.Write(b)
		}
		got := hex.EncodeToString(h.Sum(nil))
		seen[v.String()] = true
		if want := golden[v.String()]; got != want {
			t.Errorf("decisions changed:\n\t%q: %q,\nwant %q", v, got, want)
		}
	}
	for name := range golden {
		if !seen[name] {
			t.Errorf("%q is no variant", name)
		}
	}
}

// TestRestore saves every policy in the middle of an episode, with outcomes on
// their way: a restored one, and a recycled one that has seen another world, go
// on to the last bit.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		w := newWorld(800, .2, .3, .4)
		w.delay, w.mask = 7, masked
		other := newWorld(800, .5, .1, .1)
		used := v.agent(t, &other.spec, nil)
		other.begin(used, 3, agents.Train)
		for range 100 {
			other.step(used)
		}
		a := v.agent(t, &w.spec, nil)
		b := v.agent(t, &w.spec, used)
		if used != b {
			t.Errorf("%s is not recycled", v)
		}
		whole, parts := play(w, a, nil), play(w, b, func() agents.Agent {
			state, err := b.AppendBinary([]byte("head"))
			if err != nil {
				t.Fatal(err)
			}
			c := v.agent(t, &w.spec, nil)
			if err := c.UnmarshalBinary(state[4:]); err != nil {
				t.Fatal(err)
			}
			b = c
			return c
		})
		if !bytes.Equal(whole, parts) {
			t.Errorf("%s does not go on as it would have", v)
		}
		sa, _ := a.AppendBinary(nil)
		sb, _ := b.AppendBinary(nil)
		if !bytes.Equal(sa, sb) {
			t.Errorf("%s: states differ at the end", v)
		}
		wrong := []byte{}
		for _, bad := range [][]byte{nil, {2}, sa[:1], sa[:len(sa)-1], append(bytes.Clone(sa), 0), append(wrong, "\x01\x04none\x00\x00\x00\x00"...)} {
			if a.UnmarshalBinary(bad) == nil {
				t.Errorf("%s accepts a state of %d bytes", v, len(bad))
			}
		}
		if s, _ := a.AppendBinary(nil); !bytes.Equal(s, sa) {
			t.Errorf("%s: a refused state changed it", v)
		}
	}
}

// play returns the decisions of an episode; after half of it restored, where
// given, replaces the agent.
func play(w *world, a agents.Agent, restored func() agents.Agent) []byte {
	w.begin(a, 2, agents.Train)
	var b []byte
	for s := range w.spec.Horizon {
		if s == w.spec.Horizon/2 && restored != nil {
			a = restored()
			a.Begin(rng.Root(7, "bandit/agent").At(2), agents.Train)
		}
		w.step(a)
		b = binary.LittleEndian.AppendUint64(append(b, byte(w.act.Index)), math.Float64bits(w.act.Prob))
	}
	return b
}

// TestMasks checks that only allowed arms are played, in every mode, and that a
// policy that may do nothing says so.
func TestMasks(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		w := newWorld(400, .2, .3, .4)
		w.mask = masked
		a := v.agent(t, &w.spec, nil)
		for _, m := range []agents.Mode{agents.Train, agents.Sample, agents.Greedy} {
			w.begin(a, 1, m)
			for range w.spec.Horizon {
				allowed := append([]bool{}, w.in.Allowed...)
				w.step(a)
				if i := w.act.Index; !allowed[i] {
					t.Fatalf("%s plays arm %d at step %d, which is not allowed", v, i, w.in.T-1)
				}
			}
		}
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "allows no arm") {
					t.Errorf("%s with no arm allowed: %v", v, r)
				}
			}()
			a.Act(&envs.Step{Allowed: make([]bool, 3)}, &envs.Action{})
		}()
	}
}

// TestPropensities compares Action.Prob with how often each arm is played from
// one state, over keys: within 5 standard errors, which a right policy fails
// once in 50,000 seeds here. Thompson's is compared with BestProbs.
func TestPropensities(t *testing.T) {
	t.Parallel()
	const draws = 20_000
	for _, v := range variants() {
		for _, masking := range []bool{false, true} {
			w := newWorld(300, .2, .3, .32, .1)
			a := v.agent(t, &w.spec, nil)
			w.begin(a, 1, agents.Train)
			for range 60 {
				w.step(a)
			}
			in := w.in
			if masking {
				in.Allowed = []bool{true, true, false, true}
			}
			played, said := make([]float64, 4), []float64{-1, -1, -1, -1}
			for d := range uint64(draws) {
				a.Begin(rng.Root(9, "keys").At(d), agents.Sample)
				act := envs.Action{}
				a.Act(&in, &act)
				played[act.Index]++
				if said[act.Index] >= 0 && said[act.Index] != act.Prob {
					t.Fatalf("%s: arm %d has propensities %v and %v in one state", v, act.Index, said[act.Index], act.Prob)
				}
				said[act.Index] = act.Prob
			}
			tolerance := 0.0
			if h, ok := a.(*thompson); ok {
				if said[argmax(&in, played)] != 0 {
					t.Errorf("%s: propensity %v, want 0, not known", v, said)
				}
				if h.params.TopTwo {
					continue
				}
				h.BestProbs(&in, said)
				tolerance = 1e-3
			}
			for i, p := range said {
				if p < 0 {
					p = 0
				}
				share := played[i] / draws
				if math.Abs(share-p) > 5*math.Sqrt(max(p*(1-p), 0)/draws)+tolerance+1e-12 && !(p < 1e-3 && share < 2e-3) {
					t.Errorf("%s (mask %v): arm %d has propensity %.5f and is played %.5f of the time", v, masking, i, p, share)
				}
			}
		}
	}
}

// TestGreedy checks that policies play the best mean when they act greedily,
// and that those random by definition draw.
func TestGreedy(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		w := newWorld(200, .1, .9, .3)
		a := v.agent(t, &w.spec, nil)
		w.begin(a, 1, agents.Train)
		for range w.spec.Horizon {
			w.step(a)
		}
		played := map[int]bool{}
		for d := range uint64(2_000) {
			a.Begin(rng.Root(9, "keys").At(d), agents.Greedy)
			act := envs.Action{}
			a.Act(&envs.Step{T: int(d)}, &act)
			played[act.Index] = true
		}
		traits := find(t, v.policy).Traits(v.params(t))
		switch v.policy {
		case "uniform", "round_robin":
			if len(played) != 3 || !cmp.Equal(traits, agents.Traits{}) {
				t.Errorf("%s plays %v, traits %+v", v, played, traits)
			}
		case "thompson", "exp3", "exp3_ix":
			if len(played) < 2 || !cmp.Equal(traits, agents.Traits{Learns: true}) {
				t.Errorf("%s plays %v, traits %+v", v, played, traits)
			}
		default:
			if len(played) != 1 || !played[1] || !cmp.Equal(traits, agents.Traits{Learns: true, Stochastic: true}) {
				t.Errorf("%s plays %v greedily, want arm 1 alone; traits %+v", v, played, traits)
			}
		}
	}
}

// TestFeedback checks where outcomes come from: the reward of the action where
// nothing is credited, else credits alone, and an anonymous sum for the arm just
// played.
func TestFeedback(t *testing.T) {
	t.Parallel()
	spec := envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 3}, Horizon: 10, Credited: true}
	for _, c := range []struct {
		name     string
		credited bool
		out      envs.Step
		n, sum   []float64
	}{
		{"reward", false, envs.Step{Reward: 3}, []float64{0, 1, 0}, []float64{0, 1.5, 0}},
		{"nothing known", true, envs.Step{Reward: 3}, []float64{0, 0, 0}, []float64{0, 0, 0}},
		{"credits", true, envs.Step{Reward: 3, Credits: []envs.Credit{{Step: 0, Index: 2, Reward: 1}, {Step: 1, Index: 1}, {Step: 2, Index: 2, Reward: 2}}}, []float64{0, 1, 2}, []float64{0, 0, 1.5}},
		{"anonymous", true, envs.Step{Reward: 3, Credits: []envs.Credit{{Step: -1, Index: -1, Reward: 3}}}, []float64{0, 1, 0}, []float64{0, 1.5, 0}},
	} {
		s := spec
		s.Credited = c.credited
		u := variant{"ucb", []any{"reward_scale", 2.0}}.agent(t, &s, nil).(*ucb)
		u.Begin(rng.Key{}, agents.Train)
		u.Learn(&envs.Step{T: 4}, &envs.Action{Index: 1}, &c.out)
		if fmt.Sprint(u.n, u.sum, u.sent) != fmt.Sprint(c.n, c.sum, []float64{0, 1, 0}) || u.round() != 2 {
			t.Errorf("%s: n %v, sum %v, sent %v, want %v, %v", c.name, u.n, u.sum, u.sent, c.n, c.sum)
		}
	}
}

// TestBatch plays a batch before anything is known: arms take turns.
func TestBatch(t *testing.T) {
	t.Parallel()
	for _, v := range []variant{{"ucb1", nil}, {"epsilon_greedy", nil}, {"kl_ucb", nil}, {"softmax", nil}, {"bayes_ucb", nil}, {"explore_then_commit", nil}} {
		w := newWorld(400, .2, .3, .4)
		w.delay = 31
		a := v.agent(t, &w.spec, nil)
		w.begin(a, 1, agents.Train)
		for range 30 {
			w.step(a)
		}
		if fmt.Sprint(w.pulls) != "[10 10 10]" {
			t.Errorf("%s plays %v before it knows anything", v, w.pulls)
		}
	}
}

// TestPrior checks that an earlier test counts as the first sends.
func TestPrior(t *testing.T) {
	t.Parallel()
	spec := envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 2}, Horizon: 100, Credited: true}
	list := func(v ...param.Value) []param.Value { return v }
	for _, name := range []string{"epsilon_greedy", "ucb1", "ucb", "ucb_tuned", "moss", "kl_ucb", "bayes_ucb", "thompson", "softmax"} {
		v := variant{name, []any{"prior", mapping("successes", list(10.0, 400.0), "failures", list(990.0, 600.0))}}
		a := v.agent(t, &spec, nil)
		wins := 0
		for d := range uint64(100) {
			a.Begin(rng.Root(9, "keys").At(d), agents.Sample)
			act := envs.Action{}
			a.Act(&envs.Step{}, &act)
			wins += act.Index
		}
		if wins < 85 {
			t.Errorf("%s plays the winner of the earlier test %d times of 100", name, wins)
		}
		for _, c := range []struct {
			prior *param.Map
			want  string
		}{
			{mapping("successes", list(1.0, 2.0)), "prior.failures is not given, and prior.successes is; write both, 2 numbers each"},
			{mapping("failures", list(1.0, 2.0)), "prior.successes is not given"},
			{mapping("successes", list(1.0, 2.0, 3.0), "failures", list(1.0, 2.0)), "prior.successes has length 3, and the environment has 2 arms; write a list of 2 numbers"},
		} {
			f := find(t, name)
			err := f.Fits(variant{name, []any{"prior", c.prior}}.params(t), &spec)
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, new(*param.Error)) {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		f := find(t, v.policy)
		if err := f.Fits(v.params(t), &worldA().spec); err != nil {
			t.Errorf("%s: %v", v, err)
		}
		want := v.policy + " chooses one of several arms, and the environment's actions are a simplex of 4 numbers"
		simplex := &envs.Spec{Action: envs.Actions{Kind: envs.Simplex, N: 4}, Horizon: 10}
		if err := f.Fits(v.params(t), simplex); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := f.New(v.params(t), simplex, rng.Key{}, nil); err == nil {
			t.Errorf("%s is made for a simplex", v)
		}
	}
	v := variant{"epsilon_greedy", []any{"schedule", "linear", "final", 0.5}}
	if err := find(t, v.policy).Fits(v.params(t), &worldA().spec); err == nil || !strings.Contains(err.Error(), "final is 0.5, above epsilon 0.1") {
		t.Errorf("%v", err)
	}
}

// TestSchedules pins epsilon at chosen sends.
func TestSchedules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kv   []any
		want map[int]float64 // by t, from 1
	}{
		{nil, map[int]float64{1: .1, 5_000: .1}},
		{[]any{"schedule", "linear", "epsilon", 1.0, "final", .2, "steps", int64(101)}, map[int]float64{1: 1, 51: .6, 101: .2, 5_000: .2}},
		{[]any{"schedule", "exponential", "epsilon", .5, "final", .1, "decay", .5}, map[int]float64{1: .5, 2: .25, 3: .125, 4: .1}},
		{[]any{"schedule", "harmonic"}, map[int]float64{1: 1, 10: 1, 20: .5, 1_000: .01}},
		{[]any{"schedule", "harmonic", "c", 1.0, "d", .1}, map[int]float64{200: 1, 2_000: .1}},
	} {
		e := variant{"epsilon_greedy", c.kv}.agent(t, &worldA().spec, nil).(*epsilonGreedy)
		for at, want := range c.want {
			e.vec[0] = float64(at - 1)
			if got := e.epsilon(); math.Abs(got-want) > 1e-12 {
				t.Errorf("%v: epsilon at %d is %v, want %v", c.kv, at, got, want)
			}
		}
	}
}

// TestCommits checks that the winner of the test stays, whatever follows, and
// that a test's late outcomes still count.
func TestCommits(t *testing.T) {
	t.Parallel()
	w := newWorld(500, .1, .9)
	w.delay = 25
	a := variant{"explore_then_commit", []any{"explore", int64(30)}}.agent(t, &w.spec, nil)
	w.begin(a, 1, agents.Train)
	for range 120 {
		w.step(a)
	}
	w.rates = []float64{1, 0} // the world turns; the policy does not
	before := w.pulls[1]
	for range 300 {
		w.step(a)
	}
	e := a.(*exploreThenCommit)
	if w.pulls[0] != 30 || w.pulls[1] != before+300 || e.n[0] != 30 || e.n[1] != 30 {
		t.Errorf("sends %v, outcomes of the test %v", w.pulls, e.n)
	}
}

// TestNoAllocation counts allocations of a decision and its lesson.
func TestNoAllocation(t *testing.T) {
	for _, v := range variants() {
		w := worldC()
		a := v.agent(t, &w.spec, nil)
		w.begin(a, 1, agents.Train)
		if n := testing.AllocsPerRun(2_000, func() { w.step(a) }); n != 0 {
			t.Errorf("%s allocates %v times a decision", v, n)
		}
	}
}

// BenchmarkDecision is one decision with its lesson on instance C, of which the
// world's own step is about 10 ns.
func BenchmarkDecision(b *testing.B) {
	for _, v := range variants() {
		b.Run(v.String(), func(b *testing.B) {
			w := worldC()
			a := v.agent(b, &w.spec, nil)
			w.begin(a, 1, agents.Train)
			b.ReportAllocs()
			for b.Loop() {
				if w.in.T == w.spec.Horizon {
					b.StopTimer()
					a = v.agent(b, &w.spec, a)
					w.begin(a, 1, agents.Train)
					b.StartTimer()
				}
				w.step(a)
			}
		})
	}
}
