package figure

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"overnight/envs"
)

// endless plays steps of a second each, as long as it is let, as a learning run
// does that looks at no context.
func endless(steps int) Play {
	return func(_ context.Context, _ uint64, _ Wanted, begin func(*envs.Spec) error, step func(Step) error) error {
		if err := begin(&envs.Spec{}); err != nil {
			return err
		}
		for i := range steps {
			time.Sleep(time.Second)
			if err := step(Step{Step: i}); err != nil {
				return err
			}
		}
		return nil
	}
}

func unplayed(err error) bool {
	var u *Unplayed
	return errors.As(err, &u)
}

// TestSparing holds that playing has its time in all, one at a time, and that
// other errors stay what they are.
func TestSparing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := make(chan struct{}, 1)
		begin := func(*envs.Spec) error { return nil }
		seen := 0
		count := func(Step) error { seen++; return nil }
		play := Sparing(endless(4), 10*time.Second+time.Millisecond, turns)
		var errs [4]error
		for i := range errs {
			errs[i] = play(t.Context(), uint64(i), Wanted{}, begin, count)
		}
		for i, err := range errs {
			if want := i >= 2; unplayed(err) != want || !want && err != nil {
				t.Errorf("trial %d: %v", i, err)
			}
		}
		if seen != 10 || len(turns) != 0 {
			t.Errorf("%d steps of a second in ten, %d turns taken at the end", seen, len(turns))
		}

		// Two at once take turns; waiting costs nothing of the time.
		var both sync.WaitGroup
		began := time.Now()
		for range 2 {
			both.Go(func() {
				if err := Sparing(endless(4), 5*time.Second, turns)(t.Context(), 0, Wanted{}, begin, func(Step) error { return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("two of four seconds each took %v, want one after the other", took)
		}

		broken := errors.New("broken")
		err := Sparing(endless(4), time.Minute, turns)(t.Context(), 0, Wanted{}, begin, func(Step) error { return broken })
		if !errors.Is(err, broken) || unplayed(err) {
			t.Errorf("a step's error becomes %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = Sparing(endless(4), time.Minute, turns)(ctx, 0, Wanted{}, begin, count)
		if !errors.Is(err, context.Canceled) || unplayed(err) {
			t.Errorf("broken off from outside: %v", err)
		}
	})
}
