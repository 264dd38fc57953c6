package marketing

// lifetime is what a customer is worth.
type lifetime struct {
	margin    float64 // per purchase
	perUnit   float64 // 1/purchase: new customers a unit of revenue
	retention float64
	fade      float64 // 1/(1+discount)
	tail      float64 // value of all later purchases of a customer, over that of the present one
}

// value returns the discounted margin of all purchases of a customer, on the
// day of the first: m + m q + m q^2 + ... = m (1+d) / (1+d-r) with q = r/(1+d).
func (l *lifetime) value() float64 { return float64(l.margin * (1 + l.tail)) }

// prepareReward computes what rewards are made with, and by day what a unit
// generated on it adds to the return.
func (e *Env) prepareReward() {
	p := &e.p
	switch p.Reward {
	case "profit":
		e.reward, e.gain, e.cost = profit, p.Margin, 1
	case "roi":
		all := float64(p.Budget * float64(p.Horizon))
		e.reward, e.gain, e.cost = roi, p.Margin/all, 1/all
	case "ltv":
		e.reward, e.gain, e.cost = ltv, 0, 0
	default:
		e.reward, e.gain, e.cost = revenue, 1, 0
	}
	q := p.Retention / (1 + p.Discount)
	e.life = lifetime{
		margin: float64(p.Margin * p.Purchase), perUnit: 1 / p.Purchase,
		retention: p.Retention, fade: 1 / (1 + p.Discount), tail: q / (1 - q),
	}

	// landed[t] is what a unit that lands on day t adds to the return.
	landed := resize(e.landed, p.Horizon)
	e.landed = landed
	if e.reward == ltv {
		weight := 1.0
		for t := range landed {
			landed[t] = float64(float64(e.life.value()*e.life.perUnit) * weight)
			weight = float64(weight * e.life.fade)
		}
		if !p.Settle {
			missed := 1.0 // share of a customer's value that comes after the last day: q^(T-t)
			for t := p.Horizon - 1; t >= 0; t-- {
				missed = float64(missed * q)
				landed[t] *= 1 - missed
			}
		}
	} else {
		for t := range landed {
			landed[t] = e.gain
		}
	}
	e.worth = resize(e.worth, p.Horizon)
	for t := range e.worth {
		sum := 0.0
		for d, share := range p.Delay {
			switch {
			case t+d < p.Horizon:
				sum += float64(share * landed[t+d])
			case p.Settle:
				sum += float64(share * landed[p.Horizon-1])
			}
		}
		e.worth[t] = sum
	}
}

// pay computes the reward of the day, counts, and ends the day.
func (e *Env) pay() {
	l := &e.last
	l.own = float64(e.worth[e.day]*l.generated) - float64(e.cost*l.spend)
	if e.reward == ltv {
		l.reward = e.serve(l.landed)
	} else {
		l.reward = float64(e.gain*l.landed) - float64(e.cost*l.spend)
	}
	e.total.revenue += l.landed
	e.total.spend += l.spend
	l.day = e.day
	e.day++
}

// serve lets new customers in and all customers buy, and returns the discounted
// margin. Customers are expectations, not whole people.
func (e *Env) serve(landed float64) float64 {
	life := &e.life
	won := float64(landed * life.perUnit)
	e.customers = float64(e.customers*life.retention) + won
	margin := float64(float64(life.margin*e.customers) * e.weight)
	e.total.customers += won
	e.total.ltv += float64(float64(won*life.value()) * e.weight)
	if e.p.Settle && e.day+1 == e.p.Horizon {
		margin *= 1 + life.tail
	}
	e.weight = float64(e.weight * life.fade)
	return float64(margin)
}

// Generated returns what the action just taken adds to the return, its spend
// subtracted where the reward does so; what would land after the last day and
// is not settled does not count. Summed over an episode it is the return.
func (e *Env) Generated() float64 { return e.last.own }
