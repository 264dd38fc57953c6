package jobs

import (
	"errors"
	"fmt"
	"slices"

	"overnight/jobs/design"
)

var (
	errTooManyPoints = errors.New("the design has more than 2^53 points")
	errTooManyRows   = errors.New("the design has more than 2^53 rows")
	errTooManyTrials = errors.New("the study has more than 2^53 trials")
)

// pairUp lists the pairs of tasks and arms and numbers their points.
func (l *layout) pairUp(s *Study) error {
	if len(s.Tasks) == 0 || len(s.Arms) == 0 {
		return errors.New("a study needs an environment and an agent")
	}
	if n := len(s.Tasks) * len(s.Arms); n > maxPairs {
		return fmt.Errorf("%d environments with %d arms are more than %d pairs", len(s.Tasks), len(s.Arms), maxPairs)
	}
	refs := 0
	lists := map[string][]uint32{}
	for t := range s.Tasks {
		var arms []int
		for a := range s.Arms {
			if on := s.Arms[a].On; len(on) == 0 || slices.Contains(on, s.Tasks[t].Label) {
				arms = append(arms, a)
			}
		}
		strides, places, err := l.strides(s, t, arms)
		if err != nil {
			return err
		}
		for _, a := range arms {
			p, err := l.pair(s, t, a, strides, places, lists)
			if err != nil {
				return fmt.Errorf("arm %s on environment %s: %w", s.Arms[a].Label, s.Tasks[t].Label, err)
			}
			if refs += len(p.factors) + 1; refs > maxPairRefs {
				return errors.New("too many factors on too many pairs of environments and arms")
			}
			n, ok := design.Product(p.radix...)
			p.first = l.points
			if l.points += n; !ok || l.points > design.MaxRows {
				return errTooManyPoints
			}
			l.pairs = append(l.pairs, p)
		}
	}
	if len(l.pairs) == 0 {
		return errors.New("no arm runs on any environment")
	}
	return nil
}

// table tells whether arms share the rows of a factor.
func (l *layout) table(s *Study, f int) bool {
	return l.parts[l.partOf[f]].kind != GridDesign || s.Factors[f].Arm == ""
}

// strides returns what a step of each factor, or of each part that is no grid,
// adds to Point.Row on a task: keys are factors, and -1 minus parts. places are
// those of design.Column, by factor.
func (l *layout) strides(s *Study, task int, arms []int) (strides, places map[int]uint64, err error) {
	used := slices.Clone(l.tasks[task].factors)
	for _, a := range arms {
		used = append(used, l.arms[a].factors...)
		if len(used) > maxPairRefs {
			return nil, nil, errors.New("too many factors")
		}
	}
	slices.Sort(used)
	used = slices.Compact(used)
	var keys []int
	var sizes design.Radix
	places = map[int]uint64{}
	for i := range l.parts {
		p, counted := &l.parts[i], false
		for _, f := range used {
			switch {
			case l.partOf[f] != i || !l.table(s, f):
			case p.kind == GridDesign:
				keys, sizes = append(keys, f), append(sizes, uint64(len(s.Factors[f].Levels)))
			case !counted:
				counted = true
				n, err := l.groups(s, i, used, places)
				if err != nil {
					return nil, nil, err
				}
				keys, sizes = append(keys, -1-i), append(sizes, n)
			}
		}
	}
	steps, ok := sizes.Strides()
	if !ok {
		return nil, nil, errTooManyRows
	}
	strides = make(map[int]uint64, len(keys))
	for i, k := range keys {
		strides[k] = steps[i]
	}
	return strides, places, nil
}

// pair lays out the points of an arm on a task.
func (l *layout) pair(s *Study, task, arm int, strides, places map[int]uint64, lists map[string][]uint32) (pair, error) {
	env, agent := l.tasks[task].factors, l.arms[arm].factors
	p := pair{task: task, arm: arm, factors: append(slices.Clone(env), agent...)}
	slices.Sort(p.factors)
	p.factors = slices.Compact(p.factors)
	positions := func(of []int) []int {
		list := make([]int, len(of))
		for i, f := range of {
			list[i], _ = slices.BinarySearch(p.factors, f)
		}
		return list
	}
	p.env, p.agent = positions(env), positions(agent)

	add := func(a axis, n uint64) { p.axes, p.radix = append(p.axes, a), append(p.radix, n) }
	for i := range l.parts {
		part := &l.parts[i]
		var slots []int
		for slot, f := range p.factors {
			switch {
			case l.partOf[f] != i || !l.table(s, f):
			case part.kind == GridDesign:
				add(axis{part: part, slots: []int{slot}, stride: strides[f]}, uint64(len(s.Factors[f].Levels)))
			default:
				slots = append(slots, slot)
			}
		}
		if len(slots) == 0 {
			continue
		}
		a, n := axis{part: part, slots: slots, stride: strides[-1-i]}, uint64(0)
		for _, slot := range slots {
			column, _ := slices.BinarySearch(part.factors, p.factors[slot])
			a.column = append(a.column, column)
		}
		if part.kind == ListDesign {
			a.rows = part.rowsOf(i, a.column, lists)
			n = uint64(len(a.rows))
		} else {
			draws, err := part.drawsOf(s, a.column, places)
			if err != nil {
				return pair{}, err
			}
			a.draws, n = draws, draws.Len()
			a.tidy = !drawn(part.kind) || part.kind == design.Morris
			for _, k := range a.column {
				a.factors = append(a.factors, part.factors[k])
			}
		}
		add(a, n)
	}
	for slot, f := range p.factors {
		if !l.table(s, f) {
			add(axis{part: &l.parts[l.partOf[f]], slots: []int{slot}}, uint64(len(s.Factors[f].Levels)))
		}
	}
	return p, nil
}

// rowsOf is distinct, remembered in lists.
func (p *part) rowsOf(number int, columns []int, lists map[string][]uint32) []uint32 {
	key := fmt.Sprint(number, columns)
	rows, ok := lists[key]
	if !ok {
		rows = p.distinct(columns)
		lists[key] = rows
	}
	return rows
}
