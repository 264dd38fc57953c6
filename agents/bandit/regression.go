package bandit

import "math"

// maxFeatures is the most features a contextual policy takes: a decision costs
// arms * features^2 / 2 multiplications.
const maxFeatures = 64

// regression is Bayesian linear regression of an outcome on d features, kept as
// a square root: the Cholesky factor L of the precision A = ridge I + sum x x',
// and w = L^-1 sum x y. The posterior mean of the outcome at x is then z'w and
// its variance z'z, with z = L^-1 x, so one triangular solve gives both.
//
// A new outcome is d Givens rotations (Golub and Van Loan, Matrix Computations,
// 4th edition, section 6.5.4), which lose no accuracy over a long run, as the
// rank-one updates of an inverse (Sherman and Morrison) do. Nothing allocates,
// and sums run in one fixed order.
type regression struct {
	d      int
	factor []float64 // columns of L, each from its diagonal down
	w      []float64
}

// regressionSize is the length of what a regression on d features keeps.
func regressionSize(d int) int { return d*(d+1)/2 + d }

// newRegression returns a regression that lives in the first regressionSize(d)
// numbers of memory, which it does not change.
func newRegression(d int, memory []float64) regression {
	n := d * (d + 1) / 2
	return regression{d: d, factor: memory[:n:n], w: memory[n : n+d : n+d]}
}

// reset forgets all outcomes. The ridge is the precision of the prior.
func (r *regression) reset(ridge float64) {
	clear(r.factor)
	clear(r.w)
	at := 0
	for k := range r.d {
		r.factor[at] = math.Sqrt(ridge)
		at += r.d - k
	}
}

// predict returns the posterior mean and variance (for an outcome of variance
// 1) of x'theta. scratch has d numbers and is written over.
func (r *regression) predict(x, scratch []float64) (mean, variance float64) {
	z := scratch[:r.d]
	copy(z, x[:r.d])
	column := r.factor
	for k := range z {
		below := column[1 : len(z)-k]
		zk := z[k] / column[0]
		column = column[len(z)-k:]
		mean += float64(zk * r.w[k])
		variance += float64(zk * zk)
		if zk == 0 {
			continue // indicators: most features of a one-hot are 0
		}
		rest := z[k+1:]
		for i, l := range below {
			rest[i] -= float64(zk * l)
		}
	}
	return mean, variance
}

// observe adds the row x with outcome y. scratch has d numbers and is written
// over.
func (r *regression) observe(x []float64, y float64, scratch []float64) {
	v := scratch[:r.d]
	copy(v, x[:r.d])
	column := r.factor
	for k := range v {
		below := column[1 : len(v)-k]
		if v[k] != 0 {
			diagonal := math.Sqrt(float64(column[0]*column[0]) + float64(v[k]*v[k]))
			c, s := column[0]/diagonal, v[k]/diagonal
			column[0] = diagonal
			rest := v[k+1:]
			for i, l := range below {
				below[i] = float64(c*l) + float64(s*rest[i])
				rest[i] = float64(c*rest[i]) - float64(s*l)
			}
			r.w[k], y = float64(c*r.w[k])+float64(s*y), float64(c*y)-float64(s*r.w[k])
		}
		column = column[len(v)-k:]
	}
}

// coefficients writes the posterior mean of theta, for diagnosis.
func (r *regression) coefficients(into []float64) {
	end := len(r.factor)
	for k := r.d - 1; k >= 0; k-- {
		column := r.factor[end-(r.d-k) : end]
		end -= r.d - k
		v := r.w[k]
		for i, l := range column[1:] {
			v -= float64(l * into[k+1+i])
		}
		into[k] = v / column[0]
	}
}
