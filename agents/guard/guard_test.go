package guard

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"overnight/agents"
	"overnight/agents/bandit"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// TestOff checks that a policy without rails is the policy itself, made in the
// memory of an earlier one whether that was guarded or not.
func TestOff(t *testing.T) {
	t.Parallel()
	spec := world(t, "horizon", int64(50), "contexts", []param.Value{"segment"}).Spec()
	for _, inner := range bandit.Factories() {
		f := Around(inner)
		off, err := f.Schema().Complete(nil)
		if err != nil {
			t.Fatal(err)
		}
		on, err := f.Schema().Complete(mapping(Group, mapping("floor", .01)))
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() != inner.Name() || f.Doc() != inner.Doc() || !slices.EqualFunc(f.Schema()[:len(inner.Schema())], inner.Schema(), func(a, b param.Field) bool { return cmp.Equal(a, b) }) || len(f.Schema()) != len(inner.Schema())+1 {
			t.Errorf("%s: the guard changes more than it adds", inner.Name())
		}
		p, _ := inner.Schema().Complete(nil)
		if !cmp.Equal(f.Traits(off), inner.Traits(p)) || !cmp.Equal(f.Traits(on), inner.Traits(p)) {
			t.Errorf("%s: traits %+v and %+v, want %+v", inner.Name(), f.Traits(off), f.Traits(on), inner.Traits(p))
		}
		want, _ := inner.New(p, spec, rng.Key{}, nil)
		make := func(m *param.Map, reuse agents.Agent) agents.Agent {
			a, err := f.New(m, spec, rng.Key{}, reuse)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		a := make(off, nil)
		if reflect.TypeOf(a) != reflect.TypeOf(want) {
			t.Fatalf("%s without rails is a %T", inner.Name(), a)
		}
		b := make(on, a)
		if g := unwrap(b); g == nil || g.policy != a {
			t.Errorf("%s: a guard does not recycle the policy without one", inner.Name())
		}
		if c := make(on, b); c != b || unwrap(c).policy != a {
			t.Errorf("%s: a guard is not recycled", inner.Name())
		}
		if c := make(off, b); c != a {
			t.Errorf("%s: a guarded policy is not recycled without its guard", inner.Name())
		}
		_, has := b.(agents.Beliefs)
		if _, wants := want.(agents.Beliefs); has != wants {
			t.Errorf("%s has beliefs: %v, guarded %v", inner.Name(), wants, has)
		}
	}
	if _, has := guardOf(t, world(t), "first", mapping("floor", .1)).(agents.Beliefs); has {
		t.Error("the guard of a policy without beliefs has some")
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	plain := world(t).Spec()
	people := world(t, "recipients", mapping("number", int64(20_000))).Spec()
	noAction := *people
	noAction.Action.Names = nil
	for _, c := range []struct {
		spec  *envs.Spec
		rails *param.Map
		want  string // empty: fits
	}{
		{plain, mapping("holdout", .1, "floor", .2, "share_cap", .2, "stop", mapping("drop", 0.0)), ""},
		{plain, mapping("stop", mapping("drop", .1, "rate", .3)), ""},
		{people, mapping("frequency", mapping("cap", int64(500))), ""},
		{plain, mapping("floor", .21), "guard.floor is 0.21 for each of 5 actions, more than all sends together; write at most 0.2"},
		{people, mapping("floor", .2), "6 actions, more than all sends together; write at most 0.1666"},
		{plain, mapping("share_cap", .19), "guard.share_cap is 0.19 for each of 5 actions, which is not all sends together; write at least 0.2"},
		{plain, mapping("frequency", mapping("cap", int64(2))), `guard.frequency.cap is 2 mails a recipient, and the environment does not show an integer field "recipient"; choose an environment with recipients (email has them with recipients: {number: 2000}), or leave the cap out`},
		{&noAction, mapping("frequency", mapping("cap", int64(2))), `has no action "no mail"`},
		{people, mapping("frequency", mapping("cap", int64(501))), "guard.frequency.cap is 501 for 20000 recipients, more mails than are remembered; write a cap of at most 500"},
		{plain, mapping("stop", mapping("rate", .3)), "guard.stop.rate is 0.3, and stop.drop is 1, which stops never; write stop.drop too, such as 0.2, or leave the rate out"},
		{plain, mapping("stop", mapping("drop", .1)), "guard.stop.drop is 0.1, and there is nothing that conversions could drop against; write holdout: 0.1 beside stop, or the rate from before in stop.rate"},
	} {
		f := Around(policy(t, "epsilon_greedy"))
		p, err := f.Schema().Complete(mapping(Group, c.rails))
		if err != nil {
			t.Fatal(err)
		}
		err = f.Fits(p, c.spec)
		_, made := f.New(p, c.spec, rng.Key{}, nil)
		if fmt.Sprint(err) != fmt.Sprint(made) {
			t.Errorf("Fits says %v, New %v", err, made)
		}
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", param.FormatValue(c.rails), err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, new(*param.Error)) {
			t.Errorf("%s: %v, want %s", param.FormatValue(c.rails), err, c.want)
		}
	}
	f := Around(constant{"first", 0})
	p, _ := f.Schema().Complete(mapping(Group, mapping("floor", .1)))
	if err := f.Fits(p, &envs.Spec{Action: envs.Actions{Kind: envs.Simplex, N: 4}}); err == nil || !strings.Contains(err.Error(), "a simplex of 4 numbers; leave guard out") {
		t.Errorf("%v", err)
	}
}

// TestMetrics checks that a rail that is off reports nothing.
func TestMetrics(t *testing.T) {
	t.Parallel()
	of := []string{"holdout_uplift", "holdout_uplift_low", "holdout_uplift_high", "holdout_sends", "srm_p"}
	for _, c := range []struct {
		rails *param.Map
		want  []string
	}{
		{mapping("floor", .1, "share_cap", .5), nil},
		{mapping("holdout", .1), of},
		{mapping("stop", mapping("drop", .1, "rate", .2)), []string{"stopped_at"}},
		{mapping("holdout", .1, "stop", mapping("drop", .1)), append(of, "stopped_at")},
	} {
		f := Around(policy(t, "ucb1"))
		p, _ := f.Schema().Complete(mapping(Group, c.rails))
		var got []string
		for _, m := range f.Traits(p).Metrics {
			got = append(got, m.Name)
		}
		if !cmp.Equal(got, c.want) {
			t.Errorf("%s reports %v, want %v", param.FormatValue(c.rails), got, c.want)
		}
		r := start(world(t, "horizon", int64(40)), guardOf(t, world(t, "horizon", int64(40)), "ucb1", c.rails), 1).finish()
		if n := len(r.report()); n != len(c.want) {
			t.Errorf("%s: %d numbers", param.FormatValue(c.rails), n)
		}
	}
}

// updater is an agent that asks for more than a guard passes on.
type updater struct{ constant }

func (updater) Updates() uint64 { return 0 }
func (u updater) New(*param.Map, *envs.Spec, rng.Key, agents.Agent) (agents.Agent, error) {
	return u, nil
}

func TestRefusesWhatItWouldHide(t *testing.T) {
	t.Parallel()
	f := Around(updater{constant{"first", 0}})
	for _, c := range []struct {
		floor float64
		want  string
	}{{0, ""}, {.1, "first counts its updates, which a guard does not pass on; leave guard out, or choose another agent"}} {
		p, _ := f.Schema().Complete(mapping(Group, mapping("floor", c.floor)))
		_, err := f.New(p, world(t).Spec(), rng.Key{}, nil)
		if err != nil && err.Error() != c.want || err == nil && c.want != "" {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
