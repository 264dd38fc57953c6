package envtest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// flaw is one way in which the environment below breaks the contract.
type flaw string

type flawed struct{ flaw flaw }

func (flawed) Name() string         { return "flawed" }
func (flawed) Doc() string          { return "Breaks the contract on request." }
func (flawed) Schema() param.Schema { return param.Schema{} }

func (f flawed) New(_ *param.Map, reuse envs.Env) (envs.Env, error) {
	e, ok := reuse.(*env)
	if !ok {
		e = &env{flaw: f.flaw}
		e.spec = envs.Spec{
			Observation: []envs.Field{{Name: "level", Len: 1, Levels: 3, High: 2}, {Name: "x", Len: 1, High: 1}},
			Action:      envs.Actions{Kind: envs.Discrete, N: 3, Names: []string{"a", "b", "c"}},
			Horizon:     20, Credited: true, NonNegative: true, Optimum: envs.Exact,
			Metrics: []envs.Metric{{Name: "sends", Doc: "sends"}, {Name: "total", Doc: "total"}},
			Trace:   []string{"u", "arm"},
		}
		e.mask = []bool{true, false, true}
	}
	switch f.flaw {
	case "two metrics of a name":
		e.spec.Metrics[1].Name = "sends"
	case "no names":
		e.spec.Action.Names = nil
	case "an oracle undeclared":
		e.spec.Optimum = envs.NoOptimum
	case "credits undeclared":
		e.spec.Credited = false
	case "another spec after reuse":
		e.spec.Horizon = 20 + len(e.leak)
	}
	return e, nil
}

// env pays u for arm 0 and 1 - u for arm 2; arm 1 is not allowed.
type env struct {
	flaw    flaw
	spec    envs.Spec
	mask    []bool
	s       rng.Stream
	t       int
	u       float64
	arm     int
	total   float64
	asked   int
	carried float64
	leak    []int
	seeded  bool
}

func (e *env) Spec() *envs.Spec { return &e.spec }

func (e *env) Reset(key rng.Key, out *envs.Step) {
	if e.flaw != "noise without the key" || !e.seeded {
		e.s.Seed(key)
		e.seeded = true
	}
	if e.flaw == "the same under every key" {
		e.s.Seed(rng.Key{})
	}
	e.t, e.total, e.asked = 0, 0, 0
	if e.flaw != "state that outlives an episode" {
		e.carried = 0
	}
	e.show(out)
	out.Reward, out.Credits = 0, out.Credits[:0]
}

func (e *env) show(out *envs.Step) {
	e.u = e.s.Float64()
	level := float64(int(3 * e.u))
	if e.flaw == "a level out of range" {
		level++
	}
	if e.flaw == "not a level" {
		level = e.u
	}
	if e.flaw == "Obs kept from the step before" && len(out.Obs) > 0 {
		level = out.Obs[0]
	}
	out.Obs = append(out.Obs[:0], level, e.carried)
	if e.flaw == "too few numbers" {
		out.Obs = out.Obs[:1]
	}
	out.Allowed = e.mask
	if e.flaw == "a mask that leaves nothing" && e.t == 5 {
		out.Allowed = make([]bool, 3)
	}
	out.T, out.Done, out.Truncated = e.t, e.t == e.spec.Horizon, false
	switch e.flaw {
	case "no end":
		out.Done = false
	case "truncated in the middle":
		out.Truncated = true
	}
	if e.flaw == "an allocation" {
		e.leak = make([]int, 3+e.t)
	}
	if e.flaw == "another spec after reuse" {
		e.leak = append(e.leak, e.t)
	}
}

func (e *env) worth(arm int) float64 {
	if arm == 0 {
		return e.u
	}
	return 1 - e.u
}

func (e *env) Step(a *envs.Action, out *envs.Step) {
	e.arm = a.Index
	r := e.worth(a.Index)
	e.total += r
	e.carried = float64(a.Index) / 2
	out.Reward = r
	c := envs.Credit{Step: int32(e.t), Index: int32(a.Index), Reward: r}
	switch e.flaw {
	case "a credit of another arm":
		c.Index = 1
	case "a credit of a later step":
		c.Step++
	case "credits that don't add up":
		c.Reward /= 2
	case "a negative reward":
		out.Reward, c.Reward = -r, -r
	case "a reward that is no number":
		out.Reward, c.Reward = math.NaN(), math.NaN()
	case "an action changed":
		a.Index = 0
	}
	out.Credits = append(out.Credits[:0], c)
	if e.flaw == "a credit for the second time" && e.t > 0 {
		out.Credits = append(out.Credits, c)
		out.Credits[1].Reward, out.Credits[1].Step, out.Credits[1].Index = 0, 0, out.Credits[0].Index
	}
	e.t++
	e.show(out)
}

func (e *env) Metrics(into []float64) {
	into[0] = float64(e.t)
	if e.flaw != "a metric unwritten" {
		into[1] = e.total
	}
	if e.flaw == "metrics that change" {
		e.total++
	}
}

func (e *env) Trace(into []float64) { into[0], into[1] = e.u, float64(e.arm) }

func (e *env) Best(a *envs.Action) float64 {
	a.Index = 0
	if e.u < .5 {
		a.Index = 2
	}
	if e.flaw == "a best that is not allowed" {
		a.Index = 1
	}
	if e.flaw == "a best that draws" {
		e.s.Float64()
		return e.worth(a.Index) + e.s.Float64()
	}
	return e.worth(a.Index)
}

// failed ends a check.
type failed struct{}

// recorder keeps what a check says.
type recorder struct{ said []string }

func (*recorder) Helper()                     {}
func (r *recorder) Errorf(f string, a ...any) { r.said = append(r.said, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...); panic(failed{}) }

// examine returns what the checks say of an environment with a flaw.
func examine(f flaw) []string {
	s := Suite{Factory: flawed{f}, Variety: []Object{{}}}
	r := &recorder{}
	for _, check := range []func(){
		func() { declares(r, Object{}, s.build(r, Object{}, nil)) },
		func() { follows(r, Object{}, s.build(r, Object{}, nil)) },
		func() { s.keys(r, Object{}) },
		func() { s.reuse(r) },
		func() { s.allocations(r) },
	} {
		func() {
			defer func() {
				if v := recover(); v != nil && v != any(failed{}) {
					panic(v)
				}
			}()
			check()
		}()
		if len(r.said) > 0 {
			break
		}
	}
	return r.said
}

// TestFlaws: each way to break the contract is found, and named.
func TestFlaws(t *testing.T) {
	if said := examine(""); len(said) > 0 {
		t.Fatalf("without a flaw: %v", said)
	}
	for f, want := range map[flaw]string{
		"two metrics of a name":          `metric 1 is "sends", empty or for the second time`,
		"no names":                       "0 names for 3 actions",
		"an oracle undeclared":           "has an Oracle: true",
		"credits undeclared":             "declares none",
		"another spec after reuse":       "plays otherwise when it reuses",
		"noise without the key":          "plays otherwise after others",
		"the same under every key":       "two keys give the same",
		"state that outlives an episode": "plays otherwise after",
		"a level out of range":           "shows 3 of",
		"not a level":                    "of {Name:level",
		"Obs kept from the step before":  "plays otherwise where one Step is shown and filled",
		"too few numbers":                "1 numbers are seen, want 2",
		"a mask that leaves nothing":     "allows [false false false]",
		"no end":                         "done false",
		"truncated in the middle":        "Truncated:true",
		"an allocation":                  "an episode allocates",
		"a credit of another arm":        "which was not sent",
		"a credit of a later step":       "which was not sent",
		"a credit for the second time":   "credited for the second time",
		"credits that don't add up":      "its credits add up to",
		"a negative reward":              "rewards -",
		"a reward that is no number":     "rewards NaN",
		"an action changed":              "changed action",
		"a metric unwritten":             "leaves number 1 of 2 unwritten",
		"metrics that change":            "number 1 of Metrics is",
		"a best that is not allowed":     "Best is action 1 of 3",
		"a best that draws":              "worth",
	} {
		if said := examine(f); len(said) == 0 || !strings.Contains(said[0], want) {
			t.Errorf("%s: the checks say %v, want %q", f, said, want)
		}
	}
}
