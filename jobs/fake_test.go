package jobs

import (
	"math"
	"slices"
	"testing"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// testCatalog has small environments and agents of every sort that parsing
// tells apart: simplex, discrete and online environments; agents that fit only
// some of them, need parameters of a length that the environment decides, ask
// for the oracle, count updates or do not learn.
func testCatalog() *Catalog {
	return &Catalog{
		Envs: []envs.Factory{fakeEnv[marketParams]{"marketing"}, fakeEnv[emailParams]{"email"}, fakeEnv[functionParams]{"function"}},
		Agents: []agents.Factory{
			fakeAgent[noParams]{"random", nil}, fakeAgent[noParams]{"oracle", nil}, fakeAgent[staticParams]{"static", nil},
			fakeAgent[reinforceParams]{"reinforce", []envs.Kind{envs.Simplex}}, fakeAgent[epsilonParams]{"epsilon_greedy", []envs.Kind{envs.Discrete}},
		},
	}
}

type marketParams struct {
	Channels        int           `param:"channels" default:"3" min:"1" max:"100" doc:"How many channels."`
	Budget          float64       `param:"budget" default:"1000" above:"0" unit:"money a day" doc:"What is spent each day."`
	Base            param.Numbers `param:"base_effectiveness" default:"[1.2, 0.8, 1]" above:"0" doc:"By channel."`
	Delay           []float64     `param:"delay" default:"[0.5, 0.3, 0.15, 0.05]" faithful:"[1]" min:"0" len:"1.." doc:"The delay kernel; sums to 1."`
	VolatilityScale float64       `param:"volatility_scale" default:"1" min:"0"`
	Reward          string        `param:"reward" default:"revenue" enum:"revenue, profit, roi"`
	Table           string        `param:"table" doc:"A data file."`
	Cap             *float64      `param:"cap" min:"0"`
	Observe         struct {
		Noise float64 `param:"noise" default:"0" faithful:"0.2" min:"0"`
		Lag   int     `param:"lag" default:"0" min:"0"`
	} `param:"observe" doc:"What is seen."`
	Faithful bool `param:"faithful" default:"false"`
}

func (p *marketParams) spec() (envs.Spec, error) {
	sum := 0.0
	for _, w := range p.Delay {
		sum += w
	}
	if math.Abs(sum-1) > 1e-9 {
		return envs.Spec{}, &param.Error{Path: "delay", What: "sums to " + shortNumber(sum) + ", not 1", Instead: "divide each weight by the sum"}
	}
	if n := len(p.Base); n > 1 && n != p.Channels {
		return envs.Spec{}, &param.Error{Path: "base_effectiveness", What: "has not one value a channel", Instead: "write one number a channel"}
	}
	if p.Reward == "roi" && p.VolatilityScale > 1 {
		return envs.Spec{}, &param.Error{Path: "volatility_scale", What: "is above 1, where roi is not defined", Instead: "write at most 1"}
	}
	s := envs.Spec{Action: envs.Actions{Kind: envs.Simplex, N: p.Channels}, Horizon: 30, Optimum: envs.Exact, NonNegative: true,
		Metrics: []envs.Metric{{Name: "roi"}, {Name: "spend"}}}
	if p.Observe.Noise > 0 {
		s.Optimum = envs.UpperBound
	}
	return s, nil
}

type emailParams struct {
	Subjects int           `param:"subjects" default:"5" min:"2"`
	Rates    param.Numbers `param:"rates" default:"0.1" min:"0" max:"1"`
}

func (p *emailParams) spec() (envs.Spec, error) {
	return envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: p.Subjects}, Horizon: 1000, Online: true,
		Metrics: []envs.Metric{{Name: "regret"}, {Name: "conversions"}}}, nil
}

type functionParams struct {
	Function string  `param:"function" default:"ishigami" enum:"ishigami, branin, noop"`
	X1       float64 `param:"x1" default:"0" min:"-10" max:"10"`
	X2       float64 `param:"x2" default:"0"`
	X3       float64 `param:"x3" default:"0"`
	N        int     `param:"n" default:"1" min:"0"`
}

func (p *functionParams) spec() (envs.Spec, error) {
	return envs.Spec{Action: envs.Actions{Kind: envs.Discrete, N: 1}, Horizon: 1}, nil
}

// fakeEnv makes environments that declare and do nothing.
type fakeEnv[P any] struct{ name string }

func (f fakeEnv[P]) Name() string         { return f.name }
func (f fakeEnv[P]) Doc() string          { return "A fake." }
func (f fakeEnv[P]) Schema() param.Schema { return param.Of(*new(P)) }

func (f fakeEnv[P]) New(m *param.Map, _ envs.Env) (envs.Env, error) {
	var p P
	param.Decode(m, &p)
	s, err := any(&p).(interface{ spec() (envs.Spec, error) }).spec()
	if err != nil {
		return nil, err
	}
	if f.name == "marketing" {
		return oracleEnv{stillEnv{&s}}, nil
	}
	return stillEnv{&s}, nil
}

type stillEnv struct{ s *envs.Spec }

func (e stillEnv) Spec() *envs.Spec              { return e.s }
func (e stillEnv) Reset(rng.Key, *envs.Step)     {}
func (e stillEnv) Step(*envs.Action, *envs.Step) {}
func (e stillEnv) Metrics([]float64)             {}

type oracleEnv struct{ stillEnv }

func (oracleEnv) Best(*envs.Action) float64 { return 0 }

type noParams struct{}

type staticParams struct {
	Weights []float64 `param:"weights" default:"[1, 1, 1]" min:"0"`
}

type reinforceParams struct {
	LearningRate float64 `param:"learning_rate" default:"0.001" above:"0"`
	Hidden       []int   `param:"hidden" default:"[64, 32]" min:"1"`
	Credit       string  `param:"credit" default:"to_go" enum:"to_go, own"`
	Gamma        float64 `param:"gamma" default:"0.99" faithful:"1" min:"0" max:"1"`
	Faithful     bool    `param:"faithful" default:"false"`
}

type epsilonParams struct {
	Epsilon float64 `param:"epsilon" default:"0.1" min:"0" max:"1"`
}

// fakeAgent makes agents that do nothing; kinds are the spaces that they act in,
// none for all.
type fakeAgent[P any] struct {
	name  string
	kinds []envs.Kind
}

func (f fakeAgent[P]) Name() string         { return f.name }
func (f fakeAgent[P]) Doc() string          { return "A fake." }
func (f fakeAgent[P]) Schema() param.Schema { return param.Of(*new(P)) }

func (f fakeAgent[P]) Traits(*param.Map) agents.Traits {
	return agents.Traits{Learns: len(f.kinds) > 0, Stochastic: f.name == "reinforce"}
}

func (f fakeAgent[P]) Fits(m *param.Map, s *envs.Spec) error {
	if f.kinds != nil && !slices.Contains(f.kinds, s.Action.Kind) {
		return &param.Error{What: "chooses " + f.kinds[0].String() + " actions, and this environment's are " + s.Action.Kind.String(), Instead: "choose another agent"}
	}
	if w, ok := m.Lookup("weights"); ok && len(w.([]param.Value)) != s.Action.N {
		return &param.Error{Path: "weights", What: "has another length than there are actions", Instead: "write one weight an action"}
	}
	return nil
}

func (f fakeAgent[P]) New(m *param.Map, _ *envs.Spec, _ rng.Key, _ agents.Agent) (agents.Agent, error) {
	var p P
	param.Decode(m, &p)
	switch p := any(p).(type) {
	case reinforceParams:
		return countingAgent{stillAgent{own: p.Credit == "own"}}, nil
	case noParams:
		if f.name == "oracle" {
			return askingAgent{}, nil
		}
	}
	return stillAgent{}, nil
}

type stillAgent struct{ own bool }

func (stillAgent) Begin(rng.Key, agents.Mode)                 {}
func (stillAgent) Act(*envs.Step, *envs.Action)               {}
func (stillAgent) Learn(*envs.Step, *envs.Action, *envs.Step) {}
func (stillAgent) AppendBinary(b []byte) ([]byte, error)      { return b, nil }
func (stillAgent) UnmarshalBinary([]byte) error               { return nil }

type countingAgent struct{ stillAgent }

func (countingAgent) Updates() uint64         { return 0 }
func (a countingAgent) UsesAttribution() bool { return a.own }
func (countingAgent) Attribute(float64)       {}

type askingAgent struct{ stillAgent }

func (askingAgent) Bind(envs.Oracle) {}

// parseText parses a study that must be sound.
func parseText(t testing.TB, text string, set ...string) *Study {
	t.Helper()
	s, err := Parse("study.yaml", []byte(text), testCatalog(), ParseOptions{Set: set, ReadFile: fakeFiles})
	if err != nil {
		t.Fatalf("parse:\n%v\n%s", err, text)
	}
	return s
}

// fakeFiles is a folder with two data files.
func fakeFiles(path string) ([]byte, error) {
	switch path {
	case "data/history.csv":
		return []byte("day,spend\n1,2\n"), nil
	case "data/other.csv":
		return []byte("day,spend\n1,3\n"), nil
	}
	return nil, errNoFile
}
