// Package stopping decides which trials a study wants where results have a say in
// it: until when each point is repeated, and which points are confirmed. Start
// with Read and Outcome.Wants.
//
// Every decision is a function of records in trial order. A point is looked at
// after the numbers of replications that the study declares, and each time by
// nothing but its first so many replications and those of the points beside it;
// so the order of arrival, the number of workers and what else has run say
// nothing. What has a record and is not wanted is surplus, outside digest and
// tables.
package stopping

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/stats"
)

// Outcome is what is known of the trials that a study wants. It takes in records
// in any order; one goroutine uses it. A study that is not Ruled wants all its
// trials and costs nothing.
type Outcome struct {
	// Grown is told of trials that become wanted: replications from <= i < to of a
	// point. Nil: nobody is told. What every point gets is not told.
	Grown func(point, from, to uint64)

	study  *jobs.Study
	stages []uint64
	last   uint64 // replications of the selection part
	metric int
	taken  uint64 // records
	wanted uint64
	have   uint64 // records of wanted trials
	failed uint64 // of these, those that did not end well
	ahead  uint64 // replications that points which may go on do not want so far

	// Of ruled studies alone.
	seen    *results.Ledger
	at      []point
	beside  *neighbours     // by which points are judged; nil: by themselves
	running []uint64        // by task: candidates for confirmation whose score is not known yet
	along   *neighbours     // that run along where points are confirmed; nil: none do
	eachRun uint64          // trials that the confirmation of a point is at most
	bad     map[uint64]bool // trials that did not end well and are not wanted so far
	chosen  []uint64        // the points that are confirmed, ascending
}

var _ results.Chooser = (*Outcome)(nil)

// point is where one point stands.
type point struct {
	scores       []float64 // by replication, NaN where it ended without one; nil once nobody needs them
	prefix       uint64    // so many first replications have a record
	half, target float64   // of the interval at the last stage that was looked at
	score        float64   // summary of what is wanted, once that is known
	users        uint32    // groups of points that are judged by it and may go on
	stage        uint8     // index of stages: so many replications are wanted
	state        state
	candidate    bool // may be confirmed
	confirmed    bool // its further replications are wanted
}

type state uint8

const (
	open    state = iota // it may go on
	settled              // its interval is narrow enough
	spent                // it has all replications, and its interval is wider
	serving              // it goes on as long as points beside it do
	served               // it did
)

// New returns the outcome of a study without records.
func New(s *jobs.Study) (*Outcome, error) {
	o := &Outcome{study: s, stages: s.Stages(), last: s.Replications, metric: slices.Index(s.Metrics, s.Objective.Metric)}
	o.wanted = s.Points() * o.stages[0]
	if !s.Ruled() {
		return o, nil
	}
	if s.Points() > jobs.MaxRuledPoints || s.Trials() > jobs.MaxRuledTrials {
		return nil, fmt.Errorf("study %s has %d points and %d trials, more than results can decide on: %d and %d", s.Name, s.Points(), s.Trials(), jobs.MaxRuledPoints, uint64(jobs.MaxRuledTrials))
	}
	if o.metric < 0 {
		return nil, fmt.Errorf("study %s has no metric %q, its objective", s.Name, s.Objective.Metric)
	}
	o.seen = results.NewLedger(s.Trials())
	o.at = make([]point, s.Points())
	for i := range o.at {
		p := &o.at[i]
		p.half, p.target, p.score = math.NaN(), math.NaN(), math.NaN()
	}
	judge := ""
	if s.Stopping != nil {
		judge = s.Stopping.DifferenceFrom
	}
	var err error
	if o.beside, err = meet(s, judge); err != nil {
		return nil, err
	}
	o.bad, o.ahead = map[uint64]bool{}, s.Points()*(o.last-o.stages[0])
	o.beside.judge(len(o.stages), func(ref uint32) {
		o.at[ref].users++
		o.at[ref].state = serving
	})
	if s.Confirm == nil {
		return o, nil
	}
	o.candidates()
	if o.along = o.beside; s.Reference() != judge {
		o.along, err = meet(s, s.Reference())
	}
	o.eachRun = (1 + o.along.most()) * s.Confirm.Replications
	return o, err
}

// Read returns the outcome of a study with these records. Damaged ones count as
// missing; any other error ends it.
func Read(s *jobs.Study, records iter.Seq2[results.Record, error]) (*Outcome, error) {
	o, err := New(s)
	if err != nil {
		return nil, err
	}
	for r, err := range records {
		switch {
		case errors.Is(err, results.ErrDamaged):
		case err != nil:
			return nil, fmt.Errorf("read the records of study %s: %w", s.Name, err)
		default:
			o.Take(&r)
		}
	}
	return o, nil
}

// Wanted yields of records in trial order those that the study wants, and all
// errors. It takes each of them in.
func (o *Outcome) Wanted(records iter.Seq2[results.Record, error]) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		for r, err := range records {
			if (err != nil || o.Take(&r)) && !yield(r, err) {
				return
			}
		}
	}
}

// Digest is results.Digest over the trials that a study wants.
func Digest(ctx context.Context, store results.Records, p results.Plan, s *jobs.Study) (digest string, missing uint64, err error) {
	if !Applies(s, &p) {
		return results.Digest(ctx, store, p)
	}
	o, err := New(s)
	if err != nil {
		return "", 0, err
	}
	return results.DigestOf(ctx, store, p, o)
}

// Applies tells whether a planned study may want less than all of its trials:
// where results decide, or where its file asked for more replications once.
func Applies(s *jobs.Study, p *results.Plan) bool { return s.Ruled() || s.Trials() < p.Trials }

// Wants tells whether the study wants a trial, as far as is known.
func (o *Outcome) Wants(trial uint64) bool {
	if trial >= o.study.Trials() || o.at == nil {
		return trial < o.study.Trials()
	}
	i, replication := o.study.Split(trial)
	return o.wants(&o.at[i], replication)
}

func (o *Outcome) wants(p *point, replication uint64) bool {
	if replication >= o.last {
		return p.confirmed
	}
	return replication < o.stages[p.stage]
}

// Total returns how many trials are wanted, as far as is known.
func (o *Outcome) Total() uint64 { return o.wanted }

// Most returns how many trials may be wanted in the end, as far as is known.
func (o *Outcome) Most() uint64 {
	if o.at == nil {
		return o.wanted
	}
	return min(o.wanted+o.ahead+o.toConfirm(), o.study.Trials())
}

// Missing returns how many wanted trials have no record. With none missing,
// nothing more will be wanted.
func (o *Outcome) Missing() uint64 { return o.wanted - min(o.have, o.wanted) }

// Surplus returns how many records are of trials that are not wanted.
func (o *Outcome) Surplus() uint64 { return o.taken - o.have }

// Failures returns how many wanted trials have a record and did not end well.
func (o *Outcome) Failures() uint64 { return o.failed }

// Saved returns how many trials stopping has left out so far: replications that
// points which have ended did not need.
func (o *Outcome) Saved() uint64 {
	saved := uint64(0)
	for i := range o.at {
		if s := o.at[i].state; s == settled || s == served {
			saved += o.last - o.stages[o.at[i].stage]
		}
	}
	return saved
}

// Standing is where a point stands.
type Standing struct {
	Replications uint64  // wanted, without those that confirm
	Looked       bool    // its interval was looked at
	Settled      bool    // and is narrow enough
	Open         bool    // it may go on
	Serves       bool    // it is not judged, and goes on as long as points beside it do
	Half, Target float64 // half of the interval's width and what it has to reach; NaN where not known
}

// At returns where a point stands.
func (o *Outcome) At(i uint64) Standing {
	if o.at == nil {
		return Standing{Replications: o.last, Half: math.NaN(), Target: math.NaN()}
	}
	p := &o.at[i]
	return Standing{
		Replications: o.stages[p.stage], Half: p.half, Target: p.target,
		Looked: !math.IsNaN(p.target), Settled: p.state == settled || p.state == served, Open: p.state == open || p.state == serving,
		Serves: p.state == serving || p.state == served,
	}
}

// Unsettled returns the points that have all their replications and a wider
// interval than the study asks for, ascending.
func (o *Outcome) Unsettled() []uint64 {
	var list []uint64
	for i := range o.at {
		if o.study.Stopping != nil && o.at[i].state == spent {
			list = append(list, uint64(i))
		}
	}
	return list
}

// Confirmed returns the points that were chosen for confirmation, ascending; the
// points beside them that run along are not among them. Of a task it is nothing
// before all its scores are known.
func (o *Outcome) Confirmed() []uint64 { return o.chosen }

// summary returns the statistic that scores are compared by.
func (o *Outcome) summary() stats.Statistic {
	if o.study.Objective.Summary == "" {
		return stats.ByMean
	}
	return stats.Statistic(o.study.Objective.Summary)
}
