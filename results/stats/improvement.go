package stats

import "math"

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
	w := newWins(x, y)
	e := Estimated{Value: w.share(nil), Interval: Unknown()}
	px, py := newPool(w.x), newPool(w.y)
	nx, _ := replications([]*pool{px})
	ny, _ := replications([]*pool{py})
	if math.IsNaN(e.Value) || min(len(nx), len(ny)) < MinBootstrap || lonely(w.x) || lonely(w.y) {
		return e
	}
	units, reps := replications([]*pool{px, py})
	if o.Method != Student && e.Value > 0 && e.Value < 1 {
		e.Interval = resampled(w.share, units, reps, o)
		return e
	}
	var left []float64
	leaveOneOut(units, reps, func(times []int32) { left = append(left, w.share(times)) })
	if e.Value == 0 || e.Value == 1 { // as many replications as the side with fewer has
		left = left[:min(len(nx), len(ny))]
	}
	e.Interval = sharesInterval(e.Value, left, o.Level)
	return e
}

// ImprovementOverPoints is Improvement where the points are a random sample and
// the units: each point has one share of pairs that x wins, and the interval is
// that of their mean (sharesInterval). Not known below MinBootstrap points.
func ImprovementOverPoints(x, y Scores, level float64) Estimated {
	var shares []float64
	for p := range min(len(x), len(y)) {
		if v := newWins(x[p:p+1], y[p:p+1]).share(nil); !math.IsNaN(v) {
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
	e.Interval = sharesInterval(e.Value, left, level)
	return e
}

// wins holds, for points with the same runs missing, how often x is higher.
type wins struct {
	x, y   Scores // points that have runs of both
	groups []*winGroup
}

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
		w.x, w.y = append(w.x, x[p]), append(w.y, y[p])
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
