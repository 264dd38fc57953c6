package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"overnight/internal/chaos"
	"overnight/jobs"
	"overnight/jobs/natsqueue"
	"overnight/results"
)

func (a *app) chaosCmd() *cobra.Command {
	var o chaos.Options
	var list bool
	c := &cobra.Command{
		Use:   "chaos",
		Short: "Run a study under kills, pauses, cut connections and other faults",
		Long: `Chaos starts real processes (coordinator, workers, redis-server or nats-server on
ports of their own), runs a study while faults happen to them in a seeded order,
and prints what came of each: how often it fired, how long the recovery took, and
how many trials were lost or doubled. At the end it runs the same study without
faults and compares the digests. It exits with 1 where a trial was lost or
doubled, a digest differs, or a fault never fired.

A fault's recovery lasts until every trial below the highest that had a record is
committed: of a kill from the kill on; of an outage from its end on, and until the
next commit at least.`,
		Example: `  overnight chaos --engine joined
  overnight chaos --engine asynq --fault kill-worker --times 100 --workers 16 --at-once 16
  overnight chaos --list`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				for i, name := range chaos.Names("") {
					fmt.Fprintf(a.out, "%-18s %s\n", name, chaos.Docs()[i])
				}
				return nil
			}
			for _, flag := range []string{"workers", "slots", "times", "at-once"} {
				if n, err := cmd.Flags().GetInt(flag); err != nil || n < 1 {
					return usage("--%s %d: write 1 or more", flag, n)
				}
			}
			if !(o.Idle > 0) || math.IsInf(o.Idle, 0) {
				return usage("--idle %g: write how many ms, more than 0", o.Idle)
			}
			return a.chaos(cmd.Context(), o)
		},
	}
	fl := c.Flags()
	fl.StringVar(&o.Engine, "engine", chaos.Joined, "what runs the study: "+strings.Join(chaos.Engines(), ", "))
	fl.Uint64Var(&o.Seed, "seed", 1, "of the order and the times of the faults")
	fl.IntVar(&o.Workers, "workers", 4, "worker processes")
	fl.IntVar(&o.Slots, "slots", 1, "slots of each worker")
	fl.IntVar(&o.Times, "times", 2, "how often each fault fires")
	fl.IntVar(&o.AtOnce, "at-once", 1, "how many workers a fault on workers hits together")
	fl.StringSliceVar(&o.Faults, "fault", nil, "a fault by `name`, instead of all; may be repeated")
	fl.StringSliceVar(&o.Skip, "skip", nil, "a fault by `name` to leave out; may be repeated")
	fl.Float64Var(&o.Idle, "idle", 20, "how long a trial lasts, in ms")
	fl.DurationVar(&o.Work, "work", 20*time.Second, "how much work there is for each fault, and again when it runs out")
	fl.StringVar(&o.Dir, "dir", "", "a `folder` for logs and data, which stays; default: a temporary one")
	fl.BoolVar(&list, "list", false, "list the faults")
	return c
}

func (a *app) chaos(ctx context.Context, o chaos.Options) error {
	exe, err := os.Executable()
	if err != nil {
		return engine(err)
	}
	o.Binary = exe
	if !a.quiet {
		o.Log = a.err
	}
	o = chaosOptions(a, o)
	began := time.Now()
	report, err := chaos.Run(ctx, o)
	if report == nil {
		return usage("%w", err)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(a.err, "seed %d after %v; repeat: %s\n", o.Seed, time.Since(began).Round(time.Second), report.Repeat)
	}
	if werr := report.Write(a.out); werr != nil {
		return engine(werr)
	}
	if err != nil {
		return engine(err)
	}
	if err := report.Failed(); err != nil {
		return &codeError{exitFailures, fmt.Errorf("%w\nlogs are in %s", err, report.Dir)}
	}
	return nil
}

// chaosOptions adds how chaos opens stores and queues.
func chaosOptions(a *app, o chaos.Options) chaos.Options {
	o.OpenStore = func(ctx context.Context, at string) (results.Store, error) {
		b := *a
		b.store, b.cluster, b.queue, b.storeGiven = at, "", "", true
		return b.open(ctx)
	}
	o.OpenQueue = func(ctx context.Context, url, keys string) (chaos.Queue, error) {
		codec, err := a.signing(keys)
		if err != nil {
			return nil, err
		}
		return a.reachable(ctx, url, codec)
	}
	return o
}

// reachable opens a queue that faults can reach into.
func (a *app) reachable(ctx context.Context, url string, codec jobs.Codec) (chaos.Queue, error) {
	q, err := a.connectQueue(ctx, url, queueOptions{codec: codec})
	if err != nil {
		return nil, err
	}
	switch q := q.(type) {
	case closingQueue:
		return reachableRedis{q}, nil
	case *natsqueue.Queue:
		return reachableNATS{q}, nil
	}
	return nil, errors.Join(fmt.Errorf("queue %T can't be reached into", q), q.Close())
}

type (
	reachableRedis struct{ closingQueue }
	reachableNATS  struct{ *natsqueue.Queue }
)

func (q reachableRedis) Dead(ctx context.Context, n int) ([][]byte, error) {
	letters, err := q.DeadLetters(ctx, n)
	var out [][]byte
	for _, l := range letters {
		out = append(out, l.Payload)
	}
	return out, err
}

func (q reachableNATS) Dead(ctx context.Context, n int) ([][]byte, error) {
	letters, err := q.DeadLetters(ctx, n)
	var out [][]byte
	for _, l := range letters {
		out = append(out, l.Message)
	}
	return out, err
}
