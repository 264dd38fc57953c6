package email

import (
	"math"
	"slices"

	"overnight/internal/fp"
	"overnight/internal/rng"
)

// rates are the conversion rates of a world.
type rates struct {
	base   []float64 // [segment][arm]
	device []float64 // [device][arm]: effects
	wave   []float64 // [sine, cosine][arm]
	table  []float64 // [cell][arm]: rates without drift
	logit  []float64 // of table, under random_walk and seasonal
	top    []int     // by cell: the best allowed arm of table
	shift  []float64 // by arm, in logits
	tired  []float64 // by arm, under fatigue

	stream  rng.Stream // of the random walk
	normals [64]float64
	used    int   // of normals
	at      []int // of the changes
	changes int   // so far
}

// prepare makes room.
func (r *rates) prepare(k int, g *grid, w world) {
	r.base = resize(r.base, g.segments*k)
	r.device = resize(r.device, g.devices*k)
	r.wave = resize(r.wave, 2*k)
	r.table = resize(r.table, g.cells*k)
	r.top = resize(r.top, g.cells)
	r.shift, r.tired = resize(r.shift, k), resize(r.tired, k)
	r.logit = r.logit[:0]
	if w == randomWalk || w == seasonal {
		r.logit = resize(r.logit, g.cells*k)
	}
}

// draw makes the world of an episode.
func (e *Env) draw() {
	r, p, k := &e.rates, &e.p, e.arms
	key := e.ratesKey
	if p.RatesFrom == "replication" {
		key = e.key.At(streamRates)
	}
	switch {
	case p.Segments.Rates != nil && e.grid.segments > 1:
		for s, row := range p.Segments.Rates {
			copy(r.base[s*k:][:k], row)
		}
	case p.Rates != nil:
		copy(r.base, p.Rates)
		e.spread()
	default:
		e.redraw(key)
	}

	clear(r.device)
	clear(r.wave)
	s := rng.New(key.At(1))
	if e.grid.devices > 1 {
		s.Normals(r.device)
		scale(r.device, p.Effect)
	}
	s = rng.New(key.At(2))
	if e.grid.hours > 1 {
		s.Normals(r.wave)
		scale(r.wave, p.Effect)
	}

	clear(r.shift)
	clear(r.tired)
	r.changes = 0
	switch e.world {
	case abrupt:
		e.drawChanges()
	case randomWalk:
		r.stream.Seed(e.key.At(streamWorld))
		r.used = len(r.normals)
	case seasonal:
		e.season(0)
	}
	e.tabulate()
}

func scale(x []float64, by float64) {
	for i := range x {
		x[i] = float64(x[i] * by)
	}
}

// redraw draws base rates from a key.
func (e *Env) redraw(key rng.Key) {
	base := e.rates.base
	s := rng.New(key)
	if e.grid.segments > 1 && e.p.Segments.Draw != "independent" {
		base = base[:e.arms]
	}
	low, high := e.p.RateRange[0], e.p.RateRange[1]
	for i := range base {
		base[i] = min(high, low+float64((high-low)*s.Float64()))
	}
	if len(base) < len(e.rates.base) {
		e.spread()
	}
}

// spread gives every segment the rates of the first, moved on by one arm from
// each to the next.
func (e *Env) spread() {
	base, k := e.rates.base, e.arms
	for s := 1; s < e.grid.segments; s++ {
		for i := range k {
			base[s*k+i] = base[(i+s)%k]
		}
	}
}

// drawChanges fixes when rates change, in rising order.
func (e *Env) drawChanges() {
	r, p := &e.rates, &e.p
	r.at = append(r.at[:0], p.Abrupt.At...)
	if p.Abrupt.At == nil && p.Horizon > 1 {
		s := rng.New(e.key.At(streamWorld))
		for range p.Abrupt.Changes {
			r.at = append(r.at, 1+s.IntN(p.Horizon-1))
		}
		slices.Sort(r.at)
	}
}

// change is one abrupt change.
func (e *Env) change() {
	r, k := &e.rates, e.arms
	r.changes++
	if e.p.Abrupt.Change == "redraw" {
		e.redraw(e.key.At(streamWorld).At(uint64(r.changes)))
	} else {
		for s := range e.grid.segments {
			row := r.base[s*k:][:k]
			first := row[0]
			copy(row, row[1:])
			row[k-1] = first
		}
	}
	e.tabulate()
}

// tabulate computes the rates of all cells, and the best arms in them.
func (e *Env) tabulate() {
	r, g, k := &e.rates, &e.grid, e.arms
	plain := g.devices == 1 && g.hours == 1
	for cell := range g.cells {
		segment, device, hour := g.levels(cell)
		row := r.table[cell*k:][:k]
		for i := range row {
			base := r.base[segment*k+i]
			if plain {
				row[i] = base
				continue
			}
			effect := r.device[device*k+i]
			if g.hours > 1 {
				effect += float64(r.wave[i] * g.waves[2*hour])
				effect += float64(r.wave[k+i] * g.waves[2*hour+1])
			}
			if e.linear {
				mean := e.meanRate(i)
				row[i] = max(0, min(1, base+float64(float64(mean*(1-mean))*effect)))
			} else {
				row[i] = fp.Sigmoid(logit(base) + effect)
			}
		}
		r.top[cell] = e.argmax(row, segment)
	}
	for i := range r.logit {
		r.logit[i] = logit(r.table[i])
	}
}

// meanRate is an arm's mean base rate over segments.
func (e *Env) meanRate(arm int) float64 {
	sum := 0.0
	for s := range e.grid.segments {
		sum += e.rates.base[s*e.arms+arm]
	}
	return sum / float64(e.grid.segments)
}

func logit(p float64) float64 { return fp.Log(p / (1 - p)) }

// argmax returns the allowed arm of a segment that brings in most; the first of
// equals.
func (e *Env) argmax(p []float64, segment int) int {
	best, most := -1, -1.0
	for i, rate := range p {
		if v := float64(rate * e.value[i]); v > most && (len(e.masks) == 0 || e.masks[segment][i]) {
			best, most = i, v
		}
	}
	return best
}

// advance moves the world on to send t, after an arm was sent.
func (e *Env) advance(t, arm int) {
	r := &e.rates
	switch e.world {
	case abrupt:
		// Changes that fall together are one after the other.
		for r.changes < len(r.at) && r.at[r.changes] <= t {
			e.change()
		}
	case randomWalk:
		for i := range r.shift {
			if r.used == len(r.normals) {
				r.stream.Normals(r.normals[:])
				r.used = 0
			}
			r.shift[i] += float64(e.p.RandomWalk.SD * r.normals[r.used])
			r.used++
		}
	case seasonal:
		e.season(t)
	case fatigue:
		if arm < e.arms {
			r.tired[arm] += e.p.Fatigue.Loss
		}
		keep := 1 - e.p.Fatigue.Recovery
		for i := range r.tired {
			r.tired[i] = float64(r.tired[i] * keep)
		}
	}
}

// season sets the shifts of send t.
func (e *Env) season(t int) {
	s := &e.p.Seasonal
	now := float64(t) / s.Period
	for i := range e.rates.shift {
		phase := float64(i) / float64(e.arms)
		if s.Phase != nil {
			phase = s.Phase[i]
		}
		turns := now + phase
		sin, _ := fp.SinCosTurn(turns - math.Floor(turns))
		e.rates.shift[i] = float64(s.Amplitude * sin)
	}
}

// ratesOf writes the rates of a cell as they are now.
func (e *Env) ratesOf(cell int, into []float64) {
	r, k := &e.rates, e.arms
	switch e.world {
	case randomWalk, seasonal:
		for i, l := range r.logit[cell*k:][:k] {
			into[i] = fp.Sigmoid(l + r.shift[i])
		}
	case fatigue:
		for i, p := range r.table[cell*k:][:k] {
			into[i] = p / (1 + r.tired[i])
		}
	default:
		copy(into, r.table[cell*k:][:k])
	}
}
