package trial

import (
	"math"

	"overnight/jobs"
	"overnight/results"
)

// curves collects what a trial records of its training, with at most
// record.curves.points values a curve: training returns as means of equal
// stretches of episodes, checks and diagnostics at the ends of stretches.
type curves struct {
	on     bool
	points int    // of a curve at most
	width  uint64 // episodes a stretch
	sum    float64
	n      uint64
	values []float64 // of one diagnosis
	checks uint64    // every so many checks are kept
	seen   uint64
	list   []results.Curve // "train_return", "return", then diagnostics
}

func newCurves(s *jobs.Study, b jobs.Budget, diagnostics []string) curves {
	points := s.Record.CurvePoints
	c := curves{on: points > 0, points: int(points), width: 1, checks: 1, list: []results.Curve{{Name: "train_return"}, {Name: "return"}}}
	if !c.on {
		return c
	}
	// How many episodes a budget in steps or updates makes is not known: there the
	// curves are thinned as they grow.
	c.width = max(1, (b.Episodes+points-1)/points)
	if e := s.Evaluate.Every; e > 0 {
		c.checks = max(1, (b.Episodes/e+points-1)/points)
	}
	for _, name := range diagnostics {
		c.list = append(c.list, results.Curve{Name: name})
	}
	c.values = make([]float64, len(diagnostics))
	return c
}

// bucket adds a training return and closes the stretch that it fills.
func (c *curves) bucket(episode uint64, v float64) {
	c.sum += v
	c.n++
	if c.n == c.width {
		c.push(0, episode, c.sum/float64(c.n))
		c.sum, c.n = 0, 0
	}
}

// push adds a value to a curve, and thins it when it has twice its points.
func (c *curves) push(i int, episode uint64, v float64) {
	l := &c.list[i]
	l.X, l.Y = append(l.X, float64(episode)), append(l.Y, v)
	if len(l.X) < 2*c.points {
		return
	}
	c.halve(i)
	switch i {
	case 0:
		c.width *= 2
	case 1:
		c.checks *= 2
	}
}

// halve joins values in pairs: training returns by their mean, of others the
// later one stays.
func (c *curves) halve(i int) {
	l := &c.list[i]
	n := (len(l.X) + 1) / 2
	for j := range n {
		k := min(2*j+1, len(l.X)-1)
		y := l.Y[k]
		if i == 0 && k == 2*j+1 {
			y = (l.Y[2*j] + y) / 2
		}
		l.X[j], l.Y[j] = l.X[k], y
	}
	l.X, l.Y = l.X[:n], l.Y[:n]
}

// full tells whether the last bucket call closed a stretch.
func (c *curves) full() bool { return c.n == 0 }

// check records the result of an evaluation in between.
func (c *curves) check(episode uint64, v float64) {
	if !c.on {
		return
	}
	c.seen++
	if c.seen%c.checks == 0 {
		c.push(1, episode, v)
	}
}

// diagnose records c.values.
func (c *curves) diagnose(episode uint64) {
	for i, v := range c.values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue // before the first update there is nothing to tell
		}
		c.push(2+i, episode, v)
	}
}

// finish returns the curves that hold something.
func (c *curves) finish(episode uint64) []results.Curve {
	if c.n > 0 {
		l := &c.list[0]
		l.X, l.Y = append(l.X, float64(episode)), append(l.Y, c.sum/float64(c.n))
		c.n = 0
	}
	var out []results.Curve
	for i := range c.list {
		if len(c.list[i].X) > c.points {
			c.halve(i)
		}
		if len(c.list[i].X) > 0 {
			out = append(out, c.list[i])
		}
	}
	return out
}
