// Package agents holds the contract of agents. Start with Agent and Factory.
//
// An agent knows an environment by its Spec alone. What it draws comes from
// keys that it is given, so a run is a function of addresses; what it needs to
// go on from an episode's end is what AppendBinary writes.
package agents

import (
	"encoding"

	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Mode is how an agent acts.
type Mode uint8

const (
	// Train: act to learn; Learn is called after each step.
	Train Mode = iota
	// Sample: act as in training, but nothing is learned.
	Sample
	// Greedy: act as well as the agent can: the mean or best action. A policy
	// that is random by definition draws here too.
	Greedy
)

// Agent learns and acts. It is used by one goroutine at a time.
type Agent interface {
	// Begin starts an episode. All that the agent draws in it comes from its key.
	Begin(episode rng.Key, m Mode)
	// Act fills a for what in shows.
	Act(in *envs.Step, a *envs.Action)
	// Learn is called in Train mode after each step: in and a are what Act had,
	// out is what followed. Updates at an episode's end happen in the call whose
	// out.Done is true.
	Learn(in *envs.Step, a *envs.Action, out *envs.Step)
	// AppendBinary and UnmarshalBinary save and restore all that an episode's end
	// leaves behind, bit for bit. The encoding begins with a version byte;
	// UnmarshalBinary refuses what it can't read.
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// NeedsOracle is implemented by agents that ask the environment for its best
// action (the oracle arm). Bind is called once an episode's environment is
// known, before Begin.
type NeedsOracle interface {
	Bind(o envs.Oracle)
}

// NeedsAttribution is implemented by agents that may use envs.Attributor.
// UsesAttribution tells whether this one does; Attribute is called before Learn.
type NeedsAttribution interface {
	UsesAttribution() bool
	Attribute(generated float64)
}

// Diagnostics is implemented by agents that can say how learning goes. The
// names are fixed for an agent's parameters; Diagnose writes one value each,
// for the last update. They become curves of the record.
type Diagnostics interface {
	DiagnosticNames() []string
	Diagnose(into []float64)
}

// Failing is implemented by agents that notice numerical failure. Err is asked
// after every episode; not nil fails the trial.
type Failing interface {
	Err() error
}

// Propensities is implemented by agents that choose at random among discrete
// actions and know how likely each is. Of an agent without it, ask
// PropensitiesOf.
type Propensities interface {
	// Propensities writes the probability of each action that Act would draw from
	// for in, in the mode of Begin: Spec.Action.N numbers that sum to 1, 0 for what
	// is not allowed. It changes nothing that Act or Learn depend on. It may take
	// as long as a thousand decisions, so it is for logs.
	Propensities(in *envs.Step, into []float64)
}

// CheapPropensities is implemented by agents whose Propensities may be asked for
// at every step: where it says true, they take about as long as Act and allocate
// nothing. It is fixed for an agent's parameters.
type CheapPropensities interface {
	Propensities
	CheapPropensities() bool
}

// Beliefs is implemented by agents that hold an estimate of each discrete
// action, for pictures.
type Beliefs interface {
	// Beliefs writes for each action what it is thought to bring in for in, in units
	// of reward, and a range around that: the middle 90 % of what is believed where
	// the agent has a distribution, from the estimate to the index where it plays
	// the highest index. NaN where nothing is known. It changes nothing.
	Beliefs(in *envs.Step, mean, low, high []float64)
}

// Reporter is implemented by agents that measure something of their own, such as
// the uplift over a holdout. Report writes one number for each of
// Traits.Metrics, of what was played in Train mode; NaN where there is none.
type Reporter interface {
	Report(into []float64)
}

// Traits tell the runner how to treat an agent.
type Traits struct {
	Learns     bool          // false: train is skipped, whatever the study says
	Stochastic bool          // Sample differs from Greedy, so return_sampled is played apart
	Metrics    []envs.Metric // what a Reporter reports, beside the environment's metrics
}

// Factory makes agents of one kind.
type Factory interface {
	Name() string
	Doc() string
	Schema() param.Schema
	// Traits of an agent with the (complete) parameters p.
	Traits(p *param.Map) Traits
	// Fits returns nil where an agent with p can act in s, or an error that says
	// what it needs: a *param.Error where a value is to blame.
	Fits(p *param.Map, s *envs.Spec) error
	// New returns an untrained agent whose initial values come from init. reuse is
	// an agent that an earlier call of this factory returned, or nil.
	New(p *param.Map, s *envs.Spec, init rng.Key, reuse Agent) (Agent, error)
}

// Updater is implemented by agents that count their updates, so that a study
// may say `train: {updates: 500}`.
type Updater interface {
	Updates() uint64
}

// PropensitiesOf writes a's propensities and says whether they are known: those
// of Propensities, or 1 for the action of an agent that is sure to take it.
// scratch is written over.
func PropensitiesOf(a Agent, in *envs.Step, into []float64, scratch *envs.Action) bool {
	if p, ok := a.(Propensities); ok {
		p.Propensities(in, into)
		return into[0] == into[0] // NaN: a policy within does not know
	}
	scratch.Prob = 0
	a.Act(in, scratch)
	clear(into)
	into[scratch.Index] = scratch.Prob
	return scratch.Prob == 1
}
