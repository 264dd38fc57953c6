package sensitivity

import (
	"math"

	"overnight/results/stats"
)

// Matrices are the scores of a Saltelli design, each by base sample and
// replication, NaN where there is none (Saltelli et al., Computer Physics
// Communications 181, 2010). AB[i] is A with column i taken from B, BA[i] is B
// with column i taken from A; BA is nil in a design without second order.
//
// Runs of one base sample and replication may share their noise. Then, with one
// replication, First of a factor holds its interaction with luck, First of luck
// is what luck moves the whole row by, the covariance of A and B, and luck's
// Total is not known. With several replications all are told apart.
type Matrices struct {
	A, B   [][]float64
	AB, BA [][][]float64
}

// sobol is an analysis in progress.
type sobol struct {
	m     *Matrices
	d     int
	reps  int
	pairs [][2]int
	shift float64 // mean of A and B: products of scores near 0 vary least
}

// The terms of a row's table: two of the variance, two of luck, three of each
// factor and one of each pair.
const (
	termSquare = iota
	termMean
	termLuckFirst
	termLuckTotal
	termFactors
)

// Sobol estimates first-order indices after Saltelli et al. (2010, table 2 b),
// V_i = E[f(B) (f(AB_i) - f(A))], total ones after Jansen (Computer Physics
// Communications 117, 1999), E[(f(A) - f(AB_i))^2] / 2, and with BA second-order
// ones after Saltelli (2002), E[f(BA_i) f(AB_j) - f(A) f(B)] - V_i - V_j, both
// the other way round as well, averaged. Shares are of the variance of A and B.
//
// With several replications, First multiplies runs of different replications
// (across), which share no luck; Total compares runs of one; Beyond is Jansen's
// estimator across replications. Intervals are percentiles over resamples of base
// samples with all their replications, and, where Crossed, of replications as
// well (Owen, Annals of Applied Statistics 1, 2007) if there are at least
// stats.MinBootstrap.
//
// A base sample is left out of the indices that a hole in it touches, and of no
// others.
func Sobol(m *Matrices, o Options) *Result {
	o = o.withDefaults()
	s := newSobol(m)
	r := s.estimate(len(m.A), o)
	s.counts(r)
	for _, n := range prefixes(len(m.A)) {
		p := r
		if n < len(m.A) {
			p = s.estimate(n, o)
		}
		step := func(x, from *Index) {
			x.Steps = append(x.Steps, Step{N: n, First: from.First, Total: from.Total})
		}
		for i := range r.Factors {
			step(&r.Factors[i], &p.Factors[i])
		}
		step(&r.Luck, &p.Luck)
	}
	if r.Missing > 0 {
		s.holes(r, o)
	}
	return r
}

func newSobol(m *Matrices) *sobol {
	s := &sobol{m: m, d: len(m.AB)}
	if len(m.A) > 0 {
		s.reps = len(m.A[0])
	}
	if m.BA != nil {
		for i := range s.d {
			for k := i + 1; k < s.d; k++ {
				s.pairs = append(s.pairs, [2]int{i, k})
			}
		}
	}
	sum, n := 0.0, 0
	for j := range m.A {
		for r := range s.reps {
			for _, v := range []float64{m.A[j][r], m.B[j][r]} {
				if !math.IsNaN(v) {
					sum += v
					n++
				}
			}
		}
	}
	s.shift = sum / float64(n)
	return s
}

// fill computes the terms of the first n rows, with replication r counted
// times[r] times.
func (s *sobol) fill(n int, times []float64, t *table) {
	t.terms = termFactors + 3*s.d + len(s.pairs)
	if t.x == nil {
		t.x = make([]float64, n*t.terms)
	}
	t.holes = false
	buf := make([][]float64, 2+2*s.d)
	for k := range buf {
		buf[k] = make([]float64, s.reps)
	}
	d1, d2 := make([]float64, s.reps), make([]float64, s.reps)
	product := within
	if s.reps > 1 {
		product = across
	}
	for j := range n {
		a, b := s.centre(s.m.A[j], buf[0]), s.centre(s.m.B[j], buf[1])
		ab, ba := buf[2:2+s.d], buf[2+s.d:]
		for i := range s.d {
			s.centre(s.m.AB[i][j], ab[i])
			if s.m.BA != nil {
				s.centre(s.m.BA[i][j], ba[i])
			}
		}
		x := t.row(j)
		x[termSquare] = (within(a, a, times) + within(b, b, times)) / 2
		x[termMean] = (mean(a, times) + mean(b, times)) / 2
		x[termLuckFirst] = within(a, b, times)
		x[termLuckTotal] = math.NaN()
		ground := product(a, b, times)
		if s.reps > 1 {
			x[termLuckFirst] -= ground
			x[termLuckTotal] = x[termSquare] - (across(a, a, times)+across(b, b, times))/2
		}
		for i := range s.d {
			at := x[termFactors+3*i:]
			if s.m.BA == nil {
				at[0] = product(b, difference(ab[i], a, d1), times)
				at[1] = within(d1, d1, times) / 2
				at[2] = across(d1, d1, times) / 2
				continue
			}
			difference(ab[i], a, d1)
			difference(ba[i], b, d2)
			at[0] = (product(b, d1, times) + product(a, d2, times)) / 2
			at[1] = (within(d1, d1, times) + within(d2, d2, times)) / 4
			at[2] = (across(d1, d1, times) + across(d2, d2, times)) / 4
		}
		for k, p := range s.pairs {
			x[termFactors+3*s.d+k] = (product(ba[p[0]], ab[p[1]], times)+product(ba[p[1]], ab[p[0]], times))/2 - ground
		}
		for _, v := range x {
			t.holes = t.holes || math.IsNaN(v)
		}
	}
}

func (s *sobol) centre(runs, into []float64) []float64 {
	for r, v := range runs {
		into[r] = v - s.shift
	}
	return into
}

func mean(x []float64, times []float64) float64 {
	sum, n := 0.0, 0.0
	for r, v := range x {
		w := 1.0
		if times != nil {
			w = times[r]
		}
		if w > 0 && !math.IsNaN(v) {
			sum += float64(w * v)
			n += w
		}
	}
	return sum / n
}

// indices turns the means of terms into first, total and beyond of each factor,
// luck's first and total, and the pairs: 3*d + 2 + pairs numbers.
func (s *sobol) indices(means, into []float64) float64 {
	v := means[termSquare] - float64(means[termMean]*means[termMean])
	if !(v > 0) {
		v = math.NaN()
	}
	for i := range 3 * s.d {
		into[i] = means[termFactors+i] / v
	}
	into[3*s.d], into[3*s.d+1] = means[termLuckFirst]/v, means[termLuckTotal]/v
	for k, p := range s.pairs {
		closed := means[termFactors+3*s.d+k] / v
		into[3*s.d+2+k] = closed - into[3*p[0]] - into[3*p[1]]
	}
	return v
}

// estimate analyses the first n base samples.
func (s *sobol) estimate(n int, o Options) *Result {
	var t table
	s.fill(n, nil, &t)
	means := make([]float64, t.terms)
	t.means(nil, means)
	size := 3*s.d + 2 + len(s.pairs)
	value := make([]float64, size)
	r := &Result{Factors: blanks(s.d), Luck: blank(), Variance: s.indices(means, value), N: n, Rest: math.NaN(), Explained: math.NaN()}
	draws := make([][]float64, size)
	for k := range draws {
		draws[k] = make([]float64, o.Resamples)
	}
	s.resample(n, &t, o, func(b int, means, at []float64) {
		s.indices(means, at)
		for k, v := range at {
			draws[k][b] = v
		}
	})
	at := func(k int) stats.Estimated {
		e := stats.Estimated{Value: value[k], Interval: stats.Unknown()}
		if !math.IsNaN(value[k]) {
			e.Interval = percentiles(draws[k], o.Level)
		}
		return e
	}
	for i := range r.Factors {
		x := &r.Factors[i]
		x.First, x.Total, x.Beyond = at(3*i), at(3*i+1), at(3*i+2)
		x.N = t.count(termFactors + 3*i)
	}
	r.Luck.First, r.Luck.Total = at(3*s.d), at(3*s.d+1)
	r.Luck.N = t.count(termLuckFirst)
	for k, p := range s.pairs {
		r.Pairs = append(r.Pairs, Pair{I: p[0], J: p[1], Share: at(3*s.d + 2 + k)})
	}
	s.verdicts(r, &t, o)
	return r
}

// resample calls each with the means of terms in every resample, and with scratch
// of the size of the indices.
func (s *sobol) resample(n int, t *table, o Options, each func(b int, means, at []float64)) {
	rows := make([]int32, n)
	means := make([]float64, t.terms)
	at := make([]float64, 3*s.d+2+len(s.pairs))
	if !o.Crossed || s.reps < stats.MinBootstrap {
		for b := range o.Resamples {
			draw(o.Key.At(0), b, n, rows)
			t.means(rows, means)
			each(b, means, at)
		}
		return
	}
	var anew table
	times, weights := make([]int32, s.reps), make([]float64, s.reps)
	for b := range o.Resamples {
		draw(o.Key.At(0), b, n, rows)
		draw(o.Key.At(1), b, s.reps, times)
		for r, k := range times {
			weights[r] = float64(k)
		}
		s.fill(n, weights, &anew)
		anew.means(rows, means)
		each(b, means, at)
	}
}

// counts fills in runs and rows.
func (s *sobol) counts(r *Result) {
	all := append([][][]float64{s.m.A, s.m.B}, s.m.AB...)
	all = append(all, s.m.BA...)
	for j := range s.m.A {
		whole := true
		for _, x := range all {
			for _, v := range x[j] {
				if math.IsNaN(v) {
					r.Missing++
					whole = false
				} else {
					r.Runs++
				}
			}
		}
		if whole {
			r.Rows++
		}
	}
}
