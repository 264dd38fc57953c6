package nn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"overnight/internal/fp"
	"overnight/internal/rng"
	"overnight/internal/simd"
)

// TestUpdateDifferences checks the gradients of both updates with central
// differences; see TestFiniteDifferences for the bound. At a kink, of which there
// is none so near these numbers, they would not exist.
func TestUpdateDifferences(t *testing.T) {
	t.Parallel()
	for _, l := range simd.Levels() {
		s := rng.New(rng.Root(51, "nn/updates"))
		rows := []int32{3, 0, 4, 7, 9, 1, 1}
		p := newActorCritic[float64](4, 2, 18, 10, len(rows), &s)
		p.actor.Use(l)
		p.critic.Use(l)
		loss := func() float64 { return p.gradient(rows) }
		differences(t, "actor", p.actor, p.actorGrad, loss)
		differences(t, "critic", p.critic, p.criticGrad, loss)
		v := newValues[float64]([]int{4, 18, 17, 3}, 10, len(rows), &s)
		v.net.Use(l)
		v.target.Use(l)
		differences(t, "values", v.net, v.grad, func() float64 { return v.gradient(rows) })
	}
}

func differences(t *testing.T, name string, n *Net[float64], grad []Block[float64], loss func() float64) {
	t.Helper()
	const h = 1e-6
	loss()
	params, got := n.Export(nil, n.Params), n.Export(nil, grad)
	for i, x := range params {
		params[i] = x + h
		n.Import(n.Params, params)
		up := loss()
		params[i] = x - h
		n.Import(n.Params, params)
		down := loss()
		params[i] = x
		n.Import(n.Params, params)
		if want := (up - down) / (2 * h); math.Abs(got[i]-want) > 1e-7 {
			t.Fatalf("%s: gradient %d = %v, central difference %v", name, i, got[i], want)
		}
	}
}

// TestUpdateTorch holds losses and gradients of both updates against PyTorch in
// float64, on testdata/updates.json (testdata/updates.py made it): 1e-12 is room for
// another order of summation.
func TestUpdateTorch(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/updates.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Actor, Critic, Net, Target                 []float64
		Obs, After, Actions                        []float64
		Old, Advantage, Returns, Reward, Discounts []float64
		Action, Rows                               []int32
		PPO, DQN                                   float64
		ActorGrad, CriticGrad, NetGrad             []float64
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for _, l := range simd.Levels() {
		s := rng.New(rng.Key{})
		p := newActorCritic[float64](4, 2, 18, len(want.Old), len(want.Rows), &s)
		v := newValues[float64]([]int{4, 18, 17, 3}, len(want.Old), len(want.Rows), &s)
		for _, n := range []struct {
			net  *Net[float64]
			from []float64
		}{{p.actor, want.Actor}, {p.critic, want.Critic}, {v.net, want.Net}, {v.target, want.Target}} {
			n.net.Use(l)
			n.net.Import(n.net.Params, n.from)
		}
		p.obs, p.actions, p.old, p.advantage, p.returns = want.Obs, want.Actions, want.Old, want.Advantage, want.Returns
		v.obs, v.after, v.action, v.reward, v.discounts = want.Obs, want.After, want.Action, want.Reward, want.Discounts
		closeTo(t, "loss of PPO", []float64{p.gradient(want.Rows)}, []float64{want.PPO})
		closeTo(t, "loss of DQN", []float64{v.gradient(want.Rows)}, []float64{want.DQN})
		closeTo(t, "actor", p.actor.Export(nil, p.actorGrad), want.ActorGrad)
		closeTo(t, "critic", p.critic.Export(nil, p.criticGrad), want.CriticGrad)
		closeTo(t, "values", v.net.Export(nil, v.grad), want.NetGrad)
	}
}

func closeTo(t *testing.T, name string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12*max(1, math.Abs(want[i])) {
			t.Fatalf("%s %d: %v, PyTorch has %v", name, i, got[i], want[i])
		}
	}
}

// TestGoldenUpdates holds the parameters after two passes of PPO and 50 updates of
// DQN to hashes that every machine must have.
func TestGoldenUpdates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		got  func(simd.Level) string
		want string
	}{
		{goldenUpdates[float32], "b95ebaa6725184fb"},
		{goldenUpdates[float64], "9fe46c76bd86b8bf"},
	} {
		for _, l := range simd.Levels() {
			if got := c.got(l); got != c.want {
				t.Errorf("%v: %s, want %s", l, got, c.want)
			}
		}
	}
}

func goldenUpdates[T fp.Float](l simd.Level) string {
	s := rng.New(rng.Root(61, "nn/golden"))
	p := newActorCritic[T](7, 3, 33, 128, 32, &s)
	v := newValues[T]([]int{7, 40, 19, 5}, 300, 24, &s)
	for _, n := range []*Net[T]{p.actor, p.critic, v.net, v.target} {
		n.Use(l)
	}
	p.update(2, &s)
	rows := make([]int32, 24)
	for range 50 {
		v.update(&s, rows)
	}
	sum := sha256.New()
	for _, n := range []*Net[T]{p.actor, p.critic, v.net} {
		for _, x := range n.Export(nil, n.Params) {
			fmt.Fprintf(sum, "%x ", float64(x))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
