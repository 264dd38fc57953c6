package worker

import (
	"context"
	"sort"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
)

// beat tells the store every second that the worker lives and what it holds,
// and carries out the orders it finds.
func (w *worker) beat(ctx context.Context, host string) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		orders, err := w.Store.Beat(ctx, w.state(host), w.orderID)
		if err != nil && ctx.Err() == nil {
			w.Log.Warn("beat", zap.Error(err))
		}
		for _, o := range orders {
			w.orderID = max(w.orderID, o.ID)
			w.obey(o)
		}
		w.fence(ctx)
		select {
		case <-t.C:
		case <-ctx.Done():
			return w.farewell(host)
		}
	}
}

// farewell says that the worker has ended, so that nobody waits for it.
func (w *worker) farewell(host string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s := w.state(host)
	s.Slots, s.Free, s.Held = 0, 0, nil
	if _, err := w.Store.Beat(ctx, s, w.orderID); err != nil {
		w.Log.Debug("last beat", zap.Error(err)) // its silence will tell
	}
	return nil
}

func (w *worker) state(host string) results.Worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := results.Worker{
		ID: w.ID, Host: host, Slots: w.Slots, Free: max(w.Slots-len(w.held), 0),
		Version: w.Version, Engine: jobs.EngineVersion, Done: w.done.Load(), Started: w.started,
	}
	for id, h := range w.held {
		s.Held = append(s.Held, results.Held{Job: id, Study: h.job.Study, Generation: h.job.Generation})
	}
	sort.Slice(s.Held, func(i, j int) bool { return s.Held[i].Job < s.Held[j].Job })
	return s
}

// fence stops the jobs whose study went on without them: cancelled, retried or
// repaired. Their records would be refused.
func (w *worker) fence(ctx context.Context) {
	w.mu.Lock()
	list := make([]*held, 0, len(w.held))
	for _, h := range w.held {
		list = append(list, h)
	}
	w.mu.Unlock()
	now := map[string]uint32{} // generations; only looked up
	for _, h := range list {
		g, ok := now[h.job.Study]
		if !ok {
			p, err := w.Store.Plan(ctx, h.job.Study)
			if err != nil {
				continue // the next beat asks again
			}
			g = p.Generation
			now[h.job.Study] = g
		}
		if g != h.job.Generation {
			h.cancel(errCancelled)
		}
	}
}

func (w *worker) obey(o results.Order) {
	if o.Made.Before(w.started) {
		return // given to workers of an earlier time
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch o.Kind {
	case results.Cancel:
		for _, h := range w.held {
			if h.job.Study == o.Study {
				h.cancel(errCancelled)
			}
		}
	case results.Pause:
		w.paused[o.Study] = true
	case results.Resume:
		delete(w.paused, o.Study)
	}
}

func (w *worker) isPaused(study string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.paused[study]
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
		w.mu.Lock()
		list := make([]*held, 0, len(w.held))
		for _, h := range w.held {
			list = append(list, h)
		}
		w.mu.Unlock()
		for _, h := range list {
			if err := h.Extend(ctx); err != nil && ctx.Err() == nil {
				w.Log.Debug("extend lease", zap.String("job", h.job.ID), zap.Error(err))
			}
		}
	}
}
