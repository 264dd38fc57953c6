package jobs

import (
	"fmt"
	"slices"

	"overnight/agents"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/jobs/design"
)

// Bounds of a layout, far above what anybody compares, so that a hostile plan
// can't take the memory of a worker.
const (
	maxPairs    = 100_000
	maxPairRefs = 5_000_000 // factors of all pairs together
	maxParts    = 16        // of a crossed design
)

// layout is what points are computed from: points are numbered task by task,
// within a task arm by arm, within an arm row by row, the first factor slowest
// and the arm's own factors fastest. It is read-only once built.
type layout struct {
	tasks  []entry
	arms   []entry
	parts  []part
	partOf []int // by factor
	pairs  []pair
	points uint64
}

// entry is a task's or an arm's parameters.
type entry struct {
	label   string // as errors name it
	params  *param.Map
	schema  param.Schema
	env     envs.Factory   // of a task
	agent   agents.Factory // of an arm
	factors []int          // that params refer to, ascending
	slow    bool           // completed anew at every point; see Study.Resolve
}

// part is a design over some factors; parts are crossed.
type part struct {
	kind    string
	factors []int // ascending
	rows    uint64
	cells   [][]cell // of lists: by row and position in factors

	// Of the other kinds but grids:
	spec       design.Spec
	design     *design.Design
	dimensions []int // by position in factors
}

// cell is a factor's value in a list.
type cell struct {
	level int // -1 for ranges
	value param.Value
}

// pair is a task with an arm that runs on it.
type pair struct {
	task, arm  int
	first      uint64 // its first point
	radix      design.Radix
	axes       []axis // one per digit
	factors    []int  // of task and arm, ascending
	env, agent []int  // positions in factors of those of the entries
}

// axis is a digit of a point's number within its pair.
type axis struct {
	part   *part
	slots  []int    // positions in the pair's factors that it sets
	column []int    // of lists: their positions in the part's factors
	rows   []uint32 // of lists: the row that a digit stands for
	stride uint64   // what a step adds to Point.Row; 0 for an arm's own factors

	// Of package design's kinds; a step of the group counts in Point.Row.
	draws   design.Rows
	factors []int // of the slots
	tidy    bool  // values lie on a grid, so they are written short
}

// prepare builds the layout; it checks all that points depend on.
func (s *Study) prepare(cat *Catalog) error {
	l := &layout{}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		f := cat.Env(t.Env)
		if f == nil {
			return fmt.Errorf("there is no environment %q", t.Env)
		}
		e, err := s.entry("environment "+t.Label, t.Params, f.Schema())
		if err != nil {
			return err
		}
		e.env = f
		l.tasks = append(l.tasks, e)
	}
	for i := range s.Arms {
		a := &s.Arms[i]
		f := cat.Agent(a.Agent)
		if f == nil {
			return fmt.Errorf("there is no agent %q", a.Agent)
		}
		e, err := s.entry("arm "+a.Label, a.Params, f.Schema())
		if err != nil {
			return err
		}
		e.agent = f
		l.arms = append(l.arms, e)
	}
	if err := l.split(s); err != nil {
		return err
	}
	if err := l.pairUp(s); err != nil {
		return err
	}
	if _, ok := design.Product(l.points, s.AllReplications()); !ok {
		return fmt.Errorf("%w: %d points, each %d times", errTooManyTrials, l.points, s.AllReplications())
	}
	s.layout = l
	return nil
}

// entry finds the factors that params refer to.
func (s *Study) entry(label string, params *param.Map, schema param.Schema) (entry, error) {
	e := entry{label: label, params: params, schema: schema}
	var err error
	eachRef(params, nil, func(r Ref, path []step) {
		if int(r) < 0 || int(r) >= len(s.Factors) {
			err = fmt.Errorf("%s refers to factor %d of %d", label, r, len(s.Factors))
			return
		}
		e.factors = append(e.factors, int(r))
		if path[len(path)-1].key == "faithful" || s.Factors[r].Kind == Normal {
			e.slow = true
		}
	})
	slices.Sort(e.factors)
	e.factors = slices.Compact(e.factors)
	return e, err
}
