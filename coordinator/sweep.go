package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"overnight/results"
)

// Sweep removes the studies that ended longer ago than their plan keeps them,
// and, where olderThan is not 0, all that ended longer ago than that. It returns
// their names. A study that somebody coordinates is left alone.
//
// now is compared with the time that another process wrote when the study ended:
// what is kept for days bears that.
func Sweep(ctx context.Context, o Options, now time.Time, olderThan time.Duration) (removed []string, err error) {
	o.setDefaults()
	due, err := Due(ctx, o.Store, now, olderThan)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range due {
		gone, err := remove(ctx, o, p.Study, now, olderThan)
		switch {
		case errors.Is(err, results.ErrNotFound):
		case err != nil:
			errs = append(errs, fmt.Errorf("remove %s: %w", p.Study, err))
		case gone:
			removed = append(removed, p.Study)
			o.Log.Info("study removed", zap.String("study", p.Study), zap.Time("ended", p.Ended), zap.Duration("kept", now.Sub(p.Ended)))
		}
	}
	return removed, errors.Join(errs...)
}

// Due returns the studies that Sweep would remove, without Body and Source.
func Due(ctx context.Context, plans results.Plans, now time.Time, olderThan time.Duration) ([]results.Plan, error) {
	heads, err := plans.Studies(ctx)
	if err != nil {
		return nil, fmt.Errorf("read studies: %w", err)
	}
	return slices.DeleteFunc(heads, func(p results.Plan) bool { return !outlived(&p, now, olderThan) }), nil
}

// outlived tells whether a plan's study may go.
func outlived(p *results.Plan, now time.Time, olderThan time.Duration) bool {
	if p.Ended.IsZero() || over(p) == nil {
		return false
	}
	age := now.Sub(p.Ended)
	return p.Keep > 0 && age > p.Keep || olderThan > 0 && age > olderThan
}

// remove deletes a study under its lease, if it still may go.
func remove(ctx context.Context, o Options, study string, now time.Time, olderThan time.Duration) (bool, error) {
	if o.Holder != "" {
		name := LeaseName(study)
		by, err := o.Store.Lease(ctx, name, o.Holder, o.LeaseTTL)
		if err != nil || by != o.Holder {
			return false, err
		}
		defer giveUp(ctx, o, name)
	}
	p, err := o.Store.Plan(ctx, study)
	if err != nil {
		return false, err
	}
	if !outlived(&p, now, olderThan) {
		return false, nil // opened again meanwhile
	}
	return true, o.Store.Delete(ctx, study)
}
