package marketing

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"overnight/envs"
	"overnight/envs/envtest"
	"overnight/internal/rng"
)

// object is a mapping of a study file.
type object = envtest.Object

// try makes an environment of the parameters named.
func try(parameters object, reuse envs.Env) (envs.Env, error) {
	return envtest.New(Factory{}, parameters, reuse)
}

func build(t testing.TB, parameters object) *Env {
	t.Helper()
	e, err := try(parameters, nil)
	if err != nil {
		t.Fatalf("New(%v): %v", parameters, err)
	}
	return e.(*Env)
}

// quiet has no noise, and effectiveness stays at its base.
func quiet(more object) object {
	all := object{"return_noise": 0.0, "volatility_scale": 0.0}
	for name, v := range more {
		all[name] = v
	}
	return all
}

// near fails unless got is want within tolerance, relative where want is above 1.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %v, want %v within %g", what, got, want, tolerance)
	}
}

// script is a fixture: an episode computed by an independent port of the
// notebook.
type script struct {
	Budget      float64
	Delay       []float64
	Volatility  []float64
	ReturnNoise float64   `json:"return_noise"`
	First       []float64 `json:"first_observation"`
	Total       float64   `json:"total_reward"`
	Steps       []struct {
		Action, Spend, Generated, Observation []float64
		ReturnNormals                         []float64 `json:"return_normals"`
		DynamicsNormals                       []float64 `json:"dynamics_normals"`
		Reward                                float64
		Done                                  bool
	}
}

func readScript(t *testing.T, path string) (s script) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return s
}

// inject replaces the noise of the episode, after Reset.
func (e *Env) inject(s *script) {
	for t, step := range s.Steps {
		copy(e.noise[2*e.k*t:], step.ReturnNormals)
		copy(e.noise[2*e.k*t+e.k:], step.DynamicsNormals)
	}
}

// TestNotebook plays the notebook's scripted episodes under `faithful: true`.
func TestNotebook(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"testdata/marketing_trajectory_seed.json", "testdata/marketing_trajectory_late.json"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			const tolerance = 1e-12
			s := readScript(t, path)
			if len(s.Steps) != 30 {
				t.Fatalf("%d steps, want 30", len(s.Steps))
			}
			e := build(t, object{"faithful": true, "budget": s.Budget, "delay": s.Delay, "volatility": s.Volatility, "return_noise": s.ReturnNoise})
			var step envs.Step
			e.Reset(rng.Root(1, "fixture"), &step)
			e.inject(&s)
			same := func(what string, n int, got, want []float64) {
				t.Helper()
				if len(got) != len(want) {
					t.Fatalf("step %d: %s has %d numbers, want %d", n, what, len(got), len(want))
				}
				for i := range want {
					if !(math.Abs(got[i]-want[i]) <= tolerance*max(1, math.Abs(want[i]))) {
						t.Errorf("step %d: %s[%d] is %v, want %v", n, what, i, got[i], want[i])
					}
				}
			}
			same("first observation", -1, step.Obs, s.First)
			if n := 1 + 3 + 3 + len(s.Delay) - 1; e.Spec().Size() != n {
				t.Errorf("the observation has %d numbers, want %d", e.Spec().Size(), n)
			}
			total := 0.0
			trace := make([]float64, len(e.Spec().Trace))
			for n, want := range s.Steps {
				e.Step(&envs.Action{Values: want.Action}, &step)
				e.Trace(trace)
				same("observation", n, step.Obs, want.Observation)
				same("reward", n, []float64{step.Reward}, []float64{want.Reward})
				same("spend", n, trace[4:7], want.Spend)
				same("generated", n, trace[7:10], want.Generated)
				if step.Done != want.Done || step.T != n+1 {
					t.Errorf("step %d: done is %t at %d, want %t at %d", n, step.Done, step.T, want.Done, n+1)
				}
				total += step.Reward
			}
			near(t, "total reward", total, s.Total, tolerance)
		})
	}
}

// BenchmarkStep plays whole episodes, noise and Reset included, with an equal
// split of three channels; "quiet" has no noise to draw. DESIGN asks for 10
// million steps a second on one core.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name       string
		parameters object
	}{
		{"default", object{}},
		{"faithful", object{"faithful": true}},
		{"quiet", quiet(nil)},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := build(b, c.parameters)
			var step envs.Step
			action := envs.Action{Values: []float64{1.0 / 3, 1.0 / 3, 1.0 / 3}}
			key := rng.Root(1, "bench")
			sum := 0.0
			steps := 0
			for b.Loop() {
				e.Reset(key.At(uint64(steps)), &step)
				for !step.Done {
					e.Step(&action, &step)
					sum += step.Reward
					steps++
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(steps), "ns/step")
			b.ReportMetric(float64(steps)/b.Elapsed().Seconds()/1e6, "Msteps/s")
			if sum <= 0 {
				b.Fatal("no reward")
			}
		})
	}
}

// BenchmarkBest plays the best action; a thirtieth of a Reset and a Step are in
// each operation.
func BenchmarkBest(b *testing.B) {
	for _, c := range []struct {
		name       string
		parameters object
	}{
		{"default", object{}},
		{"free", object{"unspent": true}},
		{"capped", object{"cap": 0.4}},
		{"saturating", object{"response": "saturating"}},
		{"logistic", object{"response": "logistic"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := build(b, c.parameters)
			var step envs.Step
			action := envs.Action{Values: make([]float64, e.entries)}
			key := rng.Root(1, "bench")
			n := 0
			for b.Loop() {
				if n%30 == 0 {
					e.Reset(key.At(uint64(n)), &step)
				}
				e.Best(&action)
				e.Step(&action, &step)
				n++
			}
		})
	}
}
