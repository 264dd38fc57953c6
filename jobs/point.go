package jobs

import (
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Point is one assignment of all factors: an environment and an arm, resolved.
type Point struct {
	Index  uint64
	Task   int
	Arm    int
	Row    uint64       // of the design that arms share
	Env    *param.Map   // complete
	Agent  *param.Map   // complete
	Train  Budget       // zero where the agent does not learn
	Levels []PointLevel // of the factors that apply here, in the order of Study.Factors
}

// PointLevel is the value a factor has at a point.
type PointLevel struct {
	Factor int // index of Study.Factors
	Level  int // index of its Levels; -1 for ranges
	Name   string
	Value  param.Value
}

// Streams are the addresses of a trial's random numbers. Scope is 0 with
// `paired: all`, the row's number plus one with `row`, and with `none` a hash of
// the resolved point.
type Streams struct {
	Seed        uint64
	Scope       uint64
	Replication uint64
}

// Root returns the key of one purpose: "env/train", "env/eval", "agent/init", ...
func (s Streams) Root(purpose string) rng.Key {
	return rng.Root(s.Seed, purpose, s.Scope, s.Replication)
}
