package jobs

import (
	"fmt"
	"math"
	"slices"

	"overnight/agents"
	"overnight/internal/param"
)

// workspace is what Resolve keeps in a point from call to call.
type workspace struct {
	study       *Study
	tasks, arms []*completed
	draws       []float64 // scratch
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
			tree, err := c.entry.complete(levels, at)
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
	tree, err := c.entry.complete(levels, at)
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
		tree, err := c.entry.complete(probe, at)
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
func fraction(low, high float64) (x float64) {
	for _, share := range []float64{0.5, 0.3125, 0.6875, 0.265625} {
		if x = low + float64(share*(high-low)); x != math.Floor(x) {
			break
		}
	}
	return x
}

// complete returns the entry's parameters with the given levels, complete and
// the caller's own.
func (e *entry) complete(levels []PointLevel, at []int) (*param.Map, error) {
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
