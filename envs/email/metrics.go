package email

import "overnight/envs"

// recent is how many sends time_to_90 looks back.
const recent = 500

// totals are what metrics are made of.
type totals struct {
	expected, most  float64 // of what was sent, and of the best arms
	gaps            float64
	caused, bestOf  float64 // what came, and what the best arms would have brought
	conversions     int
	bestSends       int
	comparator      []float64 // [cell][arm]: expected reward of one arm for all sends of a cell, where rates drift
	lateSends       []int     // [cell][action]: sends of the last tenth
	bySegment       []float64 // [segment][expected, most]
	window          []bool    // ring: whether the sends of late were of the best arm
	at              int       // of the window: the next
	inWindow, ninth int       // how many were, and when it was nine of ten first
	lastTenth       int       // its first send
	scratch         []float64
	exposure        exposure
}

func (t *totals) prepare(e *Env) {
	cells := e.grid.cells * e.arms
	t.comparator = t.comparator[:0]
	if e.world.drifts() && e.list.number == 0 {
		t.comparator = resize(t.comparator, cells)
	}
	t.lastTenth = e.p.Horizon - max(1, e.p.Horizon/10)
	t.lateSends = resize(t.lateSends, e.grid.cells*e.actions)
	t.bySegment = resize(t.bySegment, 2*e.grid.segments)
	t.window = resize(t.window, min(recent, e.p.Horizon))
	t.scratch = resize(t.scratch, e.arms)
	t.exposure.prepare(e)
}

func (t *totals) reset() {
	*t = totals{comparator: t.comparator, lateSends: t.lateSends, bySegment: t.bySegment, lastTenth: t.lastTenth, window: t.window, scratch: t.scratch, exposure: t.exposure}
	clear(t.comparator)
	clear(t.lateSends)
	clear(t.bySegment)
	clear(t.window)
	t.exposure.reset()
}

// count adds the send just made to the totals.
func (e *Env) count() {
	t, l := &e.totals, &e.last
	is, best := e.worth(e.now, l.arm), e.worth(e.now, l.best)
	l.gap = best - is
	t.expected += is
	t.most += best
	t.gaps += l.gap
	t.caused += l.caused
	if l.converted {
		t.conversions++
	}
	switch {
	case l.arm == l.best:
		t.bestOf += l.caused
	case l.best < e.arms && l.u < e.now[l.best]:
		t.bestOf += e.pay.amount(l.best, e.value[l.best])
	}
	if len(t.comparator) > 0 {
		for i, p := range e.now {
			t.comparator[l.cell*e.arms+i] += float64(p * e.value[i])
		}
	}
	if e.grid.segments > 1 {
		s := l.cell / e.grid.perSegment
		t.bySegment[2*s] += is
		t.bySegment[2*s+1] += best
	}
	if l.t >= t.lastTenth {
		t.lateSends[l.cell*e.actions+l.arm]++
	}
	if t.exposure.floor > 0 {
		e.watch()
	}
	e.countRecent(l.gap == 0)
}

// countRecent follows the share of the best arm among the last sends.
func (e *Env) countRecent(best bool) {
	t := &e.totals
	if t.ninth != 0 { // all that is asked of the window is known
		if best {
			t.bestSends++
		}
		return
	}
	n := len(t.window)
	if t.window[t.at] {
		t.inWindow--
	}
	t.window[t.at] = best
	if t.at++; t.at == n {
		t.at = 0
	}
	if best {
		t.inWindow++
		t.bestSends++
	}
	if t.ninth == 0 && e.last.t+1 >= n && 10*t.inWindow >= 9*n {
		t.ninth = e.last.t + 1
	}
}

func metrics(d description) []envs.Metric {
	unit := "conversions"
	if d.money {
		unit = "money"
	}
	list := []envs.Metric{
		{Name: "regret", Unit: unit, Doc: "pseudo-regret: what the best one arm for each context would bring on average over the run, less the same of what was sent; under fatigue and with recipients, as dynamic_regret"},
		{Name: "dynamic_regret", Unit: unit, Doc: "pseudo-regret against the best allowed arm at each send, in the state that the sends before have led to"},
		{Name: "realised_regret", Unit: unit, Doc: "what the best arm at each send would have brought from the same recipients, less what was sent brought"},
		{Name: "conversions", Unit: "conversions", Doc: "conversions that the sends caused, credited or not"},
		{Name: "rate", Doc: "conversions / sends"},
		{Name: "best_arm_share", Doc: "share of sends that were of a best arm at the time"},
		{Name: "simple_regret", Unit: unit, Doc: "gap of the arm sent most in the last tenth, at the rates after the last send for recipients who are not tired; with contexts, for each, averaged over that tenth's recipients"},
		{Name: "time_to_90", Unit: "sends", Doc: "sends until a best arm had 90 % of the last 500 (of all where the horizon is shorter); horizon + 1 if never"},
	}
	if d.ratio {
		list = append(list, envs.Metric{Name: "optimality", Doc: "expected reward of what was sent / that of the best arm at each send"})
	}
	if d.money {
		list = append(list, envs.Metric{Name: "revenue", Unit: "money", Doc: "revenue that the sends caused, credited or not"})
	}
	if d.segments > 1 {
		list = append(list, envs.Metric{Name: "worst_segment", Doc: "least over segments of the expected reward of what was sent / that of the best arm at each send"})
	}
	if d.watched {
		list = append(list, envs.Metric{Name: "floor_violations", Doc: "how often a subject line was sent fewer than exposure.floor times as often as it was allowed, counted once for each subject line in each window of exposure.within sends, where each segment has windows of its own sends; what follows the last whole window is not counted"})
		if d.segments > 1 {
			list = append(list, envs.Metric{Name: "segment_gap", Doc: "the same ratio as worst_segment: that of the best-served segment less that of the worst-served"})
		}
	}
	return list
}

// Metrics writes the metrics of the run so far, in the order of Spec.Metrics.
func (e *Env) Metrics(into []float64) {
	t := &e.totals
	sends := float64(max(1, e.t))
	into[0] = e.regret()
	into[1] = t.gaps
	into[2] = t.bestOf - t.caused
	into[3] = float64(t.conversions)
	into[4] = float64(t.conversions) / sends
	into[5] = float64(t.bestSends) / sends
	into[6] = e.simpleRegret()
	into[7] = float64(t.ninth)
	if t.ninth == 0 {
		into[7] = float64(e.p.Horizon + 1)
	}
	into = into[8:]
	if e.desc.ratio {
		into[0] = ratio(t.expected, t.most)
		into = into[1:]
	}
	if e.desc.money {
		into[0] = t.caused
		into = into[1:]
	}
	gap := 0.0
	if e.grid.segments > 1 {
		into[0], gap = e.servedWorst()
		into = into[1:]
	}
	if e.desc.watched {
		into[0] = float64(t.exposure.violations)
		if e.grid.segments > 1 {
			into[1] = gap
		}
	}
}

// ratio is 1 where nothing could be had.
func ratio(x, of float64) float64 {
	if of == 0 {
		return 1
	}
	return x / of
}

func (e *Env) regret() float64 {
	t := &e.totals
	if len(t.comparator) == 0 {
		return t.gaps
	}
	sum := 0.0
	for cell := range e.grid.cells {
		row := t.comparator[cell*e.arms:][:e.arms]
		most := 0.0
		for i, v := range row {
			if len(e.masks) == 0 || e.masks[cell/e.grid.perSegment][i] {
				most = max(most, v)
			}
		}
		sum += most
	}
	return sum - t.expected
}

func (e *Env) simpleRegret() float64 {
	t, k := &e.totals, e.actions
	sum, all := 0.0, 0
	for cell := range e.grid.cells {
		sends := t.lateSends[cell*k:][:k]
		n, most := 0, 0
		for i, m := range sends {
			n += m
			if m > sends[most] {
				most = i
			}
		}
		if n == 0 {
			continue
		}
		p := t.scratch
		e.ratesOf(cell, p)
		best := e.argmax(p, cell/e.grid.perSegment)
		sum += float64(float64(n) * (e.worth(p, best) - e.worth(p, most)))
		all += n
	}
	if all == 0 {
		return 0
	}
	return sum / float64(all)
}
