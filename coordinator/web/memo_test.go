package web

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemo holds that equal questions are computed once, that errors are not kept,
// and that what is kept of a study goes when the study changes.
func TestMemo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memo{most: 3}
		var made atomic.Int64
		ask := func(s state, what string) (string, error) {
			return remembered(t.Context(), m, s, what, func() (string, error) {
				n := made.Add(1)
				time.Sleep(time.Second)
				if what == "wrong" {
					return "", errAway
				}
				return fmt.Sprint(what, n), nil
			})
		}
		one := state{study: "one", committed: 1}
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if got, err := ask(one, "a"); got != "a1" || err != nil {
					t.Errorf("%q %v", got, err)
				}
			})
		}
		all.Wait()
		for range 2 {
			if _, err := ask(one, "wrong"); !errors.Is(err, errAway) {
				t.Error(err)
			}
		}
		if n := made.Load(); n != 3 {
			t.Errorf("computed %d times", n)
		}
		one.committed = 2
		if got, _ := ask(one, "a"); got != "a4" || len(m.list) != 1 {
			t.Errorf("%q, %d kept: the study has changed", got, len(m.list))
		}
		for _, name := range []string{"two", "three", "four"} {
			if _, err := ask(state{study: name}, "a"); err != nil {
				t.Error(err)
			}
		}
		if len(m.list) != 3 {
			t.Errorf("%d kept of at most 3", len(m.list))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		all.Go(func() { _, _ = ask(one, "slow") })
		synctest.Wait()
		if _, err := remembered(ctx, m, one, "slow", func() (string, error) { return "", nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want who waits to be let go", err)
		}
		all.Wait()
	})
}
