package marketing

import "math"

// units is how many equal parts search deals out.
const units = 128

// refinements is how often search halves the amount it moves, from the whole
// budget down to 1e-12 of it.
const refinements = 41

// search looks for a good split where none is proven best. It deals the budget
// above the floors out in parts by dynamic programming, which finds the best of
// all such splits whatever the shape of the curves (but knows no synergy), and
// then moves smaller and smaller amounts between pairs of channels as long as
// that helps (synergy included).
type search struct {
	curve []float64 // [channel][units+1]: k f at the floor plus so many parts
	most  []int     // parts that reach the cap
	gain  []float64 // [units+1] of one channel
	best  []float64 // [channel][units+1]: of so many parts on the channels up to it
	taken []uint8   // [channel][units+1]: parts that the channel has in it
	part  float64   // money
}

// prepare tabulates the curves.
func (q *search) prepare(p *split) {
	k := len(p.ch)
	q.curve = resize(q.curve, k*(units+1))
	q.most = resize(q.most, k)
	q.gain = resize(q.gain, units+1)
	q.best = resize(q.best, k*(units+1))
	q.taken = resize(q.taken, k*(units+1))
	rest := p.budget
	for i := range p.ch {
		rest -= p.ch[i].least
	}
	q.part = max(0, rest) / units
	for i := range p.ch {
		c := &p.ch[i]
		q.most[i] = units
		if room := c.most - c.least; room < float64(q.part*units) {
			q.most[i] = min(units, int(room/q.part)+1)
		}
		for n := range units + 1 {
			q.curve[i*(units+1)+n] = float64(c.k * p.response.at(float64(q.spend(c, n)*c.invK)))
		}
	}
}

// spend returns what a channel with n parts spends; the last part may be cut off
// by its cap.
func (q *search) spend(c *outlet, n int) float64 {
	return min(c.most, c.least+float64(q.part*float64(n)))
}

// run leaves a good split in p.
func (q *search) run(p *split) {
	q.deal(p)
	q.refine(p)
	if p.synergy == nil {
		return
	}
	// Dealing knew no synergy, so an even beginning may lead higher.
	best := p.total()
	p.keep()
	q.even(p)
	q.refine(p)
	if p.total() <= best {
		p.restore()
	}
}

// deal finds the best split in whole parts.
func (q *search) deal(p *split) {
	const row = units + 1
	for i := range p.ch {
		c := &p.ch[i]
		worth := float64(p.value * c.e)
		gain := q.gain[:q.most[i]+1]
		for m := range gain {
			gain[m] = float64(worth*q.curve[i*row+m]) - float64(p.cost*q.spend(c, m))
		}
		best, taken := q.best[i*row:][:row], q.taken[i*row:][:row]
		if i == 0 {
			for n := range best {
				best[n], taken[n] = math.Inf(-1), 0
				if n < len(gain) {
					best[n], taken[n] = gain[n], uint8(n)
				}
			}
			continue
		}
		before := q.best[(i-1)*row:][:row]
		for n := range best {
			top, parts := math.Inf(-1), 0
			for m := range min(n+1, len(gain)) {
				if v := before[n-m] + gain[m]; v > top {
					top, parts = v, m
				}
			}
			best[n], taken[n] = top, uint8(parts)
		}
	}
	// All parts, or as many as fit below the caps; free: as many as pay.
	last := q.best[(len(p.ch)-1)*row:][:row]
	n := units
	for n > 0 && math.IsInf(last[n], -1) {
		n--
	}
	if p.free {
		n = 0
		for m, v := range last {
			if v > last[n] {
				n = m
			}
		}
	}
	for i := len(p.ch) - 1; i >= 0; i-- {
		m := int(q.taken[i*row+n])
		p.ch[i].s = q.spend(&p.ch[i], m)
		n -= m
	}
	if !p.free {
		p.spendRest()
	}
}

// even splits the budget in proportion to the room between floors and caps.
func (q *search) even(p *split) {
	for i := range p.ch {
		p.ch[i].s = p.ch[i].least
	}
	p.spendRest()
}

// spendRest adds what is left of the budget in proportion to the room below the
// caps.
func (p *split) spendRest() {
	rest, room := p.budget, 0.0
	for i := range p.ch {
		rest -= p.ch[i].s
		room += p.ch[i].most - p.ch[i].s
	}
	if !(rest > 0 && room > 0) {
		return
	}
	fill := min(1, rest/room)
	for i := range p.ch {
		c := &p.ch[i]
		c.s += float64(fill * (c.most - c.s))
	}
}

// refine moves amounts between pairs of channels, and where free between
// channels and what is unspent, while that helps; then halves the amount. Floors
// and caps cut a move short, so a channel can be emptied in one.
func (q *search) refine(p *split) {
	n := len(p.ch)
	rest := p.budget
	for i := range p.ch {
		rest -= p.ch[i].s
	}
	idle := outlet{s: max(0, rest), most: p.budget}
	at := func(i int) *outlet {
		if i == n {
			return &idle
		}
		return &p.ch[i]
	}
	pots := n
	if p.free {
		pots++
	}
	best := p.total()
	amount := p.budget
	for range refinements {
		for again, sweeps := true, 0; again && sweeps < 64; sweeps++ {
			again = false
			for i := range pots {
				for j := range pots {
					from, to := at(i), at(j)
					a, b := from.s, to.s
					step := min(amount, a-from.least, to.most-b)
					if i == j || step <= 0 {
						continue
					}
					from.s, to.s = a-step, b+step
					if v := p.total(); v > best {
						best, again = v, true
					} else {
						from.s, to.s = a, b
					}
				}
			}
		}
		amount = float64(0.5 * amount)
	}
}
