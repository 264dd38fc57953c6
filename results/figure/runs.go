package figure

import (
	"math"
	"slices"

	"overnight/results"
	"overnight/results/report"
	"overnight/results/stats"
)

// TrainingCurve and EvaluationCurve are the names of the curves that every
// learner records: returns of training episodes, as means of equal stretches, and
// of the evaluations in between.
const (
	TrainingCurve   = "train_return"
	EvaluationCurve = "return"
)

// Runs collects from records what a Model does not keep: learning curves, and how
// much return was possible. Its size is that of arms x replications x grid, plus
// a few numbers a point. Add every record in trial order, then pass it to
// Learning and Lost.
type Runs struct {
	m       *report.Model
	curves  map[curveKey]*stats.Curves
	names   []string // of curves, in order of appearance
	returns int      // index of Study.Metrics, -1 without
	optimal int
	sums    []possible // by point; nil where points are not kept apart
	kept    []kept     // of metrics that tiles show
}

// kept is a metric of every run.
type kept struct {
	name   string
	at     int       // index of Study.Metrics
	values []float64 // by trial, NaN where there is none; ends with the last that has one
}

type curveKey struct {
	task, arm int
	name      string
}

// possible sums up what the runs of a point reached and could have.
type possible struct {
	n            int
	reached, top float64
}

// NewRuns returns an empty collection for a study.
func NewRuns(m *report.Model) *Runs {
	r := &Runs{m: m, curves: map[curveKey]*stats.Curves{},
		returns: slices.Index(m.Study.Metrics, "return"), optimal: slices.Index(m.Study.Metrics, "optimality")}
	if m.Lines() != nil && r.returns >= 0 && r.optimal >= 0 {
		r.sums = make([]possible, m.Study.Points())
	}
	if m.Lines() != nil && m.Study.Trials() <= report.MaxTrials && len(CountedMetrics(m.Study)) > 0 {
		for i, name := range m.Study.Metrics {
			if slices.Contains([]string{"conversions", "rate", holdoutUplift, holdoutLow, holdoutHigh, mismatchP, stoppedAt}, name) {
				r.kept = append(r.kept, kept{name: name, at: i})
			}
		}
	}
	return r
}

// each returns a metric of all runs of points, replication by replication, NaN
// where there is none; nil where it is not kept.
func (r *Runs) each(metric string, points []int) []float64 {
	i := slices.IndexFunc(r.kept, func(k kept) bool { return k.name == metric })
	if i < 0 {
		return nil
	}
	var all []float64
	of, per := r.kept[i].values, int(r.m.Study.Points())
	for from := 0; from < len(of); from += per {
		for _, p := range points {
			v := math.NaN()
			if from+p < len(of) {
				v = of[from+p]
			}
			all = append(all, v)
		}
	}
	return all
}

// scores returns a metric of the runs of points, NaN where there is none.
func (r *Runs) scores(metric string, points []int, replications int) stats.Scores {
	all := r.each(metric, points)
	x := make(stats.Scores, len(points))
	for i := range x {
		x[i] = slices.Repeat([]float64{math.NaN()}, replications)
		for k := i; k < min(len(all), replications*len(points)); k += len(points) {
			x[i][k/len(points)] = all[k]
		}
	}
	return x
}

// of returns what each has, without what is missing.
func (r *Runs) of(metric string, points []int) []float64 {
	return stats.Present(r.each(metric, points))
}

// Add takes a record in.
func (r *Runs) Add(rec *results.Record) {
	// What ran beyond a stop, or to confirm, is in no other picture either.
	if rec.Status != results.Done || rec.Replication >= r.m.Planned(int(rec.Point)) {
		return
	}
	if int(rec.Point) < len(r.sums) && max(r.returns, r.optimal) < len(rec.Metrics) {
		// optimality is the return over the best policy's on the same episodes.
		got, share := rec.Metrics[r.returns], rec.Metrics[r.optimal]
		if top := got / share; share > 0 && !math.IsNaN(top) && !math.IsInf(top, 0) {
			s := &r.sums[rec.Point]
			s.n++
			s.reached, s.top = s.reached+got, s.top+top
		}
	}
	for i := range r.kept {
		k := &r.kept[i]
		if k.at < len(rec.Metrics) {
			for uint64(len(k.values)) < rec.Trial {
				k.values = append(k.values, math.NaN())
			}
			k.values = append(k.values[:rec.Trial], rec.Metrics[k.at])
		}
	}
	if len(rec.Curves) == 0 {
		return
	}
	task, arm := r.m.Study.Pair(rec.Point)
	for _, c := range rec.Curves {
		k := curveKey{task, arm, c.Name}
		to := r.curves[k]
		if to == nil {
			to = &stats.Curves{}
			r.curves[k] = to
			if !slices.Contains(r.names, c.Name) {
				r.names = append(r.names, c.Name)
			}
		}
		to.Add(int(rec.Replication), c.X, c.Y)
	}
}
