package coordinator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// idle is how long a job may lie in the queue while a worker has a free slot
// before the queue is taken to have lost it.
const idle = 3 * time.Second

// reconcile re-issues the jobs that nobody holds any more, and tells whether the
// study was ended or changed by somebody else.
func (r *run) reconcile(ctx context.Context) (ended bool, err error) {
	plan, err := r.Store.Plan(ctx, r.name)
	if err != nil {
		return false, fmt.Errorf("read plan: %w", err)
	}
	if plan.Generation != r.plan.Generation {
		// Retried, cancelled or repaired: what is out is refused now.
		if err := r.refresh(ctx); err != nil {
			return false, err
		}
		clear(r.issued)
		r.again, r.cursor = nil, 0
	}
	resumed := r.plan.State == results.Paused && plan.State != results.Paused
	r.plan = plan
	if plan.State == results.Cancelled || plan.State == results.Stopped {
		return true, nil
	}
	all, err := r.Store.Workers(ctx)
	if err != nil {
		return false, fmt.Errorf("read workers: %w", err)
	}
	now := time.Now()
	r.workers = r.workers[:0]
	slots, free := 0, 0
	for _, w := range all {
		if w.Slots == 0 || now.Sub(w.Seen) > r.Lost {
			continue
		}
		r.workers = append(r.workers, w)
		slots += w.Slots
		free += w.Free
		for _, h := range w.Held {
			if i := r.issued[h.Job]; i != nil {
				i.held = w.Seen
			}
		}
	}
	r.slots = max(r.Options.Slots, slots)
	if plan.State == results.Paused {
		return false, nil // its jobs lie in the queue
	}
	var lost []*issued
	for _, i := range r.issued {
		if resumed {
			i.at, i.held = now, time.Time{}
		}
		silent := now.Sub(i.at)
		limit := r.Lost
		if i.held.IsZero() {
			if free == 0 {
				continue // it waits its turn
			}
			limit = min(idle, r.Lost)
		} else {
			silent = now.Sub(i.held)
		}
		if silent > limit {
			lost = append(lost, i)
		}
	}
	if len(lost) == 0 {
		return false, nil
	}
	// Perhaps they are done, and only the news was missed.
	if err := r.refresh(ctx); err != nil {
		return false, err
	}
	slices.SortFunc(lost, func(a, b *issued) int { return int(int64(a.job.Trials[0].From) - int64(b.job.Trials[0].From)) })
	for _, i := range lost {
		delete(r.issued, i.job.ID)
		if i.advance(r.ledger) {
			continue
		}
		r.reissue++
		r.Log.Info("job lost, its trials are issued again", zap.String("study", r.name), zap.String("job", i.job.ID), zap.Uint64("trials", i.job.Len()))
		r.again = append(r.again, i.job.Trials...)
	}
	return false, nil
}
