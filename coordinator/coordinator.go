// Package coordinator turns a study into jobs and follows it to its end. Start
// with Submit and Run, or with Service, which runs all studies of a store.
//
// The queue is disposable: plan and results are the truth. The coordinator
// keeps a bounded window of jobs in the queue, hears of commits, and re-issues
// what is planned, not committed and held by nobody - on start and all the time.
// It may be killed at any moment; another Run goes on from what is committed,
// and does not issue again what living workers hold.
//
// It compares no clocks: whether a worker lives, it knows from changes of
// Worker.Seen and its own monotonic clock.
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
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (by string, err error)
}

// Options configure a run of the coordinator, and a Service.
type Options struct {
	Store   Store
	Queue   jobs.Queue
	Catalog *jobs.Catalog
	// Holder names this coordinator in leases: one name for each process. Empty: no
	// lease is taken, for a store that only one process can open.
	Holder string
	// LeaseTTL is how long a lease outlives its holder. Defaults to 10 s.
	LeaseTTL time.Duration
	// Alone says that the queue is inside this process, so that workers that are in
	// the store from before hold nothing any more. False: what they hold is theirs
	// until they are lost.
	Alone bool
	// Slots is how many trials the workers known beforehand run at once; the window
	// grows with those that beat. Defaults to 1.
	Slots int
	// Target is how much work a job should hold. Defaults to 250 ms.
	Target time.Duration
	// Lost is how long a worker may be silent before its jobs are issued again.
	// Defaults to 10 s.
	Lost time.Duration
	// Poll is the time between two looks at plan, counts and workers. Defaults to
	// 500 ms.
	Poll time.Duration
	// Submit is what Submit writes into the plan beside the study.
	Submit SubmitOptions
	// Progress is called a few times a second, and at the end.
	Progress func(Progress)
	// Observe is called with what is worth a metric. It must not block.
	Observe func(Event)
	// Failpoint is called with the name of each step of planning and issuing; tests
	// kill the process there. Nil: not called.
	Failpoint func(step string)
	Log       *zap.Logger // Defaults to none.

	// A Service's studies share these.
	fleet  *fleet
	shares *shares
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = 10 * time.Second
	}
	if o.Target == 0 {
		o.Target = 250 * time.Millisecond
	}
	if o.Lost == 0 {
		o.Lost = 10 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = 500 * time.Millisecond
	}
	o.Slots = max(o.Slots, 1)
}

func (o *Options) failpoint(step string) {
	if o.Failpoint != nil {
		o.Failpoint(step)
	}
}

func (o *Options) observe(e Event) {
	if o.Observe != nil {
		o.Observe(e)
	}
}

// What ends a Run beside the end of the study and of its context.
var (
	// ErrStopped: the study ended early, cancelled or stopped by its failures.
	ErrStopped = errors.New("study stopped")
	// ErrSuperseded: another coordinator has taken the study over.
	ErrSuperseded = errors.New("another coordinator has taken the study over")
	// ErrPlanLost: the store has no plan of the study any more. It was removed, or
	// the store lost it; then submitting the study again mends it.
	ErrPlanLost = errors.New("the store has lost the study's plan")
)

// LeasedError says that another coordinator holds a lease.
type LeasedError struct {
	Name   string // of the lease
	Holder string
}

func (e *LeasedError) Error() string { return fmt.Sprintf("lease %s is held by %s", e.Name, e.Holder) }

// run is the state of one Run; one goroutine owns it.
type run struct {
	Options
	name  string
	plan  results.Plan
	study *jobs.Study

	ledger  *results.Ledger
	rule    *rule // nil: all trials are wanted
	tally   results.Tally
	behind  uint64 // records in the store at the last look; more than were heard of: news was missed
	cursor  uint64 // every trial before it was issued, is adopted or has a record
	again   []jobs.Range
	adopted []jobs.Range // held by workers since before this run began; ascending, disjoint
	issued  map[string]*issued
	unsent  []jobs.Job // of issued, those that the queue has not taken yet
	serial  uint64
	prefix  string // of job IDs
	account *account

	inflight time.Duration // sum of the estimates of issued
	long     int           // long jobs of issued
	used     time.Duration // core time since this run began
	usedBase time.Duration // what the store had counted then

	cost       costs
	rate       meter
	first      *results.Record
	started    time.Time
	before     uint64
	reissue    uint64
	lost       uint64 // records that the store lost
	recovering []recovering
	workers    []sighting // that live and have the study's engine
	others     bool       // that live and have another engine
	slots      int
	store      trouble
	queue      trouble
	missing    int // times that the digest missed trials that the ledger has
	unread     int // times that a rule had to be told again of what the ledger has
	refreshed  time.Duration
	refreshAt  time.Time
}

// issued is a job that was published, or is held by a worker since before, and
// is not complete.
type issued struct {
	job     jobs.Job
	pos     uint64        // trials of it before this one have a record
	at      time.Time     // when it was published
	held    time.Time     // the last sign of life of a worker that holds it
	since   time.Time     // when it was first seen held
	turn    uint64        // its number among the jobs of all studies
	work    time.Duration // estimate
	long    bool
	adopted bool
}

// Run takes the planned study over and follows it until every trial has a
// record, and fixes its digest. It returns nil then; ErrStopped, ErrSuperseded,
// ErrPlanLost or ctx's error as these say, and a *LeasedError at once where
// another holds the study's lease. A store or queue that fails is tried again
// and shows in Progress.Trouble; only a damaged plan or record is an error.
func Run(ctx context.Context, name string, o Options) error {
	o.setDefaults()
	r := &run{Options: o, name: name, issued: map[string]*issued{}, started: time.Now()}
	if r.fleet == nil {
		r.fleet = newFleet(o.Store, o.Lost, o.Poll, o.Alone)
	}
	if r.shares == nil {
		r.shares = &shares{}
		r.shares.size(o.Slots, false)
	}
	if err := r.open(ctx); err != nil {
		return ended(err)
	}
	leased, release, err := r.lease(ctx)
	if err != nil {
		return err
	}
	err = r.follow(leased)
	if cause := context.Cause(leased); err != nil && ctx.Err() == nil && cause != nil {
		err = cause
	}
	release()
	return ended(err)
}

// errFinished ends a run whose study has its digest.
var errFinished = errors.New("finished")

func ended(err error) error {
	if errors.Is(err, errFinished) {
		return nil
	}
	return err
}

// open reads the plan, and ends the run where there is nothing to do.
func (r *run) open(ctx context.Context) error {
	err := r.persist(ctx, "read plan", func() error {
		var err error
		r.plan, err = r.Store.Plan(ctx, r.name)
		return err
	})
	if err != nil {
		return err
	}
	if err := over(&r.plan); err != nil {
		return err
	}
	r.study, err = jobs.DecodeStudy(r.plan.Body, r.Catalog)
	if err != nil {
		return fmt.Errorf("read plan of %s: %w", r.name, err)
	}
	r.cost.init(r.study)
	return nil
}

// over tells whether a plan's study has ended. A repair, a retry or more
// replications open it again.
func over(p *results.Plan) error {
	switch {
	case p.State == results.Finished && p.Digest != "":
		return errFinished
	case p.State == results.Cancelled, p.State == results.Stopped:
		return ErrStopped
	}
	return nil
}
