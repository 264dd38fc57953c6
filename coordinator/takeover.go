package coordinator

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
)

// settling is how long a new coordinator waits at most for the beats that tell
// what workers took from the one before it.
const settling = 3 * time.Second

// takeOver raises the epoch, so that the coordinator before this one stops and
// its jobs that nobody has taken are dropped, and opens a study that was
// finished once.
func (r *run) takeOver(ctx context.Context) error {
	err := r.persist(ctx, "take the study over", func() error {
		plan, err := r.Store.Update(ctx, r.name, func(p *results.Plan) error {
			if err := over(p); err != nil {
				return err
			}
			p.Epoch = max(p.Epoch, r.plan.Epoch) + 1
			p.Ended = time.Time{}
			if p.State == results.Finished {
				p.State = results.Running
			}
			return nil
		})
		if err == nil {
			err = r.use(plan)
		}
		return err
	})
	if err != nil {
		return err
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.name)) // never fails
	r.prefix = fmt.Sprintf("%x.%x.%x", h.Sum64(), r.plan.Epoch, uint64(r.started.UnixNano()))
	r.Log.Info("study taken over", zap.String("study", r.name), zap.Uint32("epoch", r.plan.Epoch), zap.Uint32("generation", r.plan.Generation))
	r.failpoint("coordinate.epoch")
	return r.settle(ctx)
}

// settle waits, where workers hold jobs of the study, until every living worker
// has beaten twice since the epoch was raised: then its beat tells what it took
// while the old epoch was good.
func (r *run) settle(ctx context.Context) error {
	var before map[string]int
	for deadline := time.Now().Add(settling); ; {
		var alive []sighting
		err := r.persist(ctx, "read workers", func() (err error) {
			alive, err = r.fleet.look(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if before == nil {
			before = map[string]int{}
			held := false
			for i := range alive {
				before[alive[i].ID] = alive[i].beats
				held = held || alive[i].holds(r.name)
			}
			if !held {
				return nil
			}
		}
		quiet := slices.ContainsFunc(alive, func(s sighting) bool { b, ok := before[s.ID]; return ok && s.beats < b+2 })
		if !quiet || time.Now().After(deadline) {
			return nil
		}
		if !sleep(ctx, r.Poll/2) {
			return ctx.Err()
		}
	}
}

// adopt makes entries for what workers hold since before this run began, or took
// from the coordinator before it: it is not issued while they hold it. What this
// run has issued itself is not touched.
func (r *run) adopt(alive []sighting) {
	for i := range alive {
		w := &alive[i]
		for _, h := range w.Held {
			if h.Study != r.name || h.Generation != r.plan.Generation || r.issued[h.Job] != nil {
				continue
			}
			var trials []jobs.Range
			for _, s := range h.Trials {
				for _, t := range r.unheld(jobs.Range(s)) {
					if r.ledger.Missing(t.From) < t.To {
						trials = append(trials, t)
					}
				}
			}
			if trials = sorted(trials); len(trials) == 0 {
				continue
			}
			e := &issued{job: jobs.Job{ID: h.Job, Study: r.name, Generation: h.Generation, Trials: trials}, pos: trials[0].From, at: w.at, held: w.at, since: w.at, adopted: true}
			e.work = r.estimate(trials)
			e.long = e.work >= longJob && e.job.Len() == 1
			r.put(e)
			r.Log.Info("job adopted", zap.String("study", r.name), zap.String("job", h.Job), zap.String("worker", w.ID), zap.Uint64("trials", e.job.Len()))
		}
	}
}

// put and drop keep issued and its sums.
func (r *run) put(e *issued) {
	r.issued[e.job.ID] = e
	r.inflight += e.work
	if e.long {
		r.long++
	}
	if r.rule != nil {
		r.rule.out(e.job.Trials)
	}
	if e.adopted {
		r.adopted = sorted(append(r.adopted, e.job.Trials...))
	}
}

func (r *run) drop(e *issued) {
	delete(r.issued, e.job.ID)
	r.inflight -= e.work
	if e.long {
		r.long--
	}
	if e.adopted {
		r.adopted = r.adopted[:0]
		for _, i := range r.issued {
			if i.adopted {
				r.adopted = append(r.adopted, i.job.Trials...)
			}
		}
		r.adopted = sorted(r.adopted)
	}
}

// forget drops everything that is out: it belongs to another generation.
func (r *run) forget() {
	clear(r.issued)
	r.again, r.adopted, r.unsent, r.recovering = nil, nil, nil, nil
	r.cursor, r.inflight, r.long = 0, 0, 0
	r.layOut()
}

// use takes in the plan as the store has it now.
func (r *run) use(plan results.Plan) error {
	if plan.Engine != r.plan.Engine || string(plan.Body) != string(r.plan.Body) {
		study, err := jobs.DecodeStudy(plan.Body, r.Catalog)
		if err != nil {
			return fmt.Errorf("read plan of %s: %w: %w", r.name, errUnreadable, err)
		}
		if !slices.Equal(study.Blocks(), r.study.Blocks()) {
			r.cost = costs{}
			r.cost.init(study)
		}
		r.study = study
	}
	r.plan = plan
	if r.account != nil {
		r.account.weigh(plan.Priority, plan.MaxSlots)
	}
	return nil
}

// refresh reads the ledger anew. before is the one that is known to hold what is
// still there but for losses; nil: records may have been discarded.
func (r *run) refresh(ctx context.Context, before *results.Ledger) error {
	began := time.Now()
	l, err := r.Store.Ledger(ctx, r.name)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	if l.Len() < r.plan.Trials {
		l.Grow(r.plan.Trials)
	}
	t, err := r.Store.Tally(ctx, r.name)
	if err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	old := r.ledger
	r.ledger, r.tally = l, t
	if err := r.catchUp(ctx, before); err != nil {
		r.ledger = old
		return err
	}
	r.refreshAt = time.Now()
	r.refreshed = r.refreshAt.Sub(began)
	return nil
}

// checkEpoch ends the run where another coordinator has taken over. A store that
// was restored from a backup may have an epoch of before: it is raised again.
func (r *run) checkEpoch(ctx context.Context, p *results.Plan) error {
	if p.Epoch > r.plan.Epoch {
		return fmt.Errorf("study %s: %w", r.name, ErrSuperseded)
	}
	if p.Epoch == r.plan.Epoch {
		return nil
	}
	epoch := r.plan.Epoch
	raised, err := r.Store.Update(ctx, r.name, func(p *results.Plan) error {
		if p.Epoch > epoch {
			return ErrSuperseded
		}
		p.Epoch = epoch
		return nil
	})
	if err == nil {
		*p = raised
	}
	return err
}
