package worker

import (
	"context"
	"errors"
	"sort"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// beat tells the store every second that the worker lives and what it holds,
// and looks at the plans of what it holds. Orders only make that prompt: what
// holds is in the plan, so that an order that was missed or comes late does no
// harm.
func (w *worker) beat(ctx context.Context, host string) error {
	t := time.NewTimer(0)
	defer t.Stop()
	first := true
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return w.farewell(host)
		}
		orders, err := w.Store.Beat(ctx, w.state(host), w.orderID)
		if err != nil && ctx.Err() == nil {
			w.Log.Warn("beat", zap.Error(err))
		}
		for _, o := range orders {
			w.orderID = max(w.orderID, o.ID)
			if !first { // those that are there at first were given to workers of an earlier time
				w.obey(o)
			}
		}
		first = first && err != nil
		next := time.Second
		if w.fence(ctx) {
			next = soon // for the store to hear that they are dropped
		}
		t.Reset(next)
	}
}

// soon is the time between two beats while a worker drops jobs that are over.
const soon = 250 * time.Millisecond

// farewell says that the worker has ended, so that nobody waits for it.
func (w *worker) farewell(host string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s := w.state(host)
	s.Slots, s.Free, s.Held, s.Rate = 0, 0, nil, 0
	if _, err := w.Store.Beat(ctx, s, w.orderID); err != nil {
		w.Log.Debug("last beat", zap.Error(err)) // its silence will tell
	}
	return nil
}

func (w *worker) state(host string) results.Worker {
	done := w.done.Load()
	s := results.Worker{
		ID: w.ID, Host: host, Slots: w.Slots, Version: w.Version, Engine: w.Engine,
		Done: done, Rate: w.rate.add(time.Since(w.started), done), Started: w.started,
	}
	list := w.holding()
	if !w.draining.Load() {
		s.Free = max(w.Slots-len(list), 0)
	}
	for _, h := range list {
		s.Held = append(s.Held, results.Held{Job: h.job.ID, Study: h.job.Study, Generation: h.job.Generation, Trials: h.spans()})
	}
	sort.Slice(s.Held, func(i, j int) bool { return s.Held[i].Job < s.Held[j].Job })
	return s
}

// holding returns the jobs that the worker holds.
func (w *worker) holding() []*held {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*held, 0, len(w.held))
	for _, h := range w.held {
		list = append(list, h)
	}
	return list
}

// fence looks at the plans of the jobs in hand. Where the study went on without
// them - cancelled, retried or repaired - they end at once, since their records
// would be refused; where it is paused or stopped, they end after the trial in
// hand. It tells whether any end at once.
func (w *worker) fence(ctx context.Context) (drops bool) {
	plans := map[string]results.Plan{}
	for _, h := range w.holding() {
		p, ok := plans[h.job.Study]
		if !ok {
			var err error
			p, err = w.Store.Plan(ctx, h.job.Study)
			switch {
			case errors.Is(err, results.ErrNotFound):
				p = results.Plan{Study: h.job.Study} // removed: no generation is good
			case err != nil:
				continue // the next beat asks again
			default:
				w.plans.note(&p)
			}
			plans[h.job.Study] = p
		}
		switch {
		case p.Generation != h.job.Generation:
			h.over.Store(true)
			h.cancel(errCancelled)
			drops = true
		case p.State == results.Paused, p.State == results.Stopped:
			h.halt()
		}
	}
	return drops
}

// obey carries out an order; fence follows.
func (w *worker) obey(o results.Order) {
	switch o.Kind {
	case results.Cancel, results.Pause, results.Resume:
		w.plans.expire(o.Study)
	case results.Drain:
		w.Log.Info("ordered to drain")
		w.drainNow()
	}
}

// extend renews the leases of the jobs that the worker holds.
func (w *worker) extend(ctx context.Context) error {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
		for _, h := range w.holding() {
			if err := h.current().Extend(ctx); err != nil && ctx.Err() == nil {
				w.Log.Debug("extend lease", zap.String("job", h.job.ID), zap.Error(err))
			}
		}
	}
}

// meter measures a rate over the last ten readings.
type meter struct {
	at [10]time.Duration
	n  [10]uint64
	k  int
}

// add takes in a reading of a counter and returns its rate a second since the
// oldest one that is kept.
func (m *meter) add(at time.Duration, n uint64) float64 {
	i := m.k % len(m.at)
	oldAt, oldN := m.at[i], m.n[i] // zero at first: when the counter began
	m.at[i], m.n[i] = at, n
	m.k++
	if d := (at - oldAt).Seconds(); d > 0.5 && n >= oldN {
		return float64(n-oldN) / d
	}
	return 0
}
