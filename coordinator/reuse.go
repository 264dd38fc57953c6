package coordinator

import (
	"context"
	"fmt"
	"math"
	"slices"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
)

// maxReuse bounds the points that are compared when records are taken over: the
// keys of a larger study would not fit in memory beside everything else.
const maxReuse = 1 << 18

type pointID struct {
	key   [32]byte
	scope uint64
}

// reuse takes over the records of trials that other studies have run with equal
// keys. It is repeated after a crash: a record that is there already counts as a
// duplicate.
func reuse(ctx context.Context, all []results.Plan, p *Planned, o Options) (uint64, error) {
	if p.Study.Points() > maxReuse {
		return 0, nil
	}
	var index map[pointID]uint64
	var total uint64
	for _, old := range slices.Backward(all) {
		if old.Study == p.Name || old.Engine != jobs.EngineVersion || old.Points > maxReuse {
			continue
		}
		if index == nil {
			index = map[pointID]uint64{}
			if err := eachPoint(p.Study, func(id pointID, i uint64) { index[id] = i }); err != nil {
				return total, err
			}
		}
		n, err := reuseFrom(ctx, old, p, index, o)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func eachPoint(s *jobs.Study, fn func(id pointID, i uint64)) error {
	var pt jobs.Point
	for i := range s.Points() {
		if err := s.Resolve(i, &pt); err != nil {
			return fmt.Errorf("resolve point %d: %w", i, err)
		}
		fn(pointID{s.PointKey(&pt), s.Streams(&pt, 0).Scope}, i)
	}
	return nil
}

func reuseFrom(ctx context.Context, old results.Plan, p *Planned, index map[pointID]uint64, o Options) (uint64, error) {
	full, err := o.Store.Plan(ctx, old.Study)
	if err != nil {
		return 0, fmt.Errorf("read plan of %s: %w", old.Study, err)
	}
	study, err := jobs.DecodeStudy(full.Body, o.Catalog)
	if err != nil {
		if o.Log != nil {
			o.Log.Warn("study not looked at for equal trials", zap.String("study", old.Study), zap.Error(err))
		}
		return 0, nil
	}
	if study.Seed != p.Study.Seed {
		return 0, nil
	}
	to := map[uint64]uint64{}
	if err := eachPoint(study, func(id pointID, i uint64) {
		if n, ok := index[id]; ok {
			to[i] = n
		}
	}); err != nil || len(to) == 0 {
		return 0, nil // a study that can't be resolved any more has nothing to give
	}
	metrics := make([]int, len(p.Study.Metrics)) // where each stands in the old records
	for i, m := range p.Study.Metrics {
		metrics[i] = slices.Index(study.Metrics, m)
		if metrics[i] < 0 && m == "return_sampled" {
			// A study without an arm that samples has no such metric: there it is the
			// return, as it would be for these trials here.
			metrics[i] = slices.Index(study.Metrics, "return")
		}
	}
	var total uint64
	var batch []results.Record
	commit := func() error {
		verdicts, err := o.Store.Commit(ctx, p.Name, p.Plan.Generation, batch)
		if err != nil {
			return fmt.Errorf("take over records of %s: %w", old.Study, err)
		}
		for _, v := range verdicts {
			if v == results.Committed {
				total++
			}
		}
		batch = batch[:0]
		o.failpoint("plan.reuse")
		return nil
	}
	for r, err := range o.Store.Scan(ctx, old.Study, 0, full.Trials) {
		if err != nil {
			continue // damaged: fsck tells
		}
		n, ok := to[r.Point]
		if !ok || r.Replication >= p.Study.AllReplications() || (r.Status != results.Done && r.Status != results.Failed) {
			continue
		}
		r.Point = n
		r.Trial = r.Replication*p.Study.Points() + n
		r.Generation = p.Plan.Generation
		if r.Status == results.Done {
			values := make([]float64, len(metrics))
			for i, j := range metrics {
				values[i] = math.NaN()
				if j >= 0 && j < len(r.Metrics) {
					values[i] = r.Metrics[j]
				}
			}
			r.Metrics = values
		}
		if batch = append(batch, r); len(batch) == 4096 {
			if err := commit(); err != nil {
				return total, err
			}
		}
	}
	if len(batch) > 0 {
		err = commit()
	}
	return total, err
}

// maxDescribed bounds the points that are written out for queries.
const maxDescribed = 100_000

// describe writes a study's points where the store can show them.
func describe(ctx context.Context, name string, s *jobs.Study, o Options) error {
	d, ok := o.Store.(results.Describer)
	if !ok || s.Points() > maxDescribed {
		return nil
	}
	columns := append([]string{"task", "arm", "agent"}, s.Columns()...)
	err := d.Describe(ctx, name, columns, func(yield func(uint64, []any) bool) {
		var pt jobs.Point
		row := make([]any, len(columns))
		for i := range s.Points() {
			if s.Resolve(i, &pt) != nil {
				return
			}
			clear(row)
			row[0], row[1], row[2] = s.Tasks[pt.Task].Label, s.Arms[pt.Arm].Label, s.Arms[pt.Arm].Agent
			for _, l := range pt.Levels {
				switch v := l.Value.(type) {
				case bool, int64, float64, string:
					row[3+l.Factor] = v
				default:
					row[3+l.Factor] = l.Name
				}
			}
			if !yield(i, row) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("describe points of %s: %w", name, err)
	}
	o.failpoint("plan.described")
	return nil
}
