package metrics

import (
	"context"
	"errors"
	"slices"
	"time"

	"overnight/coordinator/web"
	"overnight/results"
)

// leases finds the oldest beat that still matters. A worker that vanished matters
// until each trial that it held is committed or held by a living one; so the age
// stays low where lost work is taken up, and grows where it is not.
type leases struct {
	settled map[string]time.Time // by worker: Seen of the beat whose trials are all taken care of
}

func newLeases() *leases { return &leases{settled: map[string]time.Time{}} }

func (l *leases) age(ctx context.Context, s Store, fleet []web.Sighting, studies map[string]*results.Plan) (time.Duration, error) {
	there := map[string]bool{}
	ledgers := map[string]*results.Ledger{}
	var oldest time.Duration
	for i := range fleet {
		w := &fleet[i]
		there[w.ID] = true
		if at, ok := l.settled[w.ID]; ok && at.Equal(w.Seen) || w.Slots == 0 || len(w.Held) == 0 || w.Silent <= oldest {
			continue
		}
		if !w.Alive {
			open, err := unfinished(ctx, s, w, fleet, studies, ledgers)
			if err != nil {
				return 0, err
			}
			if !open {
				l.settled[w.ID] = w.Seen
				continue
			}
		}
		oldest = w.Silent
	}
	for id := range l.settled {
		if !there[id] {
			delete(l.settled, id)
		}
	}
	return oldest, nil
}

// unfinished tells whether a lost worker held a trial that has no record and that
// no living worker holds.
func unfinished(ctx context.Context, s Store, w *web.Sighting, fleet []web.Sighting, studies map[string]*results.Plan, ledgers map[string]*results.Ledger) (bool, error) {
	for _, h := range w.Held {
		p := studies[h.Study]
		if p == nil || p.Generation != h.Generation || p.State != results.Running {
			continue // nobody waits for these trials
		}
		ledger := ledgers[h.Study]
		if ledger == nil {
			var err error
			ledger, err = s.Ledger(ctx, h.Study)
			if errors.Is(err, results.ErrNotFound) {
				continue
			}
			if err != nil {
				return false, err
			}
			ledgers[h.Study] = ledger
		}
		others := alive(fleet, h.Study, h.Generation)
		for _, span := range h.Trials {
			// Trials that have a record are jumped over, and so are those that somebody
			// holds.
			for i := span.From; i < span.To; {
				if i < ledger.Len() {
					i = ledger.Missing(i)
				}
				if i >= span.To {
					break
				}
				at := slices.IndexFunc(others, func(o results.Span) bool { return o.From <= i && i < o.To })
				if at < 0 {
					return true, nil
				}
				i = others[at].To
			}
		}
	}
	return false, nil
}

// alive are the trials of a study that living workers hold.
func alive(fleet []web.Sighting, study string, generation uint32) []results.Span {
	var out []results.Span
	for i := range fleet {
		if !fleet[i].Alive {
			continue
		}
		for _, h := range fleet[i].Held {
			if h.Study == study && h.Generation == generation {
				out = append(out, h.Trials...)
			}
		}
	}
	return out
}
