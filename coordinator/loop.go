package coordinator

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"overnight/results"
	"overnight/results/stopping"
)

// follow takes the study over and coordinates it to its end.
func (r *run) follow(ctx context.Context) error {
	if err := r.takeOver(ctx); err != nil {
		return err
	}
	r.account = r.shares.join()
	defer r.account.leave()
	r.account.weigh(r.plan.Priority, r.plan.MaxSlots)

	hear, stop := context.WithCancel(ctx)
	commits := make(chan []results.Record, 256)
	heard := make(chan struct{})
	go func() { defer close(heard); r.hear(hear, commits) }()
	defer func() { stop(); <-heard }()

	err := r.persist(ctx, "read the ledger", func() error { return r.refresh(ctx, nil) })
	if err != nil {
		return err
	}
	r.before, r.usedBase = r.ledger.Count(), r.tally.Used+r.tally.Wasted
	err = r.persist(ctx, "read workers", func() error {
		alive, err := r.fleet.look(ctx)
		if err == nil {
			r.adopt(alive)
		}
		return err
	})
	if err != nil {
		return err
	}
	r.failpoint("coordinate.ledger")
	err = r.loop(ctx, commits)
	r.report()
	return err
}

// hear passes on what the store tells of commits until ctx ends.
func (r *run) hear(ctx context.Context, commits chan<- []results.Record) {
	log := true
	for {
		err := r.Store.Follow(ctx, r.name, func(rs []results.Record) {
			log = true
			select {
			case commits <- rs:
			default: // the reconciler reads the ledger
			}
		})
		if ctx.Err() != nil {
			return
		}
		if log {
			r.Log.Warn("follow commits", zap.String("study", r.name), zap.Error(err))
			log = false
		}
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

func (r *run) loop(ctx context.Context, commits <-chan []results.Record) error {
	watch := time.NewTicker(r.Poll)
	defer watch.Stop()
	show := time.NewTicker(200 * time.Millisecond)
	defer show.Stop()
	for {
		if err := r.step(ctx); err != nil {
			if err, ok := r.final(ctx, err); ok {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case rs := <-commits:
			r.heard(rs)
			r.drain(commits)
			r.sweep()
			if err := r.checkFailures(ctx); err != nil {
				return err
			}
		case <-r.account.wake:
		case <-watch.C:
			r.drain(commits)
			if err := r.watch(ctx); err != nil {
				return err
			}
			if err := r.checkFailures(ctx); err != nil { // news of them may have been missed
				return err
			}
		case <-show.C:
			r.report()
		}
	}
}

// drain takes in what was heard and not yet read.
func (r *run) drain(commits <-chan []results.Record) {
	for {
		select {
		case rs := <-commits:
			r.heard(rs)
		default:
			return
		}
	}
}

// step ends the study where all trials have a record, or else issues jobs.
func (r *run) step(ctx context.Context) error {
	if !r.store.ready() {
		return nil
	}
	if r.complete() {
		r.account.rest()
		if err := r.finish(ctx); err != nil {
			if _, ok := r.final(ctx, err); !ok {
				r.store.add(r, "finish", err)
			}
			return err
		}
	}
	if r.store.what != "" || !r.queue.ready() {
		r.account.rest()
		return nil
	}
	err := r.issue(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		r.queue.add(r, "issue jobs", err)
	}
	return err
}

// watch reconciles, and returns what ends the run.
func (r *run) watch(ctx context.Context) error {
	if !r.store.ready() {
		return nil
	}
	err := r.reconcile(ctx)
	if err == nil {
		r.store.end(r)
		return nil
	}
	if err, ok := r.final(ctx, err); ok {
		return err
	}
	r.store.add(r, "reconcile", err)
	return nil
}

// heard takes in records that were just committed.
func (r *run) heard(rs []results.Record) {
	fresh := 0
	for i := range rs {
		rec := &rs[i]
		// What was committed before the generation rose the ledger had when it was
		// read then, but for what was discarded.
		if rec.Generation < r.plan.Generation || !r.ledger.Add(rec.Trial) {
			continue
		}
		if r.rule != nil {
			r.rule.outcome.Take(rec)
		}
		fresh++
		r.used += rec.Elapsed
		switch rec.Status {
		case results.Done:
			r.cost.observe(rec.Point, rec.Elapsed) // a failure says nothing of what the others take
			r.tally.Done++
		case results.Failed:
			r.tally.Failed++
		case results.Dead:
			r.tally.Dead++
		case results.Overrun:
			r.tally.Overrun++
		}
		if rec.Status != results.Done && (r.first == nil || rec.Trial < r.first.Trial) {
			c := *rec
			r.first = &c
		}
	}
	r.rate.add(time.Since(r.started), fresh)
}

// sweep forgets the jobs whose trials all have records.
func (r *run) sweep() {
	for _, i := range r.issued {
		if advance(i.job.Trials, &i.pos, r.ledger) {
			r.drop(i)
		}
	}
	r.recovered()
	r.account.update(time.Now(), r.used, r.inflight, len(r.issued), r.long)
}

// checkFailures ends a study that has failed too often.
func (r *run) checkFailures(ctx context.Context) error {
	n := r.study.StopAfterFailures
	if n == 0 || r.tally.Total()-r.tally.Done < n || r.complete() || !r.store.ready() {
		return nil
	}
	if r.rule != nil && r.rule.outcome.Failures() < n {
		return nil // the others are of trials that it does not want
	}
	t, err := r.Store.Tally(ctx, r.name)
	if err == nil && t.Total()-t.Done >= n {
		err = r.stop(ctx)
	}
	if err == nil {
		return nil
	}
	if err, ok := r.final(ctx, err); ok {
		return err
	}
	r.store.add(r, "stop the study", err)
	return nil
}

// finish fixes the digest and ends the study: errFinished. It returns nil where
// somebody retried, repaired or cancelled while the digest was computed, or
// where the store turned out to have lost records.
func (r *run) finish(ctx context.Context) error {
	r.failpoint("finish.digest")
	digest, missing, wanted, err := r.digest(ctx)
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	if missing > 0 {
		return r.missed(ctx, missing)
	}
	done := false
	plan, err := r.Store.Update(ctx, r.name, func(p *results.Plan) error {
		if p.Epoch > r.plan.Epoch {
			return ErrSuperseded
		}
		// Another rule or objective, in the body, may want other trials.
		if done = p.Trials == r.plan.Trials && p.Generation == r.plan.Generation && bytes.Equal(p.Body, r.plan.Body); done {
			p.State, p.Digest, p.Ended, p.Wanted = results.Finished, digest, time.Now(), wanted
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !done:
		return r.reconcile(ctx)
	}
	r.plan = plan
	r.failpoint("finish.done")
	r.Log.Info("study finished", zap.String("study", r.name), zap.String("digest", digest))
	return errFinished
}

// digest computes the digest from what the store has, not from what was heard.
// wanted is how many trials it is over, 0 where that is all.
func (r *run) digest(ctx context.Context) (digest string, missing, wanted uint64, err error) {
	if r.rule == nil {
		digest, missing, err = results.Digest(ctx, r.Store, r.plan)
		return digest, missing, 0, err
	}
	o, err := stopping.New(r.study)
	if err != nil {
		return "", 0, 0, err
	}
	digest, missing, err = results.DigestOf(ctx, r.Store, r.plan, o)
	return digest, missing, o.Total(), err
}

// missed finds out why the digest misses trials that were heard of: the store
// lost them, and they run again, or it says one thing here and another there.
func (r *run) missed(ctx context.Context, missing uint64) error {
	if err := r.reconcile(ctx); err != nil {
		return err
	}
	if err := r.recount(ctx); err != nil {
		return err
	}
	if err := r.rebuild(ctx); err != nil {
		return err
	}
	if !r.complete() {
		r.missing = 0
		return nil
	}
	if r.missing++; r.missing >= 3 {
		return fmt.Errorf("digest of %s: %w: %d trials have no readable record after all were committed: run overnight fsck", r.name, errUnreadable, missing)
	}
	return fmt.Errorf("%d trials have no readable record after all were committed", missing)
}

// stop ends a study that has failed too often.
func (r *run) stop(ctx context.Context) error {
	plan, err := r.Store.Update(ctx, r.name, func(p *results.Plan) error {
		if p.Epoch > r.plan.Epoch {
			return ErrSuperseded
		}
		if p.State == results.Running && p.Generation == r.plan.Generation { // not retried meanwhile
			p.State, p.Ended = results.Stopped, time.Now()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if plan.State != results.Stopped {
		return nil // the next look at the plan takes it in
	}
	r.plan = plan
	r.Log.Warn("study stopped", zap.String("study", r.name), zap.Uint64("failures", r.tally.Total()-r.tally.Done))
	return ErrStopped
}
