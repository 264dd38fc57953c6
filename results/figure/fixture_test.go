package figure

import (
	"iter"
	"math"
	"testing"

	"overnight/internal/catalog"
	"overnight/internal/rng"
	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
)

func parse(t testing.TB, src string) *jobs.Study {
	t.Helper()
	s, err := jobs.Parse("study.yaml", []byte(src), catalog.New(), jobs.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scoring gives a trial's objective and, where it has curves, those; an error
// makes it a failed one, and "missing" leaves it out.
type scoring func(p *jobs.Point, r uint64) (score float64, curves []results.Curve, failure string)

// play yields the records of a study: the objective as scored, `return` twice the
// score where another metric is the objective, and other metrics 0.
func play(t testing.TB, s *jobs.Study, score scoring) iter.Seq2[results.Record, error] {
	t.Helper()
	return func(yield func(results.Record, error) bool) {
		var p jobs.Point
		for trial := range s.Trials() {
			point, replication := s.Split(trial)
			if err := s.Resolve(point, &p); err != nil {
				t.Error(err)
				return
			}
			x, curves, failure := score(&p, replication)
			if failure == "missing" {
				continue
			}
			rec := results.Record{Trial: trial, Point: point, Replication: replication, Status: results.Done, Metrics: make([]float64, len(s.Metrics)), Curves: curves}
			for i, m := range s.Metrics {
				switch m {
				case s.Objective.Metric:
					rec.Metrics[i] = x
				case "return":
					rec.Metrics[i] = 2 * x
				}
			}
			if failure != "" {
				rec.Status, rec.Metrics, rec.Curves, rec.Error = results.Failed, nil, nil, failure
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func build(t testing.TB, s *jobs.Study, score scoring) *report.Model {
	t.Helper()
	m, err := report.Build(s, play(t, s, score), report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const sweepStudy = `
study: delay-volatility
question: How do delay and volatility change what REINFORCE learns?
seed: 42
env:
  name: marketing
  delay: {grid: {none: [1], notebook: [0.5, 0.3, 0.15, 0.05], late: [0, 0, 0, 0, 0, 0, 0, 1]}}
  volatility_scale: {grid: [0, 0.5, 1, 2]}
agents:
  - {name: random}
  - {name: equal}
  - {as: corrected, name: reinforce, learning_rate: {grid: [0.001, 0.01]}, train: {episodes: 2000}}
baseline: random
replications: 20
evaluate: {every: 200, final: 1000}
objective: {metric: optimality, goal: maximize}
record: {curves: {points: 50}}
`

// sweep scores the study of the same name: random .5, equal .7, corrected .9,
// less .1 a step of delay and .02 a step of volatility for corrected, plus noise of
// standard deviation .01 that all share. One cell of corrected fails.
func sweep(p *jobs.Point, r uint64) (float64, []results.Curve, string) {
	shared := rng.New(rng.Root(42, "shared").At(r))
	own := rng.New(rng.Root(42, "own", p.Index).At(r))
	noise := .01*shared.Normal() + .001*own.Normal()
	if p.Arm < 2 {
		return .5 + .2*float64(p.Arm) + noise, nil, ""
	}
	delay, volatility, rate := p.Levels[0].Level, p.Levels[1].Level, p.Levels[2].Level
	if delay == 2 && volatility == 3 && rate == 1 {
		return 0, nil, "update 17: the gradient is NaN\ngoroutine 7"
	}
	if delay == 1 && volatility == 3 && rate == 1 && r > 17 {
		return 0, nil, "missing"
	}
	top := .9 - .1*float64(delay) - .02*float64(volatility)
	var train, check results.Curve
	train.Name, check.Name = TrainingCurve, EvaluationCurve
	for e := 40; e <= 2000; e += 40 {
		train.X = append(train.X, float64(e))
		train.Y = append(train.Y, top*(1-math.Exp(-float64(e)/400))+noise)
	}
	for e := 200; e <= 2000; e += 200 {
		check.X = append(check.X, float64(e))
		check.Y = append(check.Y, top*(1-math.Exp(-float64(e)/300))+noise)
	}
	return top + noise, []results.Curve{check, train}, ""
}

const sampledStudy = `
study: sampled
seed: 3
env:
  name: marketing
  volatility_scale: {uniform: [0, 2]}
  budget: {uniform: [500, 1500]}
agents:
  - {name: random}
  - {as: learner, name: reinforce, learning_rate: {log_uniform: [1.0e-4, 0.1]}}
baseline: random
design: {kind: random, points: 3000}
objective: {metric: return, goal: maximize}
`

// sampledScore scores volatility and learning rate: 6 - volatility, and for the learner
// plus 2 less the square of how many tens its rate is from 0.01.
func sampledScore(p *jobs.Point, r uint64) (float64, []results.Curve, string) {
	own := rng.New(rng.Root(3, "own", p.Index).At(r))
	x := 6 - p.Levels[0].Value.(float64) + .05*own.Normal()
	if p.Arm == 1 {
		x += 2 - math.Pow(math.Log10(p.Levels[2].Value.(float64))+2, 2)
	}
	return x, nil, ""
}

const tasksStudy = `
study: two-tasks
seed: 1
factors: {lr: {grid: [0.001, 0.01, 0.1]}}
envs:
  - {as: steady, name: marketing}
  - {as: jumps, name: marketing, volatility_scale: {grid: [1, 2]}}
agents:
  - {name: equal}
  - {name: oracle}
  - {as: learner, name: reinforce, learning_rate: $lr}
  - {as: late-comer, name: static, weights: [1, 2, 3], on: [jumps]}
replications: 6
objective: {metric: regret, goal: minimize, summary: iqm}
`
