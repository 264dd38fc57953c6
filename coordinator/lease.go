package coordinator

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// ServeLease is the lease of the leader among the replicas of a Service.
const ServeLease = "serve"

// LeaseName is the lease of whoever coordinates a study.
func LeaseName(study string) string { return "study/" + study }

// lease takes the study's lease and keeps it until release is called. The
// returned context ends with ErrSuperseded as its cause when another holds it.
func (r *run) lease(ctx context.Context) (leased context.Context, release func(), err error) {
	leased, lose := context.WithCancelCause(ctx)
	if r.Holder == "" {
		return leased, func() { lose(nil) }, nil
	}
	name := LeaseName(r.name)
	err = r.persist(ctx, "take the lease", func() error {
		by, err := r.Store.Lease(ctx, name, r.Holder, r.LeaseTTL)
		if err == nil && by != r.Holder {
			err = &LeasedError{Name: name, Holder: by}
		}
		return err
	})
	if err != nil {
		lose(nil)
		return nil, nil, err
	}
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		keepLease(leased, r.Options, name, func(by string) {
			lose(fmt.Errorf("study %s: %w: %s", r.name, ErrSuperseded, by))
		}, nil)
	}()
	return leased, func() {
		lose(nil)
		<-kept
		giveUp(ctx, r.Options, name)
	}, nil
}

// keepLease renews a lease three times within its time until ctx ends, or until
// another has it: then it calls lost and returns. Errors mean nothing by
// themselves, since nobody else can have it while the store is down; expired,
// where not nil, is called when a whole time has passed without renewal.
func keepLease(ctx context.Context, o Options, name string, lost func(by string), expired func()) {
	renewed := time.Now()
	for sleep(ctx, o.LeaseTTL/3) {
		began := time.Now()
		call, cancel := context.WithTimeout(ctx, o.LeaseTTL/3)
		by, err := o.Store.Lease(call, name, o.Holder, o.LeaseTTL)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			o.Log.Warn("renew lease", zap.String("lease", name), zap.Error(err))
			if expired != nil && time.Since(renewed) >= o.LeaseTTL {
				expired()
				return
			}
		case by != o.Holder:
			lost(by)
			return
		default:
			renewed = began
		}
	}
}

// giveUp ends a lease, so that the next holder need not wait.
func giveUp(ctx context.Context, o Options, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := o.Store.Lease(ctx, name, o.Holder, 0); err != nil {
		o.Log.Debug("give up lease", zap.String("lease", name), zap.Error(err)) // it runs out
	}
}
