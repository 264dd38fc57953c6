package marketing

import "math"

// allocateBoxed is allocate where caps, floors or an unspent share bind.
func (e *Env) allocateBoxed(values []float64) {
	n := e.entries
	want := e.want[:n]
	sum := 0.0
	for i, v := range values[:n] {
		want[i] = trim(v, e.clip)
		sum += want[i]
	}
	capped := false
	switch {
	case sum == 0: // nothing above the floors
		for i := range e.ch {
			want[i] = e.ch[i].least
			capped = capped || want[i] > 0
		}
		if n > e.k {
			want[e.k] = 1
			for i := range e.ch {
				want[e.k] -= want[i]
			}
		}
	default:
		inv := 1 / sum
		for i := range want {
			want[i] = float64(want[i] * inv)
		}
		if sum == sum { // not a number stays one, for the caller to see
			capped = e.fit(want)
		}
	}
	moved := 0.0
	for i := range e.ch {
		c := &e.ch[i]
		moved += math.Abs(want[i] - c.share)
		c.share, c.spend = want[i], float64(want[i]*e.p.Budget)
	}
	if n > e.k {
		if e.day > 0 {
			moved += math.Abs(want[e.k] - e.idle)
		}
		e.idle = want[e.k]
	}
	e.moved(moved)
	if capped {
		e.total.capped++
	}
}

// bounds returns the least and the most share of entry i; the unspent share has
// no bounds.
func (e *Env) bounds(i int) (least, most float64) {
	if i == e.k {
		return 0, 1
	}
	return e.ch[i].least, e.ch[i].most
}

// fit moves shares w, which sum to 1, into their bounds and tells whether it
// had to: w_i becomes min(most_i, max(least_i, theta w_i)) with the theta that
// keeps the sum. Where all entries with w_i > 0 are at their caps, the rest goes
// to the unspent share, or without one to the other channels in proportion to
// their room.
func (e *Env) fit(w []float64) bool {
	inside := true
	for i, v := range w {
		least, most := e.bounds(i)
		inside = inside && v >= least-shareTolerance && v <= most+shareTolerance
	}
	if inside {
		return false
	}
	for i, v := range w {
		if v < 1e-100 { // so that dividing by it can't overflow
			w[i] = 0
		}
	}
	theta, ok := e.theta(w)
	if !ok {
		e.spill(w)
		return true
	}
	for i, v := range w {
		least, most := e.bounds(i)
		w[i] = min(most, max(least, float64(theta*v)))
	}
	return true
}

// spill puts all entries with w_i > 0 at their caps and gives what is left to
// the others.
func (e *Env) spill(w []float64) {
	rest, room := 1.0, 0.0
	for i, v := range w {
		least, most := e.bounds(i)
		if v > 0 {
			w[i] = most
			rest -= most
			continue
		}
		w[i] = least
		rest -= least
		room += most - least
		if i == e.k { // the unspent share has room for all of the rest
			w[i] = max(0, rest)
			return
		}
	}
	if !(rest > 0 && room > 0) {
		return
	}
	fill := min(1, rest/room)
	for i := range w {
		least, most := e.bounds(i)
		w[i] += float64(fill * (most - least))
		w[i] = min(w[i], most)
	}
}

// theta solves sum of min(most_i, max(least_i, theta w_i)) = 1; not ok where
// even an infinite theta gives less. The sum is piecewise linear and does not
// fall; theta lies after the last breakpoint at which the sum is at most 1.
func (e *Env) theta(w []float64) (theta float64, ok bool) {
	from := 0.0
	for i, v := range w {
		if v == 0 {
			continue
		}
		least, most := e.bounds(i)
		for _, at := range [2]float64{least / v, most / v} {
			if at > from && e.clamped(w, at) <= 1 {
				from = at
			}
		}
	}
	fixed, slope := 0.0, 0.0
	for i, v := range w {
		least, most := e.bounds(i)
		switch {
		case v == 0 || least/v > from:
			fixed += least
		case most/v > from:
			slope += v
		default:
			fixed += most
		}
	}
	if slope == 0 {
		return from, fixed >= 1-shareTolerance
	}
	return max(from, (1-fixed)/slope), true
}

// clamped returns the sum of min(most_i, max(least_i, theta w_i)).
func (e *Env) clamped(w []float64, theta float64) float64 {
	sum := 0.0
	for i, v := range w {
		least, most := e.bounds(i)
		sum += min(most, max(least, float64(theta*v)))
	}
	return sum
}
