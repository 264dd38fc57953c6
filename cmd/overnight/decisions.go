package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"overnight/envs"
	"overnight/jobs"
	"overnight/results/export"
	"overnight/worker/trial"
)

// actionNames returns a name for each discrete action: its number where the
// environment has none.
func actionNames(s *envs.Spec) []string {
	names := make([]string, s.Action.N)
	for i := range names {
		names[i] = fmt.Sprint(i)
		if i < len(s.Action.Names) {
			names[i] = s.Action.Names[i]
		}
	}
	return names
}

// contextNames returns a name for each number of the observation: the field's,
// with a number behind it where the field has several.
func contextNames(s *envs.Spec) []string {
	var names []string
	for _, f := range s.Observation {
		for i := range f.Len {
			name := f.Name
			if f.Len > 1 {
				name = fmt.Sprintf("%s.%d", f.Name, i)
			}
			names = append(names, name)
		}
	}
	return names
}

// exportDecisions writes the decision logs of trials, made again by running them:
// context, what was allowed, action, propensities and outcome.
func (a *app) exportDecisions(ctx context.Context, study *jobs.Study, trials []uint64, episodes uint64, format string, meta ...export.Meta) error {
	var t *export.Table
	var first []export.Column
	runner := a.runner(study)
	for _, n := range trials {
		var names []string
		unknown := uint64(0)
		err := runner.Rollout(ctx, n, trial.RolloutOptions{Episodes: episodes, Probs: true}, func(spec *envs.Spec) error {
			if spec.Action.Kind != envs.Discrete {
				return usage("its actions are a %s of %d numbers, and a decision log is of discrete actions; --what steps writes these", spec.Action.Kind, spec.Action.N)
			}
			names = actionNames(spec)
			columns := export.DecisionColumns(contextNames(spec), names)
			if t == nil {
				first = columns
				var err error
				t, err = export.NewColumns(a.out, export.Format(format), columns, meta...)
				return err
			}
			if !slices.Equal(columns, first) {
				return errors.New("its decisions have other columns than those before; export one environment at a time with --trials or --arm")
			}
			return nil
		}, func(s trial.RolloutStep) error {
			if s.Probs == nil {
				unknown++
			}
			putDecision(t, n, &s, names)
			if err := t.End(); err != nil {
				return err
			}
			return ctx.Err()
		})
		if err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
		if unknown > 0 {
			point, _ := study.Split(n)
			_, arm := study.Pair(point)
			fmt.Fprintf(a.err, "trial %d: of %d decisions %s does not know the propensities; they are empty\n", n, unknown, printable(study.Arms[arm].Label))
		}
	}
	if t == nil {
		return nil
	}
	return t.Close()
}

// putDecision adds the cells of a decision.
func putDecision(t *export.Table, n uint64, s *trial.RolloutStep, names []string) {
	action := int(s.Action[0])
	t.Uint(n)
	t.Uint(s.Episode)
	t.Int(int64(s.Step))
	for _, v := range s.Obs {
		t.Float(v)
	}
	for i := range names {
		t.Bool(s.Allowed == nil || s.Allowed[i])
	}
	t.Int(int64(action))
	t.Text(names[action])
	if s.Probs == nil {
		for range 1 + len(names) {
			t.Null()
		}
	} else {
		t.Float(s.Probs[action])
		for _, p := range s.Probs {
			t.Float(p)
		}
	}
	t.Float(s.Outcome)
}

// pointsOf returns the points of the given arms, of all arms where none is given.
func pointsOf(study *jobs.Study, arms []string) ([]uint64, error) {
	var labels []string
	for i := range study.Arms {
		labels = append(labels, study.Arms[i].Label)
	}
	for _, name := range arms {
		if !slices.Contains(labels, name) {
			return nil, usage("--arm %s: study %s has the arms %q", name, study.Name, labels)
		}
	}
	var points []uint64
	for p := range study.Points() {
		if _, arm := study.Pair(p); len(arms) == 0 || slices.Contains(arms, labels[arm]) {
			points = append(points, p)
		}
	}
	return points, nil
}

// again returns the trials that an export makes again.
func (f *exportFlags) again(study *jobs.Study) ([]uint64, error) {
	var list []uint64
	for _, n := range f.trials {
		if uint64(n) >= study.Trials() {
			return nil, usage("--trials %d: %s has trials 0 to %d", n, study.Name, study.Trials()-1)
		}
		list = append(list, uint64(n))
	}
	switch {
	case len(list) > 0 && len(f.arms) > 0:
		return nil, usage("--trials and --arm: write one of them")
	case len(list) > 0:
		return list, nil
	case len(f.arms) == 0:
		return nil, usage("--what %s needs --trials or --arm: %s are made by running the trials again; write for example --trials 0", f.what, f.what)
	case f.replications < 1 || f.replications > study.AllReplications():
		return nil, usage("--replications %d: write 1 to %d, as many as study %s has", f.replications, study.AllReplications(), study.Name)
	}
	points, err := pointsOf(study, f.arms)
	if err != nil {
		return nil, err
	}
	for _, p := range points {
		for r := range f.replications {
			list = append(list, r*study.Points()+p)
		}
	}
	return list, nil
}
