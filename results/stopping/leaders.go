package stopping

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"overnight/jobs"
	"overnight/results"
)

// maxReferences bounds how many points are asked for beyond those wanted, so that
// enough are left without the oracle's.
const maxReferences = 1000

// Board returns the store's list of the best points, where there is one that knows
// them without their records: it counts every run, so a study must want them all.
func Board(s results.Records, study *jobs.Study, p *results.Plan) (results.Leaderboard, bool) {
	b, ok := s.(results.Leaderboard)
	return b, ok && !Applies(study, p)
}

// Leaders returns at most n points, the best first, by the mean of the objective
// over the runs that points are compared by: no surplus, and none that confirm a
// point. Points of the oracle come behind all others: it is what they are measured
// by. Without a Board every record is read.
func Leaders(ctx context.Context, s results.Records, p *results.Plan, study *jobs.Study, n int) ([]results.Leader, error) {
	refs := references(study)
	var all []results.Leader
	if b, ok := Board(s, study, p); ok {
		var err error
		if all, err = b.Leaders(ctx, p.Study, n+int(min(refs.points, maxReferences)), study.Objective.Minimize); err != nil {
			return nil, err
		}
	} else {
		var err error
		if all, err = means(ctx, s, p, study); err != nil {
			return nil, err
		}
		slices.SortFunc(all, func(a, b results.Leader) int {
			c := cmp.Compare(b.Mean, a.Mean)
			if study.Objective.Minimize {
				c = -c
			}
			return cmp.Or(c, cmp.Compare(a.Point, b.Point))
		})
	}
	slices.SortStableFunc(all, func(a, b results.Leader) int { return cmp.Compare(refs.rank(a.Point), refs.rank(b.Point)) })
	return all[:min(n, len(all))], nil
}

// means reads the mean of each point.
func means(ctx context.Context, s results.Records, p *results.Plan, study *jobs.Study) ([]results.Leader, error) {
	o, err := New(study)
	if err != nil {
		return nil, err
	}
	at := map[uint64]*results.Leader{}
	for r, err := range o.Wanted(results.Skim(ctx, s, p.Study, 0, p.Trials)) {
		switch {
		case errors.Is(err, results.ErrDamaged):
			continue
		case err != nil:
			return nil, err
		case r.Replication >= study.Replications, r.Status != results.Done, p.Objective < 0, p.Objective >= len(r.Metrics):
			continue
		}
		x := r.Metrics[p.Objective]
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		l := at[r.Point]
		if l == nil {
			l = &results.Leader{Point: r.Point}
			at[r.Point] = l
		}
		l.N++
		l.Mean += (x - l.Mean) / float64(l.N)
	}
	all := make([]results.Leader, 0, len(at))
	for _, l := range at {
		all = append(all, *l)
	}
	return all, nil
}

// oracles are the stretches of points whose arm is the oracle.
type oracles struct {
	spans  []results.Span
	points uint64
}

func references(s *jobs.Study) oracles {
	var o oracles
	from := uint64(0)
	for _, b := range s.Blocks() {
		if s.Oracle(b.Arm) {
			o.spans = append(o.spans, results.Span{From: from, To: b.To})
			o.points += b.To - from
		}
		from = b.To
	}
	return o
}

// rank is 1 for a point of the oracle, and 0 for others.
func (o *oracles) rank(point uint64) int {
	if slices.ContainsFunc(o.spans, func(s results.Span) bool { return s.From <= point && point < s.To }) {
		return 1
	}
	return 0
}
