// Package trial runs one trial: it trains an agent on an environment, evaluates
// it, and returns the record. Start with New and Runner.Run.
//
// A record depends on the trial's point and streams alone. What the caller sees
// in between (checkpoints, interruption) never changes it.
package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"time"

	"overnight/agents"
	"overnight/envs"
	"overnight/jobs"
	"overnight/results"
)

// ErrInterrupted is returned when a trial was stopped between two episodes. It
// has no record; a later Run does it again, from its checkpoint if there is one.
var ErrInterrupted = errors.New("trial interrupted")

// errOverrun ends a trial that took longer than its limit.
var errOverrun = errors.New("time limit exceeded")

// Options are what a caller may want beside the record. All may be left zero.
type Options struct {
	// Clock tells the time, for Elapsed, limits and checkpoints. Defaults to
	// time.Now. No result depends on it.
	Clock func() time.Time
	// CheckpointAfter is how long a trial runs until its state is saved, and from
	// one save to the next. Defaults to 30 s.
	CheckpointAfter time.Duration
	// Save keeps a checkpoint. Nil: none is made.
	Save func(trial uint64, state []byte) error
	// Load returns a trial's checkpoint, or nil.
	Load func(trial uint64) []byte
	// Oracle caches what the best policy earns; share one between the runners of a
	// process. Nil: a cache of this runner alone.
	Oracle *OracleCache
}

// Runner runs trials of one study, one at a time. It keeps environments, agents
// and buffers from trial to trial.
type Runner struct {
	study *jobs.Study
	cat   *jobs.Catalog
	o     Options

	point  jobs.Point
	envs   map[string]envs.Env
	agents map[string]agents.Agent

	env      envs.Env
	agent    agents.Agent
	spec     *envs.Spec
	streams  jobs.Streams
	in, out  envs.Step
	act      envs.Action
	metrics  []float64 // of one episode
	sums     []float64 // over the episodes of an evaluation
	began    time.Time
	deadline time.Time // zero: none
}

// New returns a runner of a study's trials.
func New(study *jobs.Study, cat *jobs.Catalog, o Options) *Runner {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.CheckpointAfter == 0 {
		o.CheckpointAfter = 30 * time.Second
	}
	if o.Oracle == nil {
		o.Oracle = NewOracleCache(256)
	}
	return &Runner{study: study, cat: cat, o: o, envs: map[string]envs.Env{}, agents: map[string]agents.Agent{}}
}

// Run runs one trial. What goes wrong inside it - an error, a panic, a number
// that is not finite - is a Failed record; exceeding the study's time limit is
// an Overrun one. The only error is ErrInterrupted, when ctx ended.
func (r *Runner) Run(ctx context.Context, trial uint64) (results.Record, error) {
	r.began = r.o.Clock()
	r.deadline = time.Time{}
	if r.study.Limits.Time > 0 {
		r.deadline = r.began.Add(r.study.Limits.Time)
	}
	point, replication := r.study.Split(trial)
	rec := results.Record{Trial: trial, Point: point, Replication: replication, Status: results.Done, Attempts: 1}
	err := r.guarded(ctx, &rec)
	if err == nil {
		err = rec.WellFormed()
	}
	rec.Finished = r.o.Clock()
	rec.Elapsed = rec.Finished.Sub(r.began)
	switch {
	case err == nil:
		return rec, nil
	case errors.Is(err, ErrInterrupted):
		return results.Record{}, err
	case errors.Is(err, errOverrun):
		rec.Status = results.Overrun
		rec.Error = fmt.Sprintf("time limit of %v exceeded", r.study.Limits.Time)
	default:
		rec.Status = results.Failed
		rec.Error = results.ClipError(err.Error())
	}
	rec.Metrics, rec.Curves = nil, nil
	return rec, nil
}

// guarded turns a panic into an error and forgets the workspace that it may
// have left in disorder.
func (r *Runner) guarded(ctx context.Context, rec *results.Record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			clear(r.envs)
			clear(r.agents)
			err = fmt.Errorf("panic: %v\n%s", v, stack())
		}
	}()
	if err := r.prepare(rec.Point, rec.Replication); err != nil {
		return err
	}
	values := make([]float64, len(r.study.Metrics))
	for i := range values {
		values[i] = math.NaN()
	}
	rec.Metrics = values
	if r.study.Evaluate.Online {
		return r.online(ctx, rec)
	}
	if err := r.train(ctx, rec); err != nil {
		return err
	}
	return r.final(ctx, rec)
}

// prepare resolves the point and makes its environment and untrained agent.
func (r *Runner) prepare(point, replication uint64) error {
	if err := r.study.Resolve(point, &r.point); err != nil {
		return fmt.Errorf("resolve point %d: %w", point, err)
	}
	p := &r.point
	r.streams = r.study.Streams(p, replication)
	name := r.study.Tasks[p.Task].Env
	env, err := r.cat.Env(name).New(p.Env, r.envs[name])
	if err != nil {
		return fmt.Errorf("make environment %s: %w", name, err)
	}
	r.envs[name], r.env, r.spec = env, env, env.Spec()
	name = r.study.Arms[p.Arm].Agent
	agent, err := r.cat.Agent(name).New(p.Agent, r.spec, r.streams.Root("agent/init"), r.agents[name])
	if err != nil {
		return fmt.Errorf("make agent %s: %w", name, err)
	}
	r.agents[name], r.agent = agent, agent
	if b, ok := agent.(agents.NeedsOracle); ok {
		o, ok := env.(envs.Oracle)
		if !ok {
			return fmt.Errorf("agent %s needs an environment that knows its optimum", name)
		}
		b.Bind(o)
	}
	r.act.Values = resize(r.act.Values, r.spec.Action.N)
	r.metrics = resize(r.metrics, len(r.spec.Metrics))
	r.sums = resize(r.sums, len(r.spec.Metrics))
	return nil
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

// check is called between episodes.
func (r *Runner) check(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ErrInterrupted
	default:
	}
	return r.overrun()
}

// overrun tells whether the trial has had its time.
func (r *Runner) overrun() error {
	if !r.deadline.IsZero() && r.o.Clock().After(r.deadline) {
		return errOverrun
	}
	return nil
}

// stack returns the frames below the panic, without addresses, which differ
// between runs.
func stack() string {
	lines := strings.Split(string(debug.Stack()), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") {
			lines = lines[i+2:]
			break
		}
	}
	if len(lines) > 16 {
		lines = lines[:16]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
