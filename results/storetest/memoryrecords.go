package storetest

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math"
	"slices"

	"overnight/results"
)

// Commit implements results.Records.
func (m *Memory) Commit(ctx context.Context, study string, generation uint32, rs []results.Record) (verdicts []results.Verdict, err error) {
	err = m.on(ctx, "Commit", study, func(k *kept) error {
		for i := range rs {
			if err := rs[i].Valid(&k.plan); err != nil {
				return err
			}
		}
		var fresh []results.Record
		for _, r := range rs {
			r.Generation = generation
			v := k.commit(r)
			if v == results.Committed {
				fresh = append(fresh, cloneRecord(r))
			}
			verdicts = append(verdicts, v)
		}
		m.tell(study, fresh)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

// Scan implements results.Records.
func (m *Memory) Scan(ctx context.Context, study string, from, to uint64) iter.Seq2[results.Record, error] {
	return func(yield func(results.Record, error) bool) {
		var rs []results.Record
		err := m.on(ctx, "Scan", study, func(k *kept) error {
			for _, trial := range slices.Sorted(maps.Keys(k.records)) {
				if from <= trial && trial < to {
					rs = append(rs, k.records[trial])
				}
			}
			return nil
		})
		if err != nil {
			yield(results.Record{}, err)
			return
		}
		for _, r := range rs {
			if !yield(cloneRecord(r), nil) {
				return
			}
		}
	}
}

// Ledger implements results.Records.
func (m *Memory) Ledger(ctx context.Context, study string) (l *results.Ledger, err error) {
	err = m.on(ctx, "Ledger", study, func(k *kept) error {
		l = results.NewLedger(k.plan.Trials)
		for trial := range k.records {
			l.Add(trial)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Tally implements results.Records.
func (m *Memory) Tally(ctx context.Context, study string) (t results.Tally, err error) {
	err = m.on(ctx, "Tally", study, func(k *kept) error { t = k.tally; return nil })
	return t, err
}

// Discard implements results.Records.
func (m *Memory) Discard(ctx context.Context, study string, trials []uint64) (generation uint32, err error) {
	err = m.on(ctx, "Discard", study, func(k *kept) error {
		for _, trial := range trials {
			if r, ok := k.records[trial]; ok {
				delete(k.records, trial)
				*k.count(r.Status)--
				k.plan.Digest = ""
			}
		}
		k.raise(k.plan.Generation + 1)
		generation = k.plan.Generation
		return nil
	})
	return generation, err
}

// Leaders implements results.Leaderboard.
func (m *Memory) Leaders(ctx context.Context, study string, n int, least bool) (leaders []results.Leader, err error) {
	err = m.on(ctx, "Leaders", study, func(k *kept) error {
		sums := map[uint64]results.Leader{}
		for _, trial := range slices.Sorted(maps.Keys(k.records)) {
			r := k.records[trial]
			if r.Status != results.Done || math.IsNaN(r.Metrics[k.plan.Objective]) {
				continue
			}
			l := sums[r.Point]
			sums[r.Point] = results.Leader{Point: r.Point, N: l.N + 1, Mean: l.Mean + r.Metrics[k.plan.Objective]}
		}
		for _, l := range sums {
			if l.Mean /= float64(l.N); !math.IsNaN(l.Mean) {
				leaders = append(leaders, l)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(leaders, func(a, b results.Leader) int {
		by := cmp.Compare(b.Mean, a.Mean)
		if least {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(a.Point, b.Point))
	})
	return leaders[:min(n, len(leaders))], nil
}
