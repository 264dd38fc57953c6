package marketing

import "overnight/envs"

var (
	_ envs.Oracle     = (*Env)(nil)
	_ envs.Attributor = (*Env)(nil)
)

// oracle is what Best works with.
type oracle struct {
	split  split
	filled bool     // by filler, else by search
	filler filler   // empty until needed
	search search   // the same
	ahead  []split  // the solved splits of the days from first on
	todo   []*split // scratch
	first  int
}

// daysAhead is how many days Best solves at once, since their effectiveness is
// known.
const daysAhead = 32

// Why the best policy is the best split of each day: spend changes nothing but
// what is generated that day, delay and lifetime value are linear in it, and
// effectiveness moves by itself. The return is the sum over days of
//
//	worth_t sum_i e_i k_i f(s_i/k_i) meanNoise - cost sum_i s_i
//
// in expectation, and each day's term can be made largest on its own, with the
// e_i of that day. It is:
//   - exact (waterfill.go) for saturating responses and hill with shape 1, which
//     are concave, and for exponential decay where the budget fits below the
//     caps, floors and saturations: there no spend beyond saturation is best, and
//     below it the curve is concave. See split.upper;
//   - exact with unspent budget as well: what earns less than it costs stays
//     unspent, and without costs nothing is spent beyond saturation;
//   - a reference (search.go) for curves that are not concave (hill, logistic,
//     exponential decay with more budget than saturation that must be spent) and
//     for synergy; and with hold > 1, where the mean effectiveness of the coming
//     days is taken along the path without noise, which the floor bends.
//
// An action of zeros spends nothing (above the floors), so where spend costs,
// that is compared too.
func (e *Env) optimum() envs.Optimum {
	switch {
	case !e.oracle.filled || e.p.Hold > 1:
		return envs.Reference
	case e.blurred || !e.p.Observe.Effectiveness:
		return envs.UpperBound
	}
	return envs.Exact
}

func (e *Env) prepareOracle() {
	p, o := &e.p, &e.oracle
	s := &o.split
	s.response, s.budget, s.free = e.response, p.Budget, p.Unspent
	s.ch = resize(s.ch, e.k)
	for i := range s.ch {
		c := &e.ch[i]
		s.ch[i] = outlet{e: c.base, k: c.k, invK: c.invK, least: float64(c.least * p.Budget), most: float64(c.most * p.Budget)}
	}
	s.synergy = nil
	if e.synergetic {
		s.synergy = p.Synergy
	}
	if o.filled = s.prepare(); !o.filled {
		o.search.prepare(s)
	}
}

// Best fills a with the best action now and returns the expected addition to
// the return of the coming day: worth times what it generates, minus its cost.
// On days that hold an earlier allocation it fills in that.
func (e *Env) Best(a *envs.Action) float64 {
	if e.day >= e.p.Horizon {
		clear(a.Values[:e.entries])
		return 0
	}
	s := e.today()
	values := a.Values[:e.entries]
	spend := 0.0
	for i := range s.ch {
		values[i] = float64(s.ch[i].s * e.perUnit)
		spend += s.ch[i].s
		s.ch[i].e = e.ch[i].eff
	}
	if e.entries > e.k {
		values[e.k] = max(0, 1-float64(spend*e.perUnit))
	}
	s.value = float64(e.worth[e.day] * e.meanNoise)
	s.cost = e.cost
	return s.total()
}

// today returns the day's split, solved.
func (e *Env) today() *split {
	o := &e.oracle
	switch {
	case e.p.Hold > 1 && e.day%e.p.Hold != 0:
		for i := range o.split.ch {
			o.split.ch[i].s = e.ch[i].spend
		}
	case e.p.Hold > 1 || !o.filled:
		e.solve()
	default:
		if n := e.day - o.first; n < 0 || n >= len(o.ahead) {
			e.solveAhead()
		}
		return &o.ahead[e.day-o.first]
	}
	return &o.split
}

// solve finds the best split for the days until the next one.
func (e *Env) solve() {
	s := &e.oracle.split
	if days := min(e.p.Hold, e.p.Horizon-e.day); days > 1 {
		e.foresee(days)
	} else {
		for i := range s.ch {
			s.ch[i].e = e.ch[i].eff
		}
		s.value = float64(e.worth[e.day] * e.meanNoise)
	}
	e.price(s)
	if e.oracle.filled {
		e.oracle.filler.fill(s)
	} else {
		e.oracle.search.run(s)
	}
	if s.cost > 0 && !s.free {
		s.compareNothing()
	}
}

// solveAhead finds the best splits of the coming days, side by side.
func (e *Env) solveAhead() {
	o := &e.oracle
	o.first = e.day
	o.ahead = resize(o.ahead, min(daysAhead, e.p.Horizon-e.day))
	o.todo = o.todo[:0]
	for d := range o.ahead {
		s := &o.ahead[d]
		o.todo = append(o.todo, s)
		ch := s.ch
		*s = o.split
		s.ch = append(ch[:0], o.split.ch...)
		s.value = float64(e.worth[e.day+d] * e.meanNoise)
		e.price(s)
		for i := range s.ch {
			c := &e.ch[i]
			if d == 0 {
				s.ch[i].e = c.eff
				continue
			}
			z := e.noise[2*e.k*(e.day+d-1)+e.k+i]
			s.ch[i].e = c.drift(o.ahead[d-1].ch[i].e, z, e.p.Reversion, e.p.EffFloor)
		}
	}
	o.filler.fill(o.todo...)
	if e.cost > 0 && !e.oracle.split.free {
		for d := range o.ahead {
			o.ahead[d].compareNothing()
		}
	}
}

// price sets what a unit costs, and that generating pays.
func (e *Env) price(s *split) {
	s.cost = e.cost
	if s.value <= 0 && s.cost == 0 {
		s.value = 1 // nothing lands any more: every split is as good
	}
}

// foresee averages effectiveness over days to come, along the path without
// noise, weighted by what a unit generated is worth on each.
func (e *Env) foresee(days int) {
	s := &e.oracle.split
	worth := 0.0
	for d := range days {
		worth += e.worth[e.day+d]
	}
	for i := range s.ch {
		c := &e.ch[i]
		eff, sum := c.eff, 0.0
		for d := range days {
			sum += float64(e.worth[e.day+d] * eff)
			eff = max(e.p.EffFloor, eff+float64(e.p.Reversion*(c.base-eff)))
		}
		s.ch[i].e = c.eff
		if worth > 0 {
			s.ch[i].e = sum / worth
		}
	}
	s.value = float64(worth*e.meanNoise) / float64(days)
}
