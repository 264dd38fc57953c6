package marketing

import (
	"math"

	"overnight/internal/fp"
)

// split is one day's problem: spend s_i on the channels to make
//
//	value sum_i e_i k_i f(s_i/k_i) - cost sum_i s_i
//
// largest, within least_i <= s_i <= most_i, with the s_i summing to the budget,
// or to at most the budget where free. Its channels hold the solution.
type split struct {
	response response
	ch       []outlet
	budget   float64
	free     bool
	value    float64 // of a unit generated, above 0
	cost     float64 // of a unit spent
	synergy  [][]float64
	reach    []float64
	sumK     float64 // sum of k_i
	middle   float64 // response.edge where every channel spends the same s_i/k_i
	descent  descent
}

// descent is how far the search for u has come.
type descent struct {
	u          float64 // where to look next
	guess      float64 // where to look after the price
	priced     bool    // u is the price
	lo, hi     float64 // where u lies
	before     float64 // distance from the budget at the last step
	sum, slope float64 // of the s_i at u, and its derivative
	steps      int
}

// outlet is a channel of a split, amounts in money.
type outlet struct {
	e           float64
	k, invK     float64
	least, most float64
	upper       float64 // most that a best split spends; see prepare
	low, high   float64 // response.edge of least and upper
	level       float64 // of e, in the terms of response.inverse
	s           float64 // the solution
	other       float64 // an earlier solution
}

// iterations bounds the search for the marginal value, which takes 3 to 8 steps.
// At worst every second one is a bisection, and 54 of those narrow the bracket to
// nothing.
const iterations = 160

// negligible is the effectiveness, relative to the largest, below which a
// channel counts as having that much.
const negligible = 1e-12

// prepare tells whether fill solves the split for every e, and readies it.
//
// With concave responses it does. Exponential decay rises up to s = k and is
// concave there. Let upper_i = max(least_i, min(most_i, k_i)). A best split that
// spends more than upper_j on channel j spends beyond k_j, where less is better.
// If the budget is free, or at most the sum of upper_i, then what is taken away
// can stay unspent, or go to a channel i with s_i < upper_i, which then is below
// k_i, where more is better. So it was not best: the best split lies in
// [least_i, upper_i], where each curve is concave or the interval is a point.
func (p *split) prepare() bool {
	sum, k := 0.0, 0.0
	for i := range p.ch {
		c := &p.ch[i]
		k += c.k
		c.upper = c.most
		if p.response.form == exponentialDecay {
			c.upper = max(c.least, min(c.most, c.k))
		}
		c.low = p.response.edge(float64(c.least * c.invK))
		c.high = p.response.edge(float64(c.upper * c.invK))
		sum += c.upper
	}
	p.sumK, p.middle = k, p.response.edge(p.budget/k)
	p.reach = resize(p.reach, len(p.ch))
	fits := p.free || sum >= float64(p.budget*(1-shareTolerance))
	return p.response.concave() && p.synergy == nil && fits
}

// filler solves splits of one response side by side: a step of a search waits
// for the one before it, and the processor works on other splits meanwhile.
type filler struct{ w, rest []float64 } // of every channel of the splits under way

// fill solves splits that prepare accepted: e_i f'(s_i/k_i) is one marginal
// value lambda for all i whose s_i is within its bounds. It searches for u, a
// rising function of lambda (see inverse). The s_i sum to the budget within 1e-13
// of it, or to less where free. It uses todo up.
func (f *filler) fill(todo ...*split) {
	for _, p := range todo {
		p.begin()
	}
	for len(todo) > 0 {
		f.w = f.w[:0]
		for _, p := range todo {
			f.w = p.arguments(f.w)
		}
		if todo[0].response.form == exponentialDecay {
			f.rest = resize(f.rest, len(f.w))
			lambertW0(f.w, f.rest)
		}
		at, left := 0, todo[:0]
		for _, p := range todo {
			p.spend(f.w[at:])
			at += len(p.ch)
		}
		for _, p := range todo {
			if p.advance() {
				left = append(left, p)
			}
		}
		todo = left
	}
}

// begin brackets u and makes a first guess at it.
func (p *split) begin() {
	top, mean := 0.0, 0.0
	for i := range p.ch {
		c := &p.ch[i]
		top = max(top, c.e)
		mean += float64(c.e * c.k)
	}
	mean /= p.sumK
	if top == 0 {
		top = 1 // nothing works, and every split is as good
	}
	d := &p.descent
	*d = descent{lo: math.Inf(1), hi: math.Inf(-1), before: math.Inf(1)}
	for i := range p.ch {
		c := &p.ch[i]
		c.level = p.response.level(max(c.e, float64(top*negligible)))
		d.lo = min(d.lo, p.response.mark(c.level, c.high))
		d.hi = max(d.hi, p.response.mark(c.level, c.low))
	}
	d.u = p.response.mark(p.response.level(mean), p.middle)
	if p.free {
		d.priced = true
		d.guess, d.u = d.u, p.response.price(p.cost/p.value)
		return
	}
	d.clamp()
}

// arguments appends what inverse wants Lambert's function of.
func (p *split) arguments(w []float64) []float64 {
	for i := range p.ch {
		w = append(w, float64(p.ch[i].level*p.descent.u))
	}
	return w
}

// spend sets s_i to what is best at u, given Lambert's function of the arguments.
func (p *split) spend(w []float64) {
	sum, slope := 0.0, 0.0
	w = w[:len(p.ch)]
	for i := range w {
		c := &p.ch[i]
		x, dx := p.response.inverse(c.level, p.descent.u, w[i])
		s := float64(c.k * x)
		if s > c.least && s < c.upper {
			slope += float64(c.k * dx)
		} else {
			s = min(c.upper, max(c.least, s))
		}
		c.s = s
		sum += s
	}
	p.descent.sum, p.descent.slope = sum, slope
}

// advance tells whether the search goes on, and where: by a Newton step, or by
// bisection where the last step did not halve the distance.
func (p *split) advance() bool {
	d := &p.descent
	if d.priced { // what earns less than the price is not worth spending
		if d.sum <= p.budget {
			return false
		}
		d.lo = max(d.lo, d.u)
		d.u, d.priced = d.guess, false
		d.clamp()
		return true
	}
	tolerance := float64(p.budget * 1e-13)
	over := d.sum - p.budget
	switch {
	case over > tolerance:
		d.lo = d.u
	case over < -tolerance:
		d.hi = d.u
	default:
		return false
	}
	if distance := math.Abs(over); distance <= 0.5*d.before {
		d.u -= over / d.slope // infinite where slope is 0
		d.before = distance
	} else {
		d.u = d.lo + float64(0.5*(d.hi-d.lo))
		d.before = math.Inf(1)
	}
	d.clamp()
	d.steps++
	return d.steps < iterations
}

// clamp moves u between lo and hi.
func (d *descent) clamp() {
	if d.u > d.lo && d.u < d.hi {
		return
	}
	if d.u = max(d.lo, min(d.u, d.hi)); d.u != d.u {
		d.u = d.lo + float64(0.5*(d.hi-d.lo))
	}
}

// inverse returns the x at which a concave curve with effectiveness e has the
// marginal value lambda, and dx/du; x is 0 or less where it is nowhere as large.
// u and the level of e are chosen so that x is nearly straight in u:
//
//	exponential decay: u = lambda, level E/e, x = 1 - w, w = W0(level u)
//	saturating:        u = ln lambda, level ln e, x = level - u
//	hill, h = 1:       u = -1/sqrt(lambda), level sqrt(e), x = -level u - 1
//
// since (1-x) exp(-x) = y is w exp(w) = E y with w = 1-x, and E = 2.71828...
func (r response) inverse(level, u, w float64) (x, dx float64) {
	switch r.form {
	case saturating:
		return level - u, -1
	case hill:
		return -float64(level*u) - 1, -level
	}
	if float64(level*u) >= euler {
		return 0, 0
	}
	if w == 0 {
		return 1, -level
	}
	return 1 - w, -w / float64(u*(1+w))
}

// level returns e in the terms of inverse.
func (r response) level(e float64) float64 {
	switch r.form {
	case saturating:
		return fp.Log(e)
	case hill:
		return math.Sqrt(e)
	}
	return euler / e
}

// edge returns the part of mark that depends on x alone.
func (r response) edge(x float64) float64 {
	switch r.form {
	case saturating:
		return x
	case hill:
		return 1 + x
	}
	return float64(max(0, 1-x) * fp.Exp64(1-x))
}

// mark returns the u at which inverse gives the x of an edge.
func (r response) mark(level, edge float64) float64 {
	switch r.form {
	case saturating:
		return level - edge
	case hill:
		return -edge / level
	}
	return edge / level
}

// price returns the u of a marginal value.
func (r response) price(lambda float64) float64 {
	switch r.form {
	case saturating:
		return fp.Log(lambda)
	case hill:
		return -1 / math.Sqrt(lambda)
	}
	return lambda
}

// total returns the objective at the solution.
func (p *split) total() float64 {
	if p.synergy != nil {
		for i := range p.ch {
			p.reach[i] = reach(float64(p.ch[i].s * p.ch[i].invK))
		}
	}
	revenue, spend := 0.0, 0.0
	for i := range p.ch {
		c := &p.ch[i]
		g := float64(float64(c.e*c.k) * p.response.at(float64(c.s*c.invK)))
		if p.synergy != nil {
			g = float64(g * boost(p.synergy[i], p.reach))
		}
		revenue += g
		spend += c.s
	}
	return float64(p.value*revenue) - float64(p.cost*spend)
}

// keep remembers the solution, restore takes it back.
func (p *split) keep() {
	for i := range p.ch {
		p.ch[i].other = p.ch[i].s
	}
}

func (p *split) restore() {
	for i := range p.ch {
		p.ch[i].s = p.ch[i].other
	}
}

// compareNothing spends the floors alone, as an action of zeros does, where that
// is better.
func (p *split) compareNothing() {
	best := p.total()
	p.keep()
	for i := range p.ch {
		p.ch[i].s = p.ch[i].least
	}
	if p.total() <= best {
		p.restore()
	}
}
