package natsstore

import (
	"context"
	"time"

	"overnight/results"
)

// Beat implements results.Fleet. Give ctx a deadline: a beat that comes late says
// nothing new.
func (s *Store) Beat(ctx context.Context, w results.Worker, after int64) ([]results.Order, error) {
	q := beat{worker: w, after: after}
	b, err := s.call(ctx, opBeat, q.encode(), maxBody)
	if err != nil {
		return nil, err
	}
	orders, err := decodeOrders(b)
	return orders, unreadable("orders", err)
}

// Workers implements results.Fleet.
func (s *Store) Workers(ctx context.Context) ([]results.Worker, error) {
	b, err := s.call(ctx, opWorkers, nil, maxBody)
	if err != nil {
		return nil, err
	}
	ws, err := decodeWorkers(b)
	return ws, unreadable("list of workers", err)
}

// Give implements results.Fleet.
func (s *Store) Give(ctx context.Context, o results.Order) error {
	_, err := s.call(ctx, opGive, appendOrder(nil, &o), 0)
	return err
}

// Lease implements results.Fleet.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (string, error) {
	q := lease{name: name, holder: holder, ttl: ttl}
	b, err := s.call(ctx, opLease, q.encode(), maxBody)
	return string(b), err
}
