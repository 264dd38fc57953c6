package poison

import (
	"encoding/binary"
	"errors"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Learner makes the agent "learner", which learns how many steps it has taken:
// the least that has a checkpoint.
type Learner struct{}

var _ agents.Factory = Learner{}

func (Learner) Name() string                      { return "learner" }
func (Learner) Doc() string                       { return "Counts." }
func (Learner) Schema() param.Schema              { return param.Of(struct{}{}) }
func (Learner) Traits(*param.Map) agents.Traits   { return agents.Traits{Learns: true} }
func (Learner) Fits(*param.Map, *envs.Spec) error { return nil }
func (Learner) New(*param.Map, *envs.Spec, rng.Key, agents.Agent) (agents.Agent, error) {
	return &learner{}, nil
}

type learner struct{ steps uint64 }

func (l *learner) Begin(rng.Key, agents.Mode)                 {}
func (l *learner) Act(_ *envs.Step, a *envs.Action)           { a.Index = int(l.steps % 2) }
func (l *learner) Learn(*envs.Step, *envs.Action, *envs.Step) { l.steps++ }
func (l *learner) AppendBinary(b []byte) ([]byte, error) {
	return binary.AppendUvarint(append(b, 1), l.steps), nil
}

func (l *learner) UnmarshalBinary(b []byte) error {
	if len(b) < 2 || b[0] != 1 {
		return errors.New("not a learner")
	}
	n, k := binary.Uvarint(b[1:])
	if k != len(b)-1 {
		return errors.New("not a learner")
	}
	l.steps = n
	return nil
}
