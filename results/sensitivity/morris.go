package sensitivity

import (
	"math"

	"overnight/results/stats"
)

// Trajectory is one walk of a Morris design: Runs[k] are the scores of its k-th
// point by replication, NaN where there is none; Changed[k] is the factor in which
// point k differs from point k-1, and Step[k] by how much, where the factor's
// range is 1. Changed[0] is -1.
type Trajectory struct {
	Runs    [][]float64
	Changed []int
	Step    []float64
}

// walk is what a trajectory shows of one factor, by replication.
type walk [][]float64 // by trajectory; nil where the trajectory lacks the step

// Morris estimates, over elementary effects EE = (y_k - y_(k-1)) / step of d
// factors (Morris, Technometrics 33, 1991), mu = mean EE, mu* = mean |EE|
// (Campolongo, Cariboni and Saltelli, Environmental Modelling & Software 22,
// 2007) and sigma, their standard deviation. With several replications there is
// one effect a trajectory and replication.
//
// Luck's elementary effect is the difference of two replications of one point,
// over the mean size of a step: what a factor without effect shows whose change
// draws all noise anew. It needs two replications. Beyond is the mean product of a
// trajectory's effects in two different replications, the mean square effect
// without luck. First and Total are not known.
//
// Trajectories are the units: mu, mu* and Beyond are means over them with t
// intervals, sigma has a jackknife over them. An elementary effect is left out
// where one of its two runs is missing, and no other.
func Morris(paths []Trajectory, d int, o Options) *Result {
	o = o.withDefaults()
	r := &Result{Factors: blanks(d), Luck: blank(), N: len(paths), Rest: math.NaN(), Explained: math.NaN()}
	var all []float64
	for _, p := range paths {
		whole := true
		for _, runs := range p.Runs {
			there := stats.Present(runs)
			all = append(all, there...)
			r.Runs += len(there)
			r.Missing += len(runs) - len(there)
			whole = whole && len(there) == len(runs)
		}
		if whole {
			r.Rows++
		}
	}
	sd := stats.SD(all)
	r.Variance = sd * sd
	walks, luck := effects(paths, d)
	sizes := map[int]bool{}
	for _, n := range prefixes(len(paths)) {
		sizes[n] = true
		var factors []Index
		for i := range d {
			factors = append(factors, walks[i][:n].index(o.Level))
		}
		unlucky := luck[:n].index(o.Level)
		unlucky.Beyond, unlucky.Mu, unlucky.Told = unknown(), unknown(), Unknown // the order of two replications has no meaning
		if n == len(paths) {
			verdictsMorris(factors, walks, r.Variance, o)
		}
		for i := range factors {
			factors[i].Steps = append(r.Factors[i].Steps, Step{N: n, First: factors[i].Mu, Total: factors[i].MuStar})
		}
		unlucky.Steps = append(r.Luck.Steps, Step{N: n, First: unlucky.Mu, Total: unlucky.MuStar})
		r.Factors, r.Luck = factors, unlucky
	}
	if !sizes[len(paths)] { // a single trajectory
		for i := range d {
			r.Factors[i] = walks[i].index(o.Level)
		}
	}
	if r.Missing > 0 {
		holesMorris(r, paths, d, o)
	}
	return r
}

// effects returns the elementary effects of each factor and of luck, by
// trajectory.
func effects(paths []Trajectory, d int) (walks []walk, luck walk) {
	walks = make([]walk, d)
	for i := range walks {
		walks[i] = make(walk, len(paths))
	}
	luck = make(walk, len(paths))
	size, n := 0.0, 0
	for t, p := range paths {
		for k := 1; k < len(p.Runs); k++ {
			if p.Changed[k] < 0 || p.Step[k] == 0 {
				continue
			}
			size += math.Abs(p.Step[k])
			n++
			e := make([]float64, len(p.Runs[k]))
			for r := range e {
				e[r] = (p.Runs[k][r] - p.Runs[k-1][r]) / p.Step[k]
			}
			walks[p.Changed[k]][t] = e
		}
	}
	size /= float64(n)
	for t, p := range paths {
		for _, runs := range p.Runs {
			there := stats.Present(runs)
			for r := 1; r < len(there); r++ {
				luck[t] = append(luck[t], (there[r]-there[r-1])/size)
			}
		}
	}
	return walks, luck
}

// index sums elementary effects up.
func (w walk) index(level float64) Index {
	x := blank()
	var mu, star, beyond []float64
	var units [][]float64
	for _, e := range w {
		there := stats.Present(e)
		if len(there) == 0 {
			continue
		}
		size := 0.0
		for _, v := range there {
			size += math.Abs(v)
		}
		mu, star = append(mu, stats.Mean(there)), append(star, size/float64(len(there)))
		units = append(units, there)
		if c := across(there, there, nil); !math.IsNaN(c) {
			beyond = append(beyond, c)
		}
	}
	x.N = len(mu)
	if x.N == 0 {
		return x
	}
	x.Mu, x.MuStar, x.Beyond = student(mu, level), student(star, level), student(beyond, level)
	x.Sigma.Value = spread(units, -1)
	left := make([]float64, len(units))
	for k := range left {
		left[k] = spread(units, k)
	}
	x.Sigma = jackknife(x.Sigma.Value, left, level)
	x.Sigma.Low = max(x.Sigma.Low, 0)
	return x
}

// spread returns the standard deviation of all effects of all units but one.
func spread(units [][]float64, but int) float64 {
	n, m, squares := 0.0, 0.0, 0.0
	for k, e := range units {
		if k == but {
			continue
		}
		for _, v := range e { // Welford
			n++
			d := v - m
			m += d / n
			squares += float64(d * (v - m))
		}
	}
	if n < 2 {
		return math.NaN()
	}
	return math.Sqrt(squares / (n - 1))
}

// verdictsMorris is verdicts by trajectories. With one replication, mu, which is 0
// in expectation without an effect and may be on either side of it, has half of
// the error, and mu* over that of other factors a quarter.
func verdictsMorris(x []Index, walks []walk, variance float64, o Options) {
	sizes := make([][]float64, len(walks)) // |EE| by trajectory
	for i, w := range walks {
		for _, e := range w {
			size := math.NaN()
			if there := stats.Present(e); len(there) > 0 {
				size = 0
				for _, v := range there {
					size += math.Abs(v)
				}
				size /= float64(len(there))
			}
			sizes[i] = append(sizes[i], size)
		}
	}
	strict := 1 - (1-o.Level)/2/float64(max(len(walks)-1, 1)) // as exceeds
	for i := range x {
		switch {
		case x[i].Beyond.Known():
			x[i].Told = above(x[i].Beyond, variance)
			continue
		case x[i].MuStar.Value <= negligible*math.Sqrt(variance):
			x[i].Told = Luck
			continue
		}
		if mu := walks[i].index(1 - (1-o.Level)/2).Mu; mu.Known() && !mu.Contains(0) {
			x[i].Told = Told
			continue
		}
		for k := range sizes {
			d := difference(sizes[i], sizes[k], make([]float64, len(sizes[i])))
			if p := stats.TInterval(d, strict); k != i && p.Known() && p.Low > 0 {
				x[i].Told = Told
			}
		}
	}
}

// holesMorris is holes for trajectories; First is mu, Total is mu*.
func holesMorris(r *Result, paths []Trajectory, d int, o Options) {
	all := make([][][]float64, len(paths))
	for t, p := range paths {
		all[t] = p.Runs
	}
	worst, best, middle := extremes(all, o.Minimize)
	refill := func(with float64) []Index {
		whole := make([]Trajectory, len(paths))
		for t, p := range paths {
			whole[t] = Trajectory{Runs: filled(p.Runs, with), Changed: p.Changed, Step: p.Step}
		}
		walks, luck := effects(whole, d)
		var x []Index
		for _, w := range append(walks, luck) {
			x = append(x, w.index(o.Level))
		}
		x[d].Mu = unknown()
		return x
	}
	w, b, m := refill(worst), refill(best), refill(middle)
	for i := range d + 1 {
		h := &Holes{w[i].Mu.Value, b[i].Mu.Value, m[i].Mu.Value, w[i].MuStar.Value, b[i].MuStar.Value, m[i].MuStar.Value}
		if i < d {
			r.Factors[i].Holes = h
		} else {
			r.Luck.Holes = h
		}
	}
}
