package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/internal/catalog"
	"overnight/jobs"
	"overnight/jobs/queuetest"
	"overnight/results"
	"overnight/results/storetest"
	"overnight/worker"
)

// world is one run of the simulation: a store, a queue, and processes.
type world struct {
	store    *storetest.Memory
	queue    *queuetest.Memory
	catalog  *jobs.Catalog
	log      *zap.Logger
	began    time.Time
	mode     mode
	orderly  bool        // all faults are
	extended atomic.Bool // some study asked for more replications
	studies  []*study

	running sync.WaitGroup // of processes
	faults  sync.WaitGroup

	mu           sync.Mutex
	windows      []*window
	workers      []*process
	coordinators []*process
	serial       int
	takes        []take
	lates        []func() error // the next late orders
	errs         []error
	over         bool // no process is started any more
}

// study is one of the studies of a world.
type study struct {
	template
	submit       coordinator.SubmitOptions
	name         string // as it is stored
	replications int    // guarded by world.mu
}

// take is a job on its way to a process.
type take struct {
	by  *link
	at  time.Time
	job jobs.Job
}

func (w *world) note(by *link, j jobs.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takes = append(w.takes, take{by, time.Now(), j})
}

// heldBy returns the trials that a process has taken and that have no record.
func (w *world) heldBy(p *process, l *results.Ledger) []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var held []uint64
	for _, k := range w.takes {
		for _, r := range k.job.Trials {
			for n := r.From; n < r.To && k.by == p.link; n++ {
				if !l.Has(n) {
					held = append(held, n)
				}
			}
		}
	}
	return held
}

// process is a worker or a coordinator.
type process struct {
	*link
	stop  context.CancelFunc
	drain func() // workers only
	ended chan struct{}
}

// alive tells whether the process has neither ended nor been killed.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return !p.isKilled()
	}
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.link.kill()
	p.stop()
}

func (w *world) violation(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, fmt.Errorf("%7.2fs: %w", time.Since(w.began).Seconds(), fmt.Errorf(format, args...)))
}

// simCatalog has a function environment whose work passes in virtual time.
func simCatalog() *jobs.Catalog {
	c := catalog.New()
	for i, f := range c.Envs {
		if f.Name() == "function" {
			c.Envs[i] = virtualFunction()
		}
	}
	return c
}

// options are those of coordinators.
func (w *world) options(l *link) coordinator.Options {
	o := coordinator.Options{Store: l.store(), Queue: queue{l}, Catalog: w.catalog, Log: w.log.Named(l.name)}
	if w.mode != runs {
		o.Holder = l.name
	}
	return o
}

// submit plans a study.
func (w *world) submit(st *study) error {
	w.mu.Lock()
	text := fmt.Sprintf(st.text, st.replications)
	w.mu.Unlock()
	s, err := jobs.Parse("sim.yaml", []byte(text), w.catalog, jobs.ParseOptions{})
	if err != nil {
		return err
	}
	p, err := coordinator.Submit(context.Background(), s, []byte(text), coordinator.Options{Store: w.store, Queue: w.queue, Catalog: w.catalog, Submit: st.submit})
	switch {
	case err != nil:
		return err
	case st.name == "":
		st.name = p.Name // before there is anybody else
	case st.name != p.Name:
		return fmt.Errorf("study %s was submitted again and became %s", st.name, p.Name)
	}
	return nil
}

// startWorker starts a worker; nil when the world is over.
func (w *world) startWorker(slots int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return nil
	}
	w.serial++
	l := newLink(w, fmt.Sprintf("w%d", w.serial))
	ctx, cancel := context.WithCancel(context.Background())
	drain := make(chan struct{})
	p := &process{link: l, stop: cancel, drain: sync.OnceFunc(func() { close(drain) }), ended: make(chan struct{})}
	w.workers = append(w.workers, p)
	w.running.Go(func() {
		defer close(p.ended)
		defer cancel()
		err := worker.Run(ctx, worker.Options{
			Queue: queue{l}, Store: l.store(), Catalog: w.catalog, ID: l.name, Slots: slots, Drain: drain, Log: w.log.Named(l.name),
		})
		if err != nil && !l.isKilled() {
			w.violation("worker %s ended: %w", l.name, err)
		}
	})
	return p
}

// startCoordinator starts a coordinator, and again a second after it failed;
// nil when the world is over.
func (w *world) startCoordinator() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return nil
	}
	w.serial++
	l := newLink(w, fmt.Sprintf("c%d", w.serial))
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{link: l, stop: cancel, ended: make(chan struct{})}
	w.coordinators = append(w.coordinators, p)
	w.running.Go(func() {
		defer close(p.ended)
		defer cancel()
		for {
			err := w.coordinate(ctx, l)
			w.log.Info("coordinator ended", zap.String("name", l.name), zap.Error(err))
			if err == nil || ctx.Err() != nil || errors.Is(err, coordinator.ErrStopped) || superseded(err) {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
		}
	})
	return p
}

// coordinate runs the world's study, or all of them.
func (w *world) coordinate(ctx context.Context, l *link) error {
	if w.mode == serves {
		return coordinator.Serve(ctx, w.options(l))
	}
	return coordinator.Run(ctx, w.studies[0].name, w.options(l))
}

// superseded tells whether a coordinator ended because another took over.
func superseded(err error) bool { return errors.Is(err, coordinator.ErrSuperseded) }

// pick returns one of the living processes of a list, or nil.
func (w *world) pick(of *[]*process, n uint64) *process {
	alive := w.alive(of)
	if len(alive) == 0 {
		return nil
	}
	return alive[n%uint64(len(alive))]
}

func (w *world) alive(of *[]*process) []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	var alive []*process
	for _, p := range *of {
		if p.alive() {
			alive = append(alive, p)
		}
	}
	return alive
}

// order changes a study's state and tells those at work on it, where it is in
// the state that the order asks for.
func (w *world) order(st *study, k results.OrderKind) error {
	errNot := errors.New("not now")
	_, err := w.store.Update(context.Background(), st.name, func(p *results.Plan) error {
		switch {
		case k == results.Pause && p.State == results.Running:
			p.State = results.Paused
		case k == results.Resume && p.State == results.Paused:
			p.State = results.Running
		case k == results.Cancel && (p.State == results.Running || p.State == results.Paused):
			p.State = results.Cancelled
			p.Generation++
		default:
			return errNot
		}
		return nil
	})
	if errors.Is(err, errNot) {
		return nil
	}
	return errors.Join(err, w.store.Give(context.Background(), results.Order{Kind: k, Study: st.name}))
}

// late gives a late order where a coordinator is about to fix a study's digest.
func (w *world) late(name string) {
	p, err := w.store.Plan(context.Background(), name)
	t, err2 := w.store.Tally(context.Background(), name)
	if err != nil || err2 != nil || t.Total() < p.Expected() {
		return
	}
	w.mu.Lock()
	var order func() error
	if len(w.lates) > 0 {
		order, w.lates = w.lates[0], w.lates[1:]
	}
	w.mu.Unlock()
	if order == nil {
		return
	}
	if err := order(); err != nil {
		w.violation("%s: %w", lateOrder, err)
	}
}

// retry discards the failed trials.
func (w *world) retry(st *study) error {
	ctx := context.Background()
	var failed []uint64
	for r, err := range w.store.Scan(ctx, st.name, 0, 1<<62) {
		if err != nil {
			return err
		}
		if r.Status != results.Done {
			failed = append(failed, r.Trial)
		}
	}
	if _, err := w.store.Discard(ctx, st.name, failed); err != nil {
		return err
	}
	_, err := w.store.Update(ctx, st.name, func(p *results.Plan) error {
		if len(failed) > 0 && (p.State == results.Finished || p.State == results.Stopped) {
			p.State, p.Digest = results.Running, ""
		}
		return nil
	})
	return err
}
