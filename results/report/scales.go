package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"overnight/jobs"
)

// scales holds the level that every factor has at every point.
type scales struct {
	factors []scale
	level   []int32 // by point, then factor; -1 where the factor does not apply
	row     []uint64
	learns  []bool
}

// scale is the levels of one factor: those of the study file, or for a range the
// values that points have.
type scale struct {
	names  []string
	values []float64      // of a range
	number map[string]int // of a range, by name
}

// readScales resolves every point, which takes about a microsecond each.
func readScales(s *jobs.Study, l layout, learns func(*jobs.Point) bool) (*scales, error) {
	points, factors := int(l.Points()), len(s.Factors)
	c := &scales{
		factors: make([]scale, factors),
		level:   make([]int32, points*factors),
		row:     make([]uint64, points),
		learns:  make([]bool, points),
	}
	for f := range c.factors {
		c.factors[f].number = map[string]int{}
		for _, level := range s.Factors[f].Levels {
			c.factors[f].names = append(c.factors[f].names, level.Name)
		}
	}
	if learns == nil {
		learns = func(p *jobs.Point) bool { return s.Evaluate.Online || p.Train != (jobs.Budget{}) }
	}
	var p jobs.Point
	for i := range points {
		if err := l.Resolve(uint64(i), &p); err != nil {
			return nil, fmt.Errorf("point %d of study %q: %w", i, s.Name, err)
		}
		at := c.level[i*factors : (i+1)*factors]
		for f := range at {
			at[f] = -1
		}
		for _, level := range p.Levels {
			at[level.Factor] = int32(c.factors[level.Factor].add(&level))
		}
		c.row[i], c.learns[i] = p.Row, learns(&p)
	}
	return c, nil
}

// add returns the number of a level.
func (s *scale) add(l *jobs.PointLevel) int {
	if l.Level >= 0 {
		return l.Level
	}
	n, ok := s.number[l.Name]
	if !ok {
		n = len(s.names)
		s.number[l.Name] = n
		s.names = append(s.names, l.Name)
		v, _ := strconv.ParseFloat(l.Name, 64)
		s.values = append(s.values, v)
	}
	return n
}

// continuous tells whether the factor is a range.
func (s *scale) continuous() bool { return len(s.values) > 0 }

// at returns the levels of a point by factor.
func (c *scales) at(point int) []int32 {
	return c.level[point*len(c.factors) : (point+1)*len(c.factors)]
}

// name returns the name of a factor's level at a point, "" where it does not
// apply.
func (c *scales) name(point, factor int) string {
	l := c.at(point)[factor]
	if l < 0 {
		return ""
	}
	return c.factors[factor].names[l]
}

// shown is name for a text: values of a range with four significant digits.
func (c *scales) shown(point, factor int) string {
	l := c.at(point)[factor]
	if s := &c.factors[factor]; l >= 0 && s.continuous() {
		return formatFor(s.values[l], math.NaN()).text(s.values[l])
	}
	return c.name(point, factor)
}

// shortNames returns the last part of each factor's name, "delay" of
// "env.delay", where that is no other factor's.
func shortNames(names []string) []string {
	uses := map[string]int{}
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = name[strings.LastIndexByte(name, '.')+1:]
		uses[short[i]]++
	}
	for i, name := range names {
		if uses[short[i]] > 1 || short[i] == "" {
			short[i] = name
		}
	}
	return short
}
