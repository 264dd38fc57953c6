package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"overnight/coordinator"
	"overnight/coordinator/web"
	"overnight/coordinator/web/metrics"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/figure"
	"overnight/results/page"
	"overnight/results/report"
	"overnight/worker"
)

// pulsed is a store that tells when the service's main loop goes round: it reads
// the studies while it leads, and asks for the lease while it stands by.
type pulsed struct {
	coordinator.Store
	pulse *web.Pulse
}

func (p pulsed) Studies(ctx context.Context) ([]results.Plan, error) {
	p.pulse.Beat()
	return p.Store.Studies(ctx)
}

func (p pulsed) Lease(ctx context.Context, name, holder string, ttl time.Duration) (string, error) {
	p.pulse.Beat()
	return p.Store.Lease(ctx, name, holder, ttl)
}

// parts are what a service is made of.
type parts struct {
	store coordinator.Store
	queue jobs.Queue
	api   *web.Listener
	pulse *web.Pulse
}

// checks asks what the service needs.
func (p parts) checks() []web.Check {
	all := []web.Check{{Name: "store", Ask: func(ctx context.Context) error { _, err := p.store.Workers(ctx); return err }}}
	if q, ok := p.queue.(interface {
		Pending(ctx context.Context) (waiting, held int, err error)
	}); ok {
		all = append(all, web.Check{Name: "queue", Ask: func(ctx context.Context) error { _, _, err := q.Pending(ctx); return err }})
	}
	return all
}

// serveHTTP answers the API, probes and metrics of a service until stop is
// called.
func (a *app) serveHTTP(ctx context.Context, s *coordinator.Service, p parts, observed func(func(coordinator.Event)), f serveFlags) (stop func(), err error) {
	store := p.store
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	stop = func() {
		cancel()
		running.Wait()
	}
	fleet := web.NewFleet(store, a.log)
	running.Go(func() { fleet.Run(ctx) })
	full, ok := store.(results.Store)
	if !ok {
		stop()
		return nil, engine(errors.New("the API needs a whole store"))
	}
	o := a.webOptions(full, fleet)
	o.Submit, o.Progress, o.Tokens, o.Hosts = a.submitted(store), s.State, p.api.Tokens, f.hosts
	handler := web.New(o)
	a.log.Info("dashboard and api", zap.String("address", p.api.Addr().String()))
	running.Go(func() { a.answer(func() error { return web.Serve(ctx, p.api, handler, a.log) }) })
	if f.metrics == "" {
		return stop, nil
	}
	service := metrics.NewService(metrics.Options{
		Store: store, Fleet: fleet, Leader: s.Leader, StoreUsed: storeUsed(a, full),
		Version: version(), Engine: jobs.EngineVersion, Log: a.log,
	})
	observed(service.Observe)
	probes := web.Probes{
		Pulse:  p.pulse,
		Checks: p.checks(),
		Role: func() string {
			if s.Leader() {
				return "leader"
			}
			return "standby"
		},
		Metrics: service.Handler(), Log: a.log,
	}
	if err := a.probe(ctx, &running, f.metrics, probes); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// webOptions are what the dashboard of every command has.
func (a *app) webOptions(s results.Store, fleet *web.Fleet) web.Options {
	return web.Options{
		Store: s, Fleet: fleet, Catalog: a.cat, Orders: webOrders{a, s}, Log: a.log,
		Model: func(ctx context.Context, p results.Plan, study *jobs.Study) (*report.Model, error) {
			return a.model(ctx, s, p, study)
		},
		Report: func(ctx context.Context, study string, again web.Replay, w io.Writer) error {
			p, decoded, err := a.find(ctx, s, study)
			if err != nil {
				return err
			}
			doc, err := a.document(ctx, s, p, decoded, again.Play, again.Why)
			if err != nil {
				return err
			}
			return page.Write(w, doc)
		},
		Play: func(study *jobs.Study) figure.Play { return play(a.runner(study)) },
		Export: func(ctx context.Context, study, what, format string, w io.Writer) error {
			b := *a
			b.out = w
			return refused(b.export(ctx, s, study, exportFlags{what: what, format: format}))
		},
	}
}

// refused marks what a command would call bad usage.
func refused(err error) error {
	var c *codeError
	if errors.As(err, &c) && c.code == exitUsage {
		return fmt.Errorf("%w: %w", web.ErrRefused, c.err)
	}
	return err
}

// answer runs a server and logs how it failed.
func (a *app) answer(serve func() error) {
	if err := serve(); err != nil {
		a.log.Error("server ended", zap.Error(err))
	}
}

// probe answers probes and metrics at an address.
func (a *app) probe(ctx context.Context, running *sync.WaitGroup, addr string, p web.Probes) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return usage("--metrics %s: %w; write another HOST:PORT, such as 127.0.0.1:9091, or an empty one for none", addr, err)
	}
	a.log.Info("probes and metrics", zap.String("address", l.Addr().String()))
	running.Go(func() { a.answer(func() error { return web.Serve(ctx, l, p.Handler(), a.log) }) })
	return nil
}

// watchedWorker is a store that notes what the worker says of itself, and whether
// the store heard it.
type watchedWorker struct {
	worker.Store
	pulse *web.Pulse
	mu    sync.Mutex
	last  results.Worker
	err   error
}

func (w *watchedWorker) Beat(ctx context.Context, b results.Worker, after int64) ([]results.Order, error) {
	w.pulse.Beat()
	orders, err := w.Store.Beat(ctx, b, after)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.err = b, err
	return orders, err
}

func (w *watchedWorker) heard(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *watchedWorker) state() metrics.WorkerState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return metrics.WorkerState{Committed: w.last.Done, Slots: w.last.Slots, Busy: w.last.Slots - w.last.Free}
}

// workerMetrics answers the probes and metrics of a worker until stop is called;
// without an address there are none.
func (a *app) workerMetrics(o *worker.Options, addr string) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	w := &watchedWorker{Store: o.Store, pulse: web.NewPulse()}
	o.Store = w
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	err = a.probe(ctx, &running, addr, web.Probes{
		Pulse:   w.pulse,
		Checks:  []web.Check{{Name: "store", Ask: w.heard}},
		Role:    func() string { return "worker" },
		Metrics: metrics.NewWorker(version(), jobs.EngineVersion, w.state), Log: a.log,
	})
	if err != nil {
		cancel()
		return nil, err
	}
	return func() {
		cancel()
		running.Wait()
	}, nil
}
