package guard

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// everything is an environment in which every rail binds, and rails that all do.
func everything(t testing.TB) (envs.Env, *param.Map) {
	return world(t, "horizon", int64(1_500), "rates", fiveRates, "delay", "geometric", "delay_mean", 9.0, "window", int64(30), "recipients", mapping("number", int64(150))),
		mapping("holdout", .3, "floor", .03, "share_cap", .4, "frequency", mapping("cap", int64(4), "within", int64(100)), "stop", mapping("drop", .3, "rate", .25, "confidence", .9))
}

// record appends a decision's bits.
func record(b []byte, a *envs.Action) []byte {
	return binary.LittleEndian.AppendUint64(append(b, byte(a.Index)), math.Float64bits(a.Prob))
}

// TestGolden pins decisions, propensities and metrics on every architecture.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"epsilon_greedy": "bbf3d16172432717",
		"softmax":        "c5f7416d0f0f7399",
		"exp3":           "921ec055aae895a3",
		"ucb1":           "b542e08304a43db5",
		"first":          "ea0e52b1b2b57821",
	} {
		e, rails := everything(t)
		r := start(e, guardOf(t, e, name, rails), 2)
		h := fnv.New64a()
		probs := make([]float64, 6)
		for !r.in.Done {
			if r.in.T%50 == 0 {
				r.agent.(agents.Propensities).Propensities(&r.in, probs)
				for _, p := range probs {
					h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(p)))
				}
			}
			r.step()
			h.Write(record(nil, &r.act))
		}
		values := make([]float64, len(Metrics()))
		r.agent.(agents.Reporter).Report(values)
		for _, v := range values {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("decisions changed: %q: %q, want %q; metrics %v", name, got, want, values)
		}
	}
}

// TestRestore saves a guarded policy in the middle of a run, with outcomes on
// their way: a restored one goes on to the last bit, and ends in the same state.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"epsilon_greedy", "thompson", "exp3", "ucb1", "first"} {
		e, rails := everything(t)
		whole, parts := start(e, guardOf(t, e, name, rails), 1), []byte{}
		other, _ := everything(t)
		half := start(other, guardOf(t, other, name, rails), 1)
		var want []byte
		for !whole.in.Done {
			whole.step()
			want = record(want, &whole.act)
		}
		for !half.in.Done {
			if half.in.T == 1_000 {
				state, err := half.agent.AppendBinary([]byte("head"))
				if err != nil {
					t.Fatal(err)
				}
				half.agent = guardOf(t, other, name, rails)
				if err := half.agent.UnmarshalBinary(state[4:]); err != nil {
					t.Fatal(err)
				}
				half.agent.Begin(rng.Root(3, "guard/agent").At(1), agents.Train)
			}
			half.step()
			parts = record(parts, &half.act)
		}
		if !bytes.Equal(want, parts) {
			t.Errorf("%s does not go on as it would have", name)
		}
		a, _ := whole.agent.AppendBinary(nil)
		b, _ := half.agent.AppendBinary(nil)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: states differ at the end", name)
		}
		ma, mb := whole.report(), half.report()
		for k, v := range ma {
			if math.Float64bits(v) != math.Float64bits(mb[k]) {
				t.Errorf("%s: %s is %v, and %v after restoring", name, k, v, mb[k])
			}
		}
	}
}

// TestRecycled checks that a guard made in the memory of one that has run is as
// good as new.
func TestRecycled(t *testing.T) {
	t.Parallel()
	e, rails := everything(t)
	used := start(e, guardOf(t, e, "ucb1", rails), 2).finish().agent
	fresh, _ := guardOf(t, e, "ucb1", rails).AppendBinary(nil)
	if got, _ := again(t, e, used, "ucb1", rails).AppendBinary(nil); !bytes.Equal(got, fresh) {
		t.Error("a recycled guard remembers")
	}
}

// TestSecondEpisode checks that a training run's next episode begins with no
// recipient met and no mail sent, and that its state can be restored early on.
func TestSecondEpisode(t *testing.T) {
	t.Parallel()
	_, rails := everything(t)
	rails.Set("stop", mapping("drop", 1.0))
	play := func(episodes ...uint64) (last []byte, b *book) {
		e, _ := everything(t)
		r := &run{env: e, agent: guardOf(t, e, "first", rails)}
		for _, i := range episodes {
			last = nil
			for r.begin(i); !r.in.Done; {
				if r.in.T == 5 {
					state, _ := r.agent.AppendBinary(nil)
					if err := r.agent.UnmarshalBinary(state); err != nil {
						t.Fatal(err)
					}
				}
				r.step()
				last = record(last, &r.act)
			}
		}
		return last, &unwrap(r.agent).book
	}
	_, one := play(1)
	want, two := play(2)
	got, both := play(1, 2)
	if !bytes.Equal(got, want) {
		t.Error("an episode depends on the one before")
	}
	for g := range both.units {
		if both.units[g] != one.units[g]+two.units[g] || both.n[g] != one.n[g]+two.n[g] || both.conversions[g] != one.conversions[g]+two.conversions[g] {
			t.Errorf("group %d: %+v is not the sum of two episodes", g, both)
		}
	}
	if both.total != 3_000 || both.held != one.held+two.held {
		t.Errorf("%d sends, %d of the holdout", both.total, both.held)
	}
}

func TestRefusesStates(t *testing.T) {
	t.Parallel()
	e, rails := everything(t)
	r := start(e, guardOf(t, e, "ucb1", rails), 1)
	for range 200 {
		r.step()
	}
	state, _ := r.agent.AppendBinary(nil)
	without, _ := guardOf(t, e, "ucb1", mapping("floor", .1)).AppendBinary(nil)
	plain, _ := unwrap(r.agent).policy.AppendBinary(nil)
	for _, c := range []struct {
		name  string
		state []byte
		want  string
	}{
		{"nothing", nil, "want the version byte 1"},
		{"another version", append([]byte{2}, state[1:]...), "begins 02, want the version byte 1"},
		{"a head", state[:9], "cut short"},
		{"half", state[:len(state)/2], "cut short"},
		{"no end", state[:len(state)-1], "restore the guarded policy: state of ucb1"},
		{"too much", append(bytes.Clone(state), 0), "restore the guarded policy"},
		{"other rails", without, "has 0 steps of outcomes, want 1500: it is of another environment or of other rails"},
		{"no guard", plain, "want 6"},
		{"a negative count", damage(state, 1+4*5+7, 0xff), "has the count -"},
		{"a step beyond the end", damage(state, 1+4*5+8*12+1, 0x7f), "is at step"},
	} {
		err := r.agent.UnmarshalBinary(c.state)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if now, _ := r.agent.AppendBinary(nil); !bytes.Equal(now, state) {
			t.Errorf("%s: a refused state changed the guard", c.name)
		}
	}
}

func damage(state []byte, at int, to byte) []byte {
	b := bytes.Clone(state)
	b[at] = to
	return b
}

// FuzzState restores bytes. What is refused leaves the guard as it was; what is
// taken is what it then writes, and it can go on.
func FuzzState(f *testing.F) {
	e, rails := everything(f)
	r := start(e, guardOf(f, e, "first", rails), 1)
	for range 400 {
		if r.step(); r.in.T%100 == 0 {
			state, err := r.agent.AppendBinary(nil)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(state)
			f.Add(state[:len(state)-1])
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		e, rails := everything(t)
		a := guardOf(t, e, "first", rails)
		want, err := a.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		taken := a.UnmarshalBinary(state) == nil
		if taken {
			want = state
		}
		got, err := a.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("taken %v: the state is %x, want %x", taken, got, want)
		}
		if !taken {
			return
		}
		r := &run{env: e, agent: a}
		r.env.Reset(rng.Root(3, "guard/world"), &r.in)
		a.Begin(rng.Root(3, "guard/agent"), agents.Train)
		for range 300 { // on another run's sends: at worst nonsense, never a panic
			if r.in.T == 0 {
				r.env.Step(&envs.Action{Index: 5}, &r.out)
				r.in, r.out = r.out, r.in
				continue
			}
			r.step()
		}
		a.(agents.Reporter).Report(make([]float64, len(Metrics())))
	})
}

// TestNoAllocation counts allocations of a decision and its lesson.
func TestNoAllocation(t *testing.T) {
	for _, name := range []string{"epsilon_greedy", "softmax", "exp3", "ucb1", "thompson", "segment_tables"} {
		_, rails := everything(t)
		e := world(t, "horizon", int64(10_000), "rates", fiveRates, "contexts", []param.Value{"segment"}, "delay", "geometric", "recipients", mapping("number", int64(500)))
		r := start(e, guardOf(t, e, name, rails), 1)
		for range 4_000 {
			r.step()
		}
		if n := testing.AllocsPerRun(2_000, r.step); n != 0 {
			t.Errorf("%s allocates %v times a decision", name, n)
		}
	}
}

// BenchmarkDecision is a send of email, a decision and its lesson, without rails
// and with.
func BenchmarkDecision(b *testing.B) {
	for _, c := range []struct {
		name  string
		rails *param.Map
	}{
		{"off", mapping()},
		{"floor", mapping("floor", .02)},
		{"share_cap", mapping("share_cap", .6)},
		{"holdout", mapping("holdout", .1)},
		{"holdout, stop", mapping("holdout", .1, "stop", mapping("drop", .2))},
		{"all", mapping("holdout", .1, "floor", .02, "share_cap", .6, "stop", mapping("drop", .2))},
	} {
		for _, name := range []string{"epsilon_greedy", "thompson"} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				e := world(b, "horizon", int64(10_000), "rates", fiveRates)
				var a agents.Agent = guardOf(b, e, name, c.rails)
				r := start(e, a, 1)
				b.ReportAllocs()
				for b.Loop() {
					if r.in.Done {
						b.StopTimer()
						a = again(b, e, a, name, c.rails)
						r = start(e, a, 1)
						b.StartTimer()
					}
					r.step()
				}
			})
		}
	}
}
