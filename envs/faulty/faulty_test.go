package faulty_test

import (
	"testing"

	"overnight/envs"
	"overnight/envs/envtest"
	"overnight/envs/faulty"
	"overnight/internal/param"
	"overnight/internal/rng"
)

func open(t *testing.T, fault string, reuse envs.Env) (envs.Env, error) {
	t.Helper()
	m := new(param.Map)
	m.Set("fault", fault)
	m.Set("x", 100.0)
	p, err := faulty.Factory{}.Schema().Complete(m)
	if err != nil {
		t.Fatal(err)
	}
	return faulty.Factory{}.New(p, reuse)
}

// TestContract: without a fault it is an environment like others.
func TestContract(t *testing.T) {
	envtest.Run(t, envtest.Suite{Factory: faulty.Factory{}, Variety: []envtest.Object{{}, {"x": 3.5}}})
}

func TestReward(t *testing.T) {
	t.Parallel()
	env, err := open(t, "none", nil)
	if err != nil {
		t.Fatal(err)
	}
	root := rng.Root(1, "test")
	var step envs.Step
	seen := map[float64]bool{}
	for i := range uint64(50) {
		var twice [2]float64
		for k := range twice {
			env.Reset(root.At(i), &step)
			env.Step(&envs.Action{}, &step)
			if !step.Done || step.Reward < 90 || step.Reward > 110 {
				t.Fatalf("step %+v, want the end with a reward near 100", step)
			}
			twice[k] = step.Reward
		}
		if twice[0] != twice[1] {
			t.Errorf("episode %d gave %v and then %v", i, twice[0], twice[1])
		}
		seen[twice[0]] = true
	}
	if len(seen) != 50 {
		t.Errorf("50 episodes gave %d different rewards", len(seen))
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	if _, err := open(t, "error", nil); err == nil {
		t.Error("fault error: New returned no error")
	}
	env, err := open(t, "panic", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("fault panic: the step returned")
		}
	}()
	var step envs.Step
	env.Reset(rng.Root(1, "test"), &step)
	env.Step(&envs.Action{}, &step)
}
