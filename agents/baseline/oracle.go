package baseline

import (
	"errors"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Oracle makes the agent `oracle`, which plays what the environment itself says
// is best.
type Oracle struct{}

var _ agents.Factory = Oracle{}

// Name returns "oracle".
func (Oracle) Name() string { return "oracle" }

// Doc describes the agent.
func (Oracle) Doc() string {
	return "Plays the environment's own best policy. " +
		"Whether that is the exact optimum, an upper bound that knows more than an agent may, or a strong reference without a proof, the environment says."
}

// Schema returns no parameters.
func (Oracle) Schema() param.Schema { return param.Of(struct{}{}) }

// Traits says that it neither learns nor draws.
func (Oracle) Traits(*param.Map) agents.Traits { return agents.Traits{} }

// Fits refuses environments that know no best policy.
func (Oracle) Fits(_ *param.Map, s *envs.Spec) error {
	if s.Optimum == envs.NoOptimum {
		return errors.New("oracle plays the environment's best policy, and with these parameters the environment knows none; leave this arm out")
	}
	return nil
}

// New returns the agent. It must be bound to its environment before it acts.
func (f Oracle) New(p *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	if err := f.Fits(p, s); err != nil {
		return nil, err
	}
	a, ok := reuse.(*oracle)
	if !ok {
		a = &oracle{}
	}
	a.best = nil
	return a, nil
}

type oracle struct {
	stateless
	best envs.Oracle
}

var _ agents.NeedsOracle = (*oracle)(nil)

func (o *oracle) Bind(env envs.Oracle) { o.best = env }

func (*oracle) Begin(rng.Key, agents.Mode) {}

func (o *oracle) Act(_ *envs.Step, a *envs.Action) { o.best.Best(a) }
