// Package report turns a study's records into tables: per point, per arm, what
// matters, and the summary a run ends with. Start with Build and Write.
//
// Build reads the records once, in trial order, and keeps the objective of each
// trial: eight bytes a trial, up to MaxTrials. Larger studies keep moments per
// point, and above MaxPoints per arm; their tables say what they lack. The same
// records give the same tables, byte for byte, whatever the width: the draws of
// bootstrap intervals are addressed by the study's seed.
package report

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
	"overnight/results/stopping"
)

const (
	// MaxTrials is how many planned trials a Model keeps the objective of. Above
	// it tables have means and counts, but no interval of an arm, no IQM, no
	// median and no collapsed runs.
	MaxTrials = 5_000_000
	// MaxPoints is how many points a Model keeps apart. Above it there is no
	// table per point, and an arm's mean is over runs instead of over points.
	MaxPoints = 5_000_000
	// maxFailures is how many failing points a Model describes.
	maxFailures = 100
)

// layout is what Build needs of a study's points; *jobs.Study has it.
type layout interface {
	Points() uint64
	Trials() uint64
	Pair(point uint64) (task, arm int)
	Resolve(point uint64, into *jobs.Point) error
}

var _ layout = (*jobs.Study)(nil)

// Options say what Build can't know from the study.
type Options struct {
	// Learns tells whether an arm learns at a point, which decides whether its
	// runs can collapse. Defaults to: it trains there, or the study is online.
	Learns func(p *jobs.Point) bool
	// Metric is what tables are about. Defaults to the study's objective, by which
	// points stop in any case.
	Metric string
	// Minimize tells of a Metric that is given whether lower is better.
	Minimize bool
}

// Model is what tables are made of.
type Model struct {
	Study    *jobs.Study
	Tally    Tally
	Failures []Failure // the first failing points, in the order of their first failing trial
	Failing  int       // points with a failed, dead or overrun trial; not counted above MaxPoints
	Damaged  []uint64  // trials whose record the store could not read: the first 100

	layout layout
	limits limits
	metric int     // index of Study.Metrics
	cells  []cell  // one a point, or above MaxPoints one a pair of task and arm
	scores []score // by replication, then point; nil above MaxTrials
	reps   int     // replications that scores has
	scales *scales // nil above MaxPoints

	outcome *stopping.Outcome    // nil: every replication of every point is wanted
	again   map[uint64][]float64 // by point that is confirmed, its scores there by replication
}

// limits are MaxTrials and MaxPoints, or less in tests.
type limits struct{ trials, points uint64 }

// score is a trial's objective, NaN where it has none.
type score = float64

// Tally counts trials.
type Tally struct {
	Planned, Done, Failed, Dead, Overrun, Damaged uint64
	// Missing trials have no record: not run yet, or cancelled.
	Missing uint64
	// Surplus trials have a record that the study does not want, and no part in any
	// table. The other counts are of wanted trials.
	Surplus uint64
	// Saved is how many replications points did without, since they had stopped.
	Saved uint64
}

// Failure is a point at which trials failed.
type Failure struct {
	Point  uint64
	Trial  uint64 // the first
	Status results.Status
	Error  string // its first line
	Trials uint64 // failed, dead and overrun ones at this point
}

// cell sums up the runs of a point.
type cell struct {
	task, arm                   int32
	done, failed, dead, overrun uint64
	n                           uint64 // runs with an objective
	mean, m2                    float64
	worst                       float64
	worstTrial                  uint64
}

// records returns how many trials of the cell have a readable record.
func (c *cell) records() uint64 { return c.done + c.failed + c.dead + c.overrun }

// add takes a run's objective in, after Welford, Technometrics 4 (1962).
func (c *cell) add(x float64, trial uint64, minimize bool) {
	c.n++
	if c.n == 1 || minimize && x > c.worst || !minimize && x < c.worst {
		c.worst, c.worstTrial = x, trial
	}
	d := x - c.mean
	c.mean += d / float64(c.n)
	c.m2 += float64(d * (x - c.mean))
}

// Build reads a study's records, which come in trial order as results.Records
// yields them. Damaged ones are counted and left out; any other error ends it.
func Build(s *jobs.Study, records iter.Seq2[results.Record, error], o Options) (*Model, error) {
	return build(s, s, records, o, limits{MaxTrials, MaxPoints})
}

func build(s *jobs.Study, l layout, records iter.Seq2[results.Record, error], o Options, most limits) (*Model, error) {
	m := &Model{Study: s, layout: l, limits: most}
	if o.Metric != "" {
		other := *s
		other.Objective.Metric, other.Objective.Minimize = o.Metric, o.Minimize
		m.Study = &other
	}
	m.metric = slices.Index(s.Metrics, m.Study.Objective.Metric)
	if m.metric < 0 {
		return nil, fmt.Errorf("study %q has no metric %q; it has %q", s.Name, m.Study.Objective.Metric, s.Metrics)
	}
	if s.Ruled() {
		var err error
		if m.outcome, err = stopping.New(s); err != nil { // by the study's own objective
			return nil, err
		}
		m.again = map[uint64][]float64{}
	}
	m.makeCells()
	failing := map[uint64]int{} // by point, index of Failures
	keep := m.whole()
	for r, err := range records {
		switch {
		case errors.Is(err, results.ErrDamaged):
			m.Tally.Damaged++
			if len(m.Damaged) < 100 {
				m.Damaged = append(m.Damaged, r.Trial)
			}
			continue
		case err != nil:
			return nil, fmt.Errorf("read the records of study %q: %w", s.Name, err)
		case r.Point >= l.Points():
			return nil, fmt.Errorf("study %q has no point %d, of which the store has a record", s.Name, r.Point)
		case !m.wants(&r):
			m.Tally.Surplus++
			continue
		}
		m.count(&r, failing)
		switch {
		case r.Replication >= s.Replications:
			m.confirm(&r)
		case keep:
			m.keep(&r)
		}
	}
	m.Tally.Planned = l.Trials()
	if m.outcome != nil {
		m.Tally.Planned, m.Tally.Saved = m.outcome.Total(), m.outcome.Saved()
	}
	m.Tally.Missing = m.Tally.Planned - min(m.Tally.Planned, m.Tally.Done+m.Tally.Failed+m.Tally.Dead+m.Tally.Overrun+m.Tally.Damaged)
	if !m.byPoint() {
		return m, nil
	}
	var err error
	m.scales, err = readScales(s, l, o.Learns)
	return m, err
}

// byPoint tells whether points are kept apart.
func (m *Model) byPoint() bool { return m.layout.Points() <= m.limits.points }

// makeCells makes the cells and says whose they are.
func (m *Model) makeCells() {
	if m.byPoint() {
		m.cells = make([]cell, m.layout.Points())
		for i := range m.cells {
			task, arm := m.layout.Pair(uint64(i))
			m.cells[i].task, m.cells[i].arm = int32(task), int32(arm)
		}
		return
	}
	for task := range m.Study.Tasks {
		for arm := range m.Study.Arms {
			m.cells = append(m.cells, cell{task: int32(task), arm: int32(arm)})
		}
	}
}

func (m *Model) cellOf(point uint64) *cell {
	if m.byPoint() {
		return &m.cells[point]
	}
	task, arm := m.layout.Pair(point)
	return &m.cells[task*len(m.Study.Arms)+arm]
}

func (m *Model) count(r *results.Record, failing map[uint64]int) {
	c := m.cellOf(r.Point)
	if r.Replication >= m.Study.Replications {
		c = &cell{} // what confirms a point is no part of what it was chosen by
	}
	switch r.Status {
	case results.Done:
		m.Tally.Done++
		c.done++
		if x := m.objective(r); !math.IsNaN(x) {
			c.add(x, r.Trial, m.Study.Objective.Minimize)
		}
		return
	case results.Failed:
		m.Tally.Failed++
		c.failed++
	case results.Dead:
		m.Tally.Dead++
		c.dead++
	case results.Overrun:
		m.Tally.Overrun++
		c.overrun++
	}
	if !m.byPoint() && len(m.Failures) == maxFailures {
		return
	}
	i, known := failing[r.Point]
	if !known {
		m.Failing++
		i = len(m.Failures)
		failing[r.Point] = i
		if i < maxFailures {
			m.Failures = append(m.Failures, Failure{Point: r.Point, Trial: r.Trial, Status: r.Status, Error: firstLine(r.Error)})
		}
	}
	if i < len(m.Failures) {
		m.Failures[i].Trials++
	}
}

// objective returns a record's objective, NaN where it does not apply.
func (m *Model) objective(r *results.Record) float64 {
	if r.Status != results.Done || m.metric >= len(r.Metrics) {
		return math.NaN()
	}
	return r.Metrics[m.metric]
}

// keep stores the objective; scores grows by a replication at a time.
func (m *Model) keep(r *results.Record) {
	points := int(m.layout.Points())
	for m.reps <= int(r.Replication) {
		m.scores = append(m.scores, slices.Repeat([]score{math.NaN()}, points)...)
		m.reps++
	}
	m.scores[int(r.Replication)*points+int(r.Point)] = m.objective(r)
}

// whole tells whether the objective of every trial is kept.
func (m *Model) whole() bool { return m.layout.Trials() <= m.limits.trials }

// runs returns the scores of points, by point and replication.
func (m *Model) runs(points []int) stats.Scores {
	all := make([]float64, len(points)*m.reps)
	x := make(stats.Scores, len(points))
	for i, p := range points {
		x[i] = all[i*m.reps : (i+1)*m.reps : (i+1)*m.reps]
		for r := range x[i] {
			x[i][r] = m.scores[r*len(m.cells)+p]
		}
	}
	return x
}

// statistic is how the study's objective sums runs up.
func (m *Model) statistic() stats.Statistic {
	if m.Study.Objective.Summary == "" {
		return stats.ByMean
	}
	return stats.Statistic(m.Study.Objective.Summary)
}
