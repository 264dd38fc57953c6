// Package coordinator turns a study into jobs and follows it to its end. Start
// with Submit and Run.
//
// The queue is disposable: plan and results are the truth. The coordinator
// keeps a bounded window of jobs in the queue, hears of commits, and re-issues
// what is planned, not committed and held by nobody - on start and all the time.
// It may be killed at any moment; another Run goes on from what is committed.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
)

// Store is what a coordinator needs of a results.Store.
type Store interface {
	results.Plans
	results.Blobs
	results.Records
	results.Follower
	Workers(ctx context.Context) ([]results.Worker, error)
}

// Options configure a run of the coordinator.
type Options struct {
	Store   Store
	Queue   jobs.Queue
	Catalog *jobs.Catalog
	// Slots is how many trials the workers known beforehand run at once; the window
	// grows with those that beat. Defaults to 1.
	Slots int
	// Target is how much work a job should hold. Defaults to 250 ms.
	Target time.Duration
	// Lost is how long a worker may be silent before its jobs are issued again.
	// Defaults to 10 s.
	Lost time.Duration
	// Progress is called a few times a second, and at the end.
	Progress func(Progress)
	// Failpoint is called with the name of each step of planning and issuing; tests
	// kill the process there. Nil: not called.
	Failpoint func(step string)
	Log       *zap.Logger // Defaults to none.
}

func (o *Options) failpoint(step string) {
	if o.Failpoint != nil {
		o.Failpoint(step)
	}
}

// Progress is where a study stands.
type Progress struct {
	Study        string
	Total        uint64
	Done         uint64 // trials with a record
	Before       uint64 // of these, those that were there when this run began
	Tally        results.Tally
	Workers      int
	Jobs         int // issued and not complete
	Reissued     uint64
	Started      time.Time
	Rate         float64       // trials a second, lately
	Left         time.Duration // estimated; 0: not known yet
	FirstFailure *results.Record
	State        results.State
}

// ErrStopped is returned by Run when the study ended early.
var ErrStopped = errors.New("study stopped")

// run is the state of one Run; one goroutine owns it.
type run struct {
	Options
	name  string
	plan  results.Plan
	study *jobs.Study

	ledger *results.Ledger
	tally  results.Tally
	cursor uint64 // every trial before it was issued or has a record
	again  []jobs.Range
	issued map[string]*issued
	serial uint64
	nonce  int64

	cost    costs
	rate    meter
	first   *results.Record
	started time.Time
	before  uint64
	reissue uint64
	workers []results.Worker
	slots   int
}

// issued is a job that was published and is not complete.
type issued struct {
	job  jobs.Job
	pos  uint64 // trials of it before this one have a record
	at   time.Time
	held time.Time // when a worker last said that it holds it
}

// Run follows the planned study until every trial has a record, and fixes its
// digest. It returns nil then; ErrStopped where the study was cancelled or
// stopped by its failures; ctx's error where ctx ended first.
func Run(ctx context.Context, name string, o Options) error {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Target == 0 {
		o.Target = 250 * time.Millisecond
	}
	if o.Lost == 0 {
		o.Lost = 10 * time.Second
	}
	o.Slots = max(o.Slots, 1)
	plan, err := o.Store.Plan(ctx, name)
	if err != nil {
		return fmt.Errorf("read plan of %s: %w", name, err)
	}
	if plan.Engine != jobs.EngineVersion {
		return fmt.Errorf("study %s was planned for engine version %d, this build is %d: run it with such a build", name, plan.Engine, jobs.EngineVersion)
	}
	if plan.State == results.Finished && plan.Digest != "" {
		return nil // a repair or more replications would have opened it again
	}
	study, err := jobs.DecodeStudy(plan.Body, o.Catalog)
	if err != nil {
		return fmt.Errorf("read plan of %s: %w", name, err)
	}
	r := &run{
		Options: o, name: name, plan: plan, study: study,
		issued: map[string]*issued{}, nonce: time.Now().UnixNano(),
		started: time.Now(), slots: o.Slots,
	}
	r.cost.init(study)
	return r.loop(ctx)
}

func (r *run) loop(ctx context.Context) error {
	follow, stop := context.WithCancel(ctx)
	defer stop()
	commits := make(chan []results.Record, 256)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		for {
			err := r.Store.Follow(follow, r.name, func(rs []results.Record) {
				select {
				case commits <- rs:
				default: // the reconciler reads the ledger
				}
			})
			if follow.Err() != nil {
				return
			}
			r.Log.Warn("follow commits", zap.String("study", r.name), zap.Error(err))
			select {
			case <-time.After(time.Second):
			case <-follow.Done():
				return
			}
		}
	}()
	defer func() { stop(); <-followed }()

	if err := r.refresh(ctx); err != nil {
		return err
	}
	r.before = r.ledger.Count()
	r.failpoint("coordinate.ledger")

	watch := time.NewTicker(500 * time.Millisecond)
	defer watch.Stop()
	show := time.NewTicker(200 * time.Millisecond)
	defer show.Stop()
	for {
		if r.ledger.Count() == r.plan.Trials {
			done, err := r.finish(ctx)
			if done || err != nil {
				return err
			}
			if _, err := r.reconcile(ctx); err != nil {
				return err
			}
		}
		if err := r.issue(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Log.Warn("issue jobs", zap.String("study", r.name), zap.Error(err))
		}
		select {
		case <-ctx.Done():
			r.report()
			return ctx.Err()
		case rs := <-commits:
			r.heard(rs)
			for more := true; more; {
				select {
				case rs := <-commits:
					r.heard(rs)
				default:
					more = false
				}
			}
			r.sweep()
			if n := r.study.StopAfterFailures; n > 0 && r.tally.Total()-r.tally.Done >= n && r.ledger.Count() < r.plan.Trials {
				if t, err := r.Store.Tally(ctx, r.name); err == nil && t.Total()-t.Done >= n {
					return r.stop(ctx)
				}
			}
		case <-watch.C:
			ended, err := r.reconcile(ctx)
			if err != nil && ctx.Err() == nil {
				r.Log.Warn("reconcile", zap.String("study", r.name), zap.Error(err))
			}
			if ended {
				r.report()
				return ErrStopped
			}
		case <-show.C:
			r.report()
		}
	}
}

// refresh reads the ledger anew.
func (r *run) refresh(ctx context.Context) error {
	l, err := r.Store.Ledger(ctx, r.name)
	if err != nil {
		return fmt.Errorf("read ledger of %s: %w", r.name, err)
	}
	if l.Len() < r.plan.Trials {
		l.Grow(r.plan.Trials)
	}
	t, err := r.Store.Tally(ctx, r.name)
	if err != nil {
		return fmt.Errorf("read counts of %s: %w", r.name, err)
	}
	r.ledger, r.tally = l, t
	return nil
}

// heard takes in records that were just committed.
func (r *run) heard(rs []results.Record) {
	now := time.Now()
	fresh := 0
	for i := range rs {
		rec := &rs[i]
		if !r.ledger.Add(rec.Trial) {
			continue
		}
		fresh++
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
	r.rate.add(now, fresh)
}

// sweep forgets the jobs whose trials all have records.
func (r *run) sweep() {
	for id, i := range r.issued {
		if i.advance(r.ledger) {
			delete(r.issued, id)
		}
	}
}

// advance moves pos over the trials that have a record and tells whether none
// is left.
func (i *issued) advance(l *results.Ledger) bool {
	for _, rg := range i.job.Trials {
		if rg.To <= i.pos {
			continue
		}
		i.pos = l.Missing(max(i.pos, rg.From))
		if i.pos < rg.To {
			return false
		}
	}
	return true
}

// finish fixes the digest and ends the study, and tells whether it did: while
// the digest was computed, somebody may have retried, repaired or cancelled.
func (r *run) finish(ctx context.Context) (done bool, err error) {
	r.failpoint("finish.digest")
	digest, missing, err := results.Digest(ctx, r.Store, r.plan)
	if err != nil {
		return false, fmt.Errorf("digest of %s: %w", r.name, err)
	}
	plan, err := r.Store.Update(ctx, r.name, func(p *results.Plan) error {
		if done = missing == 0 && p.Trials == r.plan.Trials && p.Generation == r.plan.Generation; done {
			p.State, p.Digest = results.Finished, digest
		}
		return nil
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("finish %s: %w", r.name, err)
	case !done && plan.Generation == r.plan.Generation:
		return false, fmt.Errorf("digest of %s: %d trials have no readable record after all were committed: run overnight fsck", r.name, missing)
	case !done:
		return false, nil
	}
	r.plan = plan
	r.failpoint("finish.done")
	r.report()
	return true, nil
}

// stop ends a study that has failed too often.
func (r *run) stop(ctx context.Context) error {
	var err error
	r.plan, err = r.Store.Update(ctx, r.name, func(p *results.Plan) error {
		if p.State == results.Running {
			p.State = results.Stopped
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("stop %s: %w", r.name, err)
	}
	r.report()
	return ErrStopped
}

func (r *run) report() {
	if r.Progress == nil {
		return
	}
	now := time.Now()
	p := Progress{
		Study: r.name, Total: r.plan.Trials, Done: r.ledger.Count(), Before: r.before, Tally: r.tally,
		Workers: len(r.workers), Jobs: len(r.issued), Reissued: r.reissue, Started: r.started,
		Rate: r.rate.perSecond(now), FirstFailure: r.first, State: r.plan.State,
	}
	p.Left = r.cost.left(r.study, r.ledger.Count(), r.slots)
	if p.Rate > 0 && now.Sub(r.started) > 3*time.Second {
		// Trials cost more than their own time where there are many short ones.
		byRate := time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
		if p.Left < byRate && p.Left < 10*time.Second || p.Left == 0 {
			p.Left = byRate
		}
	}
	r.Progress(p)
}
