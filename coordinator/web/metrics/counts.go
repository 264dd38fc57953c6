package metrics

import (
	"context"

	"overnight/results"
)

// other is the label of the studies without one. A study of this name has none
// either.
const other = "other"

// counts turns the counts of studies, which come and go and are sometimes set
// back, into counters, which only grow.
type counts struct {
	labels int
	known  map[id]*known
	label  map[id]bool
	sum    sums
	rest   cores // of studies without a label
}

// id tells a study from another one of its name, later.
type id struct {
	study   string
	created int64
}

func idOf(p *results.Plan) id { return id{p.Study, p.Created.UnixNano()} }

// known is a study as it was read last.
type known struct {
	state      results.State
	generation uint32
	tally      results.Tally
	shown      cores // under its label; it never falls
}

func newCounts(labels int) *counts {
	return &counts{labels: labels, known: map[id]*known{}, label: map[id]bool{}}
}

// begin takes in which studies there are, oldest first: labels go to those that
// have one and run on, then to others that run.
func (c *counts) begin(plans []results.Plan) {
	there := make(map[id]bool, len(plans))
	for i := range plans {
		there[idOf(&plans[i])] = true
	}
	for k := range c.known {
		if !there[k] {
			delete(c.known, k)
		}
	}
	running := make(map[id]bool, c.labels)
	for pass := range 2 {
		for i := range plans {
			p, k := &plans[i], idOf(&plans[i])
			if p.Submitted && active(p.State) && p.Study != other && len(running) < c.labels && (pass == 1 || c.label[k]) {
				running[k] = true
			}
		}
	}
	c.label = running
}

// tally reads a study's counts, unless it had ended when they were read last, and
// adds what is new.
func (c *counts) tally(ctx context.Context, s Store, p *results.Plan) (results.Tally, error) {
	k := idOf(p)
	old := c.known[k]
	if old != nil && !active(p.State) && old.state == p.State && old.generation == p.Generation {
		return old.tally, nil
	}
	t, err := s.Tally(ctx, p.Study)
	if err != nil {
		return t, err
	}
	if old == nil {
		old = &known{}
		c.known[k] = old
	}
	c.sum.committed += grown(t.Total(), old.tally.Total())
	c.sum.stale += grown(t.Stale, old.tally.Stale)
	c.sum.duplicates += grown(t.Duplicates, old.tally.Duplicates)
	c.sum.differs += grown(t.Differs, old.tally.Differs)
	more := cores{max(0, t.Used-old.tally.Used), max(0, t.Wasted-old.tally.Wasted)}
	if c.label[k] {
		old.shown.used += more.used
		old.shown.wasted += more.wasted
	} else {
		c.rest.used += more.used
		c.rest.wasted += more.wasted
	}
	old.state, old.generation, old.tally = p.State, p.Generation, t
	return t, nil
}

// grown is by how much a count grew; one that was set back has not.
func grown(now, before uint64) uint64 { return max(now, before) - before }

// end returns the core time of each label.
func (c *counts) end(plans []results.Plan) map[string]cores {
	out := map[string]cores{other: c.rest}
	for i := range plans {
		if k := idOf(&plans[i]); c.label[k] && c.known[k] != nil {
			out[plans[i].Study] = c.known[k].shown
		}
	}
	return out
}
