package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"overnight/jobs"
	"overnight/results"
)

// Waits between two attempts at a store or queue that fails.
const (
	firstWait = 200 * time.Millisecond
	lastWait  = 5 * time.Second
)

// trouble is a store or queue that does not do its work: what is wrong, and when
// it is tried again.
type trouble struct {
	what  string
	wait  time.Duration
	until time.Time
}

// add takes in a failure. It is logged when it begins and when it changes.
func (t *trouble) add(r *run, what string, err error) {
	text := fmt.Sprintf("%s: %v", what, err)
	if text != t.what {
		r.Log.Warn("trouble", zap.String("study", r.name), zap.String("while", what), zap.Error(err))
	}
	t.what = text
	t.wait = min(max(2*t.wait, firstWait), lastWait)
	t.until = time.Now().Add(t.wait)
}

func (t *trouble) end(r *run) {
	if t.what != "" {
		r.Log.Info("trouble is over", zap.String("study", r.name), zap.String("was", t.what))
		*t = trouble{}
	}
}

// ready tells whether it is time to try.
func (t *trouble) ready() bool { return t.what == "" || !time.Now().Before(t.until) }

// final tells which errors no second attempt mends, and what Run says of them.
func (r *run) final(ctx context.Context, err error) (error, bool) {
	var leased *LeasedError
	switch {
	case ctx.Err() != nil:
		return ctx.Err(), true
	case errors.Is(err, results.ErrNotFound):
		return fmt.Errorf("study %s: %w (%w)", r.name, ErrPlanLost, err), true
	case errors.Is(err, ErrSuperseded), errors.Is(err, ErrStopped), errors.Is(err, errFinished),
		errors.Is(err, results.ErrDamaged), errors.Is(err, jobs.ErrClosed), errors.Is(err, errUnreadable), errors.As(err, &leased):
		return err, true
	}
	return nil, false
}

// errUnreadable is wrapped where a study can't go on without somebody's help.
var errUnreadable = errors.New("can't go on")

// persist calls fn until it succeeds or fails for good.
func (r *run) persist(ctx context.Context, what string, fn func() error) error {
	for {
		err := fn()
		if err == nil {
			r.store.end(r)
			return nil
		}
		if err, ok := r.final(ctx, err); ok {
			return err
		}
		r.store.add(r, what, err)
		r.report()
		if !sleep(ctx, r.store.wait) {
			return ctx.Err()
		}
	}
}

// sleep waits for d and tells whether ctx is still good.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
