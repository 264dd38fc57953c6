package policygradient

import (
	"math"
	"strings"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/rng"
)

// act returns what an agent does on the first step of the toy.
func act(t *testing.T, env *toy, a agents.Agent, m agents.Mode) []float64 {
	t.Helper()
	var in envs.Step
	env.Reset(rng.Root(1, "env"), &in)
	a.Begin(rng.Root(1, "agent"), m)
	action := envs.Action{Values: make([]float64, env.spec.Action.N)}
	a.Act(&in, &action)
	return action.Values
}

func TestHeads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		kind      envs.Kind
		s         settings
		low, high float64
		shares    bool
	}{
		{"softmax", envs.Simplex, settings{}, 0, 1, true},
		{"clipped shares", envs.Simplex, settings{"head": "gaussian_clipped"}, 0, 1, false},
		{"clipped numbers", envs.Box, settings{"head": "gaussian_clipped"}, -1, 3, false},
	} {
		env := newToy(c.kind, 3, 5)
		c.s["log_std"] = settings{"init": 1}
		a := newAgent(t, c.s, env.Spec(), 1)
		greedy, sample := act(t, env, a, agents.Greedy), act(t, env, a, agents.Sample)
		same, atBound := true, false
		for _, values := range [][]float64{greedy, sample} {
			sum := 0.0
			for i, v := range values {
				if v < c.low || v > c.high {
					t.Errorf("%s: %v, want within [%v, %v]", c.name, values, c.low, c.high)
				}
				sum += v
				same = same && v == greedy[i]
				atBound = atBound || v == c.low || v == c.high
			}
			if c.shares && math.Abs(sum-1) > 1e-6 {
				t.Errorf("%s: shares %v sum to %v", c.name, values, sum)
			}
		}
		if same {
			t.Errorf("%s: a sample equals the greedy action %v", c.name, greedy)
		}
		if !c.shares && !atBound {
			t.Errorf("%s: with a standard deviation of 2.7 nothing of %v was clipped", c.name, sample)
		}
		if again := act(t, env, a, agents.Sample); again[0] != sample[0] {
			t.Errorf("%s: the same keys gave %v and then %v", c.name, sample, again)
		}
		if train := act(t, env, a, agents.Train); train[0] != sample[0] {
			t.Errorf("%s: Train drew %v, Sample %v from the same key", c.name, train, sample)
		}
	}
}

// TestLogProbOfClipped: what log-probabilities are taken of is what was drawn, or
// what the environment got.
func TestLogProbOfClipped(t *testing.T) {
	t.Parallel()
	for _, logProb := range []string{"raw", "clipped"} {
		env := newToy(envs.Simplex, 3, 40)
		a := newAgent(t, settings{"head": "gaussian_clipped", "log_prob": logProb, "batch": 2, "log_std": settings{"init": 1}}, env.Spec(), 1).(*reinforce[float32])
		newPlayer(env, a).train(1, 0, 1)
		outside := 0
		for _, v := range a.drawn[:a.rows*a.n] {
			if v < 0 || v > 1 {
				outside++
			}
		}
		if got, want := outside > 0, logProb == "raw"; got != want {
			t.Errorf("%s: %d of %d kept numbers are outside [0, 1]", logProb, outside, a.rows*a.n)
		}
	}
}

// TestLearns: on the toy, where the best shares follow the observation, training
// ends far above its beginning for each head, kind of credit and precision.
func TestLearns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind envs.Kind
		s    settings
	}{
		{"softmax", envs.Simplex, settings{}},
		{"own", envs.Simplex, settings{"credit": "own"}},
		{"tanh", envs.Simplex, settings{"activation": "tanh", "precision": "float64"}},
		{"clipped", envs.Box, settings{"head": "gaussian_clipped", "log_std": settings{"mode": "clamped", "init": -1}}},
		{"sgd", envs.Simplex, settings{"optimizer": "sgd", "learning_rate": 0.05, "grad_clip": 1}},
		{"batch", envs.Simplex, settings{"advantage": "batch", "hidden": []int{16}, "learning_rate": 0.002}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := newToy(c.kind, 3, 12)
			p := newPlayer(env, newAgent(t, c.s, env.Spec(), 1))
			before := p.evaluate(1, 100, agents.Greedy)
			p.train(1, 0, 3000)
			after := p.evaluate(1, 100, agents.Greedy)
			if err := p.agent.(agents.Failing).Err(); err != nil {
				t.Fatal(err)
			}
			// Returns are negative; on the simplex shares can't reach their targets.
			if !(after > 0.9*before) {
				t.Errorf("mean return %.3f before and %.3f after 3,000 episodes", before, after)
			}
			t.Logf("mean return %.3f before, %.3f after", before, after)
		})
	}
}

func TestBrokenOffEpisodeIsForgotten(t *testing.T) {
	t.Parallel()
	env := newToy(envs.Simplex, 2, 6)
	s := settings{"batch": 2}
	whole, broken := newAgent(t, s, env.Spec(), 1), newAgent(t, s, env.Spec(), 1)
	want := newPlayer(env, whole).train(1, 0, 6)

	p := newPlayer(env, broken)
	got := p.train(1, 0, 3)
	var out envs.Step
	env.Reset(rng.Root(9, "other"), &p.in)
	broken.Begin(rng.Root(9, "other"), agents.Train)
	broken.Act(&p.in, &p.action)
	env.Step(&p.action, &out)
	broken.Learn(&p.in, &p.action, &out)
	p.evaluate(1, 2, agents.Greedy)
	got = append(got, p.train(1, 3, 6)...)
	if hash(got, broken) != hash(want, whole) {
		t.Error("an episode that was broken off, and evaluation, changed the training")
	}
}

func TestDivergenceIsNoticed(t *testing.T) {
	t.Parallel()
	env := newToy(envs.Simplex, 2, 6)
	a := newAgent(t, settings{"optimizer": "sgd", "learning_rate": 1e30, "batch": 2}, env.Spec(), 1)
	p := newPlayer(env, a)
	failing := a.(agents.Failing)
	for e := range 20 {
		p.train(1, e, e+1)
		if failing.Err() != nil {
			break
		}
	}
	if err := failing.Err(); err == nil || !strings.Contains(err.Error(), "diverged") {
		t.Fatalf("Err = %v, want one that says diverged", err)
	}
	if _, err := a.AppendBinary(nil); err == nil {
		t.Error("a diverged agent was saved")
	}
}

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	env := newToy(envs.Simplex, 2, 6)
	a := newAgent(t, settings{"batch": 2, "entropy_weight": 10, "learning_rate": 0.001, "log_std": settings{"mode": "trained", "init": -1}}, env.Spec(), 1).(*reinforce[float32])
	p := newPlayer(env, a)
	v := make([]float64, len(a.DiagnosticNames()))
	p.train(1, 0, 1)
	a.Diagnose(v)
	for i, x := range v {
		if x == x {
			t.Errorf("%s = %v before the first update, want NaN", a.DiagnosticNames()[i], x)
		}
	}
	p.train(1, 1, 2)
	a.Diagnose(v)
	// The entropy of two normals with log standard deviation -1.
	if want := 2 * (-1 + 0.5*math.Log(2*math.Pi*math.E)); math.Abs(v[1]-want) > 1e-6 {
		t.Errorf("entropy = %v, want %v", v[1], want)
	}
	// Adam's first step is as long as the learning rate, and entropy pulls up.
	if want := -1 + 0.001; !(v[2] > 0) || math.Abs(v[3]-want) > 1e-6 {
		t.Errorf("gradient %v long, log_std %v; want a gradient, and %v", v[2], v[3], want)
	}
	if a.Updates() != 1 {
		t.Errorf("Updates = %d, want 1", a.Updates())
	}
}

func TestClamped(t *testing.T) {
	t.Parallel()
	env := newToy(envs.Simplex, 2, 6)
	s := settings{"batch": 2, "learning_rate": 0.5, "entropy_weight": 10, "log_std": settings{"mode": "clamped", "init": 0, "high": 0.25}}
	a := newAgent(t, s, env.Spec(), 1).(*reinforce[float32])
	newPlayer(env, a).train(1, 0, 8)
	for i := range a.n {
		if got := *a.net.Extra(a.net.Params, i); got != 0.25 {
			t.Errorf("log_std %d = %v, want its upper bound 0.25", i, got)
		}
	}
}

// TestNoAllocation covers steps, updates and whole trials with reuse.
func TestNoAllocation(t *testing.T) {
	env := newToy(envs.Simplex, 3, 12)
	for _, s := range []settings{{"batch": 2}, {"faithful": true, "precision": "float64"}} {
		a := newAgent(t, s, env.Spec(), 1)
		p := newPlayer(env, a)
		key := rng.Root(1, "episode")
		p.episode(key, key, agents.Train) // the Step's buffers
		got := testing.AllocsPerRun(10, func() {
			p.episode(key.At(1), key.At(2), agents.Train)
			p.episode(key.At(3), key.At(4), agents.Train)
			p.episode(key.At(5), key.At(6), agents.Greedy)
		})
		if got != 0 {
			t.Errorf("%v: %v allocations in three episodes, want 0", s, got)
		}
		m := complete(t, s)
		if got := testing.AllocsPerRun(10, func() {
			if _, err := (Factory{}).New(m, env.Spec(), key, a); err != nil {
				t.Error(err)
			}
		}); got != 0 {
			t.Errorf("%v: %v allocations in New with reuse, want 0", s, got)
		}
	}
}

// TestReuse: an agent that is reused is a new one.
func TestReuse(t *testing.T) {
	t.Parallel()
	env := newToy(envs.Simplex, 3, 12)
	m := complete(t, settings{"batch": 2})
	fresh := newAgent(t, settings{"batch": 2}, env.Spec(), 5)
	want := hash(newPlayer(env, fresh).train(5, 0, 8), fresh)
	for _, old := range []settings{{"batch": 2}, {"batch": 3, "hidden": []int{7}}, {"precision": "float64"}, {"faithful": true}} {
		used := newAgent(t, old, env.Spec(), 9)
		newPlayer(env, used).train(9, 0, 5)
		a, err := Factory{}.New(m, env.Spec(), rng.Root(5, "agent/init"), used)
		if err != nil {
			t.Fatal(err)
		}
		if got := hash(newPlayer(env, a).train(5, 0, 8), a); got != want {
			t.Errorf("reusing an agent with %v changes the training", old)
		}
	}
}
