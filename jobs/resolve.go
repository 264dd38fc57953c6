package jobs

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"

	"overnight/agents"
	"overnight/internal/param"
	"overnight/jobs/design"
)

// Points returns the number of points.
func (s *Study) Points() uint64 { return s.layout.points }

// Trials returns the number of trials: every point, Replications times.
func (s *Study) Trials() uint64 { return s.layout.points * s.Replications }

// Split returns the point and the replication of a trial. Trials are numbered
// replication by replication, so that the first ones cover the design and more
// replications go at the end.
func (s *Study) Split(trial uint64) (point, replication uint64) {
	return trial % s.layout.points, trial / s.layout.points
}

// Pair returns the task and the arm of a point, which must be below Points. It
// takes some nanoseconds.
func (s *Study) Pair(point uint64) (task, arm int) {
	p := s.layout.find(point)
	return p.task, p.arm
}

func (l *layout) find(point uint64) *pair {
	return &l.pairs[sort.Search(len(l.pairs), func(i int) bool { return l.pairs[i].first > point })-1]
}

// Point returns point i, which belongs to the caller.
func (s *Study) Point(i uint64) (*Point, error) {
	p := &Point{}
	if err := s.Resolve(i, p); err != nil {
		return nil, err
	}
	p.work = nil
	return p, nil
}

// Resolve computes point i into a point that is used again and again: what into
// held before, and copies of it, change with the call, and Env and Agent must
// not be changed by anybody else. It takes about a microsecond. One point serves
// one goroutine; it may go from study to study.
//
// The error says which values the environment or the agent refuses; Parse leaves
// none in a study of at most 10,000 points.
func (s *Study) Resolve(i uint64, into *Point) error {
	if i >= s.layout.points {
		return fmt.Errorf("there is no point %d: the study has %d", i, s.layout.points)
	}
	pr := s.layout.find(i)
	into.Index, into.Task, into.Arm = i, pr.task, pr.arm
	into.Levels = slices.Grow(into.Levels[:0], len(pr.factors))[:len(pr.factors)]
	into.Row = pr.levels(s, i-pr.first, into.Levels)

	if into.work == nil || into.work.study != s {
		into.work = &workspace{study: s, tasks: make([]*completed, len(s.Tasks)), arms: make([]*completed, len(s.Arms))}
	}
	task, arm := into.work.at(pr)
	var err error
	if into.Env, err = task.apply(into.Levels, pr.env); err != nil {
		return err
	}
	if into.Agent, err = arm.apply(into.Levels, pr.agent); err != nil {
		return err
	}
	into.Train = Budget{}
	if !s.Evaluate.Online && arm.learns() {
		into.Train = s.Train
		if own := s.Arms[pr.arm].Train; own != nil {
			into.Train = *own
		}
	}
	return nil
}

// levels writes the factors' values at a point of the pair and returns its row.
func (p *pair) levels(s *Study, i uint64, into []PointLevel) (row uint64) {
	var few [12]uint64
	digits := few[:0]
	digits = slices.Grow(digits, len(p.radix))[:len(p.radix)]
	p.radix.Digits(i, digits)
	for d := range p.axes {
		a, n := &p.axes[d], digits[d]
		switch a.part.kind {
		case GridDesign:
			f := p.factors[a.slots[0]]
			into[a.slots[0]] = s.Factors[f].level(f, int(n))
		case ListDesign:
			n = uint64(a.rows[n])
			for k, slot := range a.slots {
				f, c := p.factors[slot], a.part.cells[n][a.column[k]]
				if c.level >= 0 {
					into[slot] = s.Factors[f].level(f, c.level)
				} else {
					into[slot] = s.Factors[f].value(f, c.value)
				}
			}
		default:
			for k, slot := range a.slots {
				f := p.factors[slot]
				into[slot] = s.Factors[f].draw(f, a.part.cube.At(n, a.column[k]))
			}
		}
		row += n * a.stride
	}
	return row
}

func (f *Factor) level(index, level int) PointLevel {
	l := &f.Levels[level]
	return PointLevel{Factor: index, Level: level, Name: l.Name, Value: l.Value}
}

// value is the PointLevel of a value of a range: an int64 of int_uniform, else a
// float64.
func (f *Factor) value(index int, v param.Value) PointLevel {
	l := PointLevel{Factor: index, Level: -1, Value: v}
	switch v := v.(type) {
	case int64:
		l.Name = strconv.FormatInt(v, 10)
	case float64:
		l.Name = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return l
}

// draw maps u in (0, 1) to a value of the factor.
func (f *Factor) draw(index int, u float64) PointLevel {
	switch f.Kind {
	case Uniform:
		return f.value(index, design.Uniform(u, f.Low, f.High))
	case LogUniform:
		return f.value(index, design.LogUniform(u, f.Low, f.High))
	case IntUniform:
		return f.value(index, design.IntUniform(u, int64(f.Low), int64(f.High)))
	case Normal:
		return f.value(index, design.Normal(u, f.Low, f.High))
	}
	return f.level(index, design.Level(u, len(f.Levels)))
}

// workspace is what Resolve keeps in a point from call to call.
type workspace struct {
	study       *Study
	tasks, arms []*completed
}

func (w *workspace) at(p *pair) (task, arm *completed) {
	if w.tasks[p.task] == nil {
		w.tasks[p.task] = &completed{study: w.study, entry: &w.study.layout.tasks[p.task]}
	}
	if w.arms[p.arm] == nil {
		w.arms[p.arm] = &completed{study: w.study, entry: &w.study.layout.arms[p.arm]}
	}
	return w.tasks[p.task], w.arms[p.arm]
}

// completed is an entry's complete tree, in which the values of factors are
// exchanged from point to point: that a schema completes every value on its own
// is what makes it right (all but `faithful`, which decides the defaults).
type completed struct {
	study   *Study
	entry   *entry
	tree    *param.Map
	slow    bool    // a place moves when the tree is completed: [x] may become x
	refs    []place // by position in entry.factors
	version uint64  // raised when tree changes

	traits   agents.Traits
	traitsOf uint64 // the version that traits are of
}

// place is where a factor's value stands in a complete tree.
type place struct {
	at     []*param.Value
	values [][]param.Value // by level and place, complete; nil until needed
	whole  []bool          // of ranges, by place: whole numbers are wanted
	level  int             // in tree now
}

// apply brings the tree to the given levels; at says where those of the entry's
// factors stand.
func (c *completed) apply(levels []PointLevel, at []int) (*param.Map, error) {
	if c.tree == nil || c.slow || c.entry.slow {
		if err := c.rebuild(levels, at); err != nil {
			return nil, err
		}
		return c.tree, nil
	}
	for k := range c.refs {
		ref, l := &c.refs[k], &levels[at[k]]
		if l.Level < 0 {
			for j, v := range ref.at {
				*v = number(l.Value, ref.whole[j])
			}
			c.version++
			continue
		}
		if ref.level == l.Level {
			continue
		}
		values := ref.values[l.Level]
		if values == nil {
			tree, err := c.entry.complete(c.study, levels, at)
			if err != nil {
				c.tree = nil
				return nil, err
			}
			if values = c.pick(k, tree); values == nil {
				c.slow, c.tree = true, tree
				c.version++
				return tree, nil
			}
			ref.values[l.Level] = values
		}
		for j, v := range ref.at {
			*v = values[j]
		}
		ref.level = l.Level
		c.version++
	}
	return c.tree, nil
}

// number is a value of a range in the type that its place wants.
func number(v param.Value, whole bool) param.Value {
	switch x := v.(type) {
	case int64:
		if !whole {
			return float64(x)
		}
	case float64:
		if whole {
			return int64(x)
		}
	}
	return v
}

// rebuild completes the entry anew and finds the places of its factors.
func (c *completed) rebuild(levels []PointLevel, at []int) error {
	c.tree = nil
	c.version++
	tree, err := c.entry.complete(c.study, levels, at)
	if err != nil {
		return err
	}
	if c.slow || c.entry.slow {
		c.tree = tree
		return nil
	}
	c.refs = make([]place, len(c.entry.factors))
	for k, f := range c.entry.factors {
		ref := &c.refs[k]
		ref.level = levels[at[k]].Level
		ref.values = make([][]param.Value, len(c.study.Factors[f].Levels))
		eachRef(c.entry.params, nil, func(r Ref, path []step) {
			if int(r) == f {
				ref.at = append(ref.at, find(tree, path))
			}
		})
		if slices.Contains(ref.at, nil) {
			c.slow, c.tree = true, tree
			return nil
		}
		if ref.level >= 0 {
			ref.values[ref.level] = c.pick(k, tree)
		} else if err := c.checkRange(k, levels, at); err != nil {
			return err
		}
	}
	c.tree = tree
	return nil
}

// pick returns what stands at the places of the k-th factor in a complete tree.
func (c *completed) pick(k int, tree *param.Map) []param.Value {
	var values []param.Value
	eachRef(c.entry.params, nil, func(r Ref, path []step) {
		if int(r) != c.entry.factors[k] {
			return
		}
		if v := find(tree, path); v != nil {
			values = append(values, *v)
		}
	})
	if len(values) < len(c.refs[k].at) {
		return nil
	}
	return values
}

// checkRange completes the entry at the ends of the k-th factor's range, and in
// between, so that every value inside it is known to be taken.
func (c *completed) checkRange(k int, levels []PointLevel, at []int) error {
	f := &c.study.Factors[c.entry.factors[k]]
	probe := slices.Clone(levels)
	for _, v := range f.probes() {
		probe[at[k]].Value = v
		tree, err := c.entry.complete(c.study, probe, at)
		if err != nil {
			return err
		}
		c.refs[k].whole = c.refs[k].whole[:0]
		for _, v := range c.pick(k, tree) {
			_, whole := v.(int64)
			c.refs[k].whole = append(c.refs[k].whole, whole)
		}
	}
	return nil
}

// probes returns values that are refused if any value of the range is: its ends,
// and for real numbers one between them that is not whole.
func (f *Factor) probes() []param.Value {
	switch f.Kind {
	case IntUniform:
		return []param.Value{int64(f.Low), int64(f.High)}
	case Normal:
		return []param.Value{fraction(f.Low, f.Low+f.High)}
	}
	return []param.Value{f.Low, f.High, fraction(f.Low, f.High)}
}

// fraction returns a number between low and high that is not whole, if there is
// one.
func fraction(low, high float64) float64 {
	x := low/2 + high/2
	for _, share := range []float64{0.5, 0.3125, 0.6875, 0.265625} {
		if x = low + float64(share*(high-low)); x != math.Floor(x) {
			break
		}
	}
	return x
}

// complete returns the entry's parameters with the given levels, complete and
// the caller's own.
func (e *entry) complete(s *Study, levels []PointLevel, at []int) (*param.Map, error) {
	m := e.params
	if len(e.factors) > 0 {
		m = substituteMap(m, func(r Ref) param.Value {
			k, _ := slices.BinarySearch(e.factors, int(r))
			return levels[at[k]].Value
		})
	}
	tree, err := e.schema.Complete(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.label, err)
	}
	return tree, nil
}

// learns tells whether an arm's agent learns with the parameters it has now.
func (c *completed) learns() bool {
	if c.traitsOf != c.version {
		c.traits, c.traitsOf = c.entry.agent.Traits(c.tree), c.version
	}
	return c.traits.Learns
}
