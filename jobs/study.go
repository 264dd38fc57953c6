package jobs

import (
	"strconv"
	"time"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
)

// EngineVersion is raised only when golden hashes change: builds with the same
// number give the same bytes and mix freely.
var EngineVersion = engineVersion()

// engine is EngineVersion in digits. Tests of rolling upgrades build with
// -ldflags "-X overnight/jobs.engine=2" what the next version would be.
var engine = "1"

func engineVersion() int {
	n, err := strconv.Atoi(engine)
	if err != nil || n < 1 {
		panic("overnight/jobs.engine was linked as " + strconv.Quote(engine) + ": it is a number from 1 on")
	}
	return n
}

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
// filled in when a point is resolved. It comes from Parse or DecodeStudy, does
// not change afterwards, and may be shared between goroutines.
type Study struct {
	Name              string
	Question          string
	Seed              uint64
	Tasks             []Task
	Arms              []Arm
	Factors           []Factor // shared ones first, then those of environments, then those of arms
	Design            Design
	Replications      uint64    // of each point, at most; Confirm has more
	Stopping          *Stopping // nil: every point gets all Replications
	Confirm           *Confirm  // nil: nothing is confirmed
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

	content map[string][]byte // of Data, by name; after Parse only
	layout  *layout
}

// DataContent returns the content of a data file that Parse read, or nil.
func (s *Study) DataContent(name string) []byte { return s.content[name] }

// Columns returns the names of the factors in their order: the columns that an
// export has for them.
func (s *Study) Columns() []string {
	names := make([]string, len(s.Factors))
	for i := range s.Factors {
		names[i] = s.Factors[i].Name
	}
	return names
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
	Path      string // below its entry: "delay", "observe.noise", "hidden[1]"; "" of shared ones
}

// address names the column of a sampled design that the factor's values come
// from. It has no label in it, so that renaming an arm moves no value; equal
// paths of two arms, or of two environments, share a column.
func (f *Factor) address() string {
	switch {
	case f.Shared:
		return "shared/" + f.Name
	case f.Arm != "":
		return "agent/" + f.Path
	}
	return "env/" + f.Path
}

// continuous tells whether the factor has a range instead of levels.
func (f *Factor) continuous() bool { return f.Kind != Grid && f.Kind != Choice }

// Level is a value of a factor. Name is given in the file, or is the value's
// short form.
type Level struct {
	Name  string
	Value param.Value
}

// Design lays out points: what kinds there are beside those below, package
// jobs/design says.
type Design struct {
	Kind   string
	Points uint64    // of designs that are drawn: rows per arm; base samples of saltelli, trajectories of morris
	Second bool      // of saltelli: second order as well
	Levels int       // of morris: of the grid of a range
	Start  uint64    // of lhs: which hypercube was the best; see design.Choose
	Of     []string  // names of the factors; empty: all (never of a part or a list)
	Rows   [][]Level // of list: one cell per factor in Of
	Parts  []Design  // of crossed
}

// The kinds of designs that are not sampled.
const (
	GridDesign    = "grid"    // all combinations of levels
	ListDesign    = "list"    // the rows that the file gives
	CrossedDesign = "crossed" // all combinations of the rows of its parts
)

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
