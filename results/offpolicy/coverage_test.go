package offpolicy

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"overnight/agents"
	"overnight/agents/bandit"
	"overnight/envs"
	"overnight/envs/email"
	"overnight/internal/param"
	"overnight/internal/rng"
)

var long = flag.Bool("long", false, "measure coverage over 500 logs of every policy, on every world")

func mapping(kv ...any) *param.Map {
	m := &param.Map{}
	for i := 0; i < len(kv); i += 2 {
		m.Set(kv[i].(string), kv[i+1])
	}
	return m
}

// logger is a policy that writes a log.
type logger struct {
	name   string
	policy string
	params *param.Map
	floor  float64 // an exposure floor of the test's own: p = (1 - K f) p' + f
	cheap  bool    // its propensities take no time
	unsafe bool    // propensities fall so far that no interval is promised
	looks  bool    // at contexts
	slow   bool    // not where it is hard
}

func loggers() []logger {
	return []logger{
		{name: "uniform", policy: "uniform", params: mapping(), cheap: true},
		{name: "epsilon_greedy .1", policy: "epsilon_greedy", params: mapping(), cheap: true},
		{name: "softmax .05", policy: "softmax", params: mapping("temperature", .05), unsafe: true},
		{name: "exp3", policy: "exp3", params: mapping(), unsafe: true},
		{name: "exp3, floor .05", policy: "exp3", params: mapping(), floor: .05, cheap: true},
		{name: "thompson, floor .05", policy: "thompson", params: mapping(), floor: .05},
		{name: "thompson, floor .01", policy: "thompson", params: mapping(), floor: .01, slow: true},
		{name: "ucb1, floor .05", policy: "ucb1", params: mapping(), floor: .05, cheap: true},
		{name: "regression .1", policy: "epsilon_greedy_regression", params: mapping(), looks: true},
		{name: "thompson", policy: "thompson", params: mapping(), unsafe: true, slow: true},
	}
}

type place struct {
	name string
	env  *param.Map
	pays float64 // mean of a conversion
	seen bool    // there are segments
	hard bool    // rates change, or differ, or outcomes are amounts
}

func places() []place {
	common := func(kv ...any) *param.Map { return mapping(append(kv, "horizon", int64(2000))...) }
	return []place{
		{name: "close: .02 to .06", env: common("rates", []any{.02, .03, .04, .05, .06})},
		{name: "drawn: .1 to .6", env: common()},
		{name: "drawn, jumps", env: common("world", "abrupt"), hard: true},
		{name: "drawn, segments", env: common("contexts", []any{"segment"}), hard: true, seen: true},
		{name: "revenue", env: common("revenue", "lognormal"), pays: 50, hard: true},
	}
}

// log plays one run and reads it.
func (l *logger) log(t *testing.T, where *place, run uint64) []Result {
	t.Helper()
	var ef email.Factory
	p, err := ef.Schema().Complete(where.env)
	if err != nil {
		t.Fatal(err)
	}
	env, err := ef.New(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec := env.Spec()
	at := slices.IndexFunc(bandit.Factories(), func(f agents.Factory) bool { return f.Name() == l.policy })
	factory := bandit.Factories()[at]
	if p, err = factory.Schema().Complete(l.params); err != nil {
		t.Fatal(err)
	}
	agent, err := factory.New(p, spec, rng.Key{}, nil)
	if err != nil {
		t.Fatal(err)
	}

	k := spec.Action.N
	best, worst := 0, 0
	trace := make([]float64, len(spec.Trace))
	rates, means := trace[len(trace)-k:], make([]float64, k)
	o := Options{NonNegative: true, Contextual: l.looks}
	segment, _, seen := spec.Field("segment")
	if seen {
		o.Groups = spec.Observation[0].Levels
	}
	var in, out envs.Step
	var act, scratch envs.Action
	env.Reset(rng.Root(5, "env").At(run), &in)
	agent.Begin(rng.Root(5, "agent").At(run), agents.Train)
	coin := rng.New(rng.Root(5, "floor").At(run))
	d := Decision{Probs: make([]float64, k), Means: means}
	var e *Evaluator
	for {
		if !agents.PropensitiesOf(agent, &in, d.Probs, &scratch) {
			t.Fatalf("%s does not know its propensities", l.policy)
		}
		agent.Act(&in, &act)
		if l.floor > 0 {
			for i := range d.Probs {
				d.Probs[i] = (1-float64(k)*l.floor)*d.Probs[i] + l.floor
			}
			if coin.Float64() < float64(k)*l.floor {
				act.Index = coin.IntN(k)
			}
		}
		act.Prob = d.Probs[act.Index]
		env.Step(&act, &out)
		env.(envs.Tracer).Trace(trace)
		for i, r := range rates {
			means[i] = r * max(where.pays, 1)
		}
		if seen {
			d.Group = int(in.Obs[segment])
		}
		if e == nil {
			for i, m := range means {
				if m > means[best] {
					best = i
				}
				if m < means[worst] {
					worst = i
				}
			}
			if e, err = New(k, []Target{Always(best), Always(worst), Uniform{}}, o); err != nil {
				t.Fatal(err)
			}
		}
		d.Action, d.Outcome = act.Index, env.(envs.Attributor).Generated()
		if err := e.Add(&d); err != nil {
			t.Fatal(err)
		}
		agent.Learn(&in, &act, &out)
		if out.Done {
			return e.Results()
		}
		in, out = out, in
	}
}

// TestCoverage measures how often 95 % intervals hold the truth, over 500 logs of
// each policy with -long, which takes CPU-minutes, else over 100 of the cheap
// ones.
//
// A floor is put on policies as agents/guard does.
//
// With 500 logs a coverage has a standard error of .01. IPS, SNIPS and DR are
// held to .93, which is what a normal interval may lose where a rate of .02 meets
// a hundred effective sends, less three standard errors; the bias of IPS and DR to
// four of its standard errors, which one in 16,000 exceeds by chance.
func TestCoverage(t *testing.T) {
	t.Parallel()
	logs := 100
	if *long {
		logs = 500
	}
	for i, w := range places() {
		for _, l := range loggers() {
			if !*long && !(l.cheap && i == 0) || l.looks && !w.seen || l.slow && w.hard {
				continue
			}
			t.Run(w.name+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				all := make([][]Result, logs)
				for n := range all {
					all[n] = l.log(t, &w, uint64(n))
				}
				for i, name := range []string{"best", "worst", "uniform"} {
					judge(t, w.name, &l, name, all, i)
				}
			})
		}
	}
}

// judge looks at one target over all logs.
func judge(t *testing.T, world string, l *logger, name string, all [][]Result, i int) {
	var c Repeats
	var effective, supported float64
	for _, r := range all {
		c.Add(&r[i])
		if r[i].Supported {
			supported++
			effective += r[i].Effective
		}
	}
	row := fmt.Sprintf("| %s | %s | %s | %.0f | %.0f |", world, l.name, name, supported, effective/supported)
	for _, e := range []Estimator{IPS, SNIPS, DR, Adaptive} {
		f := c.Of(e)
		row += fmt.Sprintf(" %.3f (%.4f) |", f.Coverage, f.Width/2)
		if e == Adaptive || l.unsafe {
			continue
		}
		if f.Coverage < .93-3*math.Sqrt(.07*.93/float64(len(all))) {
			t.Errorf("%v of %s: intervals hold the truth in %.3f of %d logs", e, name, f.Coverage, f.Logs)
		}
		if e != SNIPS && math.Abs(f.Bias) > 4*f.BiasSE {
			t.Errorf("%v of %s: bias %.5f +- %.5f", e, name, f.Bias, f.BiasSE)
		}
	}
	t.Log(row)
	if !l.unsafe && supported < float64(len(all)) {
		t.Errorf("%s: %v of %d logs have support", name, supported, len(all))
	}
}
