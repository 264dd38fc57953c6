package policygradient

import (
	"strings"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/rng"
)

// TestRestore saves a training at every episode of a batch and goes on with a new
// agent: the same returns, the same parameters, the same diagnostics.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, s := range []settings{
		{"batch": 3, "log_std": settings{"mode": "clamped"}},
		{"batch": 3, "precision": "float64", "head": "gaussian_clipped", "credit": "own"},
		{"batch": 3, "optimizer": "sgd", "activation": "tanh"},
		{"faithful": true},
	} {
		env := newToy(envs.Simplex, 3, 9)
		straight := newAgent(t, s, env.Spec(), 1)
		returns := newPlayer(env, straight).train(1, 0, 14)
		want := hash(returns, straight)
		for cut := range 14 {
			first := newAgent(t, s, env.Spec(), 1)
			got := newPlayer(env, first).train(1, 0, cut)
			state, err := first.AppendBinary([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			second := newAgent(t, s, env.Spec(), 777)
			newPlayer(env, second).train(777, 0, 4) // a past that must leave nothing
			if err := second.UnmarshalBinary(state[len("before"):]); err != nil {
				t.Fatal(err)
			}
			if a, b := diagnose(first), diagnose(second); a != b {
				t.Errorf("%v, cut at %d: diagnostics %v, want %v", s, cut, b, a)
			}
			got = append(got, newPlayer(env, second).train(1, cut, 14)...)
			if hash(got, second) != want {
				t.Errorf("%v: a restore after episode %d changes the training", s, cut)
			}
			if a, b := straight.(agents.Updater).Updates(), second.(agents.Updater).Updates(); a != b {
				t.Errorf("%v: %d updates after a restore, want %d", s, b, a)
			}
		}
	}
}

// diagnose returns the diagnostics with NaN as 0, so that they compare.
func diagnose(a agents.Agent) (v [4]float64) {
	a.(agents.Diagnostics).Diagnose(v[:])
	for i, x := range v {
		if x != x {
			v[i] = 0
		}
	}
	return v
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	env := newToy(envs.Simplex, 3, 9)
	save := func(s settings, episodes int) []byte {
		a := newAgent(t, s, env.Spec(), 1)
		newPlayer(env, a).train(1, 0, episodes)
		b, err := a.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a := newAgent(t, settings{"batch": 3}, env.Spec(), 2)
	good := save(settings{"batch": 3}, 5)
	for _, c := range []struct {
		name, want string
		state      []byte
	}{
		{"nothing", "cut short", nil},
		{"a newer version", "version 9", append([]byte{9}, good[1:]...)},
		{"another precision", "float64", save(settings{"batch": 3, "precision": "float64"}, 5)},
		{"another network", "parameters", save(settings{"batch": 3, "hidden": []int{8}}, 5)},
		{"a larger batch", "a batch has 3", save(settings{"batch": 8}, 5)},
		{"bytes after the end", "too many", append(append([]byte(nil), good...), 0)},
	} {
		if err := a.UnmarshalBinary(c.state); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	for cut := range good {
		if a.UnmarshalBinary(good[:cut]) == nil {
			t.Fatalf("a state cut to %d of %d bytes was accepted", cut, len(good))
		}
	}
	if err := a.UnmarshalBinary(good); err != nil {
		t.Error(err)
	}
}

func FuzzRestore(f *testing.F) {
	env := newToy(envs.Simplex, 2, 4)
	s := settings{"batch": 3, "hidden": []int{3}}
	a := newAgent(f, s, env.Spec(), 1)
	newPlayer(env, a).train(1, 0, 5)
	state, err := a.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add(state[:20])
	f.Fuzz(func(_ *testing.T, b []byte) {
		if a.UnmarshalBinary(b) != nil {
			return
		}
		// What was accepted can go on.
		newPlayer(env, a).episode(rng.Key{1}, rng.Key{2}, agents.Train)
	})
}
