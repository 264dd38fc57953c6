package baseline

import (
	"fmt"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Heuristic makes the agent `heuristic`: what a sensible marketer might do.
type Heuristic struct{}

var _ agents.Factory = Heuristic{}

// Name returns "heuristic".
func (Heuristic) Name() string { return "heuristic" }

// Doc describes the agent.
func (Heuristic) Doc() string {
	return "Divides the budget in proportion to the effectiveness that it observes, and equally where none is above 0. " +
		"It knows nothing of saturation, so it may lose to an equal split."
}

// Schema returns no parameters.
func (Heuristic) Schema() param.Schema { return param.Of(struct{}{}) }

// Traits says that it neither learns nor draws.
func (Heuristic) Traits(*param.Map) agents.Traits { return agents.Traits{} }

// Fits accepts simplexes with an observation field `effectiveness` of one
// number for each share.
func (Heuristic) Fits(_ *param.Map, s *envs.Spec) error {
	if err := needsSimplex("heuristic", s); err != nil {
		return err
	}
	_, n, ok := s.Field("effectiveness")
	switch {
	case !ok:
		return fmt.Errorf("heuristic needs an observation field `effectiveness`, and the environment shows none; use equal")
	case n != s.Action.N:
		return fmt.Errorf("heuristic needs one observed effectiveness for each of the %d shares, and the environment shows %d; use equal", s.Action.N, n)
	}
	return nil
}

// New returns the agent.
func (f Heuristic) New(p *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	if err := f.Fits(p, s); err != nil {
		return nil, err
	}
	a, ok := reuse.(*heuristic)
	if !ok {
		a = &heuristic{}
	}
	a.offset, _, _ = s.Field("effectiveness")
	return a, nil
}

type heuristic struct {
	stateless
	offset int
}

func (*heuristic) Begin(rng.Key, agents.Mode) {}

func (h *heuristic) Act(in *envs.Step, a *envs.Action) {
	sum := 0.0
	for i := range a.Values {
		a.Values[i] = max(0, in.Obs[h.offset+i]) // an observation with noise may be negative
		sum += a.Values[i]
	}
	if sum > 0 {
		return
	}
	for i := range a.Values {
		a.Values[i] = 1
	}
}
