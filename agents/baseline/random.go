package baseline

import (
	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Random makes the agent `random`. On a simplex it is the notebook's baseline:
// independent uniform numbers, which the environment divides by their sum. That
// is not uniform on the simplex; dirichlet is.
type Random struct{}

var _ agents.Factory = Random{}

// Name returns "random".
func (Random) Name() string { return "random" }

// Doc describes the agent.
func (Random) Doc() string {
	return "Acts at random in every space. " +
		"Shares of a budget are uniform numbers divided by their sum, which favours even splits (`dirichlet` is uniform on the simplex); choices are uniform over those allowed; numbers are uniform within their bounds."
}

// Schema returns no parameters.
func (Random) Schema() param.Schema { return param.Of(struct{}{}) }

// Traits says that it does not learn. It is random by definition, so acting
// greedily and sampling are the same.
func (Random) Traits(*param.Map) agents.Traits { return agents.Traits{} }

// Fits accepts every environment.
func (Random) Fits(*param.Map, *envs.Spec) error { return nil }

// New returns the agent.
func (Random) New(_ *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	a, ok := reuse.(*random)
	if !ok {
		a = &random{}
	}
	a.space = &s.Action
	return a, nil
}

type random struct {
	stateless
	space *envs.Actions
	draws rng.Stream
}

func (r *random) Begin(episode rng.Key, _ agents.Mode) { r.draws.Seed(episode) }

// Act draws N numbers a step, or one in a discrete space, so that value i of
// the stream belongs to a fixed step whatever happened before.
func (r *random) Act(in *envs.Step, a *envs.Action) {
	switch r.space.Kind {
	case envs.Simplex:
		r.draws.Floats(a.Values)
	case envs.Box:
		for i, low := range r.space.Low {
			a.Values[i] = low + float64((r.space.High[i]-low)*r.draws.Float64())
		}
	case envs.Discrete:
		r.choose(in.Allowed, a)
	}
}

var _ agents.Propensities = (*random)(nil)

// Propensities are equal for all that is allowed.
func (r *random) Propensities(in *envs.Step, into []float64) {
	n := 0
	for i := range into {
		if in.Allowed == nil || in.Allowed[i] {
			n++
		}
	}
	for i := range into {
		into[i] = 0
		if in.Allowed == nil || in.Allowed[i] {
			into[i] = 1 / float64(n)
		}
	}
}

func (r *random) choose(allowed []bool, a *envs.Action) {
	if allowed == nil {
		a.Index = r.draws.IntN(r.space.N)
		a.Prob = 1 / float64(r.space.N)
		return
	}
	n := 0
	for _, ok := range allowed {
		if ok {
			n++
		}
	}
	if n == 0 {
		panic("random: the environment allows no action")
	}
	a.Prob = 1 / float64(n)
	nth := r.draws.IntN(n)
	for i, ok := range allowed {
		switch {
		case !ok:
		case nth == 0:
			a.Index = i
			return
		default:
			nth--
		}
	}
}
