package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"overnight/coordinator"
	"overnight/envs"
	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/jobs/natsqueue"
	"overnight/results/sqlitestore"
	"overnight/worker"
	"overnight/worker/trial"
)

type benchFlags struct {
	rounds    int
	roundTrip time.Duration
	trials    int
	policies  []string
}

func (a *app) benchCmd() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: environment, trainings, trials a second end to end, kernels",
		Long: `Bench prints medians over rounds that take turns, so that figures of one table
compare. End-to-end lines write durable records to a temporary data folder; with
--cluster, or --queue and --store, they are run over those servers alone, and their
studies are removed again. With --policies it measures decisions a second of one
core instead, in the environment email.`,
		Example: "  overnight bench\n  overnight bench --policies\n  overnight bench --policies=thompson,kl_ucb --rounds 9\n  overnight bench --cluster redis://127.0.0.1:6379 --round-trip 2ms",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.bench(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.IntVar(&f.rounds, "rounds", 5, "how many rounds")
	fl.DurationVar(&f.roundTrip, "round-trip", 0, "with servers: put this much more time into every round trip to them")
	fl.IntVar(&f.trials, "trials", 400_000, "no-op trials of a round")
	fl.StringSliceVar(&f.policies, "policies", nil, "decisions a second of these agents, by themselves of all that can act, instead of the table")
	fl.Lookup("policies").NoOptDefVal = allPolicies
	return c
}

// measure is one line of the table.
type measure struct {
	name, unit string
	run        func(ctx context.Context) (float64, error)
	values     []float64
}

func (a *app) bench(ctx context.Context, f benchFlags) error {
	rounds := f.rounds
	if rounds < 1 || f.trials < 1 {
		return usage("--rounds %d --trials %d: write 1 or more", rounds, f.trials)
	}
	if len(f.policies) > 0 {
		return a.benchPolicies(ctx, f.policies, rounds)
	}
	_, folder, err := a.storeURL()
	if err != nil {
		return err
	}
	if !folder {
		return a.benchServers(ctx, f)
	}
	if f.roundTrip != 0 {
		return usage("--round-trip is for servers: give --cluster too")
	}
	slots := runtime.NumCPU()
	train := "study: train\nenv: {name: marketing}\nagents: [{name: reinforce, faithful: true}]\ntrain: {episodes: 100}\nevaluate: {final: 10}\nreplications: 1500\n"
	list := []*measure{
		{name: "marketing environment, one core", unit: "M steps/s", run: a.benchEnv},
		{name: "notebook training of 100 episodes, one core", unit: "ms/trial", run: a.benchTraining},
		{name: fmt.Sprintf("no-op trials, durable, %d slots", slots), unit: "trials/s", run: func(ctx context.Context) (float64, error) { return a.endToEnd(ctx, noop(f.trials), slots) }},
		{name: "1 ms trials, 1 slot", unit: "trials/s", run: func(ctx context.Context) (float64, error) { return a.endToEnd(ctx, busy(1000, "1"), 1) }},
		{name: fmt.Sprintf("1 ms trials, %d slots", slots), unit: "trials/s", run: func(ctx context.Context) (float64, error) { return a.endToEnd(ctx, busy(1000*slots, "1"), slots) }},
		{name: "notebook trainings (10 evaluations), 1 slot", unit: "trials/s", run: func(ctx context.Context) (float64, error) { return a.endToEnd(ctx, train, 1) }},
		{name: fmt.Sprintf("notebook trainings (10 evaluations), %d slots", slots), unit: "trials/s", run: func(ctx context.Context) (float64, error) { return a.endToEnd(ctx, train, slots) }},
	}
	if err := a.measureAll(ctx, list, rounds); err != nil {
		return err
	}
	return a.benchKernels(rounds)
}

// noop is a study of trials that do nothing.
func noop(n int) string {
	return fmt.Sprintf("study: noop\nenv: {name: function, function: noop, x1: {grid: [1]}}\nagents: [{name: random}]\nreplications: %d\n", n)
}

// busy is a study of trials that keep a core busy for some milliseconds.
func busy(n int, ms string) string {
	return fmt.Sprintf("study: busy\nenv: {name: function, function: noop, busy: %s}\nagents: [{name: random}]\nreplications: %d\n", ms, n)
}

// measureAll runs all measures in turns and prints their medians.
func (a *app) measureAll(ctx context.Context, list []*measure, rounds int) error {
	for range rounds {
		for _, m := range list {
			v, err := m.run(ctx)
			if err != nil {
				return engine(fmt.Errorf("%s: %w", m.name, err))
			}
			m.values = append(m.values, v)
		}
	}
	fmt.Fprintf(a.out, "overnight %s, engine version %d, %s/%s, %d cores, %s, median of %d rounds (min, max)\n", version(), jobs.EngineVersion, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), vectors(), rounds)
	for _, m := range list {
		slices.Sort(m.values)
		fmt.Fprintf(a.out, "%-48s %12.4g %-10s (%.4g, %.4g)\n", m.name, m.values[len(m.values)/2], m.unit, m.values[0], m.values[len(m.values)-1])
	}
	return nil
}

// study parses a built-in study text.
func (a *app) studyText(text string) (*jobs.Study, error) {
	return jobs.Parse("bench.yaml", []byte(text), a.cat, jobs.ParseOptions{})
}

func (a *app) benchEnv(context.Context) (float64, error) {
	s, err := a.studyText("study: env\nenv: {name: marketing}\nagents: [{name: equal}]\n")
	if err != nil {
		return 0, err
	}
	p, err := s.Point(0)
	if err != nil {
		return 0, err
	}
	env, err := a.cat.Env("marketing").New(p.Env, nil)
	if err != nil {
		return 0, err
	}
	var out envs.Step
	n := env.Spec().Action.N
	act := envs.Action{Values: make([]float64, n)}
	for i := range act.Values {
		act.Values[i] = 1
	}
	key := rng.Root(1, "bench")
	steps := 0
	start := time.Now()
	for e := uint64(0); time.Since(start) < 300*time.Millisecond; e++ {
		env.Reset(key.At(e), &out)
		for out.Done = false; !out.Done; steps++ {
			env.Step(&act, &out)
		}
	}
	return float64(steps) / time.Since(start).Seconds() / 1e6, nil
}

func (a *app) benchTraining(ctx context.Context) (float64, error) {
	s, err := a.studyText("study: train\nenv: {name: marketing}\nagents: [{name: reinforce, faithful: true}]\ntrain: {episodes: 100}\nevaluate: {final: 1}\nreplications: 1000\n")
	if err != nil {
		return 0, err
	}
	r := trial.New(s, a.cat, trial.Options{})
	var n uint64
	start := time.Now()
	for time.Since(start) < 500*time.Millisecond {
		if _, err := r.Run(ctx, n); err != nil {
			return 0, err
		}
		n++
	}
	return float64(time.Since(start).Microseconds()) / 1000 / float64(n), nil
}

// endToEnd runs a study on a data folder of its own and returns trials a second.
func (a *app) endToEnd(ctx context.Context, text string, slots int) (perSecond float64, err error) {
	dir, err := os.MkdirTemp("", "overnight-bench-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	store, err := sqlitestore.Open(ctx, dir, sqlitestore.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	queue, err := natsqueue.Open(ctx, natsqueue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		return 0, err
	}
	defer queue.Close()
	_, perSecond, err = a.perSecond(ctx, store, queue, text, slots)
	return perSecond, err
}

// perSecond runs a study and returns trials a second, from before the plan to
// after the digest.
func (a *app) perSecond(ctx context.Context, store coordinator.Store, queue jobs.Queue, text string, slots int) (name string, perSecond float64, err error) {
	study, err := a.studyText(text)
	if err != nil {
		return "", 0, err
	}
	start := time.Now()
	o := coordinator.Options{Store: store, Queue: queue, Catalog: a.cat, Slots: slots, Log: a.log}
	planned, err := coordinator.Submit(ctx, study, []byte(text), o)
	if err != nil {
		return "", 0, err
	}
	works, ok := store.(worker.Store)
	if !ok {
		return planned.Name, 0, fmt.Errorf("a worker can't use %T", store)
	}
	drain := make(chan struct{})
	worked := make(chan error, 1)
	go func() {
		worked <- worker.Run(ctx, worker.Options{Queue: queue, Store: works, Catalog: a.cat, Slots: slots, Drain: drain, Log: a.log})
	}()
	err = coordinator.Run(ctx, planned.Name, o)
	took := time.Since(start)
	close(drain)
	return planned.Name, float64(study.Trials()) / took.Seconds(), errors.Join(err, <-worked)
}
