package marketing

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
	hint     float64 // the marginal value at the prepared e_i, over their mean
}

// outlet is a channel of a split, amounts in money.
type outlet struct {
	e           float64
	k, invK     float64
	least, most float64
	upper       float64 // most that a best split spends; see prepare
	s           float64 // the solution
}

// iterations bounds the search for the marginal value. Newton's steps take 4 to
// 8; every third is a bisection, so the bound is met even at worst.
const iterations = 160

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
	sum := 0.0
	for i := range p.ch {
		c := &p.ch[i]
		c.upper = c.most
		if p.response.form == exponentialDecay {
			c.upper = max(c.least, min(c.most, c.k))
		}
		sum += c.upper
	}
	p.reach = resize(p.reach, len(p.ch))
	if !p.response.concave() || p.synergy != nil || !p.free && sum < p.budget*(1-shareTolerance) {
		return false
	}
	p.value, p.cost, p.hint = 1, 0, 0
	p.hint = p.fill() / p.meanE()
	return true
}

// meanE returns the mean effectiveness, weighted by saturation.
func (p *split) meanE() float64 {
	sum, k := 0.0, 0.0
	for i := range p.ch {
		sum += float64(p.ch[i].e * p.ch[i].k)
		k += p.ch[i].k
	}
	return sum / k
}

// fill solves a split that prepare accepted and returns the marginal value
// lambda: e_i f'(s_i/k_i) = lambda where s_i is within its bounds. The s_i sum to
// the budget within 1e-13 of it.
func (p *split) fill() (lambda float64) {
	lo, hi := p.ch[0].e, 0.0
	for i := range p.ch {
		c := &p.ch[i]
		lo = min(lo, float64(c.e*p.response.slope(float64(c.upper*c.invK))))
		hi = max(hi, float64(c.e*p.response.slope(float64(c.least*c.invK))))
	}
	lo = max(0, lo)
	if p.free {
		price := p.cost / p.value // earning less than that is not worth spending
		if sum, _ := p.at(price); sum <= p.budget {
			return price
		}
		lo = max(lo, price)
	}

	lambda = float64(p.hint * p.meanE())
	tolerance := float64(p.budget * 1e-13)
	for n := range iterations {
		if !(lambda > lo && lambda < hi) || n%3 == 2 {
			lambda = lo + float64(0.5*(hi-lo))
		}
		sum, slope := p.at(lambda)
		over := sum - p.budget
		switch {
		case over > tolerance:
			lo = lambda
		case over < -tolerance:
			hi = lambda
		default:
			return lambda
		}
		lambda -= over / slope // out of the bracket, or not a number, where slope is 0
	}
	return lambda
}

// at sets s_i to what is best at the marginal value lambda and returns their sum
// and its derivative by lambda.
func (p *split) at(lambda float64) (sum, slope float64) {
	for i := range p.ch {
		c := &p.ch[i]
		x, dx := p.response.inverse(lambda / c.e)
		s := float64(c.k * x)
		if s > c.least && s < c.upper {
			slope += float64(c.k*dx) / c.e
		}
		s = min(c.upper, max(c.least, s))
		c.s = s
		sum += s
	}
	return sum, slope
}

// total returns the objective at the solution.
func (p *split) total() float64 {
	revenue, spend := 0.0, 0.0
	if p.synergy != nil {
		for i := range p.ch {
			p.reach[i] = reach(float64(p.ch[i].s * p.ch[i].invK))
		}
	}
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

// compareNothing replaces the solution by spending the floors alone, which an
// action of zeros does, where that is better.
func (p *split) compareNothing() {
	best := p.total()
	for i := range p.ch {
		p.ch[i].s, p.ch[i].least = p.ch[i].least, p.ch[i].s
	}
	nothing := p.total()
	for i := range p.ch {
		p.ch[i].s, p.ch[i].least = p.ch[i].least, p.ch[i].s
	}
	if nothing <= best {
		return
	}
	for i := range p.ch {
		p.ch[i].s = p.ch[i].least
	}
}

// inverse returns the x >= 0 at which a concave curve has slope y, and dx/dy;
// 0 where the slope is nowhere as large.
func (r response) inverse(y float64) (x, dx float64) {
	if y >= 1 {
		return 0, 0
	}
	switch r.form {
	case saturating:
		return negLog(y), -1 / y
	case hill:
		return hyperbola(y)
	}
	// (1-x) exp(-x) = y: with w = 1-x, w exp(w) = e y.
	w := lambertW0(euler * y)
	if y == 0 {
		return 1, -euler
	}
	return 1 - w, -w / float64(y*(1+w))
}
