package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"overnight/results"
)

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
