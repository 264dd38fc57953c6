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
	points uint64 // of a curve at most
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
	c := curves{on: points > 0, points: points, list: []results.Curve{{Name: "train_return"}, {Name: "return"}}}
	if !c.on {
		return c
	}
	total := max(b.Episodes, b.Steps, b.Updates)
	c.width = max(1, (total+points-1)/points)
	c.checks = 1
	if e := s.Evaluate.Every; e > 0 {
		c.checks = max(1, (total/e+points-1)/points)
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
		c.list[0].X = append(c.list[0].X, float64(episode))
		c.list[0].Y = append(c.list[0].Y, c.sum/float64(c.n))
		c.sum, c.n = 0, 0
		if l := &c.list[0]; uint64(len(l.X)) == 2*c.points {
			c.halve()
		}
	}
}

// halve joins stretches in pairs, where a budget in steps or updates turned out
// to be more episodes than it looked like.
func (c *curves) halve() {
	l := &c.list[0]
	for i := range len(l.X) / 2 {
		l.X[i], l.Y[i] = l.X[2*i+1], (l.Y[2*i]+l.Y[2*i+1])/2
	}
	l.X, l.Y = l.X[:len(l.X)/2], l.Y[:len(l.Y)/2]
	c.width *= 2
}

// full tells whether the last bucket call closed a stretch.
func (c *curves) full() bool { return c.n == 0 }

// add records the result of a check.
func (c *curves) add(name string, episode uint64, v float64) {
	if !c.on {
		return
	}
	c.seen++
	if c.seen%c.checks != 0 {
		return
	}
	for i := range c.list {
		if c.list[i].Name == name {
			c.list[i].X = append(c.list[i].X, float64(episode))
			c.list[i].Y = append(c.list[i].Y, v)
			return
		}
	}
}

// diagnose records c.values.
func (c *curves) diagnose(episode uint64) {
	for i, v := range c.values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue // before the first update there is nothing to tell
		}
		l := &c.list[2+i]
		l.X = append(l.X, float64(episode))
		l.Y = append(l.Y, v)
	}
}

// finish returns the curves that hold something.
func (c *curves) finish(episode uint64) []results.Curve {
	if c.n > 0 {
		c.list[0].X = append(c.list[0].X, float64(episode))
		c.list[0].Y = append(c.list[0].Y, c.sum/float64(c.n))
		c.n = 0
	}
	var out []results.Curve
	for _, l := range c.list {
		if len(l.X) > 0 {
			out = append(out, l)
		}
	}
	return out
}
