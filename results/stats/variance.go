package stats

import "math"

// Shares says where the variance of an arm's runs comes from. The shares of the
// factors, Rest and Luck add up to 1; each is an estimate freed of the bias that
// luck gives it, so it scatters about its true value and may fall a little
// below 0. NaN: not known.
type Shares struct {
	// Factors has the main effect of each factor: the share of the variance of
	// the mean over everything else, Var(E[Y|factor])/Var(Y).
	Factors []float64
	// Rest is what points differ in beyond main effects: interactions, and what
	// the bins of a continuous factor don't show.
	Rest float64
	// Luck is what runs of one point differ in. Not known with one replication;
	// then it is within Rest.
	Luck float64
	// Variance is that of a run of a randomly chosen point.
	Variance float64
}

// VarianceShares splits the variance of y. levels[f][p] numbers the level of
// factor f at point p from 0; where points of one replication share their noise,
// pass paired.
//
// With M points, point means m_p of n_p runs and h the mean of 1/n_p:
//
//	luck:      V_L = pooled variance of runs within points
//	noise:     V_e = V_L, or, paired, the mean square of the residuals of runs
//	           from point mean and replication effect: what a replication does to
//	           all points alike does not move one level against another
//	points:    V_P = variance of m_p (divisor M) - (M-1)/M * V_e * h
//	total:     V_P + V_L
//	factor:    variance of its level means (weighted by their points) - (L-1)/M * E
//
// E is what the m_p vary by on top of the factor. Where the points are a full
// factorial, other factors average out and E = V_e * h; with one replication it
// is the mean square of residuals from the additive model. In any other layout
// other factors don't average out, and E is the mean square of m_p within
// levels. Both are the correction of omega squared (Hays, Statistics for
// Psychologists, 1963; Olejnik and Algina, Psychological Methods 8, 2003).
// Factors that vary together in a layout share the same variance: then the
// shares can add up to more than 1 and Rest falls below 0.
func VarianceShares(y Scores, levels [][]int, paired bool) Shares {
	d := newLayout(y, levels)
	s := Shares{Factors: make([]float64, len(levels)), Rest: math.NaN(), Luck: math.NaN(), Variance: math.NaN()}
	for f := range s.Factors {
		s.Factors[f] = math.NaN()
	}
	m := float64(len(d.means))
	if m == 0 {
		return s
	}
	luck := d.within()
	noise := luck
	if paired {
		noise = d.residual(luck)
	}
	known := !math.IsNaN(luck)
	spread := d.spread()
	if known {
		spread -= float64((m - 1) / m * noise * d.inverse)
		s.Variance = max(spread, 0) + luck
		s.Luck = luck / s.Variance
	} else {
		s.Variance = spread
	}
	full := d.fullFactorial()
	rest := spread
	for f := range levels {
		effect, within := d.effect(f)
		switch {
		case full && known:
			within = float64(noise * d.inverse)
		case full:
			within = d.additive()
		}
		if d.count[f] > 1 {
			effect -= float64(float64(d.count[f]-1) / m * within)
		}
		s.Factors[f] = effect / s.Variance
		rest -= effect
	}
	s.Rest = rest / s.Variance
	return s
}

// layout is the points that have runs, by their means.
type layout struct {
	runs    Scores // of those points
	means   []float64
	inverse float64 // mean of 1/n_p
	levels  [][]int // of those points, numbered without gaps
	count   []int   // levels of each factor
}

func newLayout(y Scores, levels [][]int) *layout {
	d := &layout{levels: make([][]int, len(levels)), count: make([]int, len(levels))}
	number := make([]map[int]int, len(levels))
	for f := range levels {
		number[f] = map[int]int{}
	}
	for p, runs := range y {
		there := Present(runs)
		if len(there) == 0 {
			continue
		}
		d.runs = append(d.runs, runs)
		d.means = append(d.means, Mean(there))
		d.inverse += 1 / float64(len(there))
		for f := range levels {
			n, ok := number[f][levels[f][p]]
			if !ok {
				n = len(number[f])
				number[f][levels[f][p]] = n
			}
			d.levels[f] = append(d.levels[f], n)
		}
	}
	for f := range levels {
		d.count[f] = len(number[f])
	}
	d.inverse /= float64(len(d.means))
	return d
}

// within returns the pooled variance of runs within points, NaN where no point
// has two.
func (d *layout) within() float64 {
	squares, free := 0.0, 0
	for p, runs := range d.runs {
		for _, v := range runs {
			if !math.IsNaN(v) {
				squares += float64((v - d.means[p]) * (v - d.means[p]))
				free++
			}
		}
		free--
	}
	if free < 1 {
		return math.NaN()
	}
	return squares / float64(free)
}

// residual returns the mean square of runs about point mean plus replication
// effect (Searle, Casella and McCulloch, Variance Components, 1992, section
// 4.4; exact where no run is missing), or luck where nothing is left for it.
func (d *layout) residual(luck float64) float64 {
	squares, cells, reps := 0.0, 0, 0
	for r := range d.runs[0] {
		var off []float64
		for p, runs := range d.runs {
			if !math.IsNaN(runs[r]) {
				off = append(off, runs[r]-d.means[p])
			}
		}
		if len(off) == 0 {
			continue
		}
		reps++
		cells += len(off)
		m := Mean(off)
		for _, v := range off {
			squares += float64((v - m) * (v - m))
		}
	}
	free := cells - len(d.means) - reps + 1
	if free < 1 {
		return luck
	}
	return squares / float64(free)
}

// spread returns the variance of the point means, divisor M.
func (d *layout) spread() float64 {
	return squaresAbout(d.means, Mean(d.means)) / float64(len(d.means))
}

// effect returns the variance of a factor's level means, each weighted by its
// points, and the mean square of point means within levels, NaN where every
// level has one point.
func (d *layout) effect(f int) (effect, within float64) {
	grand := Mean(d.means)
	level, points := make([]float64, d.count[f]), make([]float64, d.count[f])
	for p, l := range d.levels[f] {
		level[l] += d.means[p] - grand
		points[l]++
	}
	for l, n := range points {
		level[l] /= n
		effect += float64(n * float64(level[l]*level[l]))
	}
	for p, l := range d.levels[f] {
		off := d.means[p] - grand - level[l]
		within += float64(off * off)
	}
	m := float64(len(d.means))
	if d.count[f] == len(d.means) {
		return effect / m, math.NaN()
	}
	return effect / m, within / (m - float64(d.count[f]))
}

// additive returns the mean square of the point means about the sum of main
// effects in a full factorial, NaN where nothing is left for it.
func (d *layout) additive() float64 {
	squares := squaresAbout(d.means, Mean(d.means))
	free := len(d.means) - 1
	for f := range d.levels {
		effect, _ := d.effect(f)
		squares -= float64(effect * float64(len(d.means)))
		free -= d.count[f] - 1
	}
	if free < 1 {
		return math.NaN()
	}
	return max(squares, 0) / float64(free)
}

// fullFactorial tells whether every combination of levels stands at exactly
// one point.
func (d *layout) fullFactorial() bool {
	cells := 1
	for _, n := range d.count {
		cells *= n
		if cells > len(d.means) {
			return false
		}
	}
	if cells != len(d.means) {
		return false
	}
	seen := make([]bool, cells)
	for p := range d.means {
		cell := 0
		for f, n := range d.count {
			cell = cell*n + d.levels[f][p]
		}
		if seen[cell] {
			return false
		}
		seen[cell] = true
	}
	return true
}

func squaresAbout(x []float64, m float64) float64 {
	s := 0.0
	for _, v := range x {
		s += float64((v - m) * (v - m))
	}
	return s
}
