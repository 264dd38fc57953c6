package jobs

import (
	"time"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
)

// EngineVersion is raised only when golden hashes change: builds with the same
// number give the same bytes and mix freely.
const EngineVersion = 1

// PlanSchema is the version of a study's stored form.
const PlanSchema = 1

// Catalog is what a binary knows: the environments and agents that a study may
// name.
type Catalog struct {
	Envs   []envs.Factory
	Agents []agents.Factory
}

// Env returns the factory of the named environment, or nil.
func (c *Catalog) Env(name string) envs.Factory {
	for _, f := range c.Envs {
		if f.Name() == name {
			return f
		}
	}
	return nil
}

// Agent returns the factory of the named agent, or nil.
func (c *Catalog) Agent(name string) agents.Factory {
	for _, f := range c.Agents {
		if f.Name() == name {
			return f
		}
	}
	return nil
}

// Study is an experiment, read from its file and checked. Values that vary are
// Refs to Factors; everything else is as the file gives it, and defaults are
// filled in when a point is resolved.
type Study struct {
	Name              string
	Question          string
	Seed              uint64
	Tasks             []Task
	Arms              []Arm
	Factors           []Factor // shared ones first, then those of environments, then those of arms
	Design            Design
	Replications      uint64
	Paired            Paired
	Train             Budget
	Evaluate          Evaluation
	Objective         Objective
	Baseline          string // an arm's label, or ""
	Record            Recording
	Limits            Limits
	StopAfterFailures uint64 // 0: never
	Data              []Data
	Engine            int
	Metrics           []string // of all tasks, in order of first appearance; a record's metrics stand in this order

}

// Task is one entry of `env` or `envs`: the environment part of points.
type Task struct {
	Label  string
	Env    string
	Params *param.Map // may hold Refs
}

// Arm is one entry of `agents`.
type Arm struct {
	Label  string
	Agent  string
	Params *param.Map // may hold Refs
	Train  *Budget    // overrides Study.Train
	On     []string   // labels of tasks; empty: all
}

// Ref stands in a parameter tree for a factor's value: an index of
// Study.Factors.
type Ref int

// FactorKind is how a factor varies.
type FactorKind string

// The kinds of factors, by their key in the study file.
const (
	Grid       FactorKind = "grid"
	Choice     FactorKind = "choice"
	Uniform    FactorKind = "uniform"
	LogUniform FactorKind = "log_uniform"
	IntUniform FactorKind = "int_uniform"
	Normal     FactorKind = "normal"
)

// Factor is a parameter that varies.
type Factor struct {
	// Name is its column: "env.delay" ("steady.delay" with several environments),
	// "corrected.learning_rate", or a shared factor's own name.
	Name      string
	Kind      FactorKind
	Levels    []Level // of grid and choice
	Low, High float64 // of ranges; mean and standard deviation of normal
	Arm       string  // label of the only arm it belongs to, or ""
	Shared    bool
}

// Level is a value of a factor. Name is given in the file, or is the value's
// short form.
type Level struct {
	Name  string
	Value param.Value
}

// Design lays out points. Kind is grid, random or list (jobs/design); Of names
// the factors of one part of a crossed design.
type Design struct {
	Kind   string
	Points uint64    // of sampled designs
	Of     []string  // parts of a crossed design: the factors; empty: all
	Rows   [][]Level // of list: one cell per factor in Of
	Parts  []Design  // a crossed design; Kind is "crossed"
}

// Paired says which points share their noise.
type Paired string

// The values of `paired`.
const (
	PairedAll  Paired = "all"
	PairedRow  Paired = "row"
	PairedNone Paired = "none"
)

// Budget is how much an agent trains: one of the three is not 0.
type Budget struct {
	Episodes uint64 `json:"episodes,omitempty"`
	Steps    uint64 `json:"steps,omitempty"`
	Updates  uint64 `json:"updates,omitempty"`
}

// Evaluation says how agents are judged.
type Evaluation struct {
	Online   bool   // metrics over the one learning run; Train is not used
	Every    uint64 // episodes of training between evaluations; 0: only the final one
	Episodes uint64 // of each evaluation in between
	Final    uint64 // episodes of the final evaluation
}

// Objective is what tables, comparisons and stopping use.
type Objective struct {
	Metric   string
	Minimize bool
	Summary  string // mean, iqm or median
}

// Recording says what a record keeps beside metrics.
type Recording struct {
	CurvePoints uint64 // of each curve at most; 0: no curves
}

// Limits bound one trial. Zero is no limit.
type Limits struct {
	Time   time.Duration
	Memory uint64 // bytes
}

// Data is a file that a study reads.
type Data struct {
	Name   string // as in $data.NAME
	Format string // csv
	Path   string // as written; only for messages
	SHA256 string // hex of the content
	Size   int64
}
