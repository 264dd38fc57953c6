package stats

import (
	"math"
	"slices"
	"sort"
)

// MaxGrid is the most X that Curves keeps. Above it every second X is dropped,
// the last one not: what is left are still exact values.
const MaxGrid = 512

// Curves sums up the learning curves of many runs on one grid of X while they
// stream past: it keeps a mean curve for each replication, so its size is that
// of replications times grid, whatever the number of runs. The zero value is
// ready for use. Add in trial order: sums depend on it in their last bits.
//
// The grid is the X of the first run, with those X of later runs that lie beyond
// its ends, thinned to MaxGrid. Between its own X a run is taken as linear;
// beyond them it has no value.
type Curves struct {
	x    []float64
	reps []track
}

// track sums up the runs of one replication at each X of the grid.
type track struct {
	sum []float64
	n   []int32
}

// Add adds a run: values y at x, which ascends. Runs of one replication share
// noise and are averaged. Pairs with a NaN are left out.
func (c *Curves) Add(replication int, x, y []float64) {
	if len(x) != len(y) {
		panic("stats: a curve with different numbers of x and y")
	}
	x, y = pairs(x, y)
	if len(x) == 0 {
		return
	}
	c.extend(x)
	for replication >= len(c.reps) {
		c.reps = append(c.reps, track{})
	}
	t := &c.reps[replication]
	if t.n == nil {
		t.sum, t.n = make([]float64, len(c.x)), make([]int32, len(c.x))
	}
	at := 0
	for i := sort.SearchFloat64s(c.x, x[0]); i < len(c.x) && c.x[i] <= x[len(x)-1]; i++ {
		for x[at] < c.x[i] {
			at++
		}
		v := y[at]
		if x[at] != c.x[i] {
			part := (c.x[i] - x[at-1]) / (x[at] - x[at-1])
			v = float64(y[at-1]*(1-part)) + float64(v*part)
		}
		t.sum[i] += v
		t.n[i]++
	}
}

// pairs returns x and y without the pairs that have a NaN.
func pairs(x, y []float64) ([]float64, []float64) {
	hole := func(i int) bool { return math.IsNaN(x[i]) || math.IsNaN(y[i]) }
	first := 0
	for first < len(x) && !hole(first) {
		first++
	}
	if first == len(x) {
		return x, y
	}
	kx, ky := slices.Clone(x[:first]), slices.Clone(y[:first])
	for i := first; i < len(x); i++ {
		if !hole(i) {
			kx, ky = append(kx, x[i]), append(ky, y[i])
		}
	}
	return kx, ky
}

// extend brings the X of a run that lie beyond the grid into it.
func (c *Curves) extend(x []float64) {
	before, after := 0, len(x)
	if len(c.x) > 0 {
		before = sort.SearchFloat64s(x, c.x[0])
		after -= sort.Search(len(x), func(i int) bool { return x[i] > c.x[len(c.x)-1] })
	}
	if before == 0 && after == 0 {
		return
	}
	grid := append(slices.Clone(x[:before]), c.x...)
	c.x = append(grid, x[len(x)-after:]...)
	for r := range c.reps {
		t := &c.reps[r]
		if t.n == nil {
			continue
		}
		t.sum = append(append(make([]float64, before), t.sum...), make([]float64, after)...)
		t.n = append(append(make([]int32, before), t.n...), make([]int32, after)...)
	}
	for len(c.x) > MaxGrid {
		c.x = everySecond(c.x)
		for r := range c.reps {
			t := &c.reps[r]
			t.sum, t.n = everySecond(t.sum), everySecond(t.n)
		}
	}
}

// everySecond keeps the first of two neighbours, and the last of all.
func everySecond[T any](s []T) []T {
	if len(s) == 0 {
		return s
	}
	last := s[len(s)-1]
	kept := s[:0]
	for i := 0; i < len(s)-1; i += 2 {
		kept = append(kept, s[i])
	}
	return append(kept, last)
}

// Band is a curve with an interval at each X.
type Band struct {
	X, Y      []float64
	Low, High []float64 // NaN below two replications
	N         []int     // replications that have a value at X
}

// Band returns the mean over replications with its t interval at each X, each
// at the level on its own: the whole true curve lies within the band less often.
func (c *Curves) Band(level float64) Band {
	b := Band{X: slices.Clone(c.x)}
	for i := range c.x {
		var at []float64
		for r := range c.reps {
			if v := c.reps[r].at(i); !math.IsNaN(v) {
				at = append(at, v)
			}
		}
		interval := TInterval(at, level)
		b.Y = append(b.Y, Mean(at))
		b.Low, b.High = append(b.Low, interval.Low), append(b.High, interval.High)
		b.N = append(b.N, len(at))
	}
	return b
}

// Replication returns the mean curve of a replication at Band's X: NaN where it
// has no value, nil of a replication without runs.
func (c *Curves) Replication(r int) []float64 {
	if r < 0 || r >= len(c.reps) || c.reps[r].n == nil {
		return nil
	}
	y := make([]float64, len(c.x))
	for i := range y {
		y[i] = c.reps[r].at(i)
	}
	return y
}

// Replications returns one more than the highest replication added.
func (c *Curves) Replications() int { return len(c.reps) }

// at returns the mean at grid position i, NaN where there is none.
func (t *track) at(i int) float64 {
	if t.n == nil || t.n[i] == 0 {
		return math.NaN()
	}
	return t.sum[i] / float64(t.n[i])
}
