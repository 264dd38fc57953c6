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
	if len(out.Obs) != e.size {
		if cap(out.Obs) < e.size {
			out.Obs = make([]float64, e.size)
		}
		out.Obs = out.Obs[:e.size]
	}
	obs, ch := out.Obs, e.ch
	obs[0] = float64(e.day) / float64(e.p.Horizon)
	at := 1
	if e.p.Observe.Effectiveness {
		perBase := e.perBase
		for i := range ch {
			obs[at+i] = float64(ch[i].seen * perBase)
		}
		at += len(ch)
	}
	if e.meanSpend {
		perDay := 1 / float64(max(1, e.day))
		for i := range ch {
			c := &ch[i]
			c.spent += c.share // 0 before the first day
			obs[at+i] = float64(c.spent * perDay)
		}
	} else {
		for i := range ch {
			obs[at+i] = ch[i].share
		}
	}
	at += len(ch)

	perUnit, from, to := e.perUnit, e.pendingFrom, e.pendingFrom+e.pendingLen
	if len(e.byChannel) == 0 {
		for _, due := range e.pending[from:to] {
			obs[at] = float64(due * perUnit)
			at++
		}
	} else {
		days := len(e.p.Delay)
		for i := range ch {
			for _, due := range e.byChannel[i*days+from : i*days+to] {
				obs[at] = float64(due * perUnit)
				at++
			}
		}
	}
	if e.p.Hold > 1 {
		left := e.day % e.p.Hold
		if left > 0 {
			left = e.p.Hold - left
		}
		obs[at] = float64(left) / float64(e.p.Hold)
		at++
	}
	if e.reward == ltv {
		obs[at] = float64(float64(e.customers*e.p.Purchase) * perUnit)
	}
}
