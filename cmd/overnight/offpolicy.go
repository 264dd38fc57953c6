package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"overnight/envs"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/offpolicy"
	"overnight/worker/trial"
)

type offpolicyFlags struct {
	arms              []string
	replications      uint64
	estimator, format string
	weights           []float64
	clip              float64
}

func (a *app) offpolicyCmd() *cobra.Command {
	var f offpolicyFlags
	c := &cobra.Command{
		Use:   "offpolicy STUDY",
		Short: "What other policies would have brought, from the logs of each arm",
		Long: `Offpolicy plays trials again, reads their decisions with the probability of each
action, and estimates from them alone what other policies would have brought a
decision: each action always, and all allowed ones equally often. The environment
knows the truth, so the table says how often intervals hold it and how far
estimates are off, over the logs of all replications played.

An action that the logging policy (almost) never takes has no support: then no
log says what it is worth, and there is no number. An exposure floor gives it
support, at a price: overnight agents guard.

Estimators: ips (inverse propensities), snips (self-normalised), dr (doubly
robust), adaptive (weights against decaying propensities; only right where rates
stand still, and not given with contexts), and clipped (ips with weights of at
most --clip).`,
		Example: `  overnight offpolicy email-ab
  overnight offpolicy email-guardrails --arm floored --replications 200 --estimator all
  overnight offpolicy email-ab --weights 0.5,0.5,0,0,0 --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := f.check()
			if err != nil {
				return err
			}
			return a.with(ctx, func(s results.Store) error { return a.offpolicy(ctx, s, args[0], &f, o) })
		},
	}
	fl := c.Flags()
	fl.StringSliceVar(&f.arms, "arm", nil, "logs of this `arm` alone; default: of all")
	fl.Uint64Var(&f.replications, "replications", 0, "so many logs of each point; default: 20, or all of fewer")
	fl.StringVar(&f.estimator, "estimator", "dr", "of the text: ips, snips, dr, adaptive, clipped or all")
	fl.Float64SliceVar(&f.weights, "weights", nil, "one target more: actions with these `probabilities`, such as 0.5,0.5,0,0,0")
	fl.Float64Var(&f.clip, "clip", 0, "largest weight of the estimator clipped; 0: without it")
	fl.StringVar(&f.format, "format", "text", "text, json or csv")
	return c
}

// check refuses what does not go together.
func (f *offpolicyFlags) check() (offpolicy.Options, error) {
	o := offpolicy.Options{Clip: f.clip}
	switch f.format {
	case "text", "json", "csv":
	default:
		return o, usage("--format %s: write text, json or csv", f.format)
	}
	if f.estimator != "all" && !slices.ContainsFunc(offpolicy.Estimators(), func(e offpolicy.Estimator) bool { return e.String() == f.estimator }) {
		return o, usage("--estimator %s: write ips, snips, dr, adaptive, clipped or all", f.estimator)
	}
	switch {
	case !(f.clip >= 0):
		return o, usage("--clip %v: write a weight above 0, such as 20", f.clip)
	case f.estimator == "clipped" && f.clip == 0:
		return o, usage("--estimator clipped needs --clip: the largest weight, such as 20")
	}
	return o, nil
}

func (a *app) offpolicy(ctx context.Context, s results.Store, word string, f *offpolicyFlags, o offpolicy.Options) error {
	p, study, err := a.find(ctx, s, word)
	if err != nil {
		return err
	}
	study.Name = p.Study
	if f.replications > study.AllReplications() {
		return usage("--replications %d: write 1 to %d, as many as study %s has", f.replications, study.AllReplications(), p.Study)
	}
	logs := f.replications
	if logs == 0 {
		logs = min(20, study.AllReplications())
	}
	points, err := pointsOf(study, f.arms)
	if err != nil {
		return err
	}
	t := &offpolicyTable{Study: p.Study, Logs: logs, Confidence: 0.95}
	for _, point := range points {
		var all pointLogs
		for from := uint64(0); from < logs && !all.unknown; from += readAtOnce {
			read := make([]logRead, min(readAtOnce, logs-from))
			if err := a.readLogs(ctx, study, point, from, read, f.weights, o); err != nil {
				return err
			}
			all.add(read)
		}
		if err := t.add(study, point, &all, o.Clip > 0); err != nil {
			return err
		}
	}
	return t.write(a, f)
}

// readAtOnce bounds the logs whose results are held before they are summed up, in
// order, so that memory does not grow with their number.
const readAtOnce = 256

// readLogs plays replications of a point on all cores, beginning with first.
func (a *app) readLogs(ctx context.Context, study *jobs.Study, point, first uint64, into []logRead, weights []float64, o offpolicy.Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := min(runtime.GOMAXPROCS(0), len(into))
	errs := make([]error, len(into))
	trialOf := func(i int) uint64 { return (first+uint64(i))*study.Points() + point }
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			runner := a.runner(study)
			for i := w; i < len(into) && errs[i] == nil; i += workers {
				if errs[i] = into[i].read(ctx, runner, study, trialOf(i), weights, o); errs[i] != nil {
					cancel()
					return
				}
			}
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			var coded *codeError
			if errors.As(err, &coded) {
				return err
			}
			return engine(fmt.Errorf("trial %d: %w", trialOf(i), err))
		}
	}
	return errors.Join(errs...)
}

// logRead is what was read from one log.
type logRead struct {
	targets  []string
	results  []offpolicy.Result
	unknown  bool // its policy does not know its propensities
	late     bool // some of what sends caused was never credited
	moving   bool // what is sent changes what the next send is worth
	drifts   bool // what actions are worth changes with time
	contexts bool
}

var errUnknownPropensities = errors.New("propensities are not known")

// read plays a trial and reads its decisions.
func (l *logRead) read(ctx context.Context, runner *trial.Runner, study *jobs.Study, n uint64, weights []float64, o offpolicy.Options) error {
	var e *offpolicy.Evaluator
	var d offpolicy.Decision
	var truth *expected
	var strata strata
	index, _ := study.Split(n)
	point, err := study.Point(index)
	if err != nil {
		return err
	}
	err = runner.Rollout(ctx, n, trial.RolloutOptions{Episodes: 1, Probs: true}, func(spec *envs.Spec) error {
		if spec.Action.Kind != envs.Discrete {
			return usage("study %s: the actions of arm %s are a %s of %d numbers, and off-policy estimates are of discrete actions, such as those of the environment email; name arms that have them with --arm", study.Name, study.Arms[point.Arm].Label, spec.Action.Kind, spec.Action.N)
		}
		targets, err := l.aim(spec, weights)
		if err != nil {
			return err
		}
		truth = expectedOf(study, point, spec)
		l.contexts = spec.Size() > 0
		l.moving, l.drifts = truth != nil && truth.moving, truth != nil && truth.drifts
		o := o
		o.Contextual, o.NonNegative = l.contexts, spec.NonNegative
		o.Groups = strata.of(spec)
		e, err = offpolicy.New(spec.Action.N, targets, o)
		return err
	}, func(s trial.RolloutStep) error {
		if s.Probs == nil {
			l.unknown = true
			return errUnknownPropensities
		}
		d = offpolicy.Decision{Action: int(s.Action[0]), Probs: s.Probs, Outcome: s.Outcome, Allowed: s.Allowed, Group: strata.at(s.Obs)}
		if truth != nil {
			d.Means = truth.means(s.Trace)
			d.Outcome = s.Trace[truth.caused]
			l.late = l.late || d.Outcome != s.Outcome
		}
		if err := e.Add(&d); err != nil {
			return err
		}
		return ctx.Err()
	})
	if errors.Is(err, errUnknownPropensities) {
		return nil
	}
	if err != nil {
		return err
	}
	l.results = e.Results()
	return nil
}

// aim lists the targets: every action always, all equally often, and the one of
// --weights.
func (l *logRead) aim(spec *envs.Spec, weights []float64) ([]offpolicy.Target, error) {
	var targets []offpolicy.Target
	for i, name := range actionNames(spec) {
		targets, l.targets = append(targets, offpolicy.Always(i)), append(l.targets, name)
	}
	targets, l.targets = append(targets, offpolicy.Uniform{}), append(l.targets, "uniform")
	if len(weights) == 0 {
		return targets, nil
	}
	if len(weights) != spec.Action.N {
		return nil, usage("--weights has %d probabilities, and there are %d actions: %s", len(weights), spec.Action.N, strings.Join(actionNames(spec), ", "))
	}
	fixed, err := offpolicy.NewFixed(weights)
	if err != nil {
		return nil, usage("--weights: %w", err)
	}
	l.targets = append(l.targets, "weights")
	return append(targets, fixed), nil
}
