package metrics

import (
	"context"
	"errors"
	"time"

	"overnight/coordinator/web"
	"overnight/results"
)

// sample is what a scrape shows.
type sample struct {
	pending, running, dead uint64
	sum                    sums
	workers, slots         int
	leaseAge               time.Duration
	used                   float64
	usedKnown              bool
	cores                  map[string]cores // by study, and "other"
}

// sums are counters over all studies.
type sums struct{ committed, stale, duplicates, differs uint64 }

// cores is core time.
type cores struct{ used, wasted time.Duration }

// active tells whether somebody should be at work on a study.
func active(s results.State) bool {
	return s == results.Planning || s == results.Running || s == results.Paused
}

// read makes a sample of the studies that were submitted to the service.
func (s *Service) read(ctx context.Context) (*sample, error) {
	plans, err := s.Store.Studies(ctx)
	if err != nil {
		return nil, err
	}
	fleet, _, _ := s.Fleet.Workers()
	held := heldBy(fleet)
	out := &sample{}
	s.counts.begin(plans)
	studies := map[string]*results.Plan{}
	for i := range plans {
		p := &plans[i]
		if !p.Submitted || p.State == results.Damaged {
			continue
		}
		t, err := s.counts.tally(ctx, s.Store, p)
		switch {
		case errors.Is(err, results.ErrNotFound): // removed just now
			continue
		case err != nil:
			return nil, err
		}
		out.dead += t.Dead + t.Overrun
		studies[p.Study] = p
		if p.State == results.Planning || p.State == results.Running {
			busy := held[work{p.Study, p.Generation}]
			left := p.Expected() - min(p.Expected(), t.Total())
			if p.Wanted > 0 && p.State == results.Running {
				// Records may be surplus, and decisions that are due may want more: a fleet
				// that was scaled to none would leave both unknown.
				left = max(left, busy+1)
			}
			if left > busy {
				out.pending += left - busy
			}
		}
	}
	for w, n := range held {
		if p := studies[w.study]; p != nil && p.Generation == w.generation {
			out.running += n
		}
	}
	for i := range fleet {
		if fleet[i].Alive {
			out.workers++
			out.slots += fleet[i].Slots
		}
	}
	if out.leaseAge, err = s.leases.age(ctx, s.Store, fleet, studies); err != nil {
		return nil, err
	}
	if s.StoreUsed != nil {
		out.used, out.usedKnown = s.StoreUsed(ctx)
	}
	out.sum, out.cores = s.counts.sum, s.counts.end(plans)
	return out, nil
}

// work is the trials of a study that count.
type work struct {
	study      string
	generation uint32
}

// heldBy counts the trials that living workers hold.
func heldBy(fleet []web.Sighting) map[work]uint64 {
	n := map[work]uint64{}
	for i := range fleet {
		if !fleet[i].Alive {
			continue
		}
		for _, h := range fleet[i].Held {
			for _, s := range h.Trials {
				if s.To > s.From {
					n[work{h.Study, h.Generation}] += s.To - s.From
				}
			}
		}
	}
	return n
}
