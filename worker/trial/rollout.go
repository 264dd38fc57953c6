package trial

import (
	"context"
	"fmt"
	"time"

	"overnight/agents"
	"overnight/envs"
	"overnight/results"
)

// RolloutStep is one step of a rollout. Its slices are only valid during the
// call that gets it.
type RolloutStep struct {
	Episode uint64
	Step    int
	Action  []float64 // the values, or the index alone for discrete actions
	Reward  float64
	Trace   []float64 // in the order of the spec's Trace; nil without a Tracer
	Obs     []float64 // what the agent saw
	// Outcome is what the action brings, whenever it is known: what an Attributor
	// says, else Reward.
	Outcome float64
	Allowed []bool // which discrete actions could be taken; nil: all
	// Probs are the propensities of discrete actions; nil unless asked for, and
	// where the agent does not know them.
	Probs []float64
	// Mean, Low and High are what the agent believed before the step (agents.Beliefs);
	// nil unless asked for, and where it has none.
	Mean, Low, High []float64
}

// RolloutOptions say what is played and what is wanted of it.
type RolloutOptions struct {
	Episodes uint64 // at most; those of the final evaluation
	Probs    bool   // RolloutStep.Probs: may take a thousand times as long
	Beliefs  bool   // RolloutStep.Mean, Low and High
	// BeliefsAt tells at which steps of an episode Beliefs are asked for, since they
	// may take longer than the step itself. Nil: at each.
	BeliefsAt func(step int) bool
}

// Columns returns the names of a rollout step's numbers after episode and step:
// the action's, "reward", and the trace's.
func Columns(s *envs.Spec) []string {
	var out []string
	if s.Action.Kind == envs.Discrete {
		out = append(out, "action")
	} else {
		for i := range s.Action.N {
			name := fmt.Sprint(i)
			if i < len(s.Action.Names) {
				name = s.Action.Names[i]
			}
			out = append(out, "action_"+name)
		}
	}
	out = append(out, "reward")
	return append(out, s.Trace...)
}

// Rollout trains a trial's agent again and plays episodes of its final
// evaluation, greedily: the steps behind its `return`. begin gets the
// environment's spec once, before the first step.
func (r *Runner) Rollout(ctx context.Context, trial uint64, o RolloutOptions, begin func(*envs.Spec) error, fn func(RolloutStep) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	r.began, r.deadline = r.o.Clock(), time.Time{}
	point, replication := r.study.Split(trial)
	if err := r.prepare(point, replication); err != nil {
		return err
	}
	online := r.study.Evaluate.Online
	mode, envName, agentName, episodes := agents.Greedy, "env/eval", "agent/eval", o.Episodes
	if online {
		mode, envName, agentName, episodes = agents.Train, "env/train", "agent/train", 1
	} else {
		episodes = min(episodes, r.study.Evaluate.Final)
		rec := results.Record{Trial: trial, Point: point, Replication: replication}
		if err := r.train(ctx, &rec); err != nil {
			return err
		}
	}
	if err := begin(r.spec); err != nil {
		return err
	}
	tracer, _ := r.env.(envs.Tracer)
	var trace []float64
	if tracer != nil {
		trace = make([]float64, len(r.spec.Trace))
	}
	look := r.looker(o)
	index := make([]float64, 1)
	attributor, _ := r.env.(envs.Attributor)
	own, generated := r.attribution()
	for e := range episodes {
		in, out := &r.in, &r.out
		r.env.Reset(r.streams.Root(envName).At(e), in)
		r.agent.Begin(r.streams.Root(agentName).At(e), mode)
		for n := 0; ; n++ {
			s := RolloutStep{Episode: e, Step: n, Obs: in.Obs, Allowed: in.Allowed, Action: r.act.Values, Trace: trace}
			look(in, &s)
			r.agent.Act(in, &r.act)
			r.env.Step(&r.act, out)
			s.Reward, s.Outcome = out.Reward, out.Reward
			if attributor != nil {
				s.Outcome = attributor.Generated()
			}
			if r.spec.Action.Kind == envs.Discrete {
				index[0] = float64(r.act.Index)
				s.Action = index
			}
			if tracer != nil {
				tracer.Trace(trace)
			}
			if online {
				if own != nil {
					own.Attribute(generated.Generated())
				}
				r.agent.Learn(in, &r.act, out)
			}
			if err := fn(s); err != nil {
				return err
			}
			if out.Done {
				break
			}
			in, out = out, in
		}
	}
	return nil
}

// looker returns what fills in a step's propensities and beliefs before the
// agent acts.
func (r *Runner) looker(o RolloutOptions) func(in *envs.Step, s *RolloutStep) {
	n := r.spec.Action.N
	if r.spec.Action.Kind != envs.Discrete {
		return func(*envs.Step, *RolloutStep) {}
	}
	room := make([]float64, 4*n)
	probs, mean, low, high := room[:n], room[n:2*n], room[2*n:3*n], room[3*n:]
	var scratch envs.Action
	beliefs, _ := r.agent.(agents.Beliefs)
	return func(in *envs.Step, s *RolloutStep) {
		if o.Probs && agents.PropensitiesOf(r.agent, in, probs, &scratch) {
			s.Probs = probs
		}
		if o.Beliefs && beliefs != nil && (o.BeliefsAt == nil || o.BeliefsAt(s.Step)) {
			beliefs.Beliefs(in, mean, low, high)
			s.Mean, s.Low, s.High = mean, low, high
		}
	}
}

// Estimate tells about how long a trial takes, from playing a part of it for
// about the given time. Its error is what keeps the trial from running at all.
func (r *Runner) Estimate(ctx context.Context, trial uint64, within time.Duration) (took time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			clear(r.envs)
			clear(r.agents)
			took, err = 0, nil // a trial that panics is a failure, not a bad study
		}
	}()
	point, replication := r.study.Split(trial)
	if err := r.prepare(point, replication); err != nil {
		return 0, err
	}
	key := r.streams.Root("estimate")
	timed := func(total float64, fn func(e uint64) float64) time.Duration {
		if total == 0 {
			return 0
		}
		start := r.o.Clock()
		var units float64
		for e := uint64(0); units < total; e++ {
			units += fn(e)
			if since := r.o.Clock().Sub(start); units > 0 && since > within || since > 50*within || ctx.Err() != nil {
				const century = 100 * 365 * 24 * time.Hour
				return time.Duration(min(float64(since)*total/max(units, 1), float64(century)))
			}
		}
		return r.o.Clock().Sub(start)
	}
	if r.study.Evaluate.Online {
		return timed(1, func(e uint64) float64 { r.learn(key.At(e), key.At(e)); return 1 }), nil
	}
	b := r.point.Train
	took = timed(float64(max(b.Episodes, b.Steps, b.Updates)), func(e uint64) float64 {
		u, _ := r.agent.(agents.Updater)
		var before uint64
		if u != nil {
			before = u.Updates()
		}
		_, steps := r.learn(key.At(e), key.At(e))
		switch {
		case b.Episodes > 0:
			return 1
		case b.Steps > 0:
			return float64(steps)
		case u != nil:
			return float64(u.Updates() - before)
		}
		return 1
	})
	v := r.study.Evaluate
	plays := float64(v.Final)
	if r.cat.Agent(r.study.Arms[r.point.Arm].Agent).Traits(r.point.Agent).Stochastic {
		plays *= 2
	}
	if v.Every > 0 && b.Episodes > 0 {
		plays += float64(float64(b.Episodes/v.Every) * float64(v.Episodes)) // rounded, as in results
	}
	return took + timed(plays, func(e uint64) float64 { r.play(key.At(e), key.At(e), agents.Greedy); return 1 }), nil
}

// Compare runs a trial again and tells whether it gives the bytes of a stored
// record. The record it returns is the new one.
func (r *Runner) Compare(ctx context.Context, stored *results.Record) (again results.Record, equal bool, err error) {
	again, err = r.Run(ctx, stored.Trial)
	if err != nil {
		return again, false, err
	}
	return again, results.Equal(&again, stored), nil
}
