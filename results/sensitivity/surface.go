package sensitivity

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"overnight/results/stats"
)

// terms are coefficients of a model of the score, by replication, whose squares
// are variances: that of group g is the sum of weight times square over its
// coefficients. Groups are the factors, then the pairs.
type terms struct {
	coef   [][]float64
	weight []float64
	group  []int
	groups int
}

func (t *terms) add(group int, weight float64, coef []float64) {
	t.coef, t.weight, t.group = append(t.coef, coef), append(t.weight, weight), append(t.group, group)
	t.groups = max(t.groups, group+1)
}

// OneAtATime analyses a design that changes one factor at a time: runs of its
// points, changed[p] the factor in which point p differs from the base, -1 of the
// base itself. First is the variance of a factor's values' means, each value as
// likely as another, over the sum of all of these and of luck's: the share in a
// model without interactions, which such a design can't see. Beyond is First.
func OneAtATime(runs stats.Scores, changed []int, d int, o Options) *Result {
	return modelled(runs, d, nil, o, func(y stats.Scores) *terms {
		t := &terms{groups: d}
		for f := range d {
			var values [][]float64
			for p, c := range changed {
				if c == f || c < 0 {
					values = append(values, y[p])
				}
			}
			centre := make([]float64, len(y[0]))
			for r := range centre {
				for _, v := range values {
					centre[r] += v[r] / float64(len(values))
				}
			}
			for _, v := range values {
				t.add(f, 1/float64(len(values)), difference(v, centre, make([]float64, len(v))))
			}
		}
		return t
	})
}

// Composite analyses a central composite design by its response surface: the
// score as a polynomial of second degree in the factors, each from -1 to 1
// (Box and Wilson, Journal of the Royal Statistical Society B 13, 1951), fitted
// by least squares in each replication. at[f][p] is factor f at point p. Shares
// are those of the polynomial over the whole box, from its coefficients in
// orthonormal Legendre polynomials (Sudret, Reliability Engineering & System
// Safety 93, 2008): First holds a factor's line and curvature, Pairs the
// products, Total both. Explained is R^2 of the points' means.
func Composite(runs stats.Scores, at [][]float64, o Options) *Result {
	d := len(at)
	var pairs [][2]int
	for i := range d {
		for k := i + 1; k < d; k++ {
			pairs = append(pairs, [2]int{i, k})
		}
	}
	columns := 1 + 2*d + len(pairs)
	basis := func(p int) []float64 {
		x := []float64{1}
		for f := range d {
			z := at[f][p]
			x = append(x, math.Sqrt(3)*z, math.Sqrt(5)*(3*z*z-1)/2)
		}
		for _, k := range pairs {
			x = append(x, 3*at[k[0]][p]*at[k[1]][p])
		}
		return x
	}
	fit := func(y []float64) []float64 { // NaN where too few points have a run
		var x, b []float64
		for p, v := range y {
			if !math.IsNaN(v) {
				x, b = append(x, basis(p)...), append(b, v)
			}
		}
		c := make([]float64, columns)
		var beta mat.VecDense
		if len(b) < columns || beta.SolveVec(mat.NewDense(len(b), columns, x), mat.NewVecDense(len(b), b)) != nil {
			for k := range c {
				c[k] = math.NaN()
			}
			return c
		}
		copy(c, beta.RawVector().Data)
		return c
	}
	r := modelled(runs, d, pairs, o, func(y stats.Scores) *terms {
		t := &terms{groups: d + len(pairs)}
		coef := make([][]float64, columns)
		for k := range coef {
			coef[k] = make([]float64, len(y[0]))
		}
		for r := range y[0] {
			column := make([]float64, len(y))
			for p := range y {
				column[p] = y[p][r]
			}
			for k, v := range fit(column) {
				coef[k][r] = v
			}
		}
		for f := range d {
			t.add(f, 1, coef[1+2*f])
			t.add(f, 1, coef[2+2*f])
		}
		for k := range pairs {
			t.add(d+k, 1, coef[1+2*d+k])
		}
		return t
	})
	means := make([]float64, len(runs))
	for p := range runs {
		means[p] = stats.Mean(stats.Present(runs[p]))
	}
	c := fit(means)
	off, all := 0.0, 0.0
	m := stats.Mean(stats.Present(means))
	for p, v := range means {
		if math.IsNaN(v) {
			continue
		}
		for k, x := range basis(p) {
			v -= float64(c[k] * x)
		}
		off += float64(v * v)
		all += float64((means[p] - m) * (means[p] - m))
	}
	r.Explained = 1 - off/all
	return r
}

// modelled makes a result of terms. With several replications, squares are products
// across them, so they hold no luck, and intervals are a jackknife over
// replications, from three of them on; with one, squares hold luck.
func modelled(runs stats.Scores, d int, pairs [][2]int, o Options, fit func(stats.Scores) *terms) *Result {
	o = o.withDefaults()
	r := &Result{Factors: blanks(d), Luck: blank(), N: len(runs), Rest: math.NaN(), Explained: math.NaN()}
	for _, y := range runs {
		n := len(stats.Present(y))
		r.Runs += n
		r.Missing += len(y) - n
		if n == len(y) {
			r.Rows++
		}
	}
	reps := len(runs[0])
	value := fit(runs).split(luckOf(runs))
	var left [][]float64
	for k := range reps {
		if reps < 3 {
			break
		}
		s := &split{runs: runs}
		rest := s.without(k, k+1)
		left = append(left, fit(rest).split(luckOf(rest)))
	}
	at := func(pick func(v []float64) float64) stats.Estimated {
		e := stats.Estimated{Value: pick(value), Interval: stats.Unknown()}
		if len(left) > 0 {
			v := make([]float64, len(left))
			for k := range v {
				v[k] = pick(left[k])
			}
			e = jackknife(e.Value, v, o.Level)
		}
		return e
	}
	for i := range r.Factors {
		x := &r.Factors[i]
		x.First = at(func(v []float64) float64 { return v[2+i] })
		x.Beyond = x.First
		x.Told = above(at(func(v []float64) float64 { return v[2+i] * v[0] }), value[0])
		x.N = r.Rows
		if len(pairs) == 0 {
			continue
		}
		total := func(v []float64) float64 {
			total := v[2+i]
			for k, p := range pairs {
				if p[0] == i || p[1] == i {
					total += v[2+d+k]
				}
			}
			return total
		}
		x.Total = at(total)
		x.Beyond = x.Total
		if x.Told != Told && x.Total.Known() {
			x.Told = above(at(func(v []float64) float64 { return total(v) * v[0] }), value[0])
		}
	}
	for k, p := range pairs {
		share := at(func(v []float64) float64 { return v[2+d+k] })
		told := above(at(func(v []float64) float64 { return v[2+d+k] * v[0] }), value[0])
		r.Pairs = append(r.Pairs, Pair{I: p[0], J: p[1], Share: share, Told: told})
	}
	r.Luck.Total, r.Luck.N = at(func(v []float64) float64 { return v[1] }), r.Rows
	r.Variance = value[0]
	if r.Missing > 0 {
		worst, best, middle := extremes([][][]float64{runs}, o.Minimize)
		var v [3][]float64
		for k, with := range []float64{worst, best, middle} {
			whole := filled(runs, with)
			v[k] = fit(whole).split(luckOf(whole))
		}
		for i := range r.Factors {
			r.Factors[i].Holes = &Holes{v[0][2+i], v[1][2+i], v[2][2+i], math.NaN(), math.NaN(), math.NaN()}
		}
		r.Luck.Holes = &Holes{math.NaN(), math.NaN(), math.NaN(), v[0][1], v[1][1], v[2][1]}
	}
	return r
}

// luckOf returns the pooled variance of runs within points, NaN without two runs
// of one.
func luckOf(runs stats.Scores) float64 {
	squares, free := 0.0, 0
	for _, y := range runs {
		there := stats.Present(y)
		if len(there) > 1 {
			sd := stats.SD(there)
			squares += float64(float64(len(there)-1) * float64(sd*sd))
			free += len(there) - 1
		}
	}
	return squares / float64(free)
}

// split returns the variance of a run, luck's share of it, and the share of each
// group.
func (t *terms) split(luck float64) []float64 {
	v := make([]float64, 2+t.groups)
	for k, c := range t.coef {
		square := across(c, c, nil)
		if len(c) < 2 {
			square = within(c, c, nil)
		}
		v[2+t.group[k]] += float64(t.weight[k] * square)
	}
	total := 0.0
	for _, x := range v[2:] {
		total += x
	}
	if !math.IsNaN(luck) {
		total += luck
	}
	for g := range t.groups {
		v[2+g] /= total
	}
	v[0], v[1] = total, luck/total
	return v
}
