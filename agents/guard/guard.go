// Package guard puts guardrails around policies that choose one of several
// actions. Start with Around and Params.
//
// What may be sent, and what is, is decided in this order:
//
//  1. The environment's mask, Step.Allowed, always holds.
//  2. frequency: a recipient who has had enough gets "no mail" and nothing else.
//     M is what these two leave.
//  3. stop: once the rule has struck, every send goes to an action of M, all
//     equally likely.
//  4. holdout: a holdout send goes to an action of M, all equally likely.
//  5. floor: of the other sends a share |M| f goes to an action of M, all equally
//     likely, so each has at least probability f.
//  6. share_cap: what is left is the policy's choice, from the actions of M that
//     are not at their cap (from M where all are). The cap binds the policy
//     alone: floor and holdout may send an action that is at its cap, so that
//     every action of M keeps a probability above 0.
//
// With h the holdout's share, f the floor, n the actions of M, and p' the
// policy's propensity under the mask of 6 (0 where that excludes it), action i of
// M has the propensity
//
//	h/n + (1-h) (f + (1 - n f) p'_i)
//
// Where sends have a recipient, the holdout is a group of people: each person is
// in it or not for the whole run, so the propensity is 1/n for those in it, and
// f + (1 - n f) p'_i for the others. After the stop it is 1/n.
//
// The package promises:
//   - With every rail off, New returns the policy itself.
//   - The draws of the rails have keys of their own, so the policy's are those that
//     it would have without; it acts at every step, and learns from every outcome
//     with the propensity above.
//   - Rails hold in every mode. What is counted for share_cap and frequency is of
//     the episode; the holdout's outcomes and the stop rule are of all that was
//     trained.
//   - A guarded policy allocates nothing in a step, gives the same bits on every
//     architecture, and goes on from its saved state as if nothing had happened.
package guard

import (
	"fmt"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Group is the name of the parameter group that Around adds.
const Group = "guard"

// Doc describes the group.
const Doc = "Guardrails around the policy. Left out, there are none."

// Around returns f with a last group of parameters, Params.
func Around(f agents.Factory) agents.Factory { return factory{f} }

type factory struct{ agents.Factory }

var _ agents.Factory = factory{}

// Schema is that of the policy and the group.
func (f factory) Schema() param.Schema {
	inner := f.Factory.Schema()
	s := make(param.Schema, 0, len(inner)+1)
	return append(append(s, inner...), param.Field{Name: Group, Kind: param.Group, Fields: Schema(), Doc: Doc})
}

// Schema describes Params.
func Schema() param.Schema { return param.Of(Params{}) }

// split separates the policy's parameters from the group's.
func split(m *param.Map) (inner *param.Map, p Params) {
	last := len(m.Entries) - 1
	if last < 0 || m.Entries[last].Key != Group {
		panic("guard: parameters are not complete: the last is not " + Group)
	}
	group, _ := m.Entries[last].Value.(*param.Map)
	param.Decode(group, &p)
	return &param.Map{Entries: m.Entries[:last]}, p
}

// Traits are those of the policy, with the metrics of the rails that are on.
func (f factory) Traits(m *param.Map) agents.Traits {
	inner, p := split(m)
	t := f.Factory.Traits(inner)
	if list := p.metrics(); len(list) > 0 {
		t.Metrics = append(t.Metrics[:len(t.Metrics):len(t.Metrics)], list...)
	}
	return t
}

// Fits asks the policy, then checks the rails.
func (f factory) Fits(m *param.Map, s *envs.Spec) error {
	inner, p := split(m)
	if err := f.Factory.Fits(inner, s); err != nil {
		return err
	}
	return p.check(f.Name(), s)
}

// New returns the policy, guarded where a rail is on.
func (f factory) New(m *param.Map, s *envs.Spec, init rng.Key, reuse agents.Agent) (agents.Agent, error) {
	inner, p := split(m)
	if err := p.check(f.Name(), s); err != nil {
		return nil, err
	}
	g := unwrap(reuse)
	if g != nil {
		reuse = g.policy
	}
	policy, err := f.Factory.New(inner, s, init, reuse)
	if err != nil || !p.on() {
		return policy, err
	}
	if what := needs(policy); what != "" {
		return nil, fmt.Errorf("%s %s, which a guard does not pass on; leave %s out, or choose another agent", f.Name(), what, Group)
	}
	if g == nil {
		g = &guarded{}
	}
	return g.build(p, s, policy), nil
}

// unwrap returns the guard that New returned, or nil.
func unwrap(a agents.Agent) *guarded {
	switch a := a.(type) {
	case *guarded:
		return a
	case *believer:
		return a.guarded
	}
	return nil
}

// needs says what an agent asks of its runner that a guard would hide.
func needs(a agents.Agent) string {
	if _, ok := a.(agents.NeedsOracle); ok {
		return "asks the environment for its best action"
	}
	if n, ok := a.(agents.NeedsAttribution); ok && n.UsesAttribution() {
		return "asks what each action brings in all"
	}
	if _, ok := a.(agents.Updater); ok {
		return "counts its updates"
	}
	if _, ok := a.(agents.Diagnostics); ok {
		return "tells how learning goes"
	}
	if _, ok := a.(agents.Failing); ok {
		return "may fail"
	}
	if _, ok := a.(agents.Reporter); ok {
		return "measures something of its own"
	}
	return ""
}
