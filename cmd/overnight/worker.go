package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"overnight/internal/join"
	"overnight/internal/natsconn"
	"overnight/jobs"
	"overnight/jobs/natsqueue"
	"overnight/results"
	"overnight/results/natsstore"
	"overnight/worker"
)

// defaultMetrics is where serve answers probes and Prometheus.
const defaultMetrics = "127.0.0.1:9090"

type workerFlags struct {
	join         string
	slots        int
	drainTimeout time.Duration
	inProcess    bool
	trust        string
	metrics      string
	unsigned     bool
}

func (a *app) workerCmd() *cobra.Command {
	var f workerFlags
	c := &cobra.Command{
		Use:   "worker",
		Short: "Take jobs from a queue and run their trials, until stopped",
		Long: `Worker takes jobs, runs their trials in processes of their own, one a slot, and
commits the records. It works for every study on its store, of which it needs no
copy: plans and data come from there. Workers may come and go at any time.

The first Ctrl-C (or SIGTERM) hands back what it holds after --drain-timeout at
the latest, which counts against nobody; a second one stops it at once.`,
		Example: `  overnight worker --join join
  overnight worker --cluster redis://127.0.0.1:6379 --slots 8
  overnight worker --queue nats://127.0.0.1:4222 --store redis://127.0.0.1:6379`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.worker(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.join, "join", "", "the join `file` that run --listen or serve --listen wrote")
	fl.IntVar(&f.slots, "slots", runtime.NumCPU(), "how many trials run at once")
	fl.DurationVar(&f.drainTimeout, "drain-timeout", 10*time.Second, "how long trials in hand may take once stopped; with 0 they stop after their episode, with a checkpoint")
	fl.BoolVar(&f.inProcess, "in-process", false, "run trials in this process: faster for trials far under a millisecond, but one that dies takes the worker with it, and limits are checked between episodes")
	fl.StringVar(&f.trust, "trust", "", "`file` with the public keys that may sign jobs; default: trusted in the keys folder (OVERNIGHT_KEYS)")
	fl.StringVar(&f.metrics, "metrics", "", "`address` for probes and Prometheus, such as 127.0.0.1:9091; default: none")
	fl.BoolVar(&f.unsigned, "unsigned", false, "take jobs without a signature")
	return c
}

func (a *app) worker(ctx context.Context, f workerFlags) error {
	switch {
	case f.slots < 1:
		return usage("--slots %d: write 1 or more", f.slots)
	case f.drainTimeout < 0:
		return usage("--drain-timeout %v: write a time such as 30s, or 0 to stop after the episodes in hand", f.drainTimeout)
	case f.drainTimeout == 0:
		f.drainTimeout = 1 // worker.Options takes 0 for its default
	}
	i := interruptible(ctx, newProgress(a, f.slots), finishing)
	defer i.stop()
	store, queue, end, err := a.workplace(i.work, f)
	if err != nil {
		if i.work.Err() != nil {
			return nil
		}
		return err
	}
	defer end()
	defer queue.Close()
	i.begun()
	o := worker.Options{
		Queue: queue, Store: store, Catalog: a.cat, Slots: f.slots, Drain: i.drain(),
		DrainTimeout: f.drainTimeout, Version: version(), Log: a.log,
	}
	if !f.inProcess {
		command, err := self()
		if err != nil {
			return engine(err)
		}
		o.Isolate = &worker.Isolation{Command: command}
	}
	stopMetrics, err := a.workerMetrics(&o, f.metrics)
	if err != nil {
		return err
	}
	defer stopMetrics()
	a.log.Info("worker started", zap.Int("slots", f.slots), zap.Int("engine", jobs.EngineVersion), zap.String("version", version()))
	if err := worker.Run(i.work, o); err != nil && !errors.Is(err, context.Canceled) {
		return engine(err)
	}
	a.log.Info("worker ended")
	return nil
}

// workplace opens where a worker takes jobs and leaves records.
func (a *app) workplace(ctx context.Context, f workerFlags) (worker.Store, jobs.Queue, func(), error) {
	if f.join != "" {
		if a.cluster != "" || a.queue != "" {
			return nil, nil, nil, usage("--join %s together with --cluster or --queue: the join file says where jobs come from", f.join)
		}
		return a.joined(ctx, f)
	}
	url, err := a.queueURL()
	if err != nil {
		return nil, nil, nil, err
	}
	if url == "" {
		return nil, nil, nil, usage("a worker needs a queue: --cluster redis://host:6379, or --queue nats://host:4222 --store redis://host:6379, or --join FILE, which overnight run --listen wrote")
	}
	var codec jobs.Codec = jobs.Plain{}
	if !f.unsigned {
		if codec, err = a.trusting(f.trust); err != nil {
			return nil, nil, nil, err
		}
	}
	store, err := patiently(ctx, a, "store", func() (results.Store, error) { return a.open(ctx) })
	if err != nil {
		return nil, nil, nil, err
	}
	queue, err := patiently(ctx, a, "queue", func() (jobs.Queue, error) {
		return a.connectQueue(ctx, url, queueOptions{codec: codec, take: true})
	})
	if err != nil {
		return nil, nil, nil, errors.Join(err, store.Close())
	}
	return store, queue, func() { _ = store.Close() }, nil
}

// joined connects to the coordinator that wrote a join file, and waits for it
// where it is not there yet.
func (a *app) joined(ctx context.Context, f workerFlags) (worker.Store, jobs.Queue, func(), error) {
	file, err := join.Read(f.join)
	if err != nil {
		return nil, nil, nil, usage("%w", err)
	}
	var codec jobs.Codec = jobs.Plain{}
	if !f.unsigned {
		codec = jobs.Signed{Trusted: func() []ed25519.PublicKey { return file.Trusted }}
	}
	at, more, err := file.Dial()
	if err != nil {
		return nil, nil, nil, usage("%w", err)
	}
	connect := func(name string) (*nats.Conn, error) {
		nc, err := natsconn.Connect(ctx, at, natsconn.Options{Name: name, More: more, Wait: patience, Log: a.log})
		if err != nil {
			return nil, engine(fmt.Errorf("join %s: %w", f.join, err))
		}
		return nc, nil
	}
	qc, err := connect("overnight worker: jobs")
	if err != nil {
		return nil, nil, nil, err
	}
	queue, err := natsqueue.New(ctx, qc, natsqueue.Options{Codec: codec, TakeOnly: true, Log: a.log})
	if err != nil {
		qc.Close()
		return nil, nil, nil, engine(fmt.Errorf("join %s: %w", f.join, err))
	}
	sc, err := connect("overnight worker: results")
	if err != nil {
		return nil, nil, nil, errors.Join(err, queue.Close())
	}
	store, err := natsstore.New(ctx, sc, natsstore.Options{Log: a.log})
	if err != nil {
		sc.Close()
		return nil, nil, nil, engine(errors.Join(fmt.Errorf("join %s: %w", f.join, err), queue.Close()))
	}
	return workOnly{store}, queue, func() {
		_ = store.Close()
		sc.Close()
	}, nil
}

// workOnly is a store as a worker that joined may use it: its key is good for
// nothing else.
type workOnly struct{ worker.Store }

// patience is how long a worker waits for its engine when it starts: services
// start in any order.
const patience = 10 * time.Minute

// patiently calls open again while the engine does not answer.
func patiently[T any](ctx context.Context, a *app, what string, open func() (T, error)) (T, error) {
	end := time.Now().Add(patience)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		v, err := open()
		var coded *codeError
		if err == nil || ctx.Err() != nil || errors.As(err, &coded) && coded.code == exitUsage || time.Now().After(end) {
			return v, err
		}
		a.log.Warn("engine does not answer yet", zap.String("what", what), zap.Error(err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}
