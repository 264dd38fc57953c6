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

// Traits tell the runner how to treat an agent.
type Traits struct {
	Learns     bool // false: train is skipped, whatever the study says
	Stochastic bool // Sample differs from Greedy, so return_sampled is played apart
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
