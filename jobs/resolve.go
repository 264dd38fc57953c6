package jobs

import (
	"fmt"
	"slices"
	"sort"
	"strconv"

	"overnight/internal/param"
	"overnight/jobs/design"
)

// Points returns the number of points.
func (s *Study) Points() uint64 { return s.layout.points }

// Trials returns how many trials are numbered: every point, AllReplications
// times. Where the study is Ruled, it wants some of them.
func (s *Study) Trials() uint64 { return s.layout.points * s.AllReplications() }

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
	if into.work == nil || into.work.study != s {
		into.work = &workspace{study: s, tasks: make([]*completed, len(s.Tasks)), arms: make([]*completed, len(s.Arms))}
	}
	into.Row = pr.levels(s, i-pr.first, into.Levels, &into.work.draws)

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

// levels writes the factors' values at a point of the pair and returns its row;
// scratch is for coordinates.
func (p *pair) levels(s *Study, i uint64, into []PointLevel, scratch *[]float64) (row uint64) {
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
			u := slices.Grow((*scratch)[:0], len(a.slots))[:len(a.slots)]
			*scratch = u
			a.draws.Fill(n, u)
			for k, slot := range a.slots {
				f := p.factors[slot]
				into[slot] = s.Factors[f].draw(f, u[k])
				if a.tidy {
					into[slot] = s.Factors[f].tidied(into[slot])
				}
			}
			n = a.draws.Group(n)
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

// tidied rounds a number of a range to 15 digits, so that the middle of a
// logarithmic range reads 0.01 and not 0.010000000000000002.
func (f *Factor) tidied(l PointLevel) PointLevel {
	x, ok := l.Value.(float64)
	if !ok || l.Level >= 0 || x == f.Low || x == f.High {
		return l
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	if err != nil || f.refuses(short) != "" {
		return l
	}
	return f.value(l.Factor, short)
}

// draw maps u from 0 to 1 to a value of the factor. 0 and 1 themselves, which some
// designs have, are the ends of a range as the file writes them.
func (f *Factor) draw(index int, u float64) PointLevel {
	switch {
	case f.Kind == IntUniform || !f.continuous():
	case u == 0:
		return f.value(index, f.Low)
	case u == 1:
		return f.value(index, f.High)
	}
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
