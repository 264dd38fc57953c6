// Package bandit holds the policies that choose one of several arms: which
// subject line, which template. Start with Factories; a policy begins with an
// arms.
//
// Every policy respects Step.Allowed, breaks ties to the lowest index, learns
// from credits where outcomes come as credits, allocates nothing in a step, and
// gives the same bits on every architecture. Its draws are addressed by the
// episode's key and Step.T, so a policy restored in the middle of an episode
// goes on as if nothing had happened. Action.Prob is the exact propensity, or 0
// where it has no closed form. Every policy that draws also tells the whole
// vector (agents.Propensities; Thompson sampling's by quadrature, see contest),
// and every policy its beliefs.
package bandit

import (
	"fmt"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Factories returns one factory of each policy, in the order in which they are
// documented.
func Factories() []agents.Factory { return append(stationary(), others()...) }

// stationary returns the policies without a context, for worlds that do not
// change.
func stationary() []agents.Factory {
	return []agents.Factory{
		uniformFactory(), roundRobinFactory(), exploreThenCommitFactory(), epsilonGreedyFactory(),
		ucb1Factory(), ucbFactory(), ucbTunedFactory(), mossFactory(), klUCBFactory(), bayesUCBFactory(),
		thompsonFactory(), softmaxFactory(), gradientFactory(), exp3Factory(), exp3IXFactory(),
	}
}

// factory makes agents of one kind from parameters of type P.
type factory[P any] struct {
	name, doc string
	traits    func(*P) agents.Traits
	// fits checks what goes beyond a discrete action space; nil: nothing does.
	fits func(*P, *envs.Spec) error
	// build returns an untrained agent. p belongs to the agent; reuse may be
	// recycled.
	build func(p *P, s *envs.Spec, reuse agents.Agent) agents.Agent
}

func (f *factory[P]) Name() string { return f.name }
func (f *factory[P]) Doc() string  { return f.doc }

func (f *factory[P]) Schema() param.Schema {
	var p P
	return param.Of(p)
}

func (f *factory[P]) Traits(m *param.Map) agents.Traits {
	var p P
	param.Decode(m, &p)
	return f.traits(&p)
}

func (f *factory[P]) Fits(m *param.Map, s *envs.Spec) error {
	var p P
	param.Decode(m, &p)
	return f.check(&p, s)
}

func (f *factory[P]) check(p *P, s *envs.Spec) error {
	if s.Action.Kind != envs.Discrete {
		return fmt.Errorf("%s chooses one of several arms, and the environment's actions are a %s of %d numbers; use an environment with discrete actions, such as email", f.name, s.Action.Kind, s.Action.N)
	}
	if f.fits == nil {
		return nil
	}
	return f.fits(p, s)
}

func (f *factory[P]) New(m *param.Map, s *envs.Spec, _ rng.Key, reuse agents.Agent) (agents.Agent, error) {
	p := new(P)
	param.Decode(m, p)
	if err := f.check(p, s); err != nil {
		return nil, err
	}
	return f.build(p, s, reuse), nil
}

// random are the traits of policies that draw by definition, greedily too.
func random[P any](*P) agents.Traits { return agents.Traits{Learns: true} }

// explores are the traits of policies that play the best mean when they act
// greedily, and something else in training.
func explores[P any](*P) agents.Traits { return agents.Traits{Learns: true, Stochastic: true} }

// recycle returns reuse where it is a *T, else a new T.
func recycle[T any](reuse agents.Agent) *T {
	if a, ok := any(reuse).(*T); ok {
		return a
	}
	return new(T)
}
