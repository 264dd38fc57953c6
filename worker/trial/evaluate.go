package trial

import (
	"context"
	"math"

	"overnight/agents"
	"overnight/envs"
	"overnight/results"
)

// evaluate plays n episodes and returns their mean total. With metrics, the
// means of the environment's own metrics are left in r.sums.
func (r *Runner) evaluate(ctx context.Context, env, agent string, mode agents.Mode, n uint64, metrics bool) (float64, error) {
	envKey, agentKey := r.streams.Root(env), r.streams.Root(agent)
	total := 0.0
	clear(r.sums)
	for e := range n {
		if err := r.checkNow(ctx, e); err != nil {
			return 0, err
		}
		total += r.play(envKey.At(e), agentKey.At(e), mode)
		if metrics {
			r.env.Metrics(r.metrics)
			for i, v := range r.metrics {
				r.sums[i] += v
			}
		}
	}
	for i := range r.sums {
		r.sums[i] /= float64(n)
	}
	return total / float64(n), nil
}

// checkNow is check for loops of short episodes: it looks at every sixteenth.
func (r *Runner) checkNow(ctx context.Context, episode uint64) error {
	if episode&15 != 0 {
		return nil
	}
	return r.check(ctx)
}

// final judges the trained agent: acting greedily, acting as in training, and
// against the best policy on the same episodes.
func (r *Runner) final(ctx context.Context, rec *results.Record) error {
	n := r.study.Evaluate.Final
	ret, err := r.evaluate(ctx, "env/eval", "agent/eval", agents.Greedy, n, true)
	if err != nil {
		return err
	}
	if err := r.set(rec, ret); err != nil {
		return err
	}
	sampled := ret
	if i := r.index("return_sampled"); i >= 0 {
		if r.cat.Agent(r.study.Arms[r.point.Arm].Agent).Traits(r.point.Agent).Stochastic {
			if sampled, err = r.evaluate(ctx, "env/eval", "agent/sample", agents.Sample, n, false); err != nil {
				return err
			}
		}
		if err := finite("return_sampled", sampled); err != nil {
			return err
		}
		rec.Metrics[i] = sampled
	}
	if r.spec.Optimum != envs.NoOptimum {
		best, err := r.o.Oracle.best(ctx, r, n)
		if err != nil {
			return err
		}
		if err := r.compare(rec, ret, best); err != nil {
			return err
		}
	}
	return r.overrun()
}

// online judges the one learning run: its total is the return.
func (r *Runner) online(ctx context.Context, rec *results.Record) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	total, _ := r.learn(r.streams.Root("env/train").At(0), r.streams.Root("agent/train").At(0))
	if f, ok := r.agent.(agents.Failing); ok {
		if err := f.Err(); err != nil {
			return err
		}
	}
	r.env.Metrics(r.sums)
	if err := r.set(rec, total); err != nil {
		return err
	}
	return r.overrun()
}

// set writes the return and the environment's metrics.
func (r *Runner) set(rec *results.Record, ret float64) error {
	if err := finite("the return", ret); err != nil {
		return err
	}
	if i := r.index("return"); i >= 0 {
		rec.Metrics[i] = ret
	}
	for j, m := range r.spec.Metrics {
		if i := r.index(m.Name); i >= 0 {
			if !isFinite(r.sums[j]) {
				return finite("metric "+m.Name, r.sums[j])
			}
			rec.Metrics[i] = r.sums[j]
		}
	}
	r.report(rec)
	return nil
}

// report writes what the agent measures of its own. What it does not know stays
// missing.
func (r *Runner) report(rec *results.Record) {
	a, ok := r.agent.(agents.Reporter)
	if !ok {
		return
	}
	metrics := r.cat.Agent(r.study.Arms[r.point.Arm].Agent).Traits(r.point.Agent).Metrics
	values := make([]float64, len(metrics))
	a.Report(values)
	for j, m := range metrics {
		if i := r.index(m.Name); i >= 0 && !math.IsInf(values[j], 0) {
			rec.Metrics[i] = values[j]
		}
	}
}

// compare writes how the return stands to the best policy's, as far as the
// environment's optimum allows (DESIGN: metrics have fixed names).
func (r *Runner) compare(rec *results.Record, ret, best float64) error {
	for _, m := range envs.OptimumMetrics(r.spec) {
		var v float64
		switch m {
		case "optimality":
			v = ret / best
		case "regret":
			v = best - ret
		case "upper_bound":
			v = best
		}
		if err := finite(m, v); err != nil {
			return err
		}
		if i := r.index(m); i >= 0 {
			rec.Metrics[i] = v
		}
	}
	return nil
}

// index returns where a metric stands in records, or -1. Lists are short.
func (r *Runner) index(metric string) int {
	for i, m := range r.study.Metrics {
		if m == metric {
			return i
		}
	}
	return -1
}
