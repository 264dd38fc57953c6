package stats

import (
	"math"
	"slices"
)

// Improvement estimates the probability of improvement P(X > Y): the mean over
// points of U/(N_x N_y), where U counts the pairs of a run of x and a run of y
// in which x is higher, equal ones as one half (Agarwal et al., NeurIPS 2021,
// section 4.3). All runs of a point are paired with all, whatever their
// replications. Points must correspond; those without runs of both are left out.
//
// The interval is about repeating the replications. By default (Student) it is
// Wilson's with the jackknife over replications, see sharesInterval; o.Method
// may ask for the joint bootstrap. It is not known below MinBootstrap
// replications of a side. Where the arms share noise, the pairs within a
// replication, one in N, are likelier wins of the better arm than others: Value
// is then a little far from one half, by less than 1/(2N).
func Improvement(x, y Scores, o Options) Estimated {
	o = o.withDefaults(ByMean)
	px, py := newPool(x), newPool(y)
	nx, _ := replications([]*pool{px})
	ny, _ := replications([]*pool{py})
	units, reps := replications([]*pool{px, py})
	j := improvements(x, y)
	e := Estimated{Value: j.value(), Interval: Unknown()}
	if math.IsNaN(e.Value) || min(len(nx), len(ny)) < MinBootstrap || j.lonely {
		return e
	}
	if o.Method != Student && e.Value > 0 && e.Value < 1 {
		e.Interval = resampled(newWins(x, y).share, units, reps, o)
		return e
	}
	left := make([]float64, len(units))
	for i, u := range units {
		left[i] = j.without(u)
	}
	n := len(units)
	if e.Value == 0 || e.Value == 1 { // as many replications as the side with fewer has
		n = min(len(nx), len(ny))
	}
	e.Interval = sharesInterval(e.Value, left, n, o.Level)
	return e
}

// improvement sums up over points the share of pairs that x wins, and what it
// changes by where a replication is left out. It takes N log N for N runs, where
// the matrix of wins takes their square.
type improvement struct {
	total, points float64
	change        []float64 // by replication
	lonely        bool      // a point has one run only of a side
}

func improvements(x, y Scores) improvement {
	var j improvement
	for p := range min(len(x), len(y)) {
		reps := max(len(x[p]), len(y[p]))
		if more := reps - len(j.change); more > 0 {
			j.change = append(j.change, make([]float64, more)...)
		}
		xs, ys := Present(x[p]), Present(y[p])
		if len(xs) == 0 || len(ys) == 0 {
			continue
		}
		j.lonely = j.lonely || len(xs) == 1 || len(ys) == 1
		xs, ys = slices.Sorted(slices.Values(xs)), slices.Sorted(slices.Values(ys))
		nx, ny, won := float64(len(xs)), float64(len(ys)), 0.0
		for _, v := range xs {
			won += lower(ys, v)
		}
		share := won / (nx * ny)
		j.total += share
		j.points++
		for r := range reps {
			a, b := at(x[p], r), at(y[p], r)
			rest, restX, restY := won, nx, ny
			if !math.IsNaN(a) {
				rest -= lower(ys, a)
				restX--
			}
			if !math.IsNaN(b) {
				rest -= nx - lower(xs, b)
				restY--
			}
			if !math.IsNaN(a) && !math.IsNaN(b) { // a pair that was taken out twice
				rest += higher(a, b)
			}
			if restX*restY > 0 {
				j.change[r] += rest/(restX*restY) - share
			}
		}
	}
	return j
}

// value returns the share, NaN without any point.
func (j *improvement) value() float64 { return j.total / j.points }

// without returns the share with a replication left out.
func (j *improvement) without(replication int32) float64 {
	return (j.total + j.change[replication]) / j.points
}

// lower returns how many of ascending runs lie below v, equal ones as one half.
func lower(sorted []float64, v float64) float64 {
	below, _ := slices.BinarySearch(sorted, v)
	upTo := below
	for upTo < len(sorted) && sorted[upTo] == v {
		upTo++
	}
	return float64(below+upTo) / 2
}

// at returns run r, NaN beyond the last.
func at(runs []float64, r int) float64 {
	if r < len(runs) {
		return runs[r]
	}
	return math.NaN()
}

// ImprovementOverPoints is Improvement where the points are a random sample and
// the units: each point has one share of pairs that x wins, and the interval is
// that of their mean (sharesInterval). Not known below MinBootstrap points.
func ImprovementOverPoints(x, y Scores, level float64) Estimated {
	var shares []float64
	for p := range min(len(x), len(y)) {
		j := improvements(x[p:p+1], y[p:p+1])
		if v := j.value(); !math.IsNaN(v) {
			shares = append(shares, v)
		}
	}
	e := Estimated{Value: Mean(shares), Interval: Unknown()}
	if len(shares) < MinBootstrap {
		return e
	}
	left, total, n := make([]float64, len(shares)), sum(shares), float64(len(shares))
	for i, v := range shares {
		left[i] = (total - v) / (n - 1)
	}
	e.Interval = sharesInterval(e.Value, left, len(left), level)
	return e
}

// wins holds, for points with the same runs missing, how often x is higher, for
// resampling.
type wins struct{ groups []*winGroup }

// winGroup sums up points: over[i][j] is at how many of them run i of x is
// higher than run j of y.
type winGroup struct {
	hasX, hasY []int32 // replications that have a run
	over       [][]float64
	points     float64
}

func newWins(x, y Scores) *wins {
	w := &wins{}
	byPattern := map[string]*winGroup{}
	for p := range min(len(x), len(y)) {
		hasX, hasY := present(x[p]), present(y[p])
		if len(hasX) == 0 || len(hasY) == 0 {
			continue
		}
		pattern := holes(x[p]) + "|" + holes(y[p])
		g := byPattern[pattern]
		if g == nil {
			g = &winGroup{hasX: hasX, hasY: hasY, over: make([][]float64, len(hasX))}
			for i := range g.over {
				g.over[i] = make([]float64, len(hasY))
			}
			byPattern[pattern] = g
			w.groups = append(w.groups, g)
		}
		g.points++
		for i, a := range hasX {
			for j, b := range hasY {
				g.over[i][j] += higher(x[p][a], y[p][b])
			}
		}
	}
	return w
}

// higher returns 1 where a is higher, one half where they are equal.
func higher(a, b float64) float64 {
	switch {
	case a > b:
		return 1
	case a == b:
		return .5
	}
	return 0
}

// share returns the mean over points of the share of pairs in which x is higher,
// replication r counted times[r] times, nil for once each. Points of which a
// resample has no pair are left out.
func (w *wins) share(times []int32) float64 {
	total, points := 0.0, 0.0
	for _, g := range w.groups {
		wins, pairs := 0.0, 0.0
		for i, a := range g.hasX {
			tx := 1.0
			if times != nil {
				tx = float64(times[a])
			}
			if tx == 0 {
				continue
			}
			row, all := 0.0, 0.0
			for j, b := range g.hasY {
				ty := 1.0
				if times != nil {
					ty = float64(times[b])
				}
				row += float64(ty * g.over[i][j])
				all += ty
			}
			wins += float64(tx * row)
			pairs += tx * all
		}
		if pairs > 0 {
			total += wins / pairs
			points += g.points
		}
	}
	return total / points // NaN where there is none
}

// present returns the replications that have a run.
func present(runs []float64) []int32 {
	var has []int32
	for r, v := range runs {
		if !math.IsNaN(v) {
			has = append(has, int32(r))
		}
	}
	return has
}

// holes writes which runs are missing.
func holes(runs []float64) string {
	b := make([]byte, len(runs))
	for r, v := range runs {
		b[r] = '.'
		if math.IsNaN(v) {
			b[r] = '-'
		}
	}
	return string(b)
}
