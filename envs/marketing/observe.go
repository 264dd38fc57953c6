package marketing

import "overnight/envs"

// blur turns effectiveness into what is shown of it, late and with errors, for
// the observation of the present day.
func (e *Env) blur() {
	k := len(e.ch)
	if n := len(e.past); n > 0 {
		// At most lag days are kept, and none before day 0.
		ring := n / k
		now := e.day % ring
		then := 0
		if e.day >= e.p.Observe.Lag {
			then = (e.day - e.p.Observe.Lag) % ring
		}
		for i := range e.ch {
			e.past[now*k+i] = e.ch[i].eff
			e.ch[i].seen = e.past[then*k+i]
		}
	} else {
		for i := range e.ch {
			e.ch[i].seen = e.ch[i].eff
		}
	}
	if len(e.errors) > 0 {
		z := e.errors[k*e.day:][:k]
		for i := range e.ch {
			c := &e.ch[i]
			c.seen = max(0, float64(c.seen*(1+float64(e.p.Observe.Noise*z[i]))))
		}
	}
}

// observe fills the observation; describe lays it out.
func (e *Env) observe(out *envs.Step) {
	n := e.size
	if cap(out.Obs) < n {
		out.Obs = make([]float64, n)
	}
	obs := out.Obs[:n]
	out.Obs = obs

	ch := e.ch
	k := len(ch)
	obs[0] = float64(e.day) / float64(e.p.Horizon)
	obs = obs[1:]
	if e.p.Observe.Effectiveness {
		for i, o := 0, obs[:k]; i < k; i++ {
			o[i] = float64(ch[i].seen * e.perBase)
		}
		obs = obs[k:]
	}
	spend := obs[:k]
	switch {
	case !e.meanSpend || e.day == 0: // shares are 0 on day 0
		for i := range ch {
			spend[i] = ch[i].share
		}
	default:
		days := 1 / float64(e.day)
		for i := range ch {
			spend[i] = float64(ch[i].spent * days)
		}
	}
	obs = obs[k:]

	switch {
	case e.pendingLen == 0:
	case len(e.byChannel) > 0:
		d := len(e.p.Delay)
		for i := range ch {
			due := e.byChannel[i*d:][:d]
			obs = e.due(obs, due)
		}
	default:
		obs = e.due(obs, e.pending)
	}
	if e.p.Hold > 1 {
		left := e.day % e.p.Hold
		if left > 0 {
			left = e.p.Hold - left
		}
		obs[0] = float64(left) / float64(e.p.Hold)
		obs = obs[1:]
	}
	if e.reward == ltv {
		obs[0] = float64(float64(e.customers*e.p.Purchase) * e.perUnit)
	}
}

// due writes revenue on its way, in budgets, and returns the rest of obs.
func (e *Env) due(obs, pending []float64) []float64 {
	n, perUnit := e.pendingLen, e.perUnit
	from := pending[e.pendingFrom:][:n]
	for i, o := 0, obs[:n]; i < n; i++ {
		o[i] = float64(from[i] * perUnit)
	}
	return obs[n:]
}
