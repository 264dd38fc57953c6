package figure

import (
	"context"
	"fmt"
	"time"

	"overnight/envs"
)

// Unplayed is the error of a Play that runs no trial again, or none any more: what
// was wanted is left out, and nothing else is wrong.
type Unplayed struct {
	Why string // "running trials again takes longer than 20s"
}

func (u *Unplayed) Error() string { return u.Why }

// Sparing returns a Play for places where trials are run again by the way: of all
// that share turns only as many run at a time as turns has room for, and it plays
// for as long as within in all, waiting not counted; then its error is
// Unplayed. It is used by one goroutine at a time.
func Sparing(play Play, within time.Duration, turns chan struct{}) Play {
	var spent time.Duration
	return func(ctx context.Context, trial uint64, want Wanted, begin func(*envs.Spec) error, step func(Step) error) error {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-ctx.Done():
			return ctx.Err()
		}
		began := time.Now()
		limited, stop := context.WithTimeout(ctx, within-spent)
		defer stop()
		err := limited.Err()
		if err == nil {
			err = play(limited, trial, want, begin, func(s Step) error {
				if err := limited.Err(); err != nil { // a learning run asks nobody in between
					return err
				}
				return step(s)
			})
		}
		spent += time.Since(began)
		if err != nil && ctx.Err() == nil && limited.Err() != nil {
			return &Unplayed{fmt.Sprintf("running trials again takes longer than %v", within)}
		}
		return err
	}
}
