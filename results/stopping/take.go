package stopping

import (
	"math"

	"overnight/results"
)

// Take takes in a record, in any order, and tells whether its trial is wanted as
// far as is known then. Told in trial order of all records, what it says is final
// for each, since no record behind a trial has a say in it.
func (o *Outcome) Take(r *results.Record) bool {
	o.taken++
	if r.Trial >= o.study.Trials() {
		return false
	}
	if o.at == nil {
		o.have++
		if r.Status != results.Done {
			o.failed++
		}
		return true
	}
	if !o.seen.Add(r.Trial) {
		o.taken--
		return o.Wants(r.Trial)
	}
	i, replication := o.study.Split(r.Trial)
	p := &o.at[i]
	wanted := o.wants(p, replication)
	switch {
	case wanted && r.Status != results.Done:
		o.failed++
	case r.Status != results.Done:
		o.bad[r.Trial] = true
	}
	if wanted {
		o.have++
	}
	if replication >= o.last {
		return wanted
	}
	if p.state == open || p.state == serving {
		for uint64(len(p.scores)) <= replication {
			p.scores = append(p.scores, math.NaN())
		}
		if r.Status == results.Done && o.metric < len(r.Metrics) {
			p.scores[replication] = r.Metrics[o.metric]
		}
	}
	o.advance(i)
	return wanted
}

// advance moves a point's prefix over what has come, and looks at the points that
// waited for it.
func (o *Outcome) advance(i uint64) {
	p := &o.at[i]
	before := p.prefix
	for p.prefix < o.last && o.seen.Has(p.prefix*o.study.Points()+i) {
		p.prefix++
	}
	reached := false
	for stage, n := range o.stages {
		if before < n && n <= p.prefix {
			reached = true
			o.beside.reach(i, stage)
		}
	}
	if !reached {
		return
	}
	o.look(i)
	for stage, n := range o.stages {
		if before < n && n <= p.prefix {
			o.beside.users(i, stage, o.look)
		}
	}
}

// look judges a point as often as its records and those beside it allow.
func (o *Outcome) look(i uint64) {
	p := &o.at[i]
	for p.state == open {
		n := o.stages[p.stage]
		if p.prefix < n {
			return
		}
		g := o.beside.groupOf(i)
		switch {
		case g == nil:
		case g.crowd == nil && o.at[g.refs[0]].prefix < n,
			g.crowd != nil && int(g.crowd.reached[p.stage]) < len(g.refs):
			return
		}
		enough := o.study.Stopping != nil && o.narrow(i, n)
		switch {
		case enough:
			o.end(i, settled)
		case n == o.last:
			o.end(i, spent)
		default:
			o.raise(i, p.stage+1)
			if g == nil || g.stage >= p.stage {
				break
			}
			g.stage = p.stage
			for _, ref := range g.refs {
				o.raise(uint64(ref), p.stage)
			}
		}
	}
	o.release(i)
}

// raise makes a point want the replications of a stage.
func (o *Outcome) raise(i uint64, stage uint8) {
	p := &o.at[i]
	if p.stage >= stage {
		return
	}
	from, to := o.stages[p.stage], o.stages[stage]
	p.stage = stage
	o.ahead -= to - from
	o.want(i, from, to)
}

// want counts replications from <= r < to of a point that are wanted now.
func (o *Outcome) want(i, from, to uint64) {
	o.wanted += to - from
	for r := from; r < to; r++ {
		trial := r*o.study.Points() + i
		if !o.seen.Has(trial) {
			continue
		}
		o.have++
		if o.bad[trial] {
			delete(o.bad, trial)
			o.failed++
		}
	}
	if o.Grown != nil {
		o.Grown(i, from, to)
	}
}

// end closes a point, and lets go of those that ran for its sake.
func (o *Outcome) end(i uint64, s state) {
	p := &o.at[i]
	p.state = s
	o.rate(i)
	g := o.beside.groupOf(i)
	if g == nil {
		return
	}
	if g.open--; g.open > 0 {
		return
	}
	for _, ref := range g.refs {
		o.at[ref].users--
		o.release(uint64(ref))
	}
}

// release closes a point that ran for others, once none of them goes on and all
// it was wanted for is there.
func (o *Outcome) release(i uint64) {
	p := &o.at[i]
	if p.state == serving && p.users == 0 && p.prefix >= o.stages[p.stage] {
		p.state = served
		o.rate(i)
	}
}

// rate sums a point up that is closed, and forgets its scores.
func (o *Outcome) rate(i uint64) {
	p := &o.at[i]
	o.ahead -= o.last - o.stages[p.stage]
	if p.candidate {
		p.score = o.summary().Of([][]float64{p.first(o.stages[p.stage])})
	}
	p.scores = nil
	if p.candidate {
		o.known(i)
	}
}

// first returns the scores of the first n replications.
func (p *point) first(n uint64) []float64 {
	for uint64(len(p.scores)) < n {
		p.scores = append(p.scores, math.NaN())
	}
	return p.scores[:n:n]
}
