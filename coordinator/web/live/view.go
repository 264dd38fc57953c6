// Package live keeps a study under way in view: what its trials gave so far, read
// once each. Start with New and View.Read; Board and Figures say what was read.
//
// A View finds what is new by comparing the store's ledger with the trials it has
// read, so it misses nothing, on every store, and costs what is new. The same
// records give the same view, in whatever order they came. All of it is a view of
// a study that goes on: means are over what is there, and intervals are valid at
// any time of looking.
package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"overnight/jobs"
	"overnight/results"
)

// MaxTrials is the size of studies up to which trials are read: eight bytes are
// kept of each, sixteen where conversions are counted beside the objective.
const MaxTrials = 2_000_000

// Store is what a View reads.
type Store interface {
	results.Records
}

// View is what was read of a study. It is for one goroutine at a time.
type View struct {
	study  *jobs.Study
	name   string // in the store
	store  Store
	metric int // index of Study.Metrics

	seen   *results.Ledger
	total  uint64 // records in the store at the last Read
	cells  []cell // by point
	scores []float64
	reps   int // replications that scores has: replication-major, NaN where there is no score

	lines   []line
	lineOf  []int32 // by point, index of lines
	failing map[uint64]*Failure
	curves  curves
	grid    *grid // nil: no picture of factors

	campaign campaign
}

// cell sums up the runs of a point.
type cell struct {
	n       uint64 // with an objective
	mean    float64
	records uint64
}

// line is an arm on a task.
type line struct {
	task, arm int
	points    []int32
	ready     int     // replications of which every point has a record, from the first on
	filled    []int32 // records of each replication
}

// Failure is a point at which trials did not end well.
type Failure struct {
	Point  uint64         `json:"point"`
	Task   string         `json:"task"`
	Arm    string         `json:"arm"`
	Levels map[string]any `json:"levels,omitempty"`
	Trials uint64         `json:"trials"` // failed, dead and overrun ones at this point
	Trial  uint64         `json:"trial"`  // the last of them, by number
	Status string         `json:"status"` // of that trial
	Error  string         `json:"error"`  // of that trial: its first line
}

// New returns a view of a study that has read nothing. name is the study's in
// the store. Studies above MaxTrials are an error.
func New(study *jobs.Study, name string, store Store) (*View, error) {
	if study.Trials() > MaxTrials {
		return nil, fmt.Errorf("study %q has %d trials, more than the %d that are read live", name, study.Trials(), uint64(MaxTrials))
	}
	v := &View{study: study, name: name, store: store, metric: slices.Index(study.Metrics, study.Objective.Metric)}
	if v.metric < 0 {
		return nil, fmt.Errorf("study %q has no metric %q, its objective", name, study.Objective.Metric)
	}
	v.lineOf = make([]int32, study.Points())
	at := map[[2]int]int32{}
	for p := range v.lineOf {
		task, arm := study.Pair(uint64(p))
		i, known := at[[2]int{task, arm}]
		if !known {
			i = int32(len(v.lines))
			at[[2]int{task, arm}] = i
			v.lines = append(v.lines, line{task: task, arm: arm})
		}
		v.lineOf[p] = i
		v.lines[i].points = append(v.lines[i].points, int32(p))
	}
	var err error
	if v.grid, err = newGrid(study); err != nil {
		return nil, err
	}
	v.reset()
	return v, nil
}

// reset forgets every record.
func (v *View) reset() {
	v.seen = results.NewLedger(v.study.Trials())
	v.cells = make([]cell, v.study.Points())
	v.scores, v.reps = nil, 0
	v.campaign = newCampaign(v.study)
	v.failing = map[uint64]*Failure{}
	v.curves = newCurves(v.study, len(v.lines))
	for i := range v.lines {
		v.lines[i].ready, v.lines[i].filled = 0, nil
	}
}

// Count returns how many records were read, and how many the store had then.
func (v *View) Count() (read, of uint64) { return v.seen.Count(), v.total }

// Read reads records that were not read yet, for about as long as budget, and
// tells whether there are more. Where records have gone, as they do when trials
// are to run again, it begins anew.
func (v *View) Read(ctx context.Context, budget time.Duration) (more bool, err error) {
	began := time.Now()
	l, err := v.store.Ledger(ctx, v.name)
	if err != nil {
		return false, err
	}
	v.total = l.Count()
	switch {
	case l.Len() > v.seen.Len(): // the study asked for more once: those are surplus
		v.seen.Grow(l.Len())
	case l.Len() < v.seen.Len():
		return false, fmt.Errorf("study %q has %d trials, and the view was made for %d", v.name, l.Len(), v.seen.Len())
	}
	if gone(v.seen, l) {
		v.reset()
	}
	if v.seen.Count() == l.Count() {
		return false, nil
	}
	for span := range fresh(l, v.seen) {
		for r, err := range results.Skim(ctx, v.store, v.name, span.From, span.To) {
			switch {
			case errors.Is(err, results.ErrDamaged):
				v.seen.Add(r.Trial) // fsck tells of it
				continue
			case err != nil:
				return false, err
			}
			v.add(&r)
			if v.seen.Count()%512 == 0 && time.Since(began) > budget {
				return true, nil
			}
		}
		if time.Since(began) > budget {
			return true, nil
		}
	}
	return false, nil
}

// gone tells whether records that were read are not in the ledger any more.
func gone(seen, l *results.Ledger) bool {
	if seen.Count() > l.Count() {
		return true
	}
	// What was read is nearly all of a prefix.
	first := l.Missing(0)
	for i := first; i < seen.Len(); i++ {
		if seen.Has(i) && !l.Has(i) {
			return true
		}
	}
	return false
}

// apart is how many known trials are read again rather than asking the store
// once more.
const apart = 32

// fresh yields spans that hold every trial of l that seen lacks.
func fresh(l, seen *results.Ledger) func(yield func(results.Span) bool) {
	return func(yield func(results.Span) bool) {
		var s results.Span
		for i := seen.Missing(0); i < l.Len(); i = seen.Missing(i + 1) {
			switch {
			case !l.Has(i):
			case s.To == 0:
				s = results.Span{From: i, To: i + 1}
			case i-s.To <= apart:
				s.To = i + 1
			default:
				if !yield(s) {
					return
				}
				s = results.Span{From: i, To: i + 1}
			}
		}
		if s.To > 0 {
			yield(s)
		}
	}
}

// add takes a record in.
func (v *View) add(r *results.Record) {
	if !v.seen.Add(r.Trial) || r.Point >= uint64(len(v.cells)) || r.Replication >= v.study.Replications {
		return // known, or beyond what points are compared by: it confirms those that look best, or is surplus
	}
	v.hold(r)
	v.campaign.note(v.lines[v.lineOf[r.Point]].task, r)
	c := &v.cells[r.Point]
	c.records++
	if x := v.objective(r); !math.IsNaN(x) {
		c.n++
		c.mean += (x - c.mean) / float64(c.n)
	}
	i := v.lineOf[r.Point]
	v.lines[i].fill(int(r.Replication))
	if r.Status != results.Done {
		v.failed(r)
		return
	}
	v.curves.note(int(i), r.Trial)
}

// fill counts a record of a replication.
func (l *line) fill(replication int) {
	for len(l.filled) <= replication {
		l.filled = append(l.filled, 0)
	}
	l.filled[replication]++
	for l.ready < len(l.filled) && int(l.filled[l.ready]) >= len(l.points) {
		l.ready++
	}
}

// objective returns a record's objective, NaN where it has none that is finite.
func (v *View) objective(r *results.Record) float64 { return of(r, v.metric) }

// of returns a record's metric, NaN where it has none that is finite.
func of(r *results.Record, metric int) float64 {
	if r.Status != results.Done || metric >= len(r.Metrics) || math.IsInf(r.Metrics[metric], 0) {
		return math.NaN()
	}
	return r.Metrics[metric]
}

// hold keeps the objective, and conversions beside it; what is kept grows by a
// replication at a time.
func (v *View) hold(r *results.Record) {
	beside := v.campaign.conversions >= 0 && v.campaign.conversions != v.metric
	for v.reps <= int(r.Replication) {
		none := slices.Repeat([]float64{math.NaN()}, len(v.cells))
		v.scores = append(v.scores, none...)
		if beside {
			v.campaign.counts = append(v.campaign.counts, none...)
		}
		v.reps++
	}
	at := int(r.Replication)*len(v.cells) + int(r.Point)
	v.scores[at] = v.objective(r)
	if beside {
		v.campaign.counts[at] = of(r, v.campaign.conversions)
	}
}
