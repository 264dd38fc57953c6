package bandit

import (
	"bytes"
	"testing"

	"overnight/agents"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// FuzzState restores bytes into every policy. What is refused leaves the policy
// as it was; what is taken is what the policy then writes.
func FuzzState(f *testing.F) {
	w := newWorld(40, .9, .1)
	made := func(t testing.TB, f agents.Factory) agents.Agent {
		p, err := f.Schema().Complete(&param.Map{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Fits(p, &w.spec) != nil {
			return nil
		}
		a, err := f.New(p, &w.spec, rng.Root(1, "bandit/init"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for i, factory := range Factories() {
		a := made(f, factory)
		if a == nil {
			continue
		}
		w.begin(a, 0, agents.Train)
		for range 10 {
			w.step(a)
		}
		state, err := a.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), state)
		f.Add(uint8(i), state[:len(state)-1])
	}
	f.Fuzz(func(t *testing.T, number uint8, state []byte) {
		all := Factories()
		a := made(t, all[int(number)%len(all)])
		if a == nil {
			return
		}
		before, err := a.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		want := state
		if a.UnmarshalBinary(state) != nil {
			want = before
		}
		got, err := a.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("policy %d: the state is %x, want %x", number, got, want)
		}
	})
}
