// Package catalog lists the environments and agents that are compiled into the
// binary. New is all there is: a new problem or agent is one line here.
package catalog

import (
	"slices"

	"overnight/agents"
	"overnight/agents/bandit"
	"overnight/agents/baseline"
	"overnight/agents/guard"
	"overnight/agents/policygradient"
	"overnight/envs"
	"overnight/envs/email"
	"overnight/envs/faulty"
	"overnight/envs/function"
	"overnight/envs/marketing"
	"overnight/jobs"
)

// New returns the catalog, in the order in which lists show it.
func New() *jobs.Catalog {
	return &jobs.Catalog{
		Envs:   []envs.Factory{marketing.Factory{}, email.Factory{}, function.Factory{}, faulty.Factory{}},
		Agents: slices.Concat(baseline.Factories(), []agents.Factory{policygradient.Factory{}}, guarded(bandit.Factories())),
	}
}

// guarded puts guardrails around each.
func guarded(list []agents.Factory) []agents.Factory {
	for i, f := range list {
		list[i] = guard.Around(f)
	}
	return list
}
