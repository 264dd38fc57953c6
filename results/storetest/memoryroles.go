package storetest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"overnight/results"
)

// Create implements results.Plans.
func (m *Memory) Create(ctx context.Context, p results.Plan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	return m.do(ctx, "Create", p.Study, func(s *state) error {
		if s.studies[p.Study] != nil {
			return results.ErrExists
		}
		s.created++
		s.studies[p.Study] = &kept{serial: s.created, plan: clonePlan(p), records: map[uint64]results.Record{}, checkpoints: map[uint64][]byte{}}
		return nil
	})
}

// Plan implements results.Plans.
func (m *Memory) Plan(ctx context.Context, study string) (p results.Plan, err error) {
	err = m.on(ctx, "Plan", study, func(k *kept) error { p = clonePlan(k.plan); return nil })
	if err != nil {
		return results.Plan{}, err
	}
	return p, nil
}

// Studies implements results.Plans.
func (m *Memory) Studies(ctx context.Context) (plans []results.Plan, err error) {
	err = m.do(ctx, "Studies", "", func(s *state) error {
		for _, k := range s.list() {
			p := clonePlan(k.plan)
			p.Body, p.Source = nil, nil
			plans = append(plans, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return plans, nil
}

// Update implements results.Plans.
func (m *Memory) Update(ctx context.Context, study string, change func(*results.Plan) error) (p results.Plan, err error) {
	err = m.on(ctx, "Update", study, func(k *kept) error {
		p = clonePlan(k.plan)
		if err := change(&p); err != nil {
			return err
		}
		if err := p.ValidAfter(&k.plan); err != nil {
			return err
		}
		p = clonePlan(p)
		k.raise(p.Generation)
		old := k.plan.Metrics
		k.plan = clonePlan(p)
		if len(p.Metrics) == len(old) {
			return nil
		}
		for trial, r := range k.records { // the order has no say in the result
			if r.Status == results.Done {
				r.Metrics = slices.Clone(r.Metrics)
				for len(r.Metrics) < len(p.Metrics) {
					r.Metrics = append(r.Metrics, math.NaN())
				}
				k.records[trial] = r
			}
		}
		return nil
	})
	if err != nil {
		return results.Plan{}, err
	}
	return p, nil
}

// Delete implements results.Plans.
func (m *Memory) Delete(ctx context.Context, study string) error {
	return m.do(ctx, "Delete", study, func(s *state) error {
		k, err := s.study(study)
		if err != nil {
			return err
		}
		delete(s.studies, study)
		for _, ref := range results.DataRefs(k.plan.Body) {
			used := false
			for _, other := range s.list() {
				used = used || slices.Contains(results.DataRefs(other.plan.Body), ref)
			}
			if !used {
				delete(s.blobs, ref)
			}
		}
		return nil
	})
}

// PutBlob implements results.Blobs.
func (m *Memory) PutBlob(ctx context.Context, sha256 string, data []byte) error {
	return m.do(ctx, "PutBlob", "", func(s *state) error {
		if sum(data) != sha256 {
			return fmt.Errorf("data %s: %w: its content has another sum", sha256, results.ErrDamaged)
		}
		s.blobs[sha256] = slices.Clone(data)
		return nil
	})
}

// Blob implements results.Blobs.
func (m *Memory) Blob(ctx context.Context, sha256 string) (data []byte, err error) {
	err = m.do(ctx, "Blob", "", func(s *state) error {
		b, ok := s.blobs[sha256]
		if !ok {
			return fmt.Errorf("data %s: %w", sha256, results.ErrNotFound)
		}
		data = slices.Clone(b)
		return nil
	})
	return data, err
}

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

// Beat implements results.Fleet.
func (m *Memory) Beat(ctx context.Context, w results.Worker, after int64) (orders []results.Order, err error) {
	err = m.do(ctx, "Beat", "", func(s *state) error {
		w = cloneWorker(w)
		w.Seen = m.clock().UTC().Round(0)
		s.workers[w.ID] = w
		for _, o := range s.orders {
			if o.ID > after {
				orders = append(orders, o)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return orders, nil
}

// Workers implements results.Fleet.
func (m *Memory) Workers(ctx context.Context) (workers []results.Worker, err error) {
	err = m.do(ctx, "Workers", "", func(s *state) error {
		for _, id := range slices.Sorted(maps.Keys(s.workers)) {
			workers = append(workers, cloneWorker(s.workers[id]))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return workers, nil
}

// Give implements results.Fleet.
func (m *Memory) Give(ctx context.Context, o results.Order) error {
	return m.do(ctx, "Give", o.Study, func(s *state) error {
		s.ordered++
		o.ID = s.ordered
		if o.Made.IsZero() {
			o.Made = m.clock()
		}
		o.Made = o.Made.UTC().Round(0)
		s.orders = append(s.orders, o)
		return nil
	})
}

// Lease implements results.Fleet.
func (m *Memory) Lease(ctx context.Context, name, holder string, ttl time.Duration) (by string, err error) {
	if name == "" || holder == "" || ttl < 0 {
		return "", fmt.Errorf("lease %q for %q for %v: it needs both names and a time of 0 or more", name, holder, ttl)
	}
	err = m.do(ctx, "Lease", "", func(s *state) error {
		l, ok := s.leases[name]
		now := m.clock()
		switch {
		case ttl == 0:
			if ok && l.holder == holder {
				delete(s.leases, name)
			}
			return nil
		case !ok || l.holder == holder || !l.until.After(now):
			l = leased{holder, now.Add(ttl)}
			s.leases[name] = l
		}
		by = l.holder
		return nil
	})
	if err != nil {
		return "", err
	}
	return by, nil
}

// SaveCheckpoint implements results.Checkpoints.
func (m *Memory) SaveCheckpoint(ctx context.Context, study string, generation uint32, trial uint64, saved []byte) error {
	return m.on(ctx, "SaveCheckpoint", study, func(k *kept) error {
		if trial >= k.plan.Trials {
			return fmt.Errorf("checkpoint of trial %d, where the study has %d trials", trial, k.plan.Trials)
		}
		if _, ok := k.records[trial]; !ok && generation == k.plan.Generation {
			k.checkpoints[trial] = slices.Clone(saved)
		}
		return nil
	})
}

// Checkpoint implements results.Checkpoints.
func (m *Memory) Checkpoint(ctx context.Context, study string, generation uint32, trial uint64) (saved []byte, err error) {
	err = m.on(ctx, "Checkpoint", study, func(k *kept) error {
		b, ok := k.checkpoints[trial]
		if !ok || generation != k.plan.Generation {
			return fmt.Errorf("checkpoint of trial %d: %w", trial, results.ErrNotFound)
		}
		saved = slices.Clone(b)
		return nil
	})
	return saved, err
}
