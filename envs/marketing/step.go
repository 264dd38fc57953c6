package marketing

import (
	"math"

	"overnight/envs"
	"overnight/internal/fp"
	"overnight/internal/rng"
)

var _ envs.Env = (*Env)(nil)

// Reset begins the episode of a key.
func (e *Env) Reset(episode rng.Key, out *envs.Step) {
	e.restart()
	if e.noisy {
		e.stream.Seed(episode)
		e.stream.Normals(e.noise)
	}
	if len(e.errors) > 0 {
		e.stream.Seed(episode.At(1))
		e.stream.Normals(e.errors)
	}
	if e.blurred {
		e.blur()
	}
	out.T, out.Reward, out.Done, out.Truncated = 0, 0, false, false
	out.Allowed, out.Credits = nil, out.Credits[:0]
	e.observe(out)
}

// restart puts the state at day 0.
func (e *Env) restart() {
	for i := range e.ch {
		c := &e.ch[i]
		c.eff, c.seen, c.effThen, c.seenThen = c.base, c.base, c.base, c.base
		c.share, c.spend, c.spent, c.generated = 0, 0, 0, 0
	}
	clear(e.pending)
	clear(e.byChannel)
	e.day, e.idle, e.customers, e.weight = 0, 0, 0, 1
	e.last, e.total = lastDay{}, totals{}
	e.oracle.ahead = e.oracle.ahead[:0]
}

// Step spends by a and moves on to the next day.
func (e *Env) Step(a *envs.Action, out *envs.Step) {
	switch {
	case e.p.Hold > 1 && e.day%e.p.Hold != 0:
	case e.boxed:
		e.allocateBoxed(a.Values)
	default:
		e.allocate(a.Values)
	}
	if len(e.raw) > 0 {
		copy(e.raw, a.Values)
	}
	e.respond()
	e.draw()
	e.land()
	e.pay()
	if e.blurred {
		e.blur()
	}
	out.T, out.Reward, out.Done, out.Truncated = e.day, e.last.reward, e.day == e.p.Horizon, false
	if out.Allowed != nil || len(out.Credits) > 0 { // rarely: what another environment left
		out.Allowed, out.Credits = nil, out.Credits[:0]
	}
	e.observe(out)
}

// allocate turns an action into shares of the budget and spend.
func (e *Env) allocate(values []float64) {
	ch, clip := e.ch, e.clip
	values = values[:len(ch)]
	sum := 0.0
	for _, v := range values {
		sum += trim(v, clip)
	}
	inv := 1 / sum
	if sum == 0 {
		inv = 0
	}
	budget, moved := e.p.Budget, 0.0
	for i := range ch {
		c := &ch[i]
		share := float64(trim(values[i], clip) * inv)
		moved += math.Abs(share - c.share)
		c.share, c.spend = share, float64(share*budget)
	}
	e.moved(moved)
}

// trim returns v within [0, most]; not a number stays one. The built-in min and
// max take longer than branches that are nearly always predicted.
func trim(v, most float64) float64 {
	if v < 0 {
		return 0
	}
	if v > most {
		return most
	}
	return v
}

// moved counts how far an allocation is from the one before: half the sum of
// the changes of shares.
func (e *Env) moved(change float64) {
	if e.day > 0 {
		e.total.switched += float64(0.5 * change)
	}
}

// respond computes what each channel's spend generates on average.
func (e *Env) respond() {
	ch := e.ch
	if e.response.form == exponentialDecay {
		for i := range ch {
			c := &ch[i]
			c.generated = c.eff * c.spend * fp.Exp64(-c.spend*c.invK)
		}
	} else {
		for i := range ch {
			c := &ch[i]
			c.generated = c.eff * c.k * e.response.at(c.spend*c.invK)
		}
	}
	if e.synergetic {
		for i := range ch {
			e.reach[i] = reach(ch[i].spend * ch[i].invK)
		}
		for i := range ch {
			ch[i].generated *= boost(e.p.Synergy[i], e.reach)
		}
	}
}

// draw adds the day's noise to what is generated and moves effectiveness on.
func (e *Env) draw() {
	ch := e.ch
	k := len(ch)
	z := e.noise[2*k*e.day:]
	sd, reversion, floor := e.p.ReturnNoise, e.p.Reversion, e.p.EffFloor
	generated, spend := 0.0, 0.0
	for i := range ch {
		c := &ch[i]
		g := float64(c.generated * (1 + float64(sd*z[i])))
		if g < 0 {
			g = 0
		}
		c.generated = g
		generated += g
		spend += c.spend
		c.effThen, c.seenThen = c.eff, c.seen
		c.eff = c.drift(c.eff, z[k+i], reversion, floor)
		c.seen = c.eff
	}
	e.last.generated, e.last.spend = generated, spend
}

// drift returns tomorrow's effectiveness.
func (c *channel) drift(eff, z, reversion, floor float64) float64 {
	change := float64(reversion*(c.base-eff)) + float64(c.vol*z)
	return max(floor, eff+change)
}

// land spreads what was generated over the days to come, and takes what lands
// today.
func (e *Env) land() {
	generated := e.last.generated
	delay := e.p.Delay
	pending := e.pending[:len(delay)]
	landed := pending[0] + float64(generated*delay[0])
	for d := 1; d < len(delay); d++ {
		pending[d-1] = pending[d] + float64(generated*delay[d])
	}
	pending[len(delay)-1] = 0
	if len(e.byChannel) > 0 {
		e.landByChannel()
	}
	if e.p.Settle && e.day+1 == e.p.Horizon {
		for d, due := range pending {
			landed += due
			pending[d] = 0
		}
		clear(e.byChannel)
	}
	e.last.landed = landed
}

// landByChannel keeps what is on its way for each channel.
func (e *Env) landByChannel() {
	delay := e.p.Delay
	n := len(delay)
	for i := range e.ch {
		g, pending := e.ch[i].generated, e.byChannel[i*n:][:n]
		for d := 1; d < n; d++ {
			pending[d-1] = pending[d] + float64(g*delay[d])
		}
		pending[n-1] = 0
	}
}
