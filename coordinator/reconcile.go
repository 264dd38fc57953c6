package coordinator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/stopping"
)

// idle is how long a job may lie in the queue while a worker has a free slot
// before the queue is taken to have lost it. One beat with a free slot proves
// nothing: the worker may be between two jobs. Two in a row do.
const (
	idle   = 3 * time.Second
	lounge = 1500 * time.Millisecond
)

// reconcile looks at plan, counts and workers, and re-issues the jobs that
// nobody holds any more. It returns what ends the run, or an error of the store.
func (r *run) reconcile(ctx context.Context) error {
	plan, err := r.Store.Plan(ctx, r.name)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	if err := r.checkEpoch(ctx, &plan); err != nil {
		return err
	}
	resumed := r.plan.State == results.Paused && plan.State != results.Paused
	if err := r.change(ctx, plan); err != nil {
		return err
	}
	if err := over(&plan); err != nil {
		return err
	}
	if err := r.checkCounts(ctx); err != nil {
		return err
	}
	alive, err := r.fleet.look(ctx)
	if err != nil {
		return fmt.Errorf("read workers: %w", err)
	}
	now := time.Now()
	free := r.muster(alive, now)
	r.adopt(alive)
	if plan.State != results.Paused { // else its jobs lie in the queue
		if resumed {
			for _, i := range r.issued {
				i.at = now
				if !i.adopted { // else what went back to the queue is of an older epoch: nobody takes it
					i.held = time.Time{}
				}
			}
		}
		if err := r.reissueLost(ctx, now, free); err != nil {
			return err
		}
	}
	r.grow()
	r.sweep()
	if err := r.unstick(ctx); err != nil {
		return err
	}
	return r.tellWanted(ctx)
}

// change takes in a plan that somebody has changed.
func (r *run) change(ctx context.Context, plan results.Plan) error {
	old := r.plan
	if err := r.use(plan); err != nil {
		return err
	}
	switch {
	case plan.Generation != old.Generation, plan.Trials < old.Trials:
		// Retried, cancelled, repaired or restored: what is out is refused now.
		if err := r.refresh(ctx, nil); err != nil {
			r.plan = old // the next look does it
			return err
		}
		r.forget()
		r.missing = 0
	case string(plan.Body) != string(old.Body) && (r.rule != nil || stopping.Applies(r.study, &r.plan)):
		// Another rule: what is out may not be wanted any more, which does no harm.
		r.ledger.Grow(max(plan.Trials, r.ledger.Len()))
		ruled := r.rule != nil
		if err := r.rebuild(ctx); err != nil {
			r.plan = old
			return err
		}
		if ruled && r.rule == nil { // the cursor begins again behind what is out
			r.adopted = nil
			for _, i := range r.issued {
				i.adopted = true
				r.adopted = append(r.adopted, i.job.Trials...)
			}
			r.adopted = sorted(r.adopted)
		}
	case plan.Trials > old.Trials:
		r.ledger.Grow(plan.Trials)
	}
	return nil
}

// checkCounts compares the store's counts with what was heard. Fewer records
// than before, under the same generation: the store has lost some. More: news
// was missed.
func (r *run) checkCounts(ctx context.Context) error {
	t, err := r.Store.Tally(ctx, r.name)
	if err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	heard := r.ledger.Count()
	missed := r.behind > heard && time.Since(r.refreshAt) > 20*r.refreshed
	r.tally, r.behind = t, t.Total()
	r.used = max(r.used, t.Used+t.Wasted-r.usedBase)
	switch {
	case t.Total() < heard, missed:
		return r.recount(ctx)
	}
	return nil
}

// recount reads the ledger and issues again what the store has lost: records
// that were acknowledged and are gone, after a failover or from a backup.
func (r *run) recount(ctx context.Context) error {
	old := r.ledger
	if err := r.refresh(ctx, old); err != nil {
		return err
	}
	plan, err := r.Store.Plan(ctx, r.name) // after the ledger, so that it tells of what is missing there
	if err != nil {
		r.ledger = old
		return fmt.Errorf("read plan: %w", err)
	}
	if plan.Generation != r.plan.Generation || plan.Trials != r.plan.Trials {
		r.ledger = old
		return nil // discarded, not lost: the next look at the plan takes it in
	}
	var gone []jobs.Range
	n := uint64(0)
	passed := r.cursor
	if r.rule != nil {
		passed = r.plan.Trials
	}
	for i := r.ledger.Missing(0); i < passed; i = r.ledger.Missing(i + 1) {
		if !old.Has(i) {
			continue
		}
		n++
		if k := len(gone); k > 0 && gone[k-1].To == i {
			gone[k-1].To++
		} else {
			gone = append(gone, jobs.Range{From: i, To: i + 1})
		}
	}
	if old.Count() > r.ledger.Count() {
		n = max(n, old.Count()-r.ledger.Count()) // beyond the cursor they come up by themselves
	}
	if n == 0 {
		return nil
	}
	r.lost += n
	r.Log.Warn("counts went back", zap.String("study", r.name), zap.Uint64("records", n), zap.Uint64("was", old.Count()), zap.Uint64("is", r.ledger.Count()))
	r.observe(Event{Kind: CountsWentBack, Study: r.name, Trials: n})
	for _, i := range r.issued {
		i.pos = i.job.Trials[0].From
	}
	r.requeue(gone)
	return nil
}

// unissued returns the parts of ranges that the cursor has passed and no job
// that is out holds.
func (r *run) unissued(ranges []jobs.Range) []jobs.Range {
	var out []jobs.Range
	for _, i := range r.issued {
		out = append(out, i.job.Trials...)
	}
	if r.rule == nil {
		ranges = below(ranges, r.cursor)
	}
	return minus(ranges, sorted(out))
}

// muster takes in the workers that can run the study's trials, and what they
// hold. It returns how long one of them has had a free slot.
func (r *run) muster(alive []sighting, now time.Time) (free time.Duration) {
	r.workers = r.workers[:0]
	slots := 0
	r.others = false
	for _, w := range alive {
		if w.Engine != r.plan.Engine {
			r.others = true
			continue
		}
		// Of one that was there before us it is not known whether it lives: no jobs are
		// issued for it, but what it holds counts as held.
		if w.fresh {
			r.workers = append(r.workers, w)
			slots += w.Slots
		}
		if !w.free.IsZero() {
			free = max(free, now.Sub(w.free))
		}
		for _, h := range w.Held {
			i := r.issued[h.Job]
			if i == nil || i.held.After(w.at) {
				continue
			}
			i.held = w.at
			if i.since.IsZero() {
				i.since = w.at
			}
		}
	}
	r.slots = max(r.Options.Slots, slots)
	r.shares.size(r.slots, slots > 0)
	return free
}

// grow lets the estimate of a job that runs for longer than that follow the
// clock, so that a study whose trials turn out to be long is charged for them
// while they run.
func (r *run) grow() {
	for _, i := range r.issued {
		if i.since.IsZero() {
			continue
		}
		if age := i.held.Sub(i.since); age > i.work {
			r.inflight += age - i.work
			i.work = age
			if !i.long && age >= longJob && i.job.Len() == 1 {
				i.long = true
				r.long++
			}
		}
	}
}

// silence returns how long nothing was heard of a job, and for how long that is
// no reason to issue it again.
func (r *run) silence(i *issued, now time.Time, free time.Duration) (silent, limit time.Duration) {
	switch {
	case !i.held.IsZero():
		return now.Sub(i.held), r.Lost
	case free > lounge:
		return now.Sub(i.at), min(idle, r.Lost)
	case r.shares.overtaken(i.turn):
		return now.Sub(i.at), r.Lost
	}
	return 0, r.Lost // it waits its turn
}

// reissueLost issues the jobs again that nobody holds any more.
func (r *run) reissueLost(ctx context.Context, now time.Time, free time.Duration) error {
	var lost []*issued
	for _, i := range r.issued {
		if silent, limit := r.silence(i, now, free); silent > limit && !r.isUnsent(i) {
			lost = append(lost, i)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	// Perhaps they are done, and only the news was missed.
	if err := r.recount(ctx); err != nil {
		return err
	}
	slices.SortFunc(lost, func(a, b *issued) int {
		if a.job.Trials[0].From < b.job.Trials[0].From {
			return -1
		}
		return 1
	})
	var left []jobs.Range
	for _, i := range lost {
		r.drop(i)
		if advance(i.job.Trials, &i.pos, r.ledger) {
			continue
		}
		since := i.held
		if since.IsZero() {
			since = i.at
		}
		r.reissue++
		r.Log.Info("job lost, its trials are issued again", zap.String("study", r.name), zap.String("job", i.job.ID), zap.Uint64("trials", i.job.Len()), zap.Duration("silent", now.Sub(since)))
		r.observe(Event{Kind: JobLost, Study: r.name, Trials: i.job.Len(), Took: now.Sub(since)})
		r.recovering = append(r.recovering, recovering{trials: i.job.Trials, since: since})
		left = append(left, i.job.Trials...)
	}
	r.recovering = r.recovering[max(0, len(r.recovering)-maxRecovering):]
	r.requeue(sorted(left))
	return nil
}

func (r *run) isUnsent(i *issued) bool {
	return slices.ContainsFunc(r.unsent, func(j jobs.Job) bool { return j.ID == i.job.ID })
}
