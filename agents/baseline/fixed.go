package baseline

import (
	"fmt"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Equal makes the agent `equal`.
type Equal struct{}

var _ agents.Factory = Equal{}

// Name returns "equal".
func (Equal) Name() string { return "equal" }

// Doc describes the agent.
func (Equal) Doc() string {
	return "Divides the budget equally, every step. A learner that does not beat it has learned nothing worth its cost."
}

// Schema returns no parameters.
func (Equal) Schema() param.Schema { return param.Of(struct{}{}) }

// Traits says that it neither learns nor draws.
func (Equal) Traits(*param.Map) agents.Traits { return agents.Traits{} }

// Fits accepts simplexes.
func (Equal) Fits(_ *param.Map, s *envs.Spec) error { return needsSimplex("equal", s) }

// New returns the agent.
func (f Equal) New(p *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	if err := f.Fits(p, s); err != nil {
		return nil, err
	}
	a, ok := reuse.(*fixed)
	if !ok {
		a = &fixed{}
	}
	a.values = a.values[:0]
	for range s.Action.N {
		a.values = append(a.values, 1/float64(s.Action.N))
	}
	return a, nil
}

// StaticParams are the parameters of the agent `static`.
type StaticParams struct {
	Weights []float64 `param:"weights" doc:"One number for each channel: shares of a budget are divided by their sum, other actions are taken as they stand. Must be given."`
}

// Static makes the agent `static`.
type Static struct{}

var _ agents.Factory = Static{}

// Name returns "static".
func (Static) Name() string { return "static" }

// Doc describes the agent.
func (Static) Doc() string {
	return "Takes the same action every step: the given shares of a budget, or the given numbers where the environment wants numbers within bounds."
}

// Schema returns the parameters.
func (Static) Schema() param.Schema { return param.Of(StaticParams{}) }

// Traits says that it neither learns nor draws.
func (Static) Traits(*param.Map) agents.Traits { return agents.Traits{} }

// Fits checks the weights against the action space.
func (f Static) Fits(p *param.Map, s *envs.Spec) error {
	var params StaticParams
	param.Decode(p, &params)
	return params.fit(s)
}

func (p *StaticParams) fit(s *envs.Spec) error {
	bad := func(path, what, instead string) error { return &param.Error{Path: path, What: what, Instead: instead} }
	n := s.Action.N
	switch {
	case s.Action.Kind == envs.Discrete:
		return fmt.Errorf("static repeats shares of a budget or numbers within bounds, and the environment's actions are %s; use random, which acts everywhere", actions(s))
	case p.Weights == nil:
		return bad("weights", "is not given", fmt.Sprintf("write a list of %d numbers", n))
	case len(p.Weights) != n:
		return bad("weights", fmt.Sprintf("has length %d, and the environment's actions are %s", len(p.Weights), actions(s)),
			fmt.Sprintf("write a list of %d numbers", n))
	}
	sum := 0.0
	for i, w := range p.Weights {
		at := fmt.Sprintf("weights[%d]", i)
		switch {
		case s.Action.Kind == envs.Simplex && w < 0:
			return bad(at, fmt.Sprintf("is %v, below 0", w), "write a share from 0 up")
		case s.Action.Kind == envs.Box && (w < s.Action.Low[i] || w > s.Action.High[i]):
			return bad(at, fmt.Sprintf("is %v, outside the bounds of the action", w),
				fmt.Sprintf("write a number from %v to %v", s.Action.Low[i], s.Action.High[i]))
		}
		sum += w
	}
	if s.Action.Kind == envs.Simplex && !(sum > 0) {
		return bad("weights", "has the sum 0, which divides nothing", "write at least one share above 0")
	}
	return nil
}

// New returns the agent.
func (Static) New(p *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	a, ok := reuse.(*fixed)
	if !ok {
		a = &fixed{}
	}
	params := StaticParams{Weights: a.values}
	param.Decode(p, &params)
	a.values = params.Weights
	if err := params.fit(s); err != nil {
		return nil, err
	}
	return a, nil
}

// fixed repeats one action.
type fixed struct {
	stateless
	values []float64
}

func (*fixed) Begin(rng.Key, agents.Mode) {}

func (f *fixed) Act(_ *envs.Step, a *envs.Action) { copy(a.Values, f.values) }
