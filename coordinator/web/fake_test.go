package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"overnight/results"
)

// awayStore does not answer.
type awayStore struct{ Store }

func (awayStore) Studies(context.Context) ([]results.Plan, error) {
	return nil, errors.New("dial tcp 10.9.8.7:6379: connection refused")
}

// orderStore is what storeOrders needs.
type orderStore interface {
	results.Plans
	results.Records
	Give(ctx context.Context, o results.Order) error
}

// storeOrders are Orders on a store.
type storeOrders struct{ orderStore }

func conflict(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrConflict)
}

// change changes the plan and tells those at work on the study.
func (s storeOrders) change(ctx context.Context, study string, kind results.OrderKind, fn func(*results.Plan) error) error {
	if _, err := s.Update(ctx, study, fn); err != nil {
		return err
	}
	return s.Give(ctx, results.Order{Kind: kind, Study: study, Made: time.Now()})
}

func (s storeOrders) Cancel(ctx context.Context, study string) error {
	return s.change(ctx, study, results.Cancel, func(p *results.Plan) error {
		switch p.State {
		case results.Finished, results.Stopped:
			return conflict("it is %s already", p.State)
		case results.Cancelled:
			return nil
		}
		p.State, p.Ended = results.Cancelled, time.Now()
		p.Generation++ // what is still under way is refused
		return nil
	})
}

func (s storeOrders) Pause(ctx context.Context, study string) error {
	return s.change(ctx, study, results.Pause, func(p *results.Plan) error {
		if p.State != results.Running && p.State != results.Paused {
			return conflict("it is %s, not running", p.State)
		}
		p.State = results.Paused
		return nil
	})
}

func (s storeOrders) Resume(ctx context.Context, study string) error {
	return s.change(ctx, study, results.Resume, func(p *results.Plan) error {
		if p.State != results.Running && p.State != results.Paused {
			return conflict("it is %s, not paused", p.State)
		}
		p.State = results.Running
		return nil
	})
}

func (s storeOrders) Retry(ctx context.Context, study string) (uint64, error) {
	p, err := s.Plan(ctx, study)
	if err != nil {
		return 0, err
	}
	var trials []uint64
	for r, err := range results.Skim(ctx, s.orderStore, study, 0, p.Trials) {
		switch {
		case errors.Is(err, results.ErrDamaged): // fsck --repair discards it
		case err != nil:
			return 0, err
		case r.Status != results.Done:
			trials = append(trials, r.Trial)
		}
	}
	if len(trials) == 0 {
		return 0, nil
	}
	if _, err := s.Discard(ctx, study, trials); err != nil {
		return 0, err
	}
	_, err = s.Update(ctx, study, func(p *results.Plan) error {
		if p.State == results.Finished || p.State == results.Stopped {
			p.State, p.Digest, p.Ended = results.Running, "", time.Time{}
		}
		return nil
	})
	return uint64(len(trials)), err
}

func (s storeOrders) Delete(ctx context.Context, study string) error {
	all, err := s.Studies(ctx) // which names damaged ones too
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Study != study {
			continue
		}
		switch st := all[i].State; st {
		case results.Planning, results.Running, results.Paused:
			return conflict("it is %s: cancel it first", st)
		}
		return s.orderStore.Delete(ctx, study)
	}
	return results.ErrNotFound
}
