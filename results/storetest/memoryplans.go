package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"

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
