// Package baseline holds the agents that learn nothing, against which learners
// are measured: random, dirichlet, equal, static, heuristic and oracle. Start
// with Factories.
//
// None allocates in a step, and none has a state that an episode leaves behind.
package baseline

import (
	"fmt"

	"overnight/agents"
	"overnight/envs"
)

// Factories returns one factory of each baseline agent, in the order in which
// they are documented.
func Factories() []agents.Factory {
	return []agents.Factory{Random{}, Dirichlet{}, Equal{}, Static{}, Heuristic{}, Oracle{}}
}

// version begins the encoding of a stateless agent and is all of it.
const version = 1

// stateless is the part of an agent that has nothing to learn or to save.
type stateless struct{}

// Learn does nothing.
func (stateless) Learn(*envs.Step, *envs.Action, *envs.Step) {}

// AppendBinary appends a version byte.
func (stateless) AppendBinary(b []byte) ([]byte, error) { return append(b, version), nil }

// UnmarshalBinary checks the version byte.
func (stateless) UnmarshalBinary(b []byte) error {
	if len(b) != 1 || b[0] != version {
		return fmt.Errorf("state of a baseline agent is %d bytes beginning %x, want the version byte %d alone", len(b), b[:min(len(b), 8)], version)
	}
	return nil
}

// needsSimplex is the refusal of agents that only divide a budget.
func needsSimplex(name string, s *envs.Spec) error {
	if s.Action.Kind == envs.Simplex {
		return nil
	}
	return fmt.Errorf("%s divides a budget, and the environment's actions are %s; use random, which acts everywhere", name, actions(s))
}

// actions describes an action space in an error.
func actions(s *envs.Spec) string {
	switch s.Action.Kind {
	case envs.Discrete:
		return fmt.Sprintf("one of %d choices", s.Action.N)
	case envs.Box:
		return fmt.Sprintf("%d numbers within bounds", s.Action.N)
	}
	return fmt.Sprintf("%d shares", s.Action.N)
}
