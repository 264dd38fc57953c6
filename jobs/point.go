package jobs

import (
	"overnight/internal/param"
	"overnight/internal/rng"
)

// Point is one assignment of all factors: an environment and an arm, resolved.
//
// Row numbers the rows of shared and environment factors, which arms share, from
// zero within a task. In a grid it counts as if every shared factor that some arm
// of the task uses varied; one that this arm does not use counts as its first
// level. In a sampled design and in a list it is the row's own number.
type Point struct {
	Index  uint64
	Task   int
	Arm    int
	Row    uint64
	Env    *param.Map   // complete
	Agent  *param.Map   // complete
	Train  Budget       // zero where the agent does not learn, and online
	Levels []PointLevel // of the factors that apply here, in the order of Study.Factors

	work *workspace // of Resolve
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
