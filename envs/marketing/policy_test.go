package marketing

import (
	"math"
	"testing"

	"overnight/envs"
	"overnight/internal/rng"
)

// policy fills in an action; draws come from s.
type policy func(e *Env, s *rng.Stream, a *envs.Action)

func equalSplit(_ *Env, _ *rng.Stream, a *envs.Action) {
	for i := range a.Values {
		a.Values[i] = 1
	}
}

// uniform is the notebook's random policy: uniform numbers, divided by their
// sum by the environment.
func uniform(_ *Env, s *rng.Stream, a *envs.Action) { s.Floats(a.Values) }

// heuristic gives shares in proportion to effectiveness.
func heuristic(e *Env, _ *rng.Stream, a *envs.Action) {
	sum := 0.0
	for i := range e.ch {
		sum += e.ch[i].eff
	}
	for i := range e.ch {
		a.Values[i] = e.ch[i].eff / sum
	}
}

func best(e *Env, _ *rng.Stream, a *envs.Action) { e.Best(a) }

// play returns the total reward of one episode.
func play(e *Env, key rng.Key, p policy, a *envs.Action, step *envs.Step) float64 {
	s := rng.New(key.At(1000))
	total := 0.0
	for e.Reset(key, step); !step.Done; {
		p(e, &s, a)
		e.Step(a, step)
		total += step.Reward
	}
	return total
}

// TestPolicyMeans compares the notebook's simple policies with the reference's
// means (shared by every port), which are given to 0.1. The reference does not
// state its number of episodes; it is taken to be as large as ours. At 4
// combined standard errors a right environment fails one of the six checks below
// for 4 seeds in 10,000, and with this seed never.
func TestPolicyMeans(t *testing.T) {
	t.Parallel()
	const episodes = 20_000
	for _, c := range []struct {
		name string
		policy
		want float64
	}{
		{"random", uniform, 5995.6},
		{"equal", equalSplit, 6978.99},
		{"heuristic", heuristic, 6744.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := build(t, object{"faithful": true})
			a, step := envs.Action{Values: make([]float64, 3)}, envs.Step{}
			key := rng.Root(7, "means")
			var sum, squares float64
			var eff, effSquares [3]float64
			for n := range uint64(episodes) {
				total := play(e, key.At(n), c.policy, &a, &step)
				sum += total
				squares += total * total
				for i := range e.ch { // as it was when day 29's action was taken
					eff[i] += e.ch[i].effThen
					effSquares[i] += e.ch[i].effThen * e.ch[i].effThen
				}
			}
			check := func(what string, sum, squares, want float64) {
				mean := sum / episodes
				sd := math.Sqrt(squares/episodes - mean*mean)
				se := sd / math.Sqrt(episodes) * math.Sqrt2
				t.Logf("%s: mean %.5f, sd %.4f, reference %.5f", what, mean, sd, want)
				if math.Abs(mean-want) > 4*se {
					t.Errorf("%s: mean %v, want %v +- %v", what, mean, want, 4*se)
				}
			}
			check("return", sum, squares, c.want)
			if c.name != "equal" {
				return
			}
			for i, want := range []float64{0.35509, 0.61017, 0.71779} {
				check("effectiveness of "+e.p.Channels[i]+" on day 29", eff[i], effSquares[i], want)
			}
		})
	}
}

// TestQuietTotals: without noise a day's allocation earns the same every day,
// and 29.25 of 30 days land under the notebook's delay.
func TestQuietTotals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		policy
		want float64
	}{{"optimum", best, 6576.88235}, {"equal", equalSplit, 6431.93072}} {
		e := build(t, quiet(nil))
		a, step := envs.Action{Values: make([]float64, 3)}, envs.Step{}
		near(t, c.name, play(e, rng.Root(1, "quiet"), c.policy, &a, &step), c.want, 1e-5/c.want)
	}
}

// TestNoiseIgnoresActions: effectiveness and the relative noise of revenue are
// functions of key and day, whatever is done, and so are errors of observation.
func TestNoiseIgnoresActions(t *testing.T) {
	t.Parallel()
	one := build(t, object{"observe": object{"noise": 0.3}})
	two := build(t, object{"observe": object{"noise": 0.3}, "budget": 300.0, "reward": "ltv"})
	plain := build(t, object{})
	var a, b, c envs.Step
	key := rng.Root(3, "paired").At(5)
	one.Reset(key, &a)
	two.Reset(key, &b)
	plain.Reset(key, &c)
	for day := range 30 {
		if a.Obs[1] != b.Obs[1] || a.Obs[3] != b.Obs[3] {
			t.Fatalf("day %d: effectiveness is shown as %v and %v", day, a.Obs[1:4], b.Obs[1:4])
		}
		if a.Obs[1] == c.Obs[1] {
			t.Fatalf("day %d: effectiveness is shown without error", day)
		}
		one.Step(&envs.Action{Values: []float64{1, 2, 3}}, &a)
		two.Step(&envs.Action{Values: []float64{5, 1, 1}}, &b)
		plain.Step(&envs.Action{Values: []float64{5, 1, 1}}, &c)
		for i := range one.ch {
			x, y, z := &one.ch[i], &two.ch[i], &plain.ch[i]
			if x.eff != y.eff || x.eff != z.eff {
				t.Fatalf("day %d: effectiveness of channel %d is %v, %v and %v", day, i, x.eff, y.eff, z.eff)
			}
			luck := func(c *channel) float64 { return c.generated / (c.effThen * c.spend * math.Exp(-c.spend/c.k)) }
			near(t, "relative noise", luck(x), luck(y), 1e-12)
		}
	}
}
